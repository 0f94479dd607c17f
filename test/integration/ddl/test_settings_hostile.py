"""Settings of DynamoDB tables: nothing is changed that was not meant, nothing done in silence."""

import pytest

import faults
from support import DRIVERS, ENDPOINT, MOTO_ENDPOINT, dynamodb, make_remote, records
from test_settings import alter, describe, tags_of

PROTECTED = {"deletion_protection": "true", "point_in_time_recovery": "true", "tags": '{"a": "b"}'}


# Which table is meant.


@pytest.mark.parametrize("was_there", [False, True])
def test_what_create_asks_for_is_asked_of_no_other_table(moto, project, was_there):
    """Of a table that the transaction leaves, by an option that says nothing of settings."""
    make_remote(project + ".theirs", endpoint=MOTO_ENDPOINT)
    if was_there:
        moto.table("drivers", DRIVERS)
    moto.run("BEGIN; DROP FOREIGN TABLE IF EXISTS drivers")
    moto.table("drivers", DRIVERS, **PROTECTED)
    alter(moto, "ADD feature_view 'theirs'")
    moto.warnings()
    moto.run("COMMIT")
    assert tags_of(project, "theirs") == {}
    assert describe(project, table="theirs")["DeletionProtectionEnabled"] is False
    assert moto.warnings() == [
        'remote table "%s.drivers" in us-west-2 is not changed' % project
        + ' Foreign table "drivers" means another remote table now.'
    ]


def test_what_alter_asks_for_is_asked_of_no_other_region(local, project, proxy):
    local.table("drivers", DRIVERS)
    proxy.forget()
    local.run("BEGIN")
    alter(local, "stream_view_type 'NEW_IMAGE'")
    local.set_server(batch_size=3)  # another option changes nothing of it
    local.run("ALTER SERVER feast OPTIONS (SET region 'us-east-1')")
    local.warnings()
    local.run("COMMIT")
    assert proxy.operations() == []
    assert "means another remote table now" in local.warnings()[0]


def test_alter_of_both(moto, project):
    """The last statement names the table that it means, and the settings."""
    make_remote(project + ".theirs", endpoint=MOTO_ENDPOINT)
    moto.table("drivers", DRIVERS)
    moto.run("BEGIN")
    alter(moto, "feature_view 'theirs'")
    alter(moto, 'tags \'{"a": "b"}\'')
    moto.run("COMMIT")
    assert tags_of(project, "theirs") == {"a": "b"}
    assert tags_of(project) == {}


def test_an_absent_table_is_told_once(local, project):
    local.table("drivers", DRIVERS)
    dynamodb().delete_table(TableName=project + ".drivers")
    alter(local, "stream_view_type 'NEW_IMAGE', deletion_protection 'true'")
    (warning,) = local.warnings()
    assert "is not there, so nothing of it is changed" in warning


# Tags.


def test_tags_that_were_never_sent_are_not_removed(moto, project):
    """Others' tag, which options had between two statements of a transaction."""
    moto.table("drivers", DRIVERS, tags='{"a": "1", "c": "1"}')
    theirs = [{"Key": "b", "Value": "2"}]
    dynamodb(MOTO_ENDPOINT).tag_resource(ResourceArn=describe(project)["TableArn"], Tags=theirs)
    moto.run("BEGIN")
    alter(moto, """SET tags '{"a": "1", "b": "2"}'""")
    alter(moto, """SET tags '{"a": "1"}'""")
    moto.run("COMMIT")
    assert tags_of(project) == {"a": "1", "b": "2"}


def test_tags_of_a_table_that_is_made_in_between(moto, project):
    moto.table("drivers", DRIVERS, tags='{"a": "1"}')
    dynamodb(MOTO_ENDPOINT).delete_table(TableName=project + ".drivers")
    moto.run("BEGIN")
    alter(moto, """SET tags '{"b": "1"}'""")
    moto.run("SELECT dynamo_fdw_create_table('drivers')")
    alter(moto, """SET tags '{"c": "1"}'""")
    moto.run("COMMIT")
    assert tags_of(project) == {"c": "1"}


# A part that was rolled back.

MADE_WITH = [
    {"billing_mode": "PROVISIONED", "read_capacity": 2, "write_capacity": 3},
    {"max_read_units": 5, "max_write_units": 6},
    {"stream_view_type": "KEYS_ONLY"},
]


@pytest.mark.parametrize("options", MADE_WITH)
def test_what_a_part_rolled_back_made_is_as_the_next_create_says(local, project, options):
    def shown():
        table = describe(project, ENDPOINT)
        told = {name: table.get(name) for name in ("OnDemandThroughput", "StreamSpecification")}
        return {**told, "mode": table.get("BillingModeSummary", {}).get("BillingMode")}

    local.table("drivers", DRIVERS)
    default = shown()
    local.run("DROP FOREIGN TABLE drivers")
    local.run("BEGIN; SAVEPOINT s")
    local.table("drivers", DRIVERS, **options)
    assert shown() != default
    local.run("ROLLBACK TO s")
    local.table("drivers", DRIVERS)
    local.run("COMMIT")
    ceilings = shown().pop("OnDemandThroughput")
    assert ceilings in (None, {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1})
    assert {**shown(), "OnDemandThroughput": None} == default
    assert local.warnings() == []


def test_tags_of_a_part_rolled_back(moto, project):
    moto.run("BEGIN; SAVEPOINT s")
    moto.table("drivers", DRIVERS, tags='{"a": "1", "b": "1"}')
    moto.run("ROLLBACK TO s")
    moto.table("drivers", DRIVERS, tags='{"b": "2"}')
    moto.run("COMMIT")
    assert tags_of(project) == {"b": "2"}


# Commits that fail, and DROP.


def test_a_commit_that_fails_later(moto, project, moto_proxy, other):
    """All is done remotely when the server finds that it can't serialize: the table that CREATE made can't be deleted."""

    def conflict(exchange):
        other.run("INSERT INTO conflict VALUES (2); COMMIT")
        faults.right(exchange)

    moto.run("CREATE TABLE conflict (n integer)")
    moto.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT * FROM conflict; INSERT INTO conflict VALUES (1)")
    other.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT * FROM conflict")
    moto.table("drivers", DRIVERS, **PROTECTED)
    moto_proxy.fault(conflict, operation="UpdateTable")
    assert moto.fail("COMMIT").sqlstate == "40001"
    changed, kept = moto.warnings()
    assert changed.endswith("Set was: point_in_time_recovery 'true', deletion_protection 'true'.")
    assert 'remote table "%s.drivers" could not be deleted' % project in kept
    moto.run("DROP TABLE conflict")
    assert records(moto) == [(project + ".drivers", "leftover")]
    # again, without the conflict
    moto.table("drivers", DRIVERS, **PROTECTED)
    assert records(moto) == [(project + ".drivers", "made")]


def test_unprotected_and_dropped_at_once(local, project):
    """The DROP is decided first, and nothing is left to be changed: the table is kept, and listed."""
    local.table("drivers", DRIVERS, deletion_protection="true")
    local.run("BEGIN")
    alter(local, "SET deletion_protection 'false'")
    local.run("DROP FOREIGN TABLE drivers; COMMIT")
    (warning,) = local.warnings()
    assert "is kept It is protected against deletion." in warning
    assert records(local) == [(project + ".drivers", "final")]
