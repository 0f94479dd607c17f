"""Feast's five documented IAM actions are enough; without some of them, what doesn't need them works, and the rest names them."""

import pytest

import faults
from support import DRIVERS, fill, make_remote, records, remote_tables

FIVE = ("CreateTable", "DescribeTable", "DeleteTable", "BatchWriteItem", "BatchGetItem")
DATA = ("BatchWriteItem", "BatchGetItem")
TERRAFORM = ("DescribeTable", *DATA)
CREATE = "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS
DROP = "DROP FOREIGN TABLE drivers"




@pytest.fixture
def allowing(session, project, proxy):
    """A session whose server is behind a policy of these actions."""

    def make(*operations, **options):
        proxy.fault(faults.allowing(*operations), times=None)
        session.server(project, proxy.url, **options)
        return session

    return make


def test_the_main_job_needs_feasts_five_actions(allowing, project, proxy):
    local = allowing(*FIVE, consumed_capacity="true", warmup_connections="true")
    local.run(CREATE)
    fill(local, 300)
    assert local.value("SELECT count(*) FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 400)))") == 300
    assert local.value("SELECT count(*) FROM generate_series(1, 5) i JOIN drivers ON driver_id = i") == 5
    local.run("EXPLAIN (ANALYZE) SELECT * FROM drivers WHERE driver_id = 1")
    local.run("ALTER TABLE drivers RENAME COLUMN trips TO rides")
    local.run("ALTER TABLE drivers RENAME TO cars")
    assert local.value("SELECT rides FROM cars WHERE driver_id = 1") == 10
    local.run("ALTER FOREIGN TABLE cars OPTIONS (SET feature_view 'others')")
    assert len(local.run("SELECT * FROM dynamo_fdw_plan()")) == 2
    local.run("SELECT dynamo_fdw_drop_table('cars')")
    local.run("SELECT dynamo_fdw_create_table('cars')")
    local.run("BEGIN")
    local.table("rolled_back", DRIVERS)
    local.run("ROLLBACK")
    local.table("always", DRIVERS, drop_remote_table="always")
    local.run("DROP FOREIGN TABLE cars, always")
    local.run("SELECT dynamo_fdw_delete_pending()")
    local.run(CREATE)
    local.run("DROP SERVER feast CASCADE")
    assert remote_tables(project) == []
    assert set(operation for operation in proxy.operations() if operation) == set(FIVE)


@pytest.fixture
def terraform(allowing, project):
    """Tables are made and deleted elsewhere; one is there."""
    make_remote(project + ".drivers")
    return allowing(*TERRAFORM)


@pytest.mark.parametrize("policy", ["created", "never"])
def test_existing_tables_need_neither_create_nor_delete(terraform, project, proxy, policy):
    terraform.table("drivers", DRIVERS, drop_remote_table=policy)
    fill(terraform, 30)
    assert terraform.value("SELECT trips FROM drivers WHERE driver_id = 1") == 10
    terraform.run("ALTER TABLE drivers RENAME TO cars")
    terraform.run("SELECT dynamo_fdw_create_table('cars')")
    assert terraform.value("SELECT status FROM dynamo_fdw_plan()") == "ACTIVE"
    terraform.warnings()
    terraform.run("DROP FOREIGN TABLE cars")
    assert terraform.warnings() == []
    assert set(proxy.operations()) == set(TERRAFORM)
    assert remote_tables(project) == ["drivers"]


def test_a_create_that_is_denied_names_the_action(terraform, project):
    error = terraform.fail("CREATE FOREIGN TABLE others (%s) SERVER feast" % DRIVERS)
    assert error.sqlstate == "42501"
    assert error.diag.message_hint == 'The IAM policy must allow dynamodb:CreateTable on table "%s.others".' % project
    assert records(terraform) == []


def test_a_delete_that_is_denied_names_the_action(terraform, project):
    terraform.table("drivers", DRIVERS, drop_remote_table="always")
    terraform.warnings()
    terraform.run(DROP)
    (warning,) = terraform.warnings()
    assert project + ".drivers" in warning and "dynamodb:DeleteTable" in warning
    assert remote_tables(project) == ["drivers"]
    # Asked for again, it says so again.
    terraform.run("SELECT dynamo_fdw_delete_pending()")
    assert "dynamodb:DeleteTable" in " ".join(terraform.warnings())


def test_a_rollback_that_is_denied_names_the_action(allowing, project):
    local = allowing("CreateTable", "DescribeTable")
    local.run("BEGIN")
    local.run(CREATE)
    local.run("ROLLBACK")
    assert "dynamodb:DeleteTable" in " ".join(local.warnings())


def test_a_look_that_is_denied_names_the_action(allowing, project, proxy):
    local = allowing(*DATA)
    error = local.fail(CREATE)
    assert error.sqlstate == "42501"
    assert "dynamodb:DescribeTable" in error.diag.message_hint
    local.run("SET dynamo_fdw.remote_ddl = off")
    local.table("drivers", DRIVERS, drop_remote_table="always")
    local.run("SET dynamo_fdw.remote_ddl = on")
    assert "dynamodb:DescribeTable" in local.value("SELECT status FROM dynamo_fdw_plan()")
    local.run(DROP)
    assert "dynamodb:DescribeTable" in " ".join(local.warnings())
    assert "DeleteTable" not in proxy.operations()


def test_with_both_options_nothing_but_data_is_asked(allowing, project, proxy):
    make_remote(project + ".drivers")
    local = allowing(*DATA, create_remote_table="false", drop_remote_table="never")
    local.run(CREATE)
    fill(local, 30)
    assert local.value("SELECT trips FROM drivers WHERE driver_id = 1") == 10
    local.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'x')")
    local.run(DROP)
    assert local.warnings() == []
    assert set(proxy.operations()) == set(DATA)


@pytest.mark.parametrize("denied, statement", [
    ("BatchGetItem", "SELECT * FROM drivers WHERE driver_id = 1"),
    ("BatchWriteItem", "INSERT INTO drivers VALUES (1, now(), 0, 0)"),
])
def test_data_that_is_denied_names_the_action(allowing, project, proxy, denied, statement):
    local = allowing(*[action for action in FIVE if action != denied])
    local.run(CREATE)
    error = local.fail(statement)
    assert error.sqlstate == "42501"
    assert "dynamodb:" + denied in error.diag.message_hint
