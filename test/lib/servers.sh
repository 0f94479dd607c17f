# Sourced by steps.sh and session.sh: throw-away servers under RUN, on free ports. Each is noted in RUN/servers, so that
# stop_servers ends just these, from another shell as well.
# shellcheck shell=bash

free_port() {
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Our servers work under RUN: a process that doesn't has only got the number of one that has gone.
is_running() {
    [[ "$(readlink "/proc/$1/cwd" 2>/dev/null)" == "$RUN"/* ]]
}

# Any answer to an HTTP request will do.
answers_http() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && timeout 5 grep -q HTTP <&3) 2>/dev/null
}

answers_postgres() {
    "$("$PG_CONFIG" --bindir)/pg_isready" --quiet --host="$RUN" --port="$1"
}

# serve NAME SIGNAL ANSWERS COMMAND...: runs COMMAND, in which @port@ stands for a free port, until it gets SIGNAL;
# waits until `ANSWERS port` succeeds; sets `port`
serve() {
    local name=$1 signal=$2 answers=$3 pid
    shift 3
    # More than once, for somebody else may take the port meanwhile.
    for _ in 1 2 3; do
        port=$(free_port)
        # in a session of its own, to outlive the terminal
        setsid "${@//@port@/$port}" </dev/null >>"$RUN/log/$name.log" 2>&1 &
        pid=$!
        echo "$pid $signal" >>"$RUN/servers"
        for _ in {1..600}; do
            sleep 0.1
            is_running "$pid" || break
            if "$answers" "$port"; then return 0; fi
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
    echo "$name does not start:" >&2
    tail -n 40 "$RUN/log/$name.log" >&2
    return 1
}

# start_postgres [SETTING=VALUE...]: a new cluster; sets the PG variables
start_postgres() {
    local bin
    bin=$("$PG_CONFIG" --bindir)
    "$bin/initdb" --pgdata="$RUN/data" --username=postgres --auth=trust --encoding=UTF8 --no-locale --no-sync \
        >"$RUN/log/initdb.log" || return
    # fsync: the data needn't survive
    printf '%s\n' "fsync = off" "unix_socket_directories = '$RUN'" "listen_addresses = '127.0.0.1'" \
        "log_line_prefix = '%m [%p] '" "$@" >>"$RUN/data/postgresql.conf"
    serve postgres INT answers_postgres "$bin/postgres" -D "$RUN/data" -p @port@ || return
    export PGHOST=$RUN PGPORT=$port PGUSER=postgres PGDATABASE=postgres PG_SERVER_LOG=$RUN/log/postgres.log
}

# start_dynamodb_local OPTION...: It listens on all interfaces, and has no option to change that.
start_dynamodb_local() {
    serve dynamodb_local TERM answers_http java -Xmx512m -XX:-UsePerfData "-Djava.io.tmpdir=$RUN/tmp" \
        "-Djava.library.path=$DYNAMODB_LOCAL" -cp "$DYNAMODB_LOCAL/*" \
        software.amazon.dynamodb.services.local.main.ServerRunner -disableTelemetry -port @port@ "$@" || return
    export DYNAMO_FDW_ENDPOINT=http://127.0.0.1:$port
}

start_moto() {
    serve moto TERM answers_http "$VENV/bin/moto_server" --host 127.0.0.1 --port @port@ || return
    export DYNAMO_FDW_MOTO_ENDPOINT=http://127.0.0.1:$port
}

stop_servers() {
    local pid signal
    [ -e "$RUN/servers" ] || return 0
    while read -r pid signal; do
        if is_running "$pid"; then kill "-$signal" "$pid"; fi
    done <"$RUN/servers"
    while read -r pid signal; do
        for _ in {1..100}; do
            is_running "$pid" || continue 2
            sleep 0.1
        done
        kill -KILL "$pid"
    done <"$RUN/servers"
    rm -f "$RUN/servers"
}
