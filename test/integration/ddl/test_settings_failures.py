"""Changes of settings that fail: the options stay as they were, and a WARNING says what was changed all the same."""

import time

import pytest

import faults
from support import DRIVERS, ENDPOINT, MOTO_ENDPOINT, Running, delete_remote_tables, dynamodb, fill, remote_tables

SETTINGS = (
    "SET tags '{\"b\": \"2\"}', ADD point_in_time_recovery 'true', ADD billing_mode 'PROVISIONED',"
    " ADD read_capacity '2', ADD write_capacity '3', ADD deletion_protection 'true'"
)
ALTER = "ALTER FOREIGN TABLE drivers OPTIONS (%s)" % SETTINGS
OPTIONS = "SELECT ftoptions FROM pg_foreign_table WHERE ftrelid = 'drivers'::regclass"
UNSENT = ["tags", "point_in_time_recovery 'true'", "billing_mode 'PROVISIONED', read_capacity '2', write_capacity '3'"]
ROLLED_BACK = 'remote table "%s.drivers" has been changed%s, although the transaction is rolled back Set was: %s.'


def served(session, project, endpoint):
    """A server behind a proxy, whose requests give up soon; how it ends."""
    proxy = faults.PlainProxy(endpoint)
    session.server(project, proxy.url, connect_timeout=2, read_timeout=2, total_max_retry_attempts=3)
    session.proxy = proxy
    yield session
    proxy.close()
    delete_remote_tables(project, endpoint)


@pytest.fixture
def moto(session, project):
    """A session with a table "drivers" in moto, of one tag."""
    yield from served(session, project, MOTO_ENDPOINT)


@pytest.fixture
def drivers(moto):
    moto.table("drivers", DRIVERS, tags='{"a": "1"}')
    moto.proxy.forget()
    return moto


@pytest.fixture
def local(session, project):
    """A session whose server is DynamoDB Local."""
    yield from served(session, project, ENDPOINT)


def shown(project, endpoint=MOTO_ENDPOINT):
    return dynamodb(endpoint).describe_table(TableName=project + ".drivers")["Table"]


def tags_of(project):
    client = dynamodb(MOTO_ENDPOINT)
    found = client.list_tags_of_resource(ResourceArn=shown(project)["TableArn"])["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def has_recovery(project):
    found = dynamodb(MOTO_ENDPOINT).describe_continuous_backups(TableName=project + ".drivers")
    state = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    return state == "ENABLED"


def assert_all_is_done(project):
    assert tags_of(project) == {"b": "2"}
    assert has_recovery(project)
    assert shown(project)["ProvisionedThroughput"]["WriteCapacityUnits"] == 3
    assert shown(project)["DeletionProtectionEnabled"]


# Denied.


@pytest.mark.parametrize("action, done", [("DescribeTable", 0), ("UpdateContinuousBackups", 1), ("UpdateTable", 2)])
def test_an_action_is_denied(drivers, project, action, done):
    before = drivers.value(OPTIONS)
    drivers.proxy.fault(faults.error("AccessDeniedException"), None, action)
    error = drivers.fail(ALTER)
    assert error.sqlstate == "42501"
    assert ("It was to set %s." % UNSENT[done] in error.diag.message_detail) == (done > 0)
    assert drivers.value(OPTIONS) == before
    told = [ROLLED_BACK % (project, "", ", ".join(UNSENT[:done]))] if done else []
    assert drivers.warnings() == told
    drivers.proxy.heal()
    drivers.run(ALTER)
    assert has_recovery(project) and shown(project)["DeletionProtectionEnabled"]


@pytest.mark.parametrize(
    "action, tags",
    [("ListTagsOfResource", {"a": "1"}), ("TagResource", {"a": "1"}), ("UntagResource", {"a": "1", "b": "2"})],
)
def test_an_action_of_tags_is_denied(drivers, project, action, tags):
    drivers.proxy.fault(faults.error("AccessDeniedException"), None, action)
    drivers.run(ALTER)
    (warning,) = drivers.warnings()
    assert action in warning and "It was to set tags. All else is done without." in warning
    assert tags_of(project) == tags
    assert has_recovery(project) and shown(project)["DeletionProtectionEnabled"]
    assert 'tags={"b": "2"}' in drivers.value(OPTIONS)


def test_protection_is_denied(drivers, project):
    """It comes last."""
    before = drivers.value(OPTIONS)

    def deny_protection(exchange):
        denied = "DeletionProtectionEnabled" in exchange.asked.json()
        (faults.error("AccessDeniedException") if denied else faults.right)(exchange)

    drivers.proxy.fault(deny_protection, None, "UpdateTable")
    error = drivers.fail(ALTER)
    assert error.sqlstate == "42501" and "deletion_protection 'true'" in error.diag.message_detail
    assert drivers.value(OPTIONS) == before
    assert drivers.warnings() == [ROLLED_BACK % (project, "", ", ".join(UNSENT))]


def test_create_is_undone(moto, project):
    moto.proxy.fault(faults.error("AccessDeniedException"), None, "UpdateContinuousBackups")
    error = moto.fail(
        "CREATE FOREIGN TABLE drivers (%s) SERVER feast OPTIONS (point_in_time_recovery 'true')" % DRIVERS
    )
    assert error.sqlstate == "42501"
    assert remote_tables(project, MOTO_ENDPOINT) == []
    assert moto.value("SELECT count(*) FROM dynamo_fdw_record") == 0


@pytest.mark.parametrize("denied, done", [("drivers", "others"), ("others", "drivers")])
def test_one_of_two_tables_is_denied(drivers, project, denied, done):
    drivers.table("others", DRIVERS)
    drivers.run("BEGIN")
    for table in ("drivers", "others"):
        drivers.run("ALTER FOREIGN TABLE %s OPTIONS (ADD point_in_time_recovery 'true')" % table)

    def deny(exchange):
        if exchange.asked.json()["TableName"].endswith(denied):
            faults.error("AccessDeniedException")(exchange)
        else:
            faults.right(exchange)

    drivers.proxy.fault(deny, None, "UpdateContinuousBackups")
    assert drivers.fail("COMMIT").sqlstate == "42501"
    (warning,) = drivers.warnings()
    assert warning == ROLLED_BACK.replace("drivers", done) % (project, "", "point_in_time_recovery 'true'")
    assert "point_in_time_recovery=true" not in drivers.value(OPTIONS)


# Answers that are lost.


@pytest.mark.parametrize("action", ["TagResource", "UntagResource", "UpdateContinuousBackups", "UpdateTable"])
def test_a_lost_answer_is_made_good(drivers, project, action):
    drivers.proxy.fault(faults.lose, 1, action)
    drivers.run(ALTER)
    assert drivers.warnings() == []
    assert_all_is_done(project)


@pytest.mark.parametrize(
    "action, done", [("TagResource", 0), ("UntagResource", 0), ("UpdateContinuousBackups", 1), ("UpdateTable", 2)]
)
def test_all_answers_are_lost(drivers, project, action, done):
    before = drivers.value(OPTIONS)
    drivers.proxy.fault(faults.lose, None, action)
    assert drivers.fail(ALTER).sqlstate == "08006"
    assert drivers.value(OPTIONS) == before
    (warning,) = drivers.warnings()
    said = ["tags"] if action == "UntagResource" else [*UNSENT[:done], "perhaps " + UNSENT[done]]
    assert warning == ROLLED_BACK % (project, ", perhaps" if action == "TagResource" else "", ", ".join(said))
    drivers.proxy.heal()
    drivers.run(ALTER)
    assert has_recovery(project) and shown(project)["DeletionProtectionEnabled"]


def test_what_was_done_by_a_lost_answer_is_told(local, project):
    """DynamoDB refuses to set capacities to what they are: that they were set is known by a look alone."""
    local.table("drivers", DRIVERS, billing_mode="PROVISIONED", read_capacity=2, write_capacity=3)
    local.proxy.fault(faults.lose, 1, "UpdateTable")
    local.proxy.fault(faults.right, 1, "UpdateTable")
    local.proxy.fault(faults.error("AccessDeniedException"), None, "UpdateTable")
    error = local.fail(
        "ALTER FOREIGN TABLE drivers OPTIONS (SET read_capacity '4', ADD stream_view_type 'NEW_IMAGE')"
    )
    assert error.sqlstate == "42501" and "stream_view_type" in error.diag.message_detail
    assert shown(project, ENDPOINT)["ProvisionedThroughput"]["ReadCapacityUnits"] == 4
    said = "perhaps billing_mode 'PROVISIONED', read_capacity '4', write_capacity '3'"
    assert local.warnings() == [ROLLED_BACK % (project, ", perhaps", said)]


def test_a_stream_that_is_switched_off_only(local, project):
    local.table("drivers", DRIVERS, stream_view_type="NEW_IMAGE")
    local.proxy.fault(faults.right, 1, "UpdateTable")
    local.proxy.fault(faults.error("AccessDeniedException"), None, "UpdateTable")
    error = local.fail("ALTER FOREIGN TABLE drivers OPTIONS (SET stream_view_type 'OLD_IMAGE')")
    assert "It was to set stream_view_type 'OLD_IMAGE'." in error.diag.message_detail
    assert local.warnings() == [ROLLED_BACK % (project, "", "stream_view_type 'NONE'")]
    assert local.value(OPTIONS) == ["stream_view_type=NEW_IMAGE"]
    local.proxy.heal()
    local.run("SELECT dynamo_fdw_alter_table('drivers')")
    assert shown(project, ENDPOINT)["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"


# Not now.


@pytest.mark.parametrize("action", ["TagResource", "UntagResource", "UpdateContinuousBackups", "UpdateTable"])
def test_a_table_in_use_is_waited_for(drivers, project, action):
    drivers.proxy.fault(faults.error("ResourceInUseException"), 2, action)
    drivers.run(ALTER)
    assert drivers.warnings() == []
    assert_all_is_done(project)


def test_a_table_that_is_being_changed_each_time(drivers, project):
    """After each UpdateTable, the next one waits until the table is ACTIVE."""

    def update(exchange):
        faults.right(exchange)
        exchange.proxy.fault(faults.in_status("UPDATING"), 1, "DescribeTable")

    drivers.proxy.fault(update, None, "UpdateTable")
    drivers.run(ALTER)
    assert_all_is_done(project)


@pytest.mark.parametrize("action, done", [("UpdateContinuousBackups", 1), ("UpdateTable", 2)])
def test_changed_too_often(drivers, project, action, done):
    before = drivers.value(OPTIONS)
    drivers.proxy.fault(faults.error("LimitExceededException"), None, action)
    assert drivers.fail(ALTER).sqlstate == "53400"
    assert drivers.value(OPTIONS) == before
    assert drivers.warnings() == [ROLLED_BACK % (project, "", ", ".join(UNSENT[:done]))]


def test_deleted_in_between(drivers, project):
    def delete(exchange):
        dynamodb(MOTO_ENDPOINT).delete_table(TableName=project + ".drivers")
        faults.right(exchange)

    drivers.proxy.fault(delete, 1, "UpdateTable")
    drivers.run(ALTER)
    (warning,) = drivers.warnings()
    assert "is not there, so nothing of it is changed" in warning


# Interrupted.


@pytest.mark.parametrize("action, done", [("UpdateContinuousBackups", 1), ("UpdateTable", 2)])
def test_cancel(drivers, other, project, action, done):
    before = drivers.value(OPTIONS)
    drivers.proxy.fault(faults.stall, None, action)
    running = Running(drivers, ALTER)
    drivers.proxy.wait_for(action)
    other.run("SELECT pg_cancel_backend(%s)", [drivers.pid])
    assert running.join().error.sqlstate == "57014"
    assert drivers.value(OPTIONS) == before
    said = [*UNSENT[:done], "perhaps " + UNSENT[done]]
    assert drivers.warnings() == [ROLLED_BACK % (project, "", ", ".join(said))]


def test_cancel_while_a_table_is_being_changed(drivers, other, project):
    drivers.proxy.fault(faults.in_status("UPDATING"), None, "DescribeTable")
    running = Running(drivers, ALTER)
    drivers.proxy.wait_for("DescribeTable", 2)
    other.run("SELECT pg_cancel_backend(%s)", [drivers.pid])
    assert running.join().error.sqlstate == "57014"
    assert drivers.warnings() == []


def test_terminate(drivers, other, project):
    drivers.proxy.fault(faults.stall, None, "UpdateTable")
    running = Running(drivers, ALTER)
    drivers.proxy.wait_for("UpdateTable")
    other.run("SELECT pg_terminate_backend(%s, 10000)", [drivers.pid])
    assert running.join().error
    assert "point_in_time_recovery=true" not in other.value(OPTIONS)
    end = time.monotonic() + 10
    while other.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s", [drivers.pid]):
        assert time.monotonic() < end
        time.sleep(0.01)
    drivers.proxy.heal()
    other.run(ALTER)
    assert shown(project)["DeletionProtectionEnabled"]


# TRUNCATE.


def test_truncate_and_what_is_denied_then(moto, project):
    """The old table is gone: the new one stays, as far as it has come, and is ours."""
    moto.table("drivers", DRIVERS, point_in_time_recovery="true")
    fill(moto, 3)
    moto.proxy.fault(faults.error("AccessDeniedException"), None, "UpdateContinuousBackups")
    assert moto.fail("TRUNCATE drivers").sqlstate == "42501"
    assert remote_tables(project, MOTO_ENDPOINT) == ["drivers"]
    assert moto.run("SELECT * FROM drivers WHERE driver_id = 1") == []
    moto.proxy.heal()
    moto.run("TRUNCATE drivers")
    assert has_recovery(project)
    moto.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project, MOTO_ENDPOINT) == []


# Tags, by which options they were said of which table.


def test_tags_that_options_said_between_two_statements(drivers, project):
    """They were never sent: who has them has them from somebody else."""
    arn = shown(project)["TableArn"]
    drivers.run("BEGIN")
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (SET tags '{\"other\": \"1\"}')")
    dynamodb(MOTO_ENDPOINT).tag_resource(ResourceArn=arn, Tags=[{"Key": "other", "Value": "1"}])
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (SET tags '{\"b\": \"2\"}')")
    drivers.run("COMMIT")
    assert tags_of(project) == {"other": "1", "b": "2"}


@pytest.mark.parametrize("statements", [1, 2])
def test_tags_of_another_remote_table(drivers, project, statements):
    """A foreign table that means another remote table now takes away none of that one's tags."""
    drivers.table("others", DRIVERS, table_name=project + ".others", tags='{"a": "1"}')
    actions = ["SET tags '{}'", "ADD table_name '%s.others'" % project]
    drivers.run("BEGIN")
    for part in [", ".join(actions)] if statements == 1 else actions:
        drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (%s)" % part)
    drivers.run("COMMIT")
    client = dynamodb(MOTO_ENDPOINT)
    arn = client.describe_table(TableName=project + ".others")["Table"]["TableArn"]
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
