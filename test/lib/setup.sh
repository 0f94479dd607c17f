# Sourced by ./run-tests and ./quickstart, at the top of the checkout: brings what they need onto the machine
# (Debian or Ubuntu), and prepares a run by an unprivileged user, for PostgreSQL refuses to run as root.
#
# CACHE keeps what was fetched, for the next time. RUN is the folder of one run, owned by that user:
#   tree/   copy of the checkout     stage/  private copy of PostgreSQL, to install into
#   home/   the user's home          log/    logs of servers and steps
# shellcheck shell=bash

if [ -n "${PG_CONFIG:-}" ]; then
    PG_CONFIG=$(command -v "$PG_CONFIG") || { echo "PG_CONFIG is not a program" >&2; exit 1; }
fi
# Only folders that every user can read: the caller's PATH may lead into a home.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

if [ "$(id -u)" = 0 ]; then
    CACHE=/var/cache/dynamo_fdw
else
    CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/dynamo_fdw
fi
CACHE=$(realpath -m "${DYNAMO_FDW_CACHE:-$CACHE}")

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

say() {
    echo "-- $*"
}

# quietly COMMAND...: shows the output only of a failure
quietly() {
    local output
    output=$("$@" 2>&1) || die "this failed: $*"$'\n'"$output"
}

# --- packages ---

missing=()

# need PACKAGE TEST...: the package is missing unless TEST succeeds. Tests look for what a package gives, so that
# software installed in another way counts.
need() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_compiler() {
    command -v gcc && command -v make
}

has_java_17() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 17 ]
}

# The major version to use: of $PG_CONFIG, else the newest that extensions can be built for, else nothing.
postgres_major() {
    if [ -n "${PG_CONFIG:-}" ]; then
        "$PG_CONFIG" --version
    else
        printf '%s\n' /usr/lib/postgresql/*/lib/pgxs | sort -V | tail -n 1
    fi | sed 's/^[^0-9]*\([0-9]*\).*/\1/'
}

postgres_bindir() {
    if [ -n "${PG_CONFIG:-}" ]; then
        "$PG_CONFIG" --bindir
    else
        echo "/usr/lib/postgresql/$(postgres_major)/bin"
    fi
}

# The client package brings PGXS too, without the headers.
has_server_headers() {
    [ -f "$("$(postgres_bindir)/pg_config" --includedir-server)/postgres.h" ]
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        command -v sudo >/dev/null || die "neither root nor sudo; please install: ${missing[*]}"
        sudo "$@"
    fi
}

# install_packages quickstart|tests: what that command needs
install_packages() {
    local major
    major=$(postgres_major)
    missing=()
    need build-essential has_compiler
    need pkg-config command -v pkg-config
    need libcurl4-openssl-dev pkg-config --exists libcurl
    need libssl-dev pkg-config --exists libcrypto
    need libjson-c-dev pkg-config --exists json-c
    need python3-venv /usr/bin/python3 -c 'import ensurepip, venv'
    need default-jre-headless has_java_17
    need maven command -v mvn
    if [ "$1" = tests ]; then
        # libFuzzer is of no use without the clang that it fits
        need clang test/fuzz/find-clang
        need libclang-rt-dev test/fuzz/find-clang
        need valgrind command -v valgrind
        need pgbouncer command -v pgbouncer
        need openssl command -v openssl
    fi
    if [ -n "$major" ]; then
        need "postgresql-$major" test -x "$(postgres_bindir)/postgres"
        need "postgresql-server-dev-$major" has_server_headers
    else
        missing+=(postgresql)
    fi
    [ ${#missing[@]} -gt 0 ] || return 0

    say "installing packages: ${missing[*]}"
    quietly as_root apt-get update
    if [ -z "$major" ]; then
        # the metapackage names the distribution's version
        major=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p')
        missing+=("postgresql-$major" "postgresql-server-dev-$major")
    fi
    # We start clusters of our own. Debian's package would make one too, and start it.
    quietly as_root sh -c 'cd /etc && mkdir -p postgresql-common && cd postgresql-common &&
        { [ -e createcluster.conf ] || echo "create_main_cluster = false" >createcluster.conf; }'
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

# --- cache ---

# fetch WHAT FOLDER COMMAND...: makes FOLDER by COMMAND unless an earlier run did
fetch() {
    local what=$1 folder=$2
    shift 2
    [ ! -e "$folder/ready" ] || return 0
    say "fetching $what"
    mkdir -p "$CACHE"
    (
        flock 9
        if [ ! -e "$folder/ready" ]; then
            rm -rf "$folder"
            "$@"
            touch "$folder/ready"
        fi
    ) 9>"$CACHE/lock"
}

# hash_of FILE...: changes with their contents
hash_of() {
    cat "$@" | sha256sum | cut -c 1-12
}

make_venv() {
    # not just python3, which may be one that only the caller can read
    quietly /usr/bin/python3 -m venv "$VENV"
    quietly "$VENV/bin/pip" install --requirement "$1"
}

# fetch_venv REQUIREMENTS: sets VENV, a Python environment with these packages
fetch_venv() {
    VENV=$CACHE/venv-$(hash_of "$1" <(/usr/bin/python3 --version))
    fetch "Python packages ($1)" "$VENV" make_venv "$1"
}

# Sets DYNAMODB_LOCAL, the folder of its jars.
fetch_dynamodb_local() {
    DYNAMODB_LOCAL=$CACHE/dynamodb-local-$(hash_of test/pom.xml)
    fetch "DynamoDB Local" "$DYNAMODB_LOCAL" quietly mvn --batch-mode --file test/pom.xml \
        dependency:copy-dependencies "-DoutputDirectory=$DYNAMODB_LOCAL"
}

# --- the run ---

copy_checkout() {
    mkdir "$RUN/tree"
    # a checkout of another user is none to git; then everything goes but products of a build
    if git ls-files >/dev/null 2>&1; then
        git ls-files -z --cached --others --exclude-standard |
            tar --create --null --files-from=- --ignore-failed-read 2>/dev/null
    else
        tar --create --exclude=.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' .
    fi | tar --extract --no-same-owner --directory="$RUN/tree"
}

# Copies PostgreSQL to RUN/stage, so that `make install` leaves the system alone, and sets PG_CONFIG to the copy's.
# PostgreSQL finds its folders relative to its programs, as long as all lie to each other as they were built to.
stage_postgres() {
    local pg_config stage=$RUN/stage dir
    pg_config=$(postgres_bindir)/pg_config
    for dir in --bindir --pkglibdir --sharedir; do
        dir=$("$pg_config" $dir)
        mkdir -p "$stage$(dirname "$dir")"
        cp --archive --no-target-directory "$dir" "$stage$dir"
    done
    # headers are only read
    for dir in --pkgincludedir --includedir-server; do
        dir=$("$pg_config" $dir)
        if [ ! -e "$stage$dir" ]; then
            mkdir -p "$stage$(dirname "$dir")"
            ln -s "$dir" "$stage$dir"
        fi
    done
    PG_CONFIG=$stage$pg_config
    [ "$("$PG_CONFIG" --pkglibdir)" = "$stage$("$pg_config" --pkglibdir)" ] ||
        die "the PostgreSQL of $pg_config can't be moved"
}

# Sets `user`, the unprivileged user, and `runner`, the words before a command that make it run as this user in a clean
# environment: no setting of the caller's for AWS, proxies, PostgreSQL or Python gets through.
set_runner() {
    local group
    user=$(id -un)
    runner=(env -i "PATH=$PATH" "HOME=$RUN/home" "TMPDIR=$RUN/tmp" "TERM=${TERM:-dumb}" LANG=C.UTF-8
        "RUN=$RUN" "PG_CONFIG=${PG_CONFIG:-}" "VENV=${VENV:-}" "DYNAMODB_LOCAL=${DYNAMODB_LOCAL:-}"
        "DYNAMO_FDW_KEEP=${DYNAMO_FDW_KEEP:-}" "DYNAMO_FDW_LOG_MIN_MESSAGES=${DYNAMO_FDW_LOG_MIN_MESSAGES:-}"
        "FUZZ_SECONDS=${FUZZ_SECONDS:-10}" "RANDOM_QUERIES=${RANDOM_QUERIES:-}"
        AWS_EC2_METADATA_DISABLED=true "NO_PROXY=127.0.0.1,localhost")
    if [ "$(id -u)" = 0 ]; then
        user=postgres
        id "$user" >/dev/null 2>&1 || user=nobody
        group=$(id -gn "$user")
        runner+=(setpriv "--reuid=$user" "--regid=$group" --init-groups)
    fi
}

# Makes RUN and all in it; the caller removes it on exit. Afterwards `runner` runs commands there.
prepare_run() {
    RUN=$(realpath "$(mktemp -d "${TMPDIR:-/tmp}/dynamo_fdw.XXXXXX")")
    mkdir -p "$CACHE" "$RUN/home" "$RUN/tmp" "$RUN/log"
    copy_checkout
    stage_postgres
    set_runner
    chown -R "$user:" "$RUN"
    "${runner[@]}" test -r "$RUN/tree/Makefile" -a -r "$CACHE" || die "user $user can't read $RUN or $CACHE"
}
