"""What a user can see of the requests: EXPLAIN ANALYZE, dynamo_fdw_stats, DEBUG1 lines, wait events, versions."""

import json
import re
from contextlib import suppress

import psycopg
import pytest

import faults
from support import ACCESS_KEY, SECRET_KEY, Running, Session, fill

READ = "BatchGetItem"
WRITE = "BatchWriteItem"
ALL_250 = "driver_id = ANY (ARRAY(SELECT generate_series(1, 300)))"


@pytest.fixture
def filled(drivers, proxy):
    """Table "drivers" with 250 rows, its session's counters at zero."""
    fill(drivers, 250)
    drivers.run("SELECT dynamo_fdw_stats_reset()")
    proxy.forget()
    return drivers


def analyzed(session, query):
    """The plan's properties, of the node with a remote table."""
    plan = session.value("EXPLAIN (ANALYZE, FORMAT JSON) " + query)
    plan = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    while "Remote Table" not in plan:
        plan = plan["Plans"][0]
    return plan


def stats(session):
    columns = "requests, retries, throttles, unprocessed_keys, unprocessed_items, items_found, items_missing, items_written"
    return dict(zip(columns.split(", "), session.run("SELECT %s FROM dynamo_fdw_stats" % columns)[0]))


def test_explain_analyze_of_a_read(filled, proxy):
    plan = analyzed(filled, "SELECT * FROM drivers WHERE " + ALL_250)
    assert plan["Requests"] == 3 == proxy.count(READ)
    assert (plan["Items Found"], plan["Items Missing"]) == (250, 50)
    assert (plan["Retries"], plan["Throttles"], plan["Unprocessed Keys"]) == (0, 0, 0)
    assert plan["Most In Flight"] == 3
    assert plan["Bytes Sent"] == sum(len(request.body) for request in proxy.of(READ))
    assert plan["Bytes Received"] > 250 * 100
    assert plan["Connections Opened"] + plan["Connections Reused"] == 3
    assert "Consumed Capacity" not in plan


def test_explain_analyze_counts_over_rescans(filled, proxy):
    plan = analyzed(filled, "SELECT (SELECT trips FROM drivers WHERE driver_id = g) FROM generate_series(1, 5) g")
    assert (plan["Requests"], plan["Items Found"], plan["Most In Flight"]) == (5, 5, 1)


def test_explain_analyze_of_an_insert(drivers, proxy):
    proxy.fault(faults.unprocessed(10), operation=WRITE)
    plan = analyzed(drivers, "INSERT INTO drivers SELECT i, now(), 1, 1 FROM generate_series(1, 100) i")
    assert (plan["Items Written"], plan["Unprocessed Items"]) == (100, 15)
    assert plan["Requests"] == 5 == proxy.count(WRITE)


def test_what_went_wrong_is_counted(filled, proxy):
    proxy.fault(faults.error("ThrottlingException"), times=2, operation=READ)
    proxy.fault(faults.error("InternalServerError", status=500), operation=READ)
    proxy.fault(faults.unprocessed(40), operation=READ)
    plan = analyzed(filled, "SELECT * FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 100)))")
    assert plan["Retries"] == 3
    assert plan["Throttles"] == 2
    assert plan["Unprocessed Keys"] == 60
    assert plan["Requests"] == 5 == proxy.count(READ)
    assert stats(filled) == {
        "requests": 5, "retries": 3, "throttles": 2, "unprocessed_keys": 60, "unprocessed_items": 0,
        "items_found": 100, "items_missing": 0, "items_written": 0,
    }  # fmt: skip


def test_explain_without_analyze_counts_nothing(filled, proxy):
    text = "\n".join(row[0] for row in filled.run("EXPLAIN (VERBOSE) SELECT * FROM drivers WHERE driver_id = 1"))
    assert "Remote Table" in text and "Requests" not in text
    assert proxy.count(READ) == 0


def test_statistics_are_of_each_server(filled, proxy, project):
    filled.server(project, proxy.url, name="other", create_remote_table="false")
    filled.table("others", "driver_id bigint OPTIONS (entity_key 'true'), trips int", server="other",
                 table_name=project + ".drivers")
    filled.run("SELECT * FROM drivers WHERE driver_id IN (1, 2)")
    filled.run("SELECT * FROM others WHERE driver_id = 1")
    query = "SELECT server_name, requests, items_found FROM dynamo_fdw_stats ORDER BY 1"
    assert filled.run(query) == [("feast", 1, 2), ("other", 1, 1)]
    filled.run("SELECT dynamo_fdw_stats_reset('feast')")
    assert filled.run(query) == [("feast", 0, 0), ("other", 1, 1)]
    assert filled.fail("SELECT dynamo_fdw_stats_reset('nowhere')").sqlstate == "42704"


def test_statistics_outlive_an_error(filled, proxy):
    proxy.fault(faults.error("ValidationException"), operation=READ)
    filled.fail("SELECT * FROM drivers WHERE driver_id = 1")
    assert stats(filled)["requests"] == 1


def test_a_plain_user_may_look(filled, new_role):
    role = new_role("feast")
    filled.run("SET ROLE %s" % role)
    filled.run("SELECT * FROM dynamo_fdw_stats")
    filled.run("SELECT dynamo_fdw_version()")
    filled.run("RESET ROLE")


@pytest.mark.parametrize("on", ["server", "table"])
def test_consumed_capacity(drivers, proxy, on):
    drivers.run("ALTER %s OPTIONS (ADD consumed_capacity 'true')"
                % ("SERVER feast" if on == "server" else "FOREIGN TABLE drivers"))
    proxy.forget()
    written = analyzed(drivers, "INSERT INTO drivers SELECT i, now(), 1, 1 FROM generate_series(1, 50) i")
    read = analyzed(drivers, "SELECT * FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 50)))")
    assert written["Consumed Capacity"] == 50  # a unit for each item up to 1 KB
    assert read["Consumed Capacity"] == 25  # half a unit for each item up to 4 KB
    assert all(b'"ReturnConsumedCapacity":"TOTAL"' in bytes(request.body) for request in proxy.requests)
    assert drivers.value("SELECT consumed_capacity FROM dynamo_fdw_stats") == 75


def test_a_debug_line_for_each_request(filled, proxy):
    lines = []
    filled.conn.add_notice_handler(lambda diag: lines.append(diag.message_primary))
    filled.run("SET client_min_messages = debug1")
    proxy.fault(faults.error("ThrottlingException"), operation=READ)
    filled.run("SELECT * FROM drivers WHERE driver_id = 1")
    lines = [line for line in lines if line.startswith("dynamo_fdw: BatchGetItem")]
    assert len(lines) == 2
    assert "attempt 1: HTTP 400 ThrottlingException in" in lines[0]
    assert "attempt 2: HTTP 200 in" in lines[1] and "request id" in lines[1]
    assert not any(secret in line for line in lines for secret in (ACCESS_KEY, SECRET_KEY, "Signature"))
    before = len(lines)
    filled.run("RESET client_min_messages")
    filled.run("SELECT * FROM drivers WHERE driver_id = 1")
    assert len(lines) == before


def debug_lines(session, query):
    """What DEBUG1 tells of a query that may fail."""
    lines = []
    session.conn.add_notice_handler(lambda diag: lines.append(diag.message_primary))
    session.run("SET client_min_messages = debug1")
    with suppress(psycopg.Error):
        session.run(query)
    session.run("RESET client_min_messages")
    return [line for line in lines if line.startswith("dynamo_fdw: BatchGetItem")]


def test_a_connection_without_an_answer_is_seen(drivers, proxy):
    drivers.set_server(read_timeout="0.3", total_max_retry_attempts="1")
    drivers.run("SELECT dynamo_fdw_stats_reset()")
    proxy.fault(faults.stall, operation=READ)
    lines = debug_lines(drivers, "SELECT * FROM drivers WHERE driver_id = 1")
    assert "no whole answer" in lines[0] and "new connection" in lines[0]
    assert drivers.run("SELECT connections_opened, connections_reused FROM dynamo_fdw_stats") == [(1, 0)]


def test_a_debug_line_never_fails(filled, proxy):
    filled.run("SET client_encoding = latin1")
    proxy.fault(faults.error("InternalServerError", status=500, x_amzn_RequestId="AB\xffC"), operation=READ)
    lines = debug_lines(filled, "SELECT * FROM drivers WHERE driver_id = 1")
    assert "request id AB?C" in lines[0] and "HTTP 200" in lines[1]


def test_wait_event(filled, proxy, database):
    proxy.latency = 1
    watcher = Session(database)
    running = Running(filled, "SELECT * FROM drivers WHERE driver_id = 1")
    proxy.wait_for(READ)
    wait = watcher.run("SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE pid = %s", [filled.pid])
    running.join()
    named = watcher.value("SHOW server_version_num") >= "170000"
    watcher.close()
    assert wait == [("Extension", "DynamoFdwRead" if named else "Extension")]


def test_versions(session):
    version = session.value("SELECT dynamo_fdw_version()")
    extension = session.value("SELECT extversion FROM pg_extension WHERE extname = 'dynamo_fdw'")
    assert version.startswith("dynamo_fdw %s, " % extension)
    for library in ("PostgreSQL", "libcurl/", "OpenSSL", "json-c"):
        assert library in version


# A row that WITH's unread INSERT writes; its trigger executes a statement of its own.
UNREAD = "WITH unread AS (INSERT INTO drivers SELECT 1, now(), 1, 1 RETURNING trips) SELECT 1"


def explained(session):
    """What auto_explain said since the last call: (duration in ms, text) of each statement."""
    found = []
    for severity, message, _ in session.notices:
        match = re.match(r"duration: ([0-9.]+) ms  plan:\n(.*)", message, re.DOTALL)
        if match:
            found.append((float(match[1]), match[2]))
    session.notices.clear()
    return found


@pytest.fixture
def explaining(drivers, database):
    """Another session, of which auto_explain has hold before dynamo_fdw comes."""
    session = Session(database)
    try:
        session.run("LOAD 'auto_explain'")
    except psycopg.errors.UndefinedFile:
        pytest.skip("PostgreSQL has no auto_explain here")
    session.run("SET auto_explain.log_min_duration = 0; SET auto_explain.log_level = notice")
    yield session
    session.close()


def test_auto_explain_counts_the_time_of_writing(explaining, proxy):
    proxy.latency = 0.3
    explaining.run("INSERT INTO drivers VALUES (1, now(), 1, 1)")
    ((duration, text),) = explained(explaining)
    assert "Insert on drivers" in text
    assert duration >= 300


def test_auto_explain_knows_nested_statements(explaining):
    explaining.run(
        "CREATE FUNCTION nested() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM 'nested' FROM pg_class LIMIT 1; RETURN NEW; END $$"
    )
    explaining.run("CREATE TRIGGER nested BEFORE INSERT ON drivers FOR EACH ROW EXECUTE FUNCTION nested()")
    explaining.notices.clear()
    explaining.run(UNREAD)
    assert len(explained(explaining)) == 1
    explaining.run("SET auto_explain.log_nested_statements = on")
    explaining.run(UNREAD)
    assert len(explained(explaining)) == 2
