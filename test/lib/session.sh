#!/usr/bin/env bash
# The work of ./quickstart, which starts this in a copy of the checkout as an unprivileged user: servers that stay, the
# extension in them, and a session that shows it.
set -euo pipefail
. test/lib/servers.sh

trap 'stop_servers; rm -rf "$RUN"' EXIT
trap 'exit 1' INT TERM HUP PIPE

echo "-- building"
# without LLVM bitcode, which only a server with JIT could use
make --silent -j2 with_llvm=no PG_CONFIG="$PG_CONFIG" install >"$RUN/log/build.log" 2>&1 || {
    cat "$RUN/log/build.log" >&2
    exit 1
}
echo "-- starting PostgreSQL and DynamoDB Local"
start_postgres "listen_addresses = ''"      # they stay, so only the owner of the socket's folder (and root) may come
start_dynamodb_local -inMemory -sharedDb      # whatever region and keys somebody tries
echo
"$("$PG_CONFIG" --bindir)/psql" --no-psqlrc --echo-all --set=ON_ERROR_STOP=1 --file=test/quickstart.sql
echo
echo "Driver 1001 as boto3 sees it:"
"$VENV/bin/python" test/lib/read_with_boto3.py

trap - EXIT
echo "$PGPORT" >"$RUN/port"
psql=$("$PG_CONFIG" --bindir)/psql
ln -s "$psql" "$RUN/psql"
cat <<END

The servers run on. DynamoDB Local: $DYNAMO_FDW_ENDPOINT
  open psql:  ./quickstart psql
  or:         ${psql#"$RUN/stage"} --host=$RUN --port=$PGPORT --username=postgres postgres
  stop:       ./quickstart stop
END
