#!/usr/bin/env bash
# The steps of ./run-tests that make machines, which starts this at the top of the checkout as root: steps.sh STEP...
set -euo pipefail
. test/lib/setup.sh
. test/lib/check.sh

# show_logs, stop_servers: a machine shows its own, and its servers end with it
show_logs() {
    :
}

stop_servers() {
    :
}

if [ "$(id -u)" != 0 ] || ! unshare --mount --pid --fork true 2>/dev/null; then
    echo "left out: $* (root is needed, and namespaces)"
    echo "0 passed, 0 failed, $# skipped"
    exit
fi

install_packages machines
RUN=$(mktemp -d "${TMPDIR:-/tmp}/dynamo_fdw.XXXXXX")
mkdir "$RUN/log"
copy_checkout
cd "$RUN/tree"
trap finish EXIT
trap 'exit 1' INT TERM HUP PIPE

step_limit=${STEP_SECONDS:-2700}        # of all machines together
for step in "$@"; do
    check "$step" tap test/machines/run "$step" || true
done
complete=yes
