#!/usr/bin/env bash
# The steps of ./run-tests, which starts this in a copy of the checkout as an unprivileged user: steps.sh STEP...
set -euo pipefail
. test/lib/servers.sh

step_limit=600              # seconds until a check that hangs is ended
passed=0 failed=0 summary=() running='' complete=''

# count_FORMAT LOG: sets ok and bad to what the log of a check reports; skipped tests are neither.
count_tap() {
    ok=$(grep '^ok ' "$1" | grep -vc '# SKIP') || true
    bad=$(grep -c '^not ok ' "$1") || true
}

# many TAP lines, of which only failures are shown
count_unit() {
    count_tap "$1"
}

# pg_regress: "test NAME ... ok" up to PostgreSQL 15, then TAP
count_regress() {
    ok=$(grep -Ec '\.\.\. ok |^ok ' "$1") || true
    bad=$(grep -Ec '\.\.\. FAILED |^not ok ' "$1") || true
}

# pytest, whose last line is like "1 failed, 20 passed, 2 errors in 3.00s"
count_pytest() {
    local last
    last=$(grep -E ' in [0-9.]+s' "$1" | tail -n 1) || true
    number() {
        sed -n "s/.*[^0-9]\([0-9][0-9]*\) $1.*/\1/p" <<<" $last"
    }
    ok=$(number passed)
    bad=$(number failed)
    bad=$((${bad:-0} + $(number error) + 0))
}

# a command that is one check
count_exit() {
    if [ "$status" = 0 ]; then ok=1; fi
}

# check TITLE FORMAT COMMAND...: runs COMMAND and counts what its output reports. A command that fails without reporting
# a failure counts as one failure, and so does one that checks nothing.
check() {
    local title=$1 format=$2 log=$RUN/log/${1//[^a-z0-9]/_}.log start=$SECONDS status=0 ok=0 bad=0 hide=''
    shift 2
    [ "$format" != unit ] || hide='/^ok /d; /^1\.\./d'
    printf '\n== %s\n' "$title"
    # In the background, so that a signal for us is handled at once; `timeout` ends whatever COMMAND has started.
    # shellcheck disable=SC2016
    timeout --kill-after=10 "$step_limit" \
        bash -o pipefail -c '"${@:3}" 2>&1 | tee "$1" | sed -u "$2"' check "$log" "$hide" "$@" &
    running=$!
    wait "$running" || status=$?
    running=''
    [ "$status" != 124 ] || echo "ended after $step_limit s"
    "count_$format" "$log"
    ok=${ok:-0} bad=${bad:-0}
    if [ "$bad" = 0 ] && { [ "$status" != 0 ] || [ "$ok" = 0 ]; }; then bad=1; fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    summary+=("$(printf '%-24s %5d passed %5d failed %5d s' "$title" "$ok" "$bad" $((SECONDS - start)))")
    echo "== ${summary[-1]}"
    [ "$bad" = 0 ]
}

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

finish() {
    trap - EXIT
    trap '' INT TERM HUP PIPE         # a second one must not end the cleaning up
    set +e
    [ -z "$running" ] || kill "$running"
    if [ "$failed" != 0 ] || [ -z "$complete" ]; then show_logs; fi
    stop_servers
    if [ -n "${DYNAMO_FDW_KEEP:-}" ]; then
        printf '\nkept: %s\n' "$RUN"
    else
        rm -rf "$RUN"
    fi
    if [ -z "$complete" ]; then
        failed=$((failed + 1))
        summary+=("stopped early")
    fi
    echo
    printf '%s\n' "${summary[@]}"
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
}

trap finish EXIT
trap 'exit 1' INT TERM HUP PIPE

wanted() {
    [[ " $steps " == *" $1 "* ]]
}

steps=$*

if wanted compile; then
    check compile tap test/check-compile || true
fi

if wanted pure; then
    check pure tap test/check-pure || true
fi

if wanted unit; then
    unit=(make --silent -j2 unitcheck PG_CONFIG="$PG_CONFIG")
    check unit unit "${unit[@]}" || true
    check "unit: sanitizers" unit "${unit[@]}" UNIT_DIR=build-sanitizers \
        UNIT_CFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=all' || true
    check "unit: valgrind" unit "${unit[@]}" \
        UNIT_WRAPPER='valgrind --quiet --error-exitcode=99 --leak-check=full' || true
fi

if wanted fuzz; then
    check fuzz tap make --silent -k -j2 -C test/fuzz check || true
fi

if wanted regress || wanted integration || wanted bench; then
    # without LLVM bitcode, which only a server with JIT could use
    check build exit make --silent -j2 with_llvm=no PG_CONFIG="$PG_CONFIG" install || exit 1
    start_postgres "log_min_messages = ${DYNAMO_FDW_LOG_MIN_MESSAGES:-warning}" "max_prepared_transactions = 5"
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
