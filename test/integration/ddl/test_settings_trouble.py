"""Settings of DynamoDB tables: where the service, other statements or other people are in the way."""

import json

import pytest

import faults
from support import ACCESS_KEY, DRIVERS, Running, dynamodb, make_remote, remote_tables

UPDATE = "UpdateTable"
TAGS = ["ListTagsOfResource", "TagResource", "UntagResource"]
KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def alter(session, clauses):
    session.run("ALTER FOREIGN TABLE drivers OPTIONS (%s)" % clauses)


def protected(project):
    return dynamodb().describe_table(TableName=project + ".drivers")["Table"].get("DeletionProtectionEnabled", False)


def showing(**members):
    """The right description of a table, with other members."""

    def act(exchange):
        status, _, body = exchange.forward()
        shown = json.loads(body)
        shown["Table"].update(members)
        exchange.send_json(status, shown)

    return act


# Tags.


@pytest.mark.parametrize("operation", TAGS)
def test_tags_that_iam_denies(moto, moto_proxy, operation):
    """All else is done."""
    moto.table("drivers", DRIVERS, tags='{"a": "1"}')
    moto_proxy.fault(faults.error("AccessDeniedException"), operation=operation)
    alter(moto, "SET tags '{\"b\": \"1\"}', ADD stream_view_type 'NEW_IMAGE'")
    (warning,) = moto.warnings()
    assert operation in warning and "It was to set tags. All else is done without." in warning
    assert moto_proxy.count(UPDATE) == 1
    moto.run("SELECT dynamo_fdw_alter_table('drivers')")
    assert moto.value("SELECT difference FROM dynamo_fdw_plan()") is None


def test_create_that_iam_denies_has_nothing_to_do_with_its_tags(moto, project, moto_proxy):
    moto_proxy.fault(
        faults.error("AccessDeniedException", message="User is not authorized to perform: dynamodb:CreateTable on x"),
        operation="CreateTable",
    )
    error = moto.fail(
        "CREATE FOREIGN TABLE drivers (%s) SERVER feast OPTIONS (tags '{\"a\": \"1\"}')" % DRIVERS
    )
    assert error.sqlstate == "42501"
    assert moto_proxy.count("CreateTable") == 1


@pytest.mark.parametrize("operation", TAGS + ["UpdateContinuousBackups"])
def test_a_table_that_is_in_use(moto, moto_proxy, operation):
    moto.table("drivers", DRIVERS, tags='{"a": "1"}')
    moto_proxy.fault(faults.error("ResourceInUseException"), times=2, operation=operation)
    alter(moto, "SET tags '{\"b\": \"1\"}', ADD point_in_time_recovery 'true'")
    assert moto.warnings() == []
    assert moto_proxy.count(operation) == 3
    assert moto.value("SELECT difference FROM dynamo_fdw_plan()") is None


# The table.


def test_what_was_changed_before_an_error_is_told(moto, moto_proxy):
    moto.table("drivers", DRIVERS)
    moto_proxy.fault(faults.error("AccessDeniedException"), operation=UPDATE)
    error = moto.fail(
        "ALTER FOREIGN TABLE drivers OPTIONS (ADD point_in_time_recovery 'true', ADD stream_view_type 'NEW_IMAGE')"
    )
    assert error.sqlstate == "42501"
    (warning,) = moto.warnings()
    assert "point_in_time_recovery 'true'" in warning and "stream" not in warning


def test_a_table_that_is_being_deleted(local, project, proxy):
    local.table("drivers", DRIVERS)
    proxy.fault(faults.in_status("DELETING"), operation="DescribeTable")
    alter(local, "ADD deletion_protection 'true'")
    (warning,) = local.warnings()
    assert "is not there" in warning
    assert not protected(project)


def test_a_table_that_goes_before_it_is_changed(local, project, proxy):
    """It is looked at once more."""
    local.table("drivers", DRIVERS)
    proxy.fault(faults.error("ResourceNotFoundException"), operation=UPDATE)
    alter(local, "ADD deletion_protection 'true'")
    assert local.warnings() == []
    assert protected(project)


def test_a_table_in_another_status(local, proxy):
    local.table("drivers", DRIVERS)
    proxy.fault(faults.in_status("ARCHIVED"), operation="DescribeTable")
    error = local.fail("ALTER FOREIGN TABLE drivers OPTIONS (ADD deletion_protection 'true')")
    assert (error.sqlstate, error.diag.message_detail) == ("55000", "Its status is ARCHIVED.")
    assert proxy.count(UPDATE) == 0


def test_a_table_of_others_in_its_place(local, project, proxy):
    local.table("drivers", DRIVERS)
    dynamodb().delete_table(TableName=project + ".drivers")
    make_remote(project + ".drivers", "id")
    error = local.fail("ALTER FOREIGN TABLE drivers OPTIONS (ADD deletion_protection 'true')")
    assert error.sqlstate == "42809"
    assert proxy.count(UPDATE) == 0


def test_a_limit_is_told_only_where_it_is_the_reason(local, proxy):
    local.table("drivers", DRIVERS)
    proxy.fault(faults.error("ValidationException"), times=None, operation=UPDATE)
    error = local.fail("ALTER FOREIGN TABLE drivers OPTIONS (ADD sse_kms_key 'alias/features')")
    assert error.diag.message_hint is None
    assert "It was to set sse_kms_key 'alias/features'." in error.diag.message_detail


# Keys by their alias, of which nobody but KMS knows which key they are.


def test_an_alias_is_asked_for_each_time(local, proxy):
    local.table("drivers", DRIVERS)
    encrypted = {"SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY}}
    proxy.fault(showing(**encrypted), times=None, operation="DescribeTable")
    same = faults.error("ValidationException", message="Table is already encrypted by given KMSMasterKeyId")
    proxy.fault(same, times=None, operation=UPDATE)
    alter(local, "ADD sse_kms_key 'alias/features'")
    assert local.warnings() == []
    assert proxy.count(UPDATE) == 1
    proxy.forget()
    alter(local, "SET sse_kms_key '%s'" % KEY)
    assert proxy.count(UPDATE) == 0


def test_the_accounts_own_key_is_asked_for_once(local, proxy):
    local.table("drivers", DRIVERS)
    proxy.fault(showing(SSEDescription={"Status": "ENABLED", "SSEType": "KMS"}), times=None, operation="DescribeTable")
    proxy.fault(faults.error("ValidationException"), times=None, operation=UPDATE)
    alter(local, "ADD sse_kms_key 'alias/aws/dynamodb'")
    assert proxy.count(UPDATE) == 0


# Other statements.


@pytest.mark.parametrize("ddl", [
    "DROP FOREIGN TABLE drivers",
    "ALTER FOREIGN TABLE drivers OPTIONS (ADD create_remote_table 'false')",
])  # fmt: skip
def test_a_transaction_that_thinks_better_of_it(local, proxy, ddl):
    local.table("drivers", DRIVERS)
    proxy.forget()
    local.run("BEGIN")
    alter(local, "ADD deletion_protection 'true'")
    local.run(ddl + "; COMMIT")
    assert local.warnings() == []
    assert proxy.count(UPDATE) == 0


def test_a_part_of_a_transaction_that_is_rolled_back(local, project):
    """What was asked before it is done."""
    local.table("drivers", DRIVERS)
    local.run("BEGIN")
    alter(local, "ADD deletion_protection 'true'")
    local.run("SAVEPOINT s")
    alter(local, "ADD tags '{}'")
    local.run("ROLLBACK TO s; COMMIT")
    assert protected(project)
    assert local.warnings() == []  # of tags, which DynamoDB Local lacks


def test_what_a_released_savepoint_asked_is_rolled_back_with_an_outer_one(moto, moto_proxy):
    moto.table("drivers", DRIVERS)
    moto_proxy.forget()
    moto.run("BEGIN; SAVEPOINT a; SAVEPOINT b")
    alter(moto, "ADD tags '{\"a\": \"1\"}'")
    moto.run("RELEASE b; ROLLBACK TO a; COMMIT")
    assert moto_proxy.operations() == []


def test_sessions_change_a_table_one_after_the_other(local, other, proxy):
    local.table("drivers", DRIVERS)
    local.set_server(deletion_protection="true")
    proxy.fault(faults.stall, operation=UPDATE)
    running = Running(local, "SELECT dynamo_fdw_alter_table('drivers')")
    proxy.wait_for(UPDATE)
    proxy.forget()
    other.run("SET lock_timeout = '100ms'")
    assert other.fail("SELECT dynamo_fdw_alter_table('drivers')").sqlstate == "55P03"
    assert proxy.operations() == []
    local.conn.cancel()
    assert running.join().error.sqlstate == "57014"


def test_options_that_the_server_came_to_contradict(local, project):
    """ALTER SERVER looks at no table, and nobody is kept from other changes, or from restoring a dump."""
    local.table("drivers", DRIVERS, max_read_units=5, max_write_units=5)
    local.set_server(billing_mode="PROVISIONED", read_capacity=1, write_capacity=1)
    local.warnings()
    alter(local, "ADD batch_size '7'")
    assert local.fail("ALTER FOREIGN TABLE drivers OPTIONS (SET max_read_units '6')").sqlstate == "22023"
    assert local.fail("SELECT dynamo_fdw_alter_table('drivers')").sqlstate == "22023"
    assert local.fail("TRUNCATE drivers").sqlstate == "22023"
    local.run("SET check_function_bodies = off; SET dynamo_fdw.remote_ddl = off")  # as a restore does, and as one should
    local.table("restored", DRIVERS, max_read_units=5, max_write_units=5)
    local.run("RESET check_function_bodies; RESET dynamo_fdw.remote_ddl")
    assert local.fail("SELECT dynamo_fdw_create_table('restored')").sqlstate == "22023"
    assert remote_tables(project) == ["drivers"]


def test_the_servers_option_comes_in_place_of_the_tables(local, project):
    local.set_server(deletion_protection="false")
    local.table("drivers", DRIVERS, deletion_protection="true")
    assert protected(project)
    local.notices.clear()
    alter(local, "DROP deletion_protection")
    assert not protected(project)
    assert local.notices == []


def test_dropped_tags_go_without_a_word(moto, moto_proxy):
    """Unlike other settings, which stay."""
    moto.table("drivers", DRIVERS, tags='{"a": "1"}')
    moto.notices.clear()
    alter(moto, "DROP tags")
    assert moto.notices == []
    assert moto_proxy.of("UntagResource")[0].json()["TagKeys"] == ["a"]


def test_keys_that_leave_the_servers_tags(moto, moto_proxy):
    """They stay, unless it is the table's ALTER that they leave by."""
    moto.set_server(tags='{"a": "1", "b": "1"}')
    moto.table("drivers", DRIVERS)
    moto.run("ALTER SERVER feast OPTIONS (SET tags '{\"b\": \"2\", \"c\": \"1\"}')")
    moto.run("SELECT dynamo_fdw_alter_table('drivers')")
    (sent,) = moto_proxy.of("TagResource")
    assert [(tag["Key"], tag["Value"]) for tag in sent.json()["Tags"]] == [("b", "2"), ("c", "1")]
    assert moto_proxy.count("UntagResource") == 0


def test_alter_server_counts_tables_that_may_be_changed(local, project):
    local.table("drivers", DRIVERS)
    local.table("fixed", DRIVERS, create_remote_table="false")
    local.set_server(stream_view_type="NONE")
    (warning,) = local.warnings()
    assert warning.startswith("the remote table of 1 foreign table of server")
    local.set_server(create_remote_table="false")
    local.run("ALTER SERVER feast OPTIONS (SET stream_view_type 'NEW_IMAGE')")
    assert local.warnings() == []


# Tables that are there.


def test_a_table_that_is_made_twice_in_a_transaction(moto, project):
    """What a part of it made that was rolled back is used again."""
    moto.run("BEGIN; SAVEPOINT s")
    moto.table("drivers", DRIVERS, tags='{"a": "1"}', stream_view_type="NEW_IMAGE")
    moto.run("ROLLBACK TO s")
    moto.table("drivers", DRIVERS, tags='{"b": "1"}', deletion_protection="true", stream_view_type="NONE")
    moto.run("COMMIT")
    assert moto.warnings() == []
    assert moto.run("SELECT difference, record_state FROM dynamo_fdw_plan()") == [(None, "made")]


def test_a_table_that_another_role_made(local, new_role, project, proxy):
    local.table("drivers", DRIVERS)
    role = new_role("feast")
    local.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id '%s', secret_access_key 's')" % (role, ACCESS_KEY))
    local.run("SET ROLE " + role)
    local.table("theirs", DRIVERS, table_name=project + ".drivers", deletion_protection="true")
    local.run("RESET ROLE")
    (warning,) = local.warnings()
    assert "It differs from the options: deletion_protection is 'false', not 'true'." in warning
    assert proxy.count(UPDATE) == 0


def test_create_says_what_becomes_of_settings(moto, project, moto_proxy):
    """What is not looked at is not passed over in silence."""
    moto.table("drivers", DRIVERS)
    moto.run("SET dynamo_fdw.remote_ddl = off; DROP FOREIGN TABLE drivers; RESET dynamo_fdw.remote_ddl")
    hints = []
    moto.conn.add_notice_handler(lambda diag: hints.append(diag.message_hint))
    moto.table("drivers", DRIVERS, tags='{"a": "1"}')
    (warning,) = moto.warnings()
    assert "COMMIT changes its settings to what the options say. CREATE FOREIGN TABLE made it earlier" in warning
    assert hints.pop() is None
    moto.run("SELECT dynamo_fdw_forget(id) FROM dynamo_fdw_record; DROP FOREIGN TABLE drivers")
    moto.warnings()
    moto.table("drivers", DRIVERS, tags='{"a": "2"}')
    (warning,) = moto.warnings()
    assert "differs" not in warning and "will keep it" in warning
    assert hints.pop().startswith("dynamo_fdw_plan() compares it with the options")
    assert moto.value("SELECT difference FROM dynamo_fdw_plan()") == "tag \"a\" is '1', not '2'"
