# Sourced by setup.sh: installs the packages that a run needs (apt). What is needed is tested by what is used of it, so
# that software installed in another way counts.
# shellcheck shell=bash

missing=()      # packages
updated=''      # whether apt's lists are new

# need PACKAGE TEST...: the package is missing unless TEST succeeds
need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_compiler() {
    command -v make && gcc -x c -o /dev/null - <<<$'#include <stdio.h>\nint main(void) { return 0; }'
}

# has_library NAME HEADER: a program that includes HEADER can be linked with what pkg-config knows as NAME
has_library() {
    local flags
    read -ra flags <<<"$(pkg-config --cflags --libs "$1")"
    [ ${#flags[@]} -gt 0 ] && gcc -x c -o /dev/null - "${flags[@]}" <<<"#include <$2>"$'\nint main(void) { return 0; }'
}

has_java_17() {
    local version
    # Java would leave a folder in /tmp for its statistics.
    version=$(java -XX:-UsePerfData -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 17 ]
}

# Without a home, newer ones keep no statistics there.
has_go_1_17() {
    local version
    version=$(env -u HOME -u XDG_CONFIG_HOME go version | sed -n 's/.* go1\.\([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 17 ]
}

# A PostgreSQL of another layout than Debian's is the caller's business.
need_postgres() {
    local major
    major=$(major_of "$PG_BINDIR")
    if [ -n "${PG_CONFIG:-}" ] && [ -z "$major" ]; then
        if ! has_server "$PG_BINDIR" || ! has_client "$PG_BINDIR" || ! has_headers "$PG_BINDIR"; then
            die "$PG_CONFIG: this PostgreSQL lacks its server, its client or its headers"
        fi
    else
        need "postgresql-$major" has_server "$PG_BINDIR"
        need "postgresql-client-$major" has_client "$PG_BINDIR"
        need "postgresql-server-dev-$major" has_headers "$PG_BINDIR"
    fi
}

need_build() {
    need build-essential has_compiler
    need pkg-config command -v pkg-config
    need libcurl4-openssl-dev has_library libcurl curl/curl.h
    need libssl-dev has_library libcrypto openssl/evp.h
    need libjson-c-dev has_library json-c json.h
    need python3 test -x /usr/bin/python3
    need_postgres
}

need_venv() {
    [ -e "$(venv_folder "$1")/ready" ] || need python3-venv /usr/bin/python3 -c 'import ensurepip, venv'
}

need_dynamodb_local() {
    need default-jre-headless has_java_17
    [ -e "$(dynamodb_local_folder)/ready" ] || need maven command -v mvn
}

need_metadata_mock() {
    [ -e "$(metadata_mock_folder)/ready" ] || need golang-go has_go_1_17
}

need_quickstart() {
    need_dynamodb_local
    need_venv test/requirements-quickstart.txt
}

# libFuzzer is of no use without the clang that it fits
need_fuzz() {
    need clang test/fuzz/find-clang
    need libclang-rt-dev test/fuzz/find-clang
}

need_compile() {
    need_fuzz
}

# From PostgreSQL 17 on the formatter comes with the server's headers, and not all suites have it otherwise. Where there
# is none, its check is skipped.
need_pure() {
    if [ ! -x "$PG_BINDIR/pg_bsd_indent" ] && can_install pg-bsd-indent; then
        need pg-bsd-indent command -v pg_bsd_indent
    fi
}

need_unit() {
    need valgrind command -v valgrind
}

need_regress() {
    need_dynamodb_local
}

need_integration() {
    need_dynamodb_local
    need_venv test/requirements.txt
    need pgbouncer command -v pgbouncer
    need openssl command -v openssl
    need_metadata_mock
    need iproute2 command -v ip
}

need_bench() {
    need_venv test/requirements.txt
}

need_machines() {
    need debootstrap command -v debootstrap
    need debian-archive-keyring test -e /usr/share/keyrings/debian-archive-keyring.gpg
    need gpgv command -v gpgv
    need python3 test -x /usr/bin/python3
}

# find_missing PURPOSE...: sets `missing` to the packages needed for these, which are steps of ./run-tests, or `build`,
# `quickstart`
find_missing() {
    local purpose
    missing=()
    for purpose in "$@"; do
        "need_$purpose"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        command -v sudo >/dev/null || die "neither root nor sudo; please install: ${missing[*]}"
        sudo "$@"
    fi
}

# Before apt's lists are new, everything can be.
can_install() {
    [ -z "$updated" ] || apt-get --simulate install "$1" >/dev/null 2>&1
}

# run by root: apt-get. Debian's package of a server would make a cluster and start it, which nobody asked for; the
# setting against it holds for this install only.
# shellcheck disable=SC2016
install_without_cluster='
    set -e
    folder=/etc/postgresql-common/createcluster.d
    if [ -d $folder ]; then made=; else made=yes; fi
    trap "rm -f $folder/dynamo_fdw.conf; [ -z \"$made\" ] || rmdir -p --ignore-fail-on-non-empty $folder" EXIT
    mkdir -p "$folder"
    echo "create_main_cluster = false" >"$folder/dynamo_fdw.conf"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
'

# install_packages PURPOSE...: what is needed for these; sets PG_BINDIR
install_packages() {
    choose_postgres
    find_missing "$@"
    [ ${#missing[@]} -gt 0 ] || return 0

    say "installing packages"
    # Where a source can't be reached, the others and the old lists may do.
    as_root apt-get --quiet=2 update || say "apt-get update failed"
    updated=yes
    choose_postgres
    find_missing "$@"
    [ ${#missing[@]} -gt 0 ] || return 0
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
    say "${missing[*]}"
    quietly as_root sh -c "$install_without_cluster" install "${missing[@]}"
}
