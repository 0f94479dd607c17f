"""UPDATE, DELETE and COPY: which requests they send, what stays as it is, and whose change wins."""

import threading

import pytest

import faults
from support import DRIVER_1001, DRIVERS, KEY, Running, Session, dynamodb, fill, raw_items, takes

READ = "BatchGetItem"
UPDATE = "UpdateItem"
WRITE = "BatchWriteItem"


@pytest.fixture
def driver(drivers, proxy):
    """Drivers 1001 and 1002, with trips 10 and 20."""
    drivers.run("INSERT INTO drivers VALUES (1001, '2024-03-01', 0.5, 10), (1002, '2024-03-01', 0.5, 20)")
    proxy.forget()
    return drivers


def item(project, key=DRIVER_1001, table="drivers"):
    return raw_items("%s.%s" % (project, table)).get(key)


def trips(session, driver=1001):
    return session.value("SELECT trips FROM drivers WHERE driver_id = %d" % driver)


def put(project, new, table="drivers"):
    dynamodb().put_item(TableName="%s.%s" % (project, table), Item=new)


def consistent(proxy):
    """Whether each read so far was."""
    return [
        table.get("ConsistentRead", False) for read in proxy.of(READ) for table in read.json()["RequestItems"].values()
    ]


# What is changed, and what stays.


def test_what_the_table_does_not_map_stays(driver, project):
    before = item(project)
    before["values"]["M"]["unmapped"] = {"B": b"\x08\x01"}
    before["other"] = {"S": "of somebody else"}
    put(project, before)
    assert driver.run("UPDATE drivers SET trips = 11 WHERE driver_id = 1001") == 1
    after = item(project)
    assert after["values"]["M"].pop("trips") != before["values"]["M"].pop("trips")
    assert after == before
    assert trips(driver) == 11


def test_the_event_time_changes_only_where_it_is_assigned(driver, project):
    driver.run("UPDATE drivers SET trips = 11 WHERE driver_id = 1001")
    assert item(project)["event_ts"] == {"S": "2024-03-01 00:00:00+00:00"}
    driver.run("UPDATE drivers SET event_timestamp = '2025-01-01' WHERE driver_id = 1001")
    assert item(project)["event_ts"] == {"S": "2025-01-01 00:00:00+00:00"}
    assert trips(driver) == 11


def test_null_is_an_empty_value(driver, project):
    driver.run("UPDATE drivers SET trips = NULL WHERE driver_id = 1001")
    assert item(project)["values"]["M"]["trips"] == {"B": b""}
    driver.run("UPDATE drivers SET trips = coalesce(trips, 0) + 1 WHERE driver_id = 1001")
    assert trips(driver) == 1


@pytest.mark.parametrize("value", ["7", "coalesce(trips, 6) + 1"])
def test_an_item_without_values_gets_them(driver, proxy, project, value):
    put(project, {"entity_id": {"S": DRIVER_1001}, "event_ts": {"S": "2024-03-01 00:00:00+00:00"}})
    assert driver.run("UPDATE drivers SET trips = %s WHERE driver_id = 1001" % value) == 1
    assert trips(driver) == 7
    assert proxy.count(UPDATE) == 3


def test_a_feature_that_the_item_lacks(driver, project):
    stored = item(project)
    del stored["values"]["M"]["trips"]
    put(project, stored)
    assert driver.run("UPDATE drivers SET trips = coalesce(trips, 6) + 1 WHERE driver_id = 1001") == 1
    assert trips(driver) == 7


def test_what_is_not_there_is_not_made(driver, project):
    assert driver.run("UPDATE drivers SET trips = 1 WHERE driver_id = 3") == 0
    assert driver.run("DELETE FROM drivers WHERE driver_id = 3") == 0
    assert len(raw_items(project + ".drivers")) == 2


def test_names_that_need_quotes(drivers, project):
    drivers.table("odd", "id %s, \"a.b#c\" text, \"values\" text, \"d'\"\"\\e\" text, size int" % KEY)
    drivers.run("INSERT INTO odd VALUES (1, 'a', 'b', 'c', 1)")
    drivers.run(
        'UPDATE odd SET "a.b#c" = "values", "values" = "d\'""\\e", "d\'""\\e" = "a.b#c", size = size + 1 WHERE id = 1'
    )
    assert drivers.run("SELECT * FROM odd WHERE id = 1") == [(1, "b", "c", "a", 2)]


def test_200_features_of_an_update(drivers):
    names = ["feature_%d" % i for i in range(300)]
    drivers.table("wide", "id %s, %s" % (KEY, ", ".join(name + " int" for name in names)))
    drivers.run("INSERT INTO wide (id) VALUES (1)")
    assert drivers.run("UPDATE wide SET %s WHERE id = 1" % ", ".join(n + " = 5" for n in names[:200])) == 1
    assert drivers.run("SELECT feature_199, feature_200 FROM wide WHERE id = 1") == [(5, None)]
    assert drivers.run("UPDATE wide SET feature_0 = %s WHERE id = 1" % " + ".join(names[:70])) == 1
    error = drivers.fail("UPDATE wide SET %s WHERE id = 1" % ", ".join(n + " = 5" for n in names[:201]))
    assert error.sqlstate == "54000" and "201" in error.diag.message_detail
    assert drivers.fail("UPDATE wide SET feature_0 = %s WHERE id = 1" % " + ".join(names[:71])).sqlstate == "54000"


def test_an_item_that_grows_too_large(drivers):
    drivers.table("big", "id %s, a text, b text" % KEY)
    drivers.run("INSERT INTO big VALUES (1, repeat('x', 300000), '')")
    error = drivers.fail("UPDATE big SET b = repeat('x', 200000) WHERE id = 1")
    assert error.sqlstate == "54000" and "id = 1" in error.diag.message_detail


def test_a_row_that_a_join_finds_twice(driver, proxy):
    """It is changed and counted once, by the first."""
    found = "(VALUES (1001, 1), (1002, 2), (1001, 3)) v(id, n)"
    returned = driver.run("UPDATE drivers SET trips = trips + n FROM %s WHERE driver_id = id RETURNING n" % found)
    assert returned == [(1,), (2,)]
    assert (trips(driver), trips(driver, 1002)) == (11, 22)
    assert proxy.count(UPDATE) == 2
    assert driver.run("DELETE FROM drivers USING %s WHERE driver_id = id" % found) == 2


# Requests.


def test_reads_are_consistent(driver, proxy):
    driver.run("CREATE TABLE entities AS SELECT 1001::bigint AS id")
    driver.run("UPDATE drivers SET trips = 1 WHERE driver_id = 1001")
    driver.run("UPDATE drivers SET trips = 1 FROM entities WHERE driver_id = id")
    driver.run("DELETE FROM drivers WHERE driver_id = 1001")
    driver.run("DELETE FROM drivers USING entities WHERE driver_id = id")
    assert consistent(proxy) == [True] * 4
    proxy.forget()
    driver.run("SELECT 1 FROM drivers WHERE driver_id = 1001")
    driver.run("INSERT INTO drivers SELECT * FROM drivers WHERE driver_id = 1002")
    assert consistent(proxy) == [False] * 2


def test_updates_are_in_flight_together(drivers, proxy):
    fill(drivers, 100)
    proxy.forget()
    proxy.latency = 0.05
    with takes(less_than=100 * 0.05):
        assert drivers.run("UPDATE drivers SET trips = 1 WHERE driver_id = ANY (%s)", [list(range(1, 101))]) == 100
    assert proxy.count(UPDATE) == 100
    assert 2 <= proxy.most_in_flight(UPDATE) <= 10


def test_deletes_are_batched(drivers, proxy, project):
    fill(drivers, 110)
    proxy.forget()
    assert drivers.run("DELETE FROM drivers WHERE driver_id = ANY (%s)", [list(range(11, 300))]) == 100
    assert proxy.count(WRITE) == 4
    assert len(raw_items(project + ".drivers")) == 10


def test_unprocessed_deletes_are_sent_again(drivers, proxy, project):
    fill(drivers, 60)
    proxy.fault(faults.unprocessed(3), times=10, operation=WRITE)
    assert drivers.run("DELETE FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 61))]) == 60
    assert raw_items(project + ".drivers") == {}


def test_copy_is_batched(drivers, proxy):
    with drivers.conn.cursor().copy("COPY drivers FROM STDIN") as copy:
        for i in range(100):
            copy.write_row((i, "2024-03-01", 0.5, i))
    assert proxy.count(WRITE) == 4
    assert trips(drivers, 99) == 99


def test_copy_with_triggers_acknowledges_each_row(drivers, proxy):
    """COPY fires them before it tells the wrapper that it is at its end."""
    drivers.run(
        "CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE NOTICE '% of 3', (SELECT sum(items_written) FROM dynamo_fdw_stats); RETURN NULL; END $$"
    )
    drivers.run("CREATE TRIGGER seen AFTER INSERT ON drivers FOR EACH ROW EXECUTE FUNCTION seen()")
    drivers.run("SELECT dynamo_fdw_stats_reset()")
    drivers.notices.clear()
    with drivers.conn.cursor().copy("COPY drivers FROM STDIN") as copy:
        for i in range(3):
            copy.write_row((i, "2024-03-01", 0.5, i))
    assert [message for _, message, _ in drivers.notices] == ["3 of 3"] * 3


# Conflicts.


def while_held(proxy, running, other, sql):
    """Starts a statement; runs `sql` in another session while its first UpdateItem is on its way."""
    release = threading.Event()
    proxy.fault(faults.held(release), 1, UPDATE)
    statement = running()
    proxy.wait_for(UPDATE, 1)
    other.run(sql)
    release.set()
    return statement.join()


@pytest.fixture
def direct(database, driver, project):
    """A session whose requests pass no proxy."""
    session = Session(database)
    driver.server(project, name="direct", create_remote_table="false")
    driver.table("direct", DRIVERS, server="direct", table_name=project + ".drivers")
    yield session
    session.close()


def test_a_value_made_of_what_was_read(driver, direct, proxy):
    sql = "UPDATE drivers SET trips = trips + 1 WHERE driver_id = 1001"
    done = while_held(
        proxy, lambda: Running(driver, sql), direct, "UPDATE direct SET trips = 100 WHERE driver_id = 1001"
    )
    assert done.error.sqlstate == "40001"
    assert "driver_id = 1001" in done.error.diag.message_detail
    assert trips(driver) == 100
    assert driver.run(sql) == 1
    assert trips(driver) == 101


@pytest.mark.parametrize("value, trips", [("7", 7), ("trips + 1", 11)])
def test_another_feature_may_change(driver, direct, proxy, value, trips):
    sql = "UPDATE drivers SET trips = %s WHERE driver_id = 1001" % value
    done = while_held(
        proxy, lambda: Running(driver, sql), direct, "UPDATE direct SET conv_rate = 9 WHERE driver_id = 1001"
    )
    assert done.rows == 1
    assert driver.run("SELECT conv_rate, trips FROM drivers WHERE driver_id = 1001") == [(9, trips)]


def test_a_value_made_of_nothing_wins(driver, direct, proxy):
    sql = "UPDATE drivers SET trips = 7 WHERE driver_id = 1001"
    done = while_held(
        proxy, lambda: Running(driver, sql), direct, "UPDATE direct SET trips = 100 WHERE driver_id = 1001"
    )
    assert done.rows == 1
    assert trips(driver) == 7


def test_a_row_deleted_meanwhile(driver, direct, proxy, project):
    sql = "UPDATE drivers SET trips = 7 WHERE driver_id = 1001"
    done = while_held(proxy, lambda: Running(driver, sql), direct, "DELETE FROM direct WHERE driver_id = 1001")
    assert done.error.sqlstate == "40001"
    assert item(project) is None


def test_the_event_time_counts_too(driver, direct, proxy):
    sql = "UPDATE drivers SET event_timestamp = event_timestamp + '1 day' WHERE driver_id = 1001"
    change = "UPDATE direct SET event_timestamp = '2025-01-01' WHERE driver_id = 1001"
    assert while_held(proxy, lambda: Running(driver, sql), direct, change).error.sqlstate == "40001"


def test_an_event_time_that_a_trigger_makes_of_the_old_one(driver, direct, proxy):
    driver.run(
        "CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.event_timestamp = OLD.event_timestamp + '1 day'; RETURN NEW; END $$"
    )
    driver.run("CREATE TRIGGER later BEFORE UPDATE ON drivers FOR EACH ROW EXECUTE FUNCTION later()")
    sql = "UPDATE drivers SET trips = 7 WHERE driver_id = 1001"
    change = "UPDATE direct SET event_timestamp = '2025-01-01' WHERE driver_id = 1001"
    assert while_held(proxy, lambda: Running(driver, sql), direct, change).error.sqlstate == "40001"
    assert driver.run(sql) == 1
    assert driver.value("SELECT event_timestamp::date::text FROM drivers WHERE driver_id = 1001") == "2025-01-02"


def test_many_sessions_add(database, driver):
    """No addition is lost, and each is counted by whoever did it."""
    added = []

    def add():
        session = Session(database)
        for _ in range(10):
            while True:
                try:
                    session.run("UPDATE drivers SET trips = trips + 1 WHERE driver_id = 1001")
                    added.append(1)
                    break
                except Exception as error:
                    assert error.sqlstate == "40001"
        session.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trips(driver) == 10 + len(added) == 50


def test_what_is_generated_beside_a_trigger(database, driver, proxy, project):
    """The server computes all generated columns there; those of which no part is assigned stay."""
    generated = "id %s, s text, n int, twice int GENERATED ALWAYS AS (n * 2) STORED" % KEY
    driver.table("generated", generated)
    driver.run("CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$")
    driver.run("CREATE TRIGGER same BEFORE UPDATE ON generated FOR EACH ROW EXECUTE FUNCTION same()")
    driver.run("INSERT INTO generated VALUES (1, 'a', 1)")
    driver.server(project, name="direct", create_remote_table="false")
    driver.table("direct", generated, server="direct", table_name=project + ".generated")
    other = Session(database)
    sql = "UPDATE generated SET s = 'b' WHERE id = 1"
    assert while_held(proxy, lambda: Running(driver, sql), other, "UPDATE direct SET n = 5 WHERE id = 1").rows == 1
    assert driver.run("SELECT s, n, twice FROM generated WHERE id = 1") == [("b", 5, 10)]
    driver.run("UPDATE generated SET n = 6 WHERE id = 1")
    assert driver.run("SELECT s, n, twice FROM generated WHERE id = 1") == [("b", 6, 12)]
    other.close()


@pytest.mark.parametrize("trigger, sets, change", [
    ("NEW.trips = OLD.trips + 1", "trips = 0", "trips = 100"),
    ("NEW.trips = OLD.trips + 1", "conv_rate = 0", "trips = 100"),
    ("NEW.event_timestamp = OLD.event_timestamp + '1 h'", "event_timestamp = '2024-04-01'",
     "event_timestamp = '2025-01-01'"),
])  # fmt: skip
def test_what_a_trigger_makes_of_old_values(driver, direct, proxy, trigger, sets, change):
    """Also where the statement assigns the column, too."""
    driver.run(
        "CREATE OR REPLACE FUNCTION makes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NEW; END $$;"
        "CREATE TRIGGER makes BEFORE UPDATE ON drivers FOR EACH ROW EXECUTE FUNCTION makes()" % trigger
    )
    sql = "UPDATE drivers SET %s WHERE driver_id = 1001" % sets
    done = while_held(
        proxy, lambda: Running(driver, sql), direct, "UPDATE direct SET %s WHERE driver_id = 1001" % change
    )
    assert done.error.sqlstate == "40001"


def test_a_generated_column_that_is_made_anew(driver, proxy, database, project):
    """It is made of columns that the statement does not assign."""
    generated = "id %s, n int, twice int GENERATED ALWAYS AS (n * 2) STORED" % KEY
    driver.table("generated", generated)
    driver.run("INSERT INTO generated VALUES (1, 1)")
    driver.server(project, name="direct", create_remote_table="false")
    driver.table("direct", generated, server="direct", table_name=project + ".generated")
    other = Session(database)
    sql = "UPDATE generated SET twice = DEFAULT WHERE id = 1"
    done = while_held(proxy, lambda: Running(driver, sql), other, "UPDATE direct SET n = 5 WHERE id = 1")
    assert done.error.sqlstate == "40001"
    other.close()


# Failures.


def test_a_lost_answer_to_an_update(driver, proxy):
    """Sent again it does no harm where it depends on nothing."""
    proxy.fault(faults.lose, 1, UPDATE)
    assert driver.run("UPDATE drivers SET trips = 7 WHERE driver_id = 1001") == 1
    assert proxy.count(UPDATE) == 2
    assert trips(driver) == 7


def test_a_lost_answer_to_an_addition(driver, proxy):
    """Nobody can tell whether it was this one that changed the row."""
    proxy.fault(faults.lose, 1, UPDATE)
    error = driver.fail("UPDATE drivers SET trips = trips + 1 WHERE driver_id = 1001")
    assert error.sqlstate == "08007"
    assert trips(driver) == 11


def test_a_throttled_addition_is_no_doubt(driver, proxy):
    proxy.fault(faults.error("ProvisionedThroughputExceededException"), 2, UPDATE)
    assert driver.run("UPDATE drivers SET trips = trips + 1 WHERE driver_id = 1001") == 1
    assert trips(driver) == 11


def test_a_denied_update_names_the_action(driver, proxy):
    proxy.fault(faults.allowing(READ, WRITE), None)
    error = driver.fail("UPDATE drivers SET trips = 1 WHERE driver_id = 1001")
    assert error.sqlstate == "42501" and "dynamodb:UpdateItem" in error.diag.message_hint
    assert driver.run("DELETE FROM drivers WHERE driver_id = 1001") == 1


def test_a_cancelled_update(drivers, proxy):
    fill(drivers, 50)
    proxy.fault(faults.stall, None, UPDATE)
    drivers.run("SET statement_timeout = 300")
    with takes(less_than=0.3 + 1):
        error = drivers.fail("UPDATE drivers SET trips = 1 WHERE driver_id = ANY (%s)", [list(range(1, 51))])
    assert error.sqlstate == "57014"
    assert drivers.value("SELECT sum(in_flight) FROM dynamo_fdw_stats") == 0


def test_the_counts_of_explain(drivers):
    fill(drivers, 30)
    plan = drivers.value(
        "EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM drivers WHERE driver_id = ANY ('{1,2,3,4,1000}')"
    )[0]["Plan"]
    assert plan["Items Written"] == 4 and plan["Requests"] == 1


# Bytes of others.


@pytest.mark.parametrize("bytes_", [b"\x18\x8a\x80\x00", b"\x20\x05\x18\x0a"], ids=["long varint", "another member first"])
def test_a_value_that_is_spelled_otherwise(driver, project, bytes_):
    """It depends on the bytes that are stored, not on those that we would write for the value."""
    stored = item(project)
    stored["values"]["M"]["trips"] = {"B": bytes_}
    put(project, stored)
    assert trips(driver) == 10
    assert driver.run("UPDATE drivers SET trips = trips + 1 WHERE driver_id = 1001") == 1
    assert trips(driver) == 11


def test_a_time_that_is_spelled_otherwise(driver, project):
    stored = item(project)
    stored["event_ts"] = {"S": "2024-03-01T12:00:00+02:00"}
    put(project, stored)
    driver.run("CREATE TABLE wanted AS SELECT 1001::bigint AS id")
    assert driver.run(
        "UPDATE drivers SET event_timestamp = event_timestamp + '1 day' FROM wanted WHERE driver_id = id"
    ) == 1
    assert item(project)["event_ts"] == {"S": "2024-03-02 10:00:00+00:00"}


def test_a_list_that_is_spelled_otherwise(drivers, project):
    """Not packed, as an old writer may."""
    drivers.table("lists", "id %s, f int[]" % KEY)
    drivers.run("INSERT INTO lists VALUES (1, '{1,2}')")
    ((key, stored),) = raw_items(project + ".lists").items()
    packed = stored["values"]["M"]["f"]["B"]
    assert packed == b"\x6a\x04\x0a\x02\x01\x02"
    stored["values"]["M"]["f"]["B"] = b"\x6a\x04\x08\x01\x08\x02"
    put(project, stored, "lists")
    assert drivers.run("UPDATE lists SET f = f || 3 WHERE id = 1 RETURNING f") == [([1, 2, 3],)]
    assert drivers.run("SELECT f FROM lists WHERE id = 1") == [([1, 2, 3],)]


def test_two_updates_of_a_table_whose_lists_are_spelled_otherwise(drivers, project):
    drivers.table("lists", "id %s, f int[], g int[]" % KEY)
    drivers.run("INSERT INTO lists VALUES (1, '{1,2}', '{1,2}'), (2, '{1,2}', '{1,2}')")
    for stored in raw_items(project + ".lists").values():
        stored["values"]["M"] = {name: {"B": b"\x6a\x04\x08\x01\x08\x02"} for name in "fg"}
        put(project, stored, "lists")
    drivers.run("WITH u AS (UPDATE lists SET f = f || 4 WHERE id = 2) UPDATE lists SET g = g || 3 WHERE id = 1")
    rows = drivers.run("SELECT id, f, g FROM lists WHERE id IN (1, 2) ORDER BY id")
    assert rows == [(1, [1, 2], [1, 2, 3]), (2, [1, 2, 4], [1, 2])]


# Without UpdateItem.


@pytest.fixture
def rewritten(driver):
    driver.set_server(update_mode="rewrite")
    return driver


def test_rewriting_keeps_what_is_not_named(rewritten, project, proxy):
    before = item(project)
    before["values"]["M"]["unmapped"] = {"B": b"\x08\x01"}
    before["odd \"name\"/\u00e9"] = {"L": [{"N": "1.50"}, {"NULL": True}, {"SS": ["\\", "\u2713"]}, {"BOOL": False}]}
    put(project, before)
    assert rewritten.run("UPDATE drivers SET trips = trips + 1, event_timestamp = '2025-01-01' WHERE driver_id = 1001") == 1
    after = item(project)
    assert after["event_ts"] == {"S": "2025-01-01 00:00:00+00:00"}
    assert after["values"]["M"].pop("trips") != before["values"]["M"].pop("trips")
    del after["event_ts"], before["event_ts"]
    assert after == before
    assert trips(rewritten) == 11
    assert proxy.count(UPDATE) == 0
    assert consistent(proxy)[:2] == [True, True]


def test_rewriting_what_is_nested_as_deep_as_can_be(rewritten, project):
    before = item(project)
    before["deep"] = {"N": "1"}
    for _ in range(31):
        before["deep"] = {"M": {"in": before["deep"]}}
    put(project, before)
    assert rewritten.run("UPDATE drivers SET trips = trips + 1 WHERE driver_id = 1001") == 1
    assert item(project)["deep"] == before["deep"]
    assert trips(rewritten) == 11


def test_rewriting_is_batched(drivers, proxy):
    drivers.set_server(update_mode="rewrite")
    fill(drivers, 60)
    proxy.forget()
    assert drivers.run("UPDATE drivers SET trips = trips + 1 WHERE driver_id = ANY (%s)", [list(range(1, 61))]) == 60
    assert (proxy.count(READ), proxy.count(WRITE)) == (4, 3)
    assert drivers.value("SELECT sum(trips) FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 61))]) == 18360


def test_rewriting_what_comes_back_unprocessed(drivers, proxy):
    drivers.set_server(update_mode="rewrite")
    fill(drivers, 60)
    proxy.fault(faults.unprocessed(7), times=4, operation=WRITE)
    proxy.fault(faults.right, 1, READ)
    proxy.fault(faults.unprocessed(7), times=4, operation=READ)
    assert drivers.run("UPDATE drivers SET trips = 5 WHERE driver_id = ANY (%s)", [list(range(1, 61))]) == 60
    assert drivers.value("SELECT sum(trips) FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 61))]) == 300


def test_rewriting_what_always_comes_back_unprocessed(rewritten, proxy):
    """The reads that go on meanwhile are no progress."""
    rewritten.set_server(total_max_retry_attempts="3")
    proxy.fault(faults.unprocessed(0), None, WRITE)
    error = rewritten.fail("SET statement_timeout = '10s'; UPDATE drivers SET trips = 5 WHERE driver_id IN (1001, 1002)")
    assert error.sqlstate == "53400", error


def test_rewriting_an_item_without_values(rewritten, project):
    put(project, {"entity_id": {"S": DRIVER_1001}, "event_ts": {"S": "2024-03-01 00:00:00+00:00"}})
    assert rewritten.run("UPDATE drivers SET trips = coalesce(trips, 6) + 1 WHERE driver_id = 1001") == 1
    assert trips(rewritten) == 7


@pytest.mark.parametrize("change", ["UPDATE direct SET trips = 100", "DELETE FROM direct"])
@pytest.mark.parametrize("value", ["trips + 1", "7"])
def test_rewriting_a_row_that_changed_meanwhile(rewritten, direct, proxy, change, value):
    """Between the statement's own read and that of the item."""
    release = threading.Event()
    proxy.fault(faults.right, 1, READ)
    proxy.fault(faults.held(release), 1, READ)
    statement = Running(rewritten, "UPDATE drivers SET trips = %s WHERE driver_id = 1001" % value)
    proxy.wait_for(READ, 2)
    direct.run(change + " WHERE driver_id = 1001")
    release.set()
    statement.join()
    if value == "7" and change.startswith("UPDATE"):
        assert statement.rows == 1 and trips(rewritten) == 7
    else:
        assert statement.error.sqlstate == "40001" and "driver_id = 1001" in statement.error.diag.message_detail


def test_rewriting_needs_no_other_action(rewritten, proxy):
    proxy.fault(faults.allowing(READ, WRITE), None)
    assert rewritten.run("UPDATE drivers SET trips = 1 WHERE driver_id = 1001") == 1
    proxy.heal()
    proxy.fault(faults.allowing(READ), None)
    error = rewritten.fail("UPDATE drivers SET trips = 1 WHERE driver_id = 1001")
    assert "dynamodb:BatchWriteItem" in error.diag.message_hint


def test_rewriting_odd_answers(rewritten, proxy):
    for fault in (faults.truncated, faults.wrong_crc, faults.cut, faults.lose):
        proxy.fault(faults.right, 1, READ)
        proxy.fault(fault, 1, READ)
        proxy.fault(fault, 1, WRITE)
        assert rewritten.run("UPDATE drivers SET trips = 1 WHERE driver_id = 1001") == 1
        proxy.heal()


# Lists.


@pytest.fixture
def lists(drivers):
    drivers.table("lists", "id %s, kind text OPTIONS (entity_key 'true'), \"the list\" int[], words text[]" % KEY)
    drivers.run("INSERT INTO lists VALUES (1, 'a''b', '{1}', NULL)")
    return drivers


def append(session, what, feature="the list", entity='{"id": 1, "kind": "a\'b"}', more=""):
    return session.value(
        "SELECT dynamo_fdw_append('lists', %%s, %%s, %s%s)" % (what, more), [entity, feature]
    )


def test_appending(lists):
    assert append(lists, "'{2,3}'::int[]") is True
    assert append(lists, "'{0}'::int[]", more=", true") is True
    assert append(lists, "ARRAY['x', 'y']", "words") is True
    assert append(lists, "'{}'::int[]") is True
    assert append(lists, "'{2}'::int[]", entity='{"id": 2, "kind": "a"}') is False
    assert lists.run("SELECT * FROM lists WHERE id = 1 AND kind = 'a''b'") == [(1, "a'b", [0, 1, 2, 3], ["x", "y"])]


def test_appending_what_can_not_be(lists):
    assert lists.fail("SELECT dynamo_fdw_append('lists', '{\"id\": 1}', 'words', '{x}'::text[])").sqlstate == "0A000"
    assert lists.fail(
        "SELECT dynamo_fdw_append('lists', '{\"id\": 1, \"kind\": \"a\"}', 'nothing', '{x}'::text[])"
    ).sqlstate == "42703"


def test_many_sessions_append(database, lists):
    def add(i):
        session = Session(database)
        for k in range(10):
            assert append(session, "ARRAY[%d]" % (100 * i + k))
        session.close()

    threads = [threading.Thread(target=add, args=[i]) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (found,) = lists.run("SELECT \"the list\" FROM lists WHERE id = 1 AND kind = 'a''b'")
    assert sorted(found[0]) == sorted([1] + [100 * i + k for i in range(4) for k in range(10)])
    for i in range(1, 4):
        assert [x for x in found[0] if x // 100 == i] == [100 * i + k for k in range(10)]


# Answers that are none.


def test_an_answer_that_is_none(driver, proxy):
    proxy.fault(faults.html(200), None, UPDATE)
    error = driver.fail("UPDATE drivers SET trips = 11 WHERE driver_id = 1001")
    assert error.sqlstate == "08P01" and "driver_id = 1001" in error.diag.message_detail
    proxy.heal()
    proxy.fault(faults.html(200), 1, UPDATE)
    assert driver.run("UPDATE drivers SET trips = trips + 1 WHERE driver_id = 1001") == 1
    assert trips(driver) == 11
