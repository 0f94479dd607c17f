# Sourced by ./run-tests and ./quickstart, at the top of the checkout: brings what they need onto the machine
# (Debian or Ubuntu), and prepares a run by an unprivileged user, for PostgreSQL refuses to run as root.
#
# Nothing is written outside two folders, installs by the package manager aside:
#   CACHE keeps what was fetched, for the next time.
#   RUN is the folder of one run, owned by the unprivileged user:
#     tree/   copy of the checkout     stage/  private copy of PostgreSQL, to install into
#     home/   the user's home          log/    logs of servers and steps
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

. test/lib/postgres.sh
. test/lib/packages.sh
. test/lib/fetch.sh
. test/lib/prepare.sh
