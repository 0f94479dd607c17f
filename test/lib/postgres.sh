# Sourced by setup.sh: which PostgreSQL is used, and the private copy of it.
#
# Debian keeps each major version apart, and its server, its client and its headers are packages of their own. pg_config
# and PGXS's makefiles come with the client, so they tell nothing about the other two.
# shellcheck shell=bash

has_server() {
    [ -x "$1/postgres" ] && [ -x "$1/initdb" ]
}

has_client() {
    [ -x "$1/psql" ] && [ -x "$1/pg_isready" ]
}

# the headers, and the makefiles that use them
has_headers() {
    [ -f "$("$1/pg_config" --includedir-server)/postgres.h" ] && [ -f "$("$1/pg_config" --pgxs)" ]
}

# bindirs_with TEST: Debian's folders of programs for which TEST succeeds, newest major first
bindirs_with() {
    local bindir
    printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV | while read -r bindir; do
        if "$1" "$bindir" 2>/dev/null; then echo "$bindir"; fi
    done
}

# The major whose folder of programs this is in Debian's layout; nothing for any other folder.
major_of() {
    sed -n 's|^/usr/lib/postgresql/\([0-9]*\)/bin$|\1|p' <<<"$1"
}

# The major that the metapackage stands for; nothing while apt has no lists.
distribution_major() {
    apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p'
}

# Sets PG_BINDIR, the folder of programs of the PostgreSQL to use, which may have to be installed yet: PG_CONFIG's; else
# the newest server for which there are headers, or can be; else the newest headers for which there can be a server;
# else the distribution's.
choose_postgres() {
    if [ -n "${PG_CONFIG:-}" ]; then
        PG_BINDIR=$("$PG_CONFIG" --bindir)
        return
    fi
    for PG_BINDIR in $(bindirs_with has_server); do
        if has_headers "$PG_BINDIR" || can_install "postgresql-server-dev-$(major_of "$PG_BINDIR")"; then return; fi
    done
    for PG_BINDIR in $(bindirs_with has_headers); do
        if can_install "postgresql-$(major_of "$PG_BINDIR")"; then return; fi
    done
    PG_BINDIR=/usr/lib/postgresql/$(distribution_major)/bin
}

# Shared libraries of PostgreSQL that don't lie with the system's: programs may look for them relative to themselves.
private_libraries() {
    ldd "$PG_BINDIR"/{postgres,initdb,psql} "$("$PG_BINDIR/pg_config" --pkglibdir)/libpqwalreceiver.so" |
        awk '$3 ~ "^/" { print $3 }' | xargs realpath --no-symlinks | sort -u | grep -vE '^/(usr/)?lib[0-9]*/' || true
}

# Copies PostgreSQL to RUN/stage, so that `make install` leaves the system alone, and sets PG_CONFIG to the copy's.
# PostgreSQL finds its folders relative to its programs, as long as all lie to each other as they were built to.
# Links are replaced by what they lead to: none must lead out of the copy, where something would be written through it.
stage_postgres() {
    local stage=$RUN/stage kind folders=()
    for kind in --bindir --pkglibdir --sharedir --pkgincludedir --includedir-server; do
        folders+=("$("$PG_BINDIR/pg_config" "$kind")")
    done
    mapfile -t -O ${#folders[@]} folders < <(private_libraries)
    mkdir "$stage"
    # a link that leads nowhere is left out
    tar --create --dereference --hard-dereference --ignore-failed-read --directory=/ "${folders[@]#/}" 2>/dev/null |
        tar --extract --no-same-owner --directory="$stage"
    PG_CONFIG=$stage$PG_BINDIR/pg_config
    for kind in --bindir --pkglibdir --sharedir --docdir --includedir-server; do
        [[ "$("$PG_CONFIG" "$kind")" == "$stage"/* ]] || die "the PostgreSQL in $PG_BINDIR can't be moved ($kind)"
    done
}
