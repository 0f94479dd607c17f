# Sourced by setup.sh: the folder of one run.
# shellcheck shell=bash

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

# Sets `user`, the unprivileged user, and `runner`, the words before a command that make it run as this user in a clean
# environment: no setting of the caller's for AWS, proxies, PostgreSQL or Python gets through.
set_runner() {
    local group
    user=$(id -un)
    runner=(env -i "PATH=$PATH" "HOME=$RUN/home" "TMPDIR=$RUN/tmp" "TERM=${TERM:-dumb}" LANG=C.UTF-8
        "RUN=$RUN" "PG_CONFIG=${PG_CONFIG:-}" "VENV=${VENV:-}" "DYNAMODB_LOCAL=${DYNAMODB_LOCAL:-}"
        "EC2_METADATA_MOCK=${EC2_METADATA_MOCK:-}"
        "DYNAMO_FDW_KEEP=${DYNAMO_FDW_KEEP:-}" "DYNAMO_FDW_LOG_MIN_MESSAGES=${DYNAMO_FDW_LOG_MIN_MESSAGES:-}"
        "FUZZ_SECONDS=${FUZZ_SECONDS:-10}" "RANDOM_QUERIES=${RANDOM_QUERIES:-}" "RANDOM_DDL=${RANDOM_DDL:-}"
        "RANDOM_DEFINITIONS=${RANDOM_DEFINITIONS:-}" "RANDOM_STATEMENTS=${RANDOM_STATEMENTS:-}" "RANDOM_APPLIES=${RANDOM_APPLIES:-}"
        "RANDOM_JOINS=${RANDOM_JOINS:-}"
        "STEP_SECONDS=${STEP_SECONDS:-}" "DYN_WERROR=${DYN_WERROR:-}"
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
