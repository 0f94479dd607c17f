# Sourced by the scripts that run steps: runs checks, counts what they report, and adds it up in the closing line
# "N passed, M failed". They define show_logs and stop_servers, trap `finish`, and set `complete` at their end.
# shellcheck shell=bash

step_limit=${STEP_SECONDS:-2400}     # until a check that hangs is ended
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
