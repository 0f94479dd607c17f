"""Foreign tables with a ttl: an item whose event time is older is as if it were not there."""

from datetime import datetime, timedelta, timezone

import pytest

from support import DRIVER_1001, DRIVERS, ENDPOINT, KEY, TIME, dynamodb

DAY = timedelta(days=1)
ALL = "driver_id = ANY (ARRAY(SELECT generate_series(1, 60)))"
JOINED = "SELECT i, trips FROM generate_series(1, 6) i LEFT JOIN drivers ON driver_id = i ORDER BY i"


@pytest.fixture
def day(session, project, proxy):
    """A session with "drivers", of a ttl of a day, behind the proxy, and its table seen without a ttl as "all_drivers"."""
    session.server(project, proxy.url)
    session.table("drivers", DRIVERS, ttl="1 day")
    session.table("all_drivers", DRIVERS, table_name=project + ".drivers", create_remote_table="false")
    return session


def write(session, *ages):
    """Writes drivers 1, 2, … whose event times are so long ago (as SQL)."""
    for i, age in enumerate(ages, 1):
        session.run("INSERT INTO drivers VALUES (%d, now() - interval '%s', 0, %d)" % (i, age, i))


def put(project, event_ts=None, table="drivers"):
    """Driver 1001 with this attribute as event_ts."""
    item = {"entity_id": {"S": DRIVER_1001}, "values": {"M": {"trips": {"B": b"\x18\x05"}}}}
    if event_ts is not None:
        item["event_ts"] = event_ts
    dynamodb().put_item(TableName=project + "." + table, Item=item)


def analyzed(session, query):
    """The topmost node of EXPLAIN ANALYZE."""
    return session.value("EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) " + query)[0]["Plan"]


def test_scans_and_joins_do_not_find_what_has_expired(day):
    write(day, "1 hour", "25 hours", "23:59:30", "24:00:30")
    assert sorted(day.run("SELECT trips FROM drivers WHERE " + ALL)) == [(1,), (3,)]
    assert day.run(JOINED) == [(1, 1), (2, None), (3, 3), (4, None), (5, None), (6, None)]
    assert day.run(JOINED.replace("LEFT ", "")) == [(1, 1), (3, 3)]
    exists = "SELECT i FROM generate_series(1, 6) i WHERE %s (SELECT FROM drivers WHERE driver_id = i) ORDER BY i"
    assert day.run(exists % "EXISTS") == [(1,), (3,)]
    assert day.run(exists % "NOT EXISTS") == [(2,), (4,), (5,), (6,)]
    assert day.value("SELECT count(*) FROM all_drivers WHERE " + ALL) == 4


def test_the_limit_is_exact_and_of_the_start_of_the_transaction(day):
    day.run("BEGIN")
    write(day, "1 day -1 us", "1 day", "1 day 1 us")
    day.run("DECLARE c CURSOR FOR SELECT trips FROM drivers WHERE %s ORDER BY 1" % ALL)
    day.run("SELECT pg_sleep(0.01)")
    assert day.run("FETCH ALL FROM c") == [(1,), (2,)]
    assert day.run(JOINED)[:4] == [(1, 1), (2, 2), (3, None), (4, None)]
    # a rescan, by the same keys and by others
    rescanned = "SELECT i, (SELECT count(*) FROM drivers WHERE driver_id IN (%s, 1, 2)) FROM generate_series(1, 3) i"
    for other in ("3", "i + 2", "coalesce(nullif(i, 2), 3)"):
        assert {count for _, count in day.run(rescanned % other)} == {2}
    day.run("COMMIT; SELECT pg_sleep(0.001)")
    assert day.run("SELECT trips FROM drivers WHERE " + ALL) == []


def test_what_is_newer_than_now_has_not_expired(day):
    write(day, "-3 days")
    assert day.run("SELECT trips FROM drivers WHERE driver_id = 1") == [(1,)]


@pytest.mark.parametrize("ttl", ["0", "0 seconds", "315576000000 seconds"])
def test_without_an_end(session, project, ttl):
    session.server(project)
    session.table("drivers", DRIVERS, ttl=ttl)
    session.run("INSERT INTO drivers VALUES (1, '0001-01-01 00:00+00', 0, 1)")
    assert session.run("SELECT trips FROM drivers WHERE driver_id = 1") == [(1,)]
    assert session.run(JOINED)[0] == (1, 1)


def test_any_offset_and_precision(day, project):
    now = datetime.now(timezone.utc)
    zone = timezone(timedelta(hours=-9))
    for age, found in ((DAY - timedelta(minutes=5), True), (DAY + timedelta(minutes=5), False)):
        for text in (str(now - age), str((now - age).astimezone(zone)), str((now - age).replace(tzinfo=None)),
                     (now - age).isoformat(), str(now - age).replace("+00:00", "000+00:00")):  # fmt: skip
            put(project, {"S": text})
            assert day.run("SELECT trips FROM drivers WHERE driver_id = 1001") == [(5,)] * found, text


def test_no_column_shows_the_event_time(session, project, proxy):
    session.server(project, proxy.url)
    session.table("drivers", "driver_id %s, trips integer" % KEY, ttl="1 day")
    session.table("writer", DRIVERS, table_name=project + ".drivers", create_remote_table="false")
    session.run("INSERT INTO writer SELECT i, now() - interval '1 day' * (i - 1.5), 0, i FROM generate_series(1, 2) i")
    session.run("INSERT INTO writer VALUES (3, now() - interval '2 days', 0, 3)")
    proxy.forget()
    assert sorted(session.run("SELECT trips FROM drivers WHERE " + ALL)) == [(1,), (2,)]
    assert session.value("SELECT count(*) FROM drivers WHERE " + ALL) == 2
    assert session.run(JOINED)[:3] == [(1, 1), (2, 2), (3, None)]
    assert session.run(JOINED.replace("trips", "driver_id"))[:3] == [(1, 1), (2, 2), (3, None)]
    asked = [request.json()["RequestItems"][project + ".drivers"] for request in proxy.of("BatchGetItem")]
    assert all("#event_ts" in table["ProjectionExpression"] for table in asked)


def test_event_times_are_not_asked_for_without_a_ttl(day, proxy, project):
    proxy.forget()
    day.run("SELECT trips FROM all_drivers WHERE driver_id = 1")
    day.run(JOINED.replace("drivers", "all_drivers"))
    for request in proxy.of("BatchGetItem"):
        assert "event_ts" not in str(request.json()["RequestItems"][project + ".drivers"])


@pytest.mark.parametrize("stored", [{"S": "soon"}, {"S": ""}, {"N": "1700000000"}, {"NULL": True}])
@pytest.mark.parametrize("shown", [True, False])
def test_an_event_time_that_is_none(session, project, stored, shown):
    """It is an error, as where the column shows it: nobody could say whether the item has expired."""
    session.server(project)
    session.table("drivers", DRIVERS if shown else "driver_id %s, trips integer" % KEY, ttl="1 day")
    put(project, stored)
    for query in ("SELECT trips FROM drivers WHERE driver_id = 1001",
                  "SELECT i, trips FROM generate_series(1001, 1002) i LEFT JOIN drivers ON driver_id = i"):  # fmt: skip
        error = session.fail(query)
        assert error.sqlstate == "HV004"
        assert "event timestamp" in error.diag.message_primary
        assert ('of column "event_timestamp"' in error.diag.message_primary) == shown
        assert "driver_id = 1001" in error.diag.message_detail


@pytest.mark.parametrize("stored", [None, {"S": "NaT"}])
def test_an_item_without_event_time(day, project, stored):
    """It is NULL, and NULL >= now() - ttl isn't true."""
    put(project, stored)
    assert day.run("SELECT trips FROM all_drivers WHERE driver_id = 1001") == [(5,)]
    assert day.run("SELECT trips FROM drivers WHERE driver_id = 1001") == []
    assert day.run("SELECT i FROM generate_series(1001, 1001) i JOIN drivers ON driver_id = i") == []


def test_explain_tells_what_has_expired(day):
    write(day, "1 hour", "2 days", "3 days", "4 hours")
    scan = analyzed(day, "SELECT trips FROM drivers WHERE " + ALL)
    assert (scan["Items Found"], scan["Items Missing"], scan["Items Expired"]) == (4, 56, 2)
    assert scan["Fetched"] == ["trips", "event_ts"]
    scan = analyzed(day, "SELECT event_timestamp, trips FROM drivers WHERE " + ALL)
    assert scan["Fetched"] == ["event_ts", "trips"]
    assert "Items Expired" not in analyzed(day, "SELECT trips FROM all_drivers WHERE " + ALL)
    # a rescan by the same keys reads the same items again
    rescanned = "SELECT count(*) FROM drivers WHERE driver_id IN (1, 2, 3) AND trips < i"
    (scan,) = analyzed(day, "SELECT (%s) FROM generate_series(1, 3) i" % rescanned)["Plans"][0]["Plans"]
    assert (scan["Actual Loops"], scan["Requests"], scan["Items Expired"]) == (3, 1, 2)


def test_explain_tells_which_rows_of_a_join_met_what_has_expired(day):
    write(day, "1 hour", "2 days", "3 days", "4 hours")
    rows = "SELECT * FROM (SELECT i %% 5 + 1 AS i FROM generate_series(0, 9) i) e LEFT JOIN %s ON driver_id = i"
    node = analyzed(day, rows % "drivers")
    (lookup,) = node["Lookups"]
    assert (lookup["Keys Asked"], lookup["Items Found"], lookup["Rows Expired"]) == (5, 4, 4)
    (lookup,) = analyzed(day, rows % "all_drivers")["Lookups"]
    assert "Rows Expired" not in lookup


def test_views_of_one_table_with_a_ttl_each(day, project):
    day.table("hour", DRIVERS, table_name=project + ".drivers", create_remote_table="false", ttl="1 hour")
    write(day, "1 minute", "2 hours", "2 days")
    query = (
        "SELECT i, h.trips, d.trips, a.trips FROM generate_series(1, 4) i LEFT JOIN hour h ON h.driver_id = i"
        " LEFT JOIN drivers d ON d.driver_id = i LEFT JOIN all_drivers a ON a.driver_id = i ORDER BY i"
    )
    assert day.run(query) == [(1, 1, 1, 1), (2, None, 2, 2), (3, None, None, 3), (4, None, None, None)]


def test_a_new_ttl_counts_for_prepared_statements(day):
    write(day, "2 hours")
    day.run("PREPARE one AS SELECT trips FROM drivers WHERE driver_id = $1; SET plan_cache_mode = force_generic_plan")
    assert day.run("EXECUTE one (1)") == [(1,)]
    day.run("ALTER FOREIGN TABLE drivers OPTIONS (SET ttl '1 hour')")
    assert day.run("EXECUTE one (1)") == []
    day.run("ALTER FOREIGN TABLE drivers OPTIONS (DROP ttl)")
    assert day.run("EXECUTE one (1)") == [(1,)]


def test_the_style_of_intervals_does_not_matter(session, project):
    session.server(project)
    for style in ("postgres", "sql_standard", "iso_8601", "postgres_verbose"):
        session.run("SET intervalstyle = %s" % style)
        name = "in_" + style
        session.table(name, "id %s, event_timestamp %s" % (KEY, TIME), ttl="1 02:00:00")
        session.run("INSERT INTO %s VALUES (1, now() - interval '25 hours'), (2, now() - interval '27 hours')" % name)
        assert session.run("SELECT id FROM %s WHERE id IN (1, 2)" % name) == [(1,)]


def test_an_item_that_is_written_anew_is_found_again(day):
    write(day, "2 days")
    assert day.run("SELECT trips FROM drivers WHERE driver_id = 1") == []
    write(day, "1 second")
    assert day.run("SELECT trips FROM drivers WHERE driver_id = 1") == [(1,)]


def test_update_and_delete_pass_over_what_has_expired(day):
    write(day, "1 hour", "2 days", "3 days", "4 hours")
    assert day.run("UPDATE drivers SET trips = trips + 10 WHERE driver_id IN (1, 2)") == 1
    assert day.run("UPDATE drivers SET trips = trips + 10 FROM generate_series(3, 4) i WHERE driver_id = i") == 1
    assert sorted(day.run("SELECT trips FROM all_drivers WHERE " + ALL)) == [(2,), (3,), (11,), (14,)]
    assert day.run("DELETE FROM drivers WHERE driver_id IN (1, 2)") == 1
    assert day.run("DELETE FROM drivers USING generate_series(3, 4) i WHERE driver_id = i RETURNING trips") == [(14,)]
    assert sorted(day.run("SELECT trips FROM all_drivers WHERE " + ALL)) == [(2,), (3,)]


def test_update_where_no_column_shows_the_event_time(session, project):
    """What it depends on does not include the event time that is read for the ttl."""
    session.server(project)
    session.table("drivers", "driver_id %s, trips integer" % KEY, ttl="1 day")
    session.run("INSERT INTO drivers VALUES (1, 5), (2, 6)")
    for condition in ("driver_id = 1", "driver_id = ANY (ARRAY(SELECT 1))"):
        assert session.run("UPDATE drivers SET trips = trips + 1 WHERE " + condition) == 1
    assert session.run("UPDATE drivers SET trips = trips + 1 FROM generate_series(1, 1) i WHERE driver_id = i") == 1
    assert sorted(session.run("SELECT driver_id, trips FROM drivers WHERE driver_id IN (1, 2)")) == [(1, 8), (2, 6)]


def test_many_windows(session, project):
    session.server(project, ENDPOINT, batch_size=7, max_read_workers=3)
    session.table("drivers", DRIVERS, ttl="12 hours")
    session.run("INSERT INTO drivers SELECT i, now() - interval '1 hour' * (i % 24), 0, i FROM generate_series(1, 1000) i")
    # those exactly at the limit have passed it by now
    expected = [(i if i % 24 < 12 else None,) for i in range(1, 1001)]
    query = "SELECT trips FROM generate_series(1, 1000) i LEFT JOIN drivers ON driver_id = i ORDER BY i"
    assert session.run(query) == expected
    session.run("BEGIN; DECLARE c CURSOR FOR " + query)
    assert [row for _ in range(100) for row in session.run("FETCH 10 FROM c")] == expected
    session.run("COMMIT")
    found = session.run("SELECT trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 1000)))")
    assert sorted(found) == [row for row in expected if row != (None,)]
