#!/usr/bin/env bash
# The steps of ./run-tests, which starts this in a copy of the checkout as an unprivileged user: steps.sh STEP...
set -euo pipefail
. test/lib/servers.sh
. test/lib/check.sh

# what to look at after a failure
show_logs() {
    if [ -s regression.diffs ]; then
        printf '\n-- regression.diffs\n'
        head -n 300 regression.diffs
    fi
    if [ -s "$RUN/log/postgres.log" ]; then
        printf '\n-- end of the server log\n'
        # tests may switch debug output on, which is too much here
        grep -E '\] (LOG|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|STATEMENT):' "$RUN/log/postgres.log" | tail -n 60
    fi
}

# A crashed server comes back, and a leak is only warned of: both could pass unseen.
check_server_log() {
    check "$1: server log" exit \
        bash -c "! grep -nE 'PANIC:|terminated by signal|TRAP:|(reference|refcount) leak' '$PG_SERVER_LOG'"
}

trap finish EXIT
trap 'exit 1' INT TERM HUP PIPE

wanted() {
    [[ " $steps " == *" $1 "* ]]
}

steps=$*

if wanted setup; then
    check setup exit "$("$PG_CONFIG" --bindir)/postgres" --version || exit 1
fi

if wanted compile; then
    check compile tap test/check-compile || true
fi

if wanted pure; then
    check pure tap bash -c 'test/check-pure && test/check-style' || true
fi

if wanted unit; then
    unit=(make --silent -j2 unitcheck PG_CONFIG="$PG_CONFIG")
    check unit unit "${unit[@]}" || true
    check "unit: sanitizers" unit "${unit[@]}" UNIT_DIR=build-sanitizers \
        UNIT_CFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=all' || true
    check "unit: valgrind" unit "${unit[@]}" \
        UNIT_WRAPPER='valgrind --quiet --error-exitcode=99 --leak-check=full --suppressions=valgrind.supp' || true
fi

if wanted fuzz; then
    check fuzz tap make --silent -k -j2 -C test/fuzz check || true
fi

if wanted regress || wanted integration || wanted bench; then
    "$("$PG_CONFIG" --bindir)/postgres" --version
    # without LLVM bitcode, which only a server with JIT could use
    check build exit make --silent -j2 with_llvm=no PG_CONFIG="$PG_CONFIG" install || exit 1
    start_postgres "log_min_messages = ${DYNAMO_FDW_LOG_MIN_MESSAGES:-warning}" "max_prepared_transactions = 5" \
        "dynamo_fdw.allowed_endpoints = '127.0.0.1, localhost'"
fi

if wanted regress || wanted integration; then
    start_dynamodb_local -inMemory
fi

if wanted regress; then
    check regress regress make --silent PG_CONFIG="$PG_CONFIG" installcheck || true
    check_server_log regress || true
fi

if wanted integration; then
    start_moto
    check integration pytest "$VENV/bin/python" -m pytest -q --tb=short -p no:cacheprovider test/integration || true
    check_server_log integration || true
fi

if wanted bench; then
    check "bench: build" exit make --silent -j2 -C test/bench || true
    check bench tap "$VENV/bin/python" test/bench/bench.py --quick || true
    check_server_log bench || true
fi

complete=yes
