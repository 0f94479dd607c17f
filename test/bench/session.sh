#!/usr/bin/env bash
# The work of test/bench/run, which starts this in a copy of the checkout as an unprivileged user.
set -euo pipefail
. test/lib/servers.sh

trap stop_servers EXIT
trap 'exit 1' INT TERM HUP PIPE

# without LLVM bitcode, which only a server with JIT could use
make --silent -j2 with_llvm=no PG_CONFIG="$PG_CONFIG" install >"$RUN/log/build.log" 2>&1 || {
    cat "$RUN/log/build.log" >&2
    exit 1
}
make --silent -j2 -C test/bench >&2
start_postgres
"$VENV/bin/python" test/bench/bench.py "$@"
