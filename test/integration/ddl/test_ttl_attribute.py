"""ttl_attribute: items say when they expire, and CREATE has DynamoDB delete those that have."""

import math
import time
from datetime import datetime, timedelta, timezone

import pytest

import faults
from support import DRIVERS, KEY, MOTO_ENDPOINT, Running, dynamodb, fill, make_remote, raw_items, records, remote_tables

UPDATE = "UpdateTimeToLive"
FIVE = ("CreateTable", "DescribeTable", "DeleteTable", "BatchWriteItem", "BatchGetItem")
CREATE = "CREATE FOREIGN TABLE drivers (%s) SERVER feast OPTIONS (ttl '1 day', ttl_attribute 'expires_at')" % DRIVERS
SOON = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)


@pytest.fixture
def local(session, project, proxy):
    session.server(project, proxy.url)
    return session


def time_to_live(project, table="drivers", **where):
    """(status, attribute)"""
    found = dynamodb(**where).describe_time_to_live(TableName=project + "." + table)["TimeToLiveDescription"]
    return found["TimeToLiveStatus"], found.get("AttributeName")


def written(session, project, at, table="drivers"):
    """The item of a row with this event time."""
    session.run("INSERT INTO %s VALUES (1, %%s, 0.5, 7)" % table, [at])
    (item,) = raw_items("%s.%s" % (project, table)).values()
    return item


def wait_until_gone(project, table="drivers"):
    end = time.monotonic() + 60
    while raw_items("%s.%s" % (project, table)):
        assert time.monotonic() < end
        time.sleep(0.1)


# What CREATE does.


def test_create_turns_it_on(local, project, proxy):
    local.run(CREATE)
    assert time_to_live(project) == ("ENABLED", "expires_at")
    assert proxy.operations() == ["DescribeTable", "CreateTable", UPDATE]
    assert local.warnings() == []
    local.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project) == []


def test_dynamodb_deletes_what_has_expired(local, project):
    local.run(CREATE)
    local.run("INSERT INTO drivers VALUES (1, now() - interval '1 day' + interval '2 seconds', 0, 7)")
    wait_until_gone(project)
    assert local.run("SELECT trips FROM drivers WHERE driver_id = 1") == []


def test_with_moto(session, project):
    session.server(project, MOTO_ENDPOINT)
    session.run(CREATE)
    assert time_to_live(project, endpoint=MOTO_ENDPOINT) == ("ENABLED", "expires_at")
    session.run("INSERT INTO drivers VALUES (1, now(), 0, 7)")
    assert session.run("SELECT trips FROM drivers WHERE driver_id = 1") == [(7,)]
    session.run("DROP FOREIGN TABLE drivers")


def test_an_attribute_of_the_server_is_for_tables_with_a_ttl(local, project):
    local.set_server(ttl_attribute="from server")
    local.table("without", DRIVERS)
    local.table("with_ttl", DRIVERS, ttl="1 day")
    local.table("endless", DRIVERS, ttl="0")
    local.table("own", DRIVERS, ttl="1 day", ttl_attribute="own")
    assert time_to_live(project, "with_ttl") == ("ENABLED", "from server")
    assert time_to_live(project, "own") == ("ENABLED", "own")
    assert set(written(local, project, SOON, "with_ttl")) == {"entity_id", "event_ts", "values", "from server"}
    assert set(written(local, project, SOON, "own")) == {"entity_id", "event_ts", "values", "own"}
    for table in ("without", "endless"):
        assert time_to_live(project, table) == ("DISABLED", None)
        assert set(written(local, project, SOON, table)) == {"entity_id", "event_ts", "values"}


@pytest.mark.parametrize("attribute", ["x", "zoé", 'a"b\\c', "ttl", "x" * 255])
def test_any_name(local, project, attribute):
    local.table("drivers", DRIVERS, ttl="1 day", ttl_attribute=attribute)
    assert time_to_live(project) == ("ENABLED", attribute)
    assert attribute in written(local, project, SOON)
    assert local.value("SELECT trips FROM drivers WHERE driver_id = 1") == 7


def test_many_tables(local, project, proxy):
    local.run(
        "DO $$ BEGIN FOR i IN 1..5 LOOP EXECUTE format('CREATE FOREIGN TABLE t%s (id bigint OPTIONS (entity_key ''true''))"
        " SERVER feast OPTIONS (ttl ''%s days'', ttl_attribute ''e'')', i, i); END LOOP; END $$"
    )
    assert [time_to_live(project, "t%d" % i) for i in range(1, 6)] == [("ENABLED", "e")] * 5
    assert proxy.count(UPDATE) == 5


def test_a_table_that_is_slow_to_become_active(local, project, proxy):
    proxy.fault(faults.creating, times=3)
    local.run(CREATE)
    assert proxy.operations()[-2:] == ["DescribeTable", UPDATE]
    assert time_to_live(project) == ("ENABLED", "expires_at")


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "ResourceInUseException"])
def test_a_table_that_is_missed_for_a_while(local, project, proxy, code):
    proxy.fault(faults.error(code), times=2, operation=UPDATE)
    local.run(CREATE)
    assert proxy.count(UPDATE) == 3
    assert time_to_live(project) == ("ENABLED", "expires_at")


def test_an_answer_that_is_lost(local, project, proxy):
    """The call can't be repeated: the second time DynamoDB says that it is enabled already."""
    proxy.fault(faults.lose, operation=UPDATE)
    local.run(CREATE)
    assert proxy.count(UPDATE) == 2
    assert local.warnings() == []
    assert time_to_live(project) == ("ENABLED", "expires_at")


def test_rollback(local, project):
    local.run("BEGIN")
    local.run(CREATE)
    assert time_to_live(project) == ("ENABLED", "expires_at")
    local.run("ROLLBACK")
    assert remote_tables(project) == []


def test_made_again_after_a_savepoint(local, project):
    local.run("BEGIN; SAVEPOINT s")
    local.table("drivers", DRIVERS)
    local.run("ROLLBACK TO s")
    local.run(CREATE)
    local.run("ROLLBACK TO s")
    local.run(CREATE)
    local.run("COMMIT")
    assert local.warnings() == []
    assert time_to_live(project) == ("ENABLED", "expires_at")
    assert records(local) == [(project + ".drivers", "made")]


# What becomes of failures.


def test_permission_is_needed_for_it_alone(local, project, proxy):
    """Without it the table is of use: items carry the attribute, and whoever may turns it on."""
    proxy.fault(faults.allowing(*FIVE), times=None)
    local.run(CREATE)
    (warning,) = [notice for notice in local.notices if notice[0] == "WARNING"]
    assert UPDATE in warning[1] and project + ".drivers" in warning[1] and "denied" in warning[1]
    assert '"expires_at"' in warning[2]
    assert time_to_live(project) == ("DISABLED", None)
    assert records(local) == [(project + ".drivers", "made")]
    assert "expires_at" in written(local, project, SOON)
    local.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project) == []


def test_the_hint_names_the_action(local, project, proxy):
    proxy.fault(faults.allowing(*FIVE), times=None)
    hints = []
    local.conn.add_notice_handler(lambda diag: hints.append(diag.message_hint))
    local.run(CREATE)
    assert 'The IAM policy must allow dynamodb:UpdateTimeToLive on table "%s.drivers".' % project in hints


@pytest.mark.parametrize("code, sqlstate", [("UnknownOperationException", "HV000"), ("ValidationException", "HV000"),
                                            ("InternalServerError", "08006")])  # fmt: skip
def test_any_other_failure_is_one_of_create(local, project, proxy, code, sqlstate):
    status = 500 if code == "InternalServerError" else 400
    proxy.fault(faults.error(code, status), times=None, operation=UPDATE)
    error = local.fail(CREATE)
    assert error.sqlstate == sqlstate
    assert UPDATE in error.diag.message_primary
    assert remote_tables(project) == []
    assert records(local) == []


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"Table":{"TableStatus":"ACTIVE"}}', b"no"])
def test_an_answer_that_makes_no_sense_is_asked_for_again(local, project, proxy, body):
    proxy.fault(faults.answer(body), operation=UPDATE)
    local.run(CREATE)
    assert proxy.count(UPDATE) == 2
    assert time_to_live(project) == ("ENABLED", "expires_at")


def test_cancel(local, project, proxy):
    proxy.fault(faults.stall, times=None, operation=UPDATE)
    running = Running(local, CREATE)
    proxy.wait_for(UPDATE)
    local.conn.cancel()
    assert running.join().error.sqlstate == "57014"
    assert remote_tables(project) == []


# Tables that are there, and ALTER: their setting is left alone.


def test_a_table_that_is_there_keeps_its_setting(local, project, proxy):
    make_remote(project + ".drivers")
    hints = []
    local.conn.add_notice_handler(lambda diag: hints.append(diag.message_hint))
    local.run(CREATE)
    assert UPDATE not in proxy.operations()
    assert time_to_live(project) == ("DISABLED", None)
    assert len(local.warnings()) == 1
    assert '"expires_at"' in hints[0] and "time to live" in hints[0]
    assert "expires_at" in written(local, project, SOON)


def test_alter_changes_what_is_written(local, project, proxy):
    local.table("drivers", DRIVERS)
    local.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD ttl '1 day', ADD ttl_attribute 'expires_at')")
    assert UPDATE not in proxy.operations()
    assert written(local, project, SOON)["expires_at"] == {"N": str(int(SOON.timestamp()) + 86400)}
    local.run("ALTER FOREIGN TABLE drivers OPTIONS (SET ttl '1 hour', SET ttl_attribute 'other')")
    item = written(local, project, SOON)
    assert item["other"] == {"N": str(int(SOON.timestamp()) + 3600)} and "expires_at" not in item
    local.run("ALTER FOREIGN TABLE drivers OPTIONS (DROP ttl, DROP ttl_attribute)")
    assert set(written(local, project, SOON)) == {"entity_id", "event_ts", "values"}


def test_alter_that_makes_another_table(local, project):
    local.run(CREATE)
    local.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'others')")
    assert time_to_live(project, "others") == ("ENABLED", "expires_at")


def test_plan_tells_of_it(local):
    local.run("SET dynamo_fdw.remote_ddl = off")
    local.run(CREATE)
    assert local.value("SELECT on_create FROM dynamo_fdw_plan()") == (
        'make the remote table, with time to live by "expires_at"'
    )
    local.run("SET dynamo_fdw.remote_ddl = on; SELECT dynamo_fdw_create_table('drivers')")
    assert local.value("SELECT on_create FROM dynamo_fdw_plan()") == "use the remote table as it is"


# What is written.


@pytest.mark.parametrize("ttl, seconds", [("1 day", 86400), ("0.25 seconds", 0.25), ("100 days 0.000001", 8640000.000001),
                                          ("315576000000", 315576000000)])  # fmt: skip
@pytest.mark.parametrize("fraction", [0, 1, 750000, 999999])
def test_the_second_is_the_first_one_by_which_the_item_has_expired(local, project, ttl, seconds, fraction):
    local.table("drivers", DRIVERS, ttl=ttl, ttl_attribute="e")
    at = SOON + timedelta(microseconds=fraction)
    micros = int(SOON.timestamp()) * 10**6 + fraction + round(seconds * 10**6)
    assert written(local, project, at)["e"] == {"N": str(-(-micros // 10**6))}


def test_before_1970(session, project):
    """DynamoDB deletes nothing that says it has expired more than five years ago."""
    session.server(project)
    session.table("drivers", DRIVERS, ttl="1 second", ttl_attribute="e")
    for at, expected in (("1969-12-31 23:59:50.5+00", "-8"), ("0001-01-01 00:00+00", "-62135596799")):
        assert written(session, project, at)["e"] == {"N": expected}


def test_without_event_timestamp_column_it_is_the_statements_time(local, project):
    local.table("drivers", "driver_id %s, trips integer" % KEY, ttl="1 day", ttl_attribute="e")
    before = math.floor(local.value("SELECT extract(epoch FROM clock_timestamp())::float8"))
    local.run("INSERT INTO drivers VALUES (1, 5), (2, 6)")
    after = local.value("SELECT extract(epoch FROM clock_timestamp())::float8")
    items = list(raw_items(project + ".drivers").values())
    assert len(items) == 2
    for item in items:
        assert before <= int(item["e"]["N"]) - 86400 <= math.ceil(after)
        at = datetime.fromisoformat(item["event_ts"]["S"]).timestamp()
        assert int(item["e"]["N"]) == math.ceil(at) + 86400


def test_the_attribute_counts_for_the_size_of_an_item(local, project):
    """The largest row that fits is written, one byte more is refused here, not by DynamoDB."""
    columns = DRIVERS.replace("trips integer", "photo bytea")
    local.table("plain", columns)
    local.table("drivers", columns, ttl="1 day", ttl_attribute="expires_at")
    insert = "INSERT INTO %s VALUES (1, %%s, 0, decode(repeat('00', %%s), 'hex'))"

    def fits(table, size):
        try:
            local.run(insert % table, [SOON, size])
            return True
        except Exception as error:  # psycopg.Error
            assert error.sqlstate == "54000" and "larger than the 400 KB" in str(error)
            return False

    def largest(table):
        low, high = 400_000, 420_000
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(table, middle) else (low, middle)
        return low

    assert 16 <= largest("plain") - largest("drivers") <= 17  # 10 for the name, 6 for 10 digits


@pytest.mark.parametrize("mode", ["update", "rewrite"])
def test_update_sets_it_with_the_event_time(local, project, mode):
    local.run(CREATE)
    if mode == "rewrite":
        local.set_server(update_mode=mode)
    before = written(local, project, SOON)
    local.run("UPDATE drivers SET trips = 8 WHERE driver_id = 1")
    (item,) = raw_items(project + ".drivers").values()
    assert item["expires_at"] == before["expires_at"] and item["values"] != before["values"]
    later = SOON + timedelta(hours=1, microseconds=1)
    for assigned in ("event_timestamp = %s", "event_timestamp = %s, trips = trips + 1"):
        local.run("UPDATE drivers SET " + assigned + " WHERE driver_id = 1", [later])
        (item,) = raw_items(project + ".drivers").values()
        assert item["expires_at"] == {"N": str(int(SOON.timestamp()) + 3601 + 86400)}
        assert item["event_ts"] == {"S": str(later)}
        later += timedelta(microseconds=1)
    assert local.value("SELECT trips FROM drivers WHERE driver_id = 1") == 9


def test_update_that_a_trigger_makes_one_of_the_event_time(local, project):
    local.run(CREATE)
    local.run("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS"
              " $$ BEGIN NEW.event_timestamp := NEW.event_timestamp + interval '1 hour'; RETURN NEW; END $$")  # fmt: skip
    before = written(local, project, SOON)
    local.run("CREATE TRIGGER touch BEFORE UPDATE ON drivers FOR EACH ROW EXECUTE FUNCTION touch()")
    local.run("UPDATE drivers SET trips = 8 WHERE driver_id = 1")
    (item,) = raw_items(project + ".drivers").values()
    assert int(item["expires_at"]["N"]) == int(before["expires_at"]["N"]) + 3600
    local.run("DROP FUNCTION touch CASCADE")


def test_copy_and_write_mode_latest(local, project):
    local.table("drivers", DRIVERS, ttl="1 day", ttl_attribute="e", write_mode="latest")
    for at in (SOON, SOON - timedelta(hours=1)):
        item = written(local, project, at)
        assert item["e"] == {"N": str(int(SOON.timestamp()) + 86400)}
    with local.conn.cursor().copy("COPY drivers FROM STDIN") as copy:
        copy.write_row((1, SOON + timedelta(seconds=1), 0, 1))
    (item,) = raw_items(project + ".drivers").values()
    assert item["e"] == {"N": str(int(SOON.timestamp()) + 86401)}


def test_reading_does_not_need_it(local, project):
    """Items that Feast wrote have none; nor do they need it to expire."""
    local.run(CREATE)
    local.table("writer", DRIVERS, table_name=project + ".drivers", create_remote_table="false")
    local.run("INSERT INTO writer VALUES (1, now(), 0, 7), (2, now() - interval '2 days', 0, 8)")
    assert local.run("SELECT trips FROM drivers WHERE driver_id IN (1, 2)") == [(7,)]


def test_a_ttl_that_was_smuggled_away(local, project):
    """A superuser edits the catalog: then no attribute is written."""
    local.run(CREATE)
    local.run("UPDATE pg_foreign_table SET ftoptions = '{ttl_attribute=expires_at}' WHERE ftrelid = 'drivers'::regclass")
    fill(local, 1)
    (item,) = raw_items(project + ".drivers").values()
    assert "expires_at" not in item
