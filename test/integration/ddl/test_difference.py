"""What dynamo_fdw_plan() tells of settings and tags: how they differ from what options say, and what it asks for that."""

import json

import pytest

import faults
from support import DRIVERS, ENDPOINT, MOTO_ENDPOINT, REGION, Running, Session, dynamodb, make_remote

DIFFERENCE = "SELECT difference FROM dynamo_fdw_plan() WHERE foreign_table = 'drivers'::regclass"
ON_CREATE = "SELECT on_create FROM dynamo_fdw_plan()"
TAGS = "ListTagsOfResource"
BACKUPS = "DescribeContinuousBackups"
USE = "use the remote table as it is"


def make(name, endpoint, **parameters):
    """A table of Feast with these settings."""
    dynamodb(endpoint).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
        **{"BillingMode": "PAY_PER_REQUEST", **parameters},
    )


def without_ddl(session, name="drivers", **options):
    """A foreign table that was made without looking at the remote."""
    session.run("SET dynamo_fdw.remote_ddl = off")
    session.table(name, DRIVERS, **options)
    session.run("SET dynamo_fdw.remote_ddl = on")


def set_tags(project, table="drivers", **tags):
    client = dynamodb(MOTO_ENDPOINT)
    arn = client.describe_table(TableName="%s.%s" % (project, table))["Table"]["TableArn"]
    for key, value in tags.items():
        client.tag_resource(ResourceArn=arn, Tags=[{"Key": key, "Value": value}])


# What DescribeTable shows.

PROVISIONED = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}}
STREAM = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}}
CEILING = {"OnDemandThroughput": {"MaxReadRequestUnits": 50, "MaxWriteRequestUnits": 60}}

SHOWN = [
    ({}, {}, None),
    (PROVISIONED, {}, None),  # nothing is said of it
    (PROVISIONED, {"billing_mode": "PROVISIONED", "read_capacity": 3, "write_capacity": 4}, None),
    (PROVISIONED, {"billing_mode": "PROVISIONED", "read_capacity": 5, "write_capacity": 4},
     "billing_mode is 'PROVISIONED', read_capacity '3', write_capacity '4',"
     " not 'PROVISIONED', read_capacity '5', write_capacity '4'"),
    (PROVISIONED, {"billing_mode": "PAY_PER_REQUEST"},
     "billing_mode is 'PROVISIONED', read_capacity '3', write_capacity '4', not 'PAY_PER_REQUEST'"),
    ({}, {"max_read_units": 7}, "billing_mode is 'PAY_PER_REQUEST', not 'PAY_PER_REQUEST', max_read_units '7'"),
    ({}, {"max_read_units": -1}, None),
    (CEILING, {"max_read_units": 50}, None),
    (CEILING, {"max_read_units": 50, "max_write_units": -1},
     "billing_mode is 'PAY_PER_REQUEST', max_read_units '50', max_write_units '60',"
     " not 'PAY_PER_REQUEST', max_read_units '50', max_write_units '-1'"),
    (CEILING, {"billing_mode": "PAY_PER_REQUEST"}, None),
    ({"DeletionProtectionEnabled": True}, {"deletion_protection": "true"}, None),
    ({"DeletionProtectionEnabled": True}, {"deletion_protection": "false"}, "deletion_protection is 'true', not 'false'"),
    ({}, {"deletion_protection": "true"}, "deletion_protection is 'false', not 'true'"),
    (STREAM, {"stream_view_type": "NEW_IMAGE"}, None),
    (STREAM, {"stream_view_type": "NONE"}, "stream_view_type is 'NEW_IMAGE', not 'NONE'"),
    ({}, {"stream_view_type": "KEYS_ONLY", "deletion_protection": "true"},
     "deletion_protection is 'false', not 'true'; stream_view_type is 'NONE', not 'KEYS_ONLY'"),
]  # fmt: skip


@pytest.mark.parametrize("there, options, difference", SHOWN)
def test_what_dynamodb_local_shows(local, project, proxy, there, options, difference):
    make(project + ".drivers", ENDPOINT, **there)
    without_ddl(local, **options)
    proxy.forget()
    assert local.value(DIFFERENCE) == difference
    assert proxy.operations() == ["DescribeTable"]
    assert local.value(ON_CREATE) == USE


KEY = "arn:aws:kms:%s:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab" % REGION
ENCRYPTED = {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}}
WARM = {"WarmThroughput": {"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 5000}}


@pytest.mark.parametrize("there, options, difference", [
    (ENCRYPTED, {"sse_kms_key": KEY}, None),
    (ENCRYPTED, {"sse_kms_key": "1234abcd-12ab-34cd-56ef-1234567890ab"}, None),
    (ENCRYPTED, {"sse_kms_key": "AWS_OWNED"}, "sse_kms_key is '%s', not 'AWS_OWNED'" % KEY),
    ({}, {"sse_kms_key": "alias/mine"}, "sse_kms_key is 'AWS_OWNED', not 'alias/mine'"),
    (WARM, {"warm_throughput": "ReadUnitsPerSecond=14000"}, None),
    (WARM, {"warm_throughput": "ReadUnitsPerSecond=16000,WriteUnitsPerSecond=5000"},
     "warm_throughput is 'ReadUnitsPerSecond=15000,WriteUnitsPerSecond=5000',"
     " not 'ReadUnitsPerSecond=16000,WriteUnitsPerSecond=5000'"),
])  # fmt: skip
def test_what_moto_shows(moto, project, there, options, difference):
    make(project + ".drivers", MOTO_ENDPOINT, **there)
    without_ddl(moto, **options)
    assert moto.value(DIFFERENCE) == difference


def test_the_class(local, project, proxy):
    """As AWS shows it."""

    def infrequent(exchange):
        status, _, body = exchange.forward()
        shown = json.loads(body)
        shown["Table"]["TableClassSummary"] = {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
        exchange.send_json(status, shown)

    make_remote(project + ".drivers")
    without_ddl(local, table_class="STANDARD")
    assert local.value(DIFFERENCE) is None
    proxy.fault(infrequent, times=None)
    assert local.value(DIFFERENCE) == "table_class is 'STANDARD_INFREQUENT_ACCESS', not 'STANDARD'"


def test_beside_the_key(local, project):
    make_remote(project + ".drivers", "id")
    without_ddl(local, deletion_protection="true")
    assert local.value(DIFFERENCE) == (
        "key is HASH id (S), Feast's is HASH entity_id (S); deletion_protection is 'false', not 'true'"
    )


def test_options_of_the_server(local, project):
    local.set_server(deletion_protection="true", stream_view_type="OLD_IMAGE")
    make_remote(project + ".drivers")
    without_ddl(local, stream_view_type="NONE", create_remote_table="false")
    assert local.value(DIFFERENCE) == "deletion_protection is 'false', not 'true'"


# Tags.


def test_tags(moto, project, moto_proxy):
    make(project + ".drivers", MOTO_ENDPOINT)
    without_ddl(moto, tags='{"team": "search", "stage": "test", "équipe": "été", "zero": ""}')
    assert moto.value(DIFFERENCE) == (
        'tag "stage" is missing; tag "team" is missing; tag "zero" is missing; tag "équipe" is missing'
    )
    set_tags(project, team="ads", stage="test", équipe="hiver", own="of others")
    moto_proxy.forget()
    assert moto.value(DIFFERENCE) == (
        "tag \"team\" is 'ads', not 'search'; tag \"zero\" is missing; tag \"équipe\" is 'hiver', not 'été'"
    )
    assert moto_proxy.operations() == ["DescribeTable", TAGS]
    set_tags(project, team="search", zero="", équipe="été")
    assert moto.value(DIFFERENCE) is None


def test_tags_of_table_and_server_together(moto, project):
    make(project + ".drivers", MOTO_ENDPOINT)
    moto.set_server(tags='{"team": "server", "stage": "server"}')
    without_ddl(moto, tags='{"team": "table"}')
    set_tags(project, team="server", stage="table")
    assert moto.value(DIFFERENCE) == "tag \"stage\" is 'table', not 'server'; tag \"team\" is 'server', not 'table'"


def test_no_tags_wanted(moto, project):
    make(project + ".drivers", MOTO_ENDPOINT)
    without_ddl(moto, tags="{}")
    set_tags(project, team="server")
    assert moto.value(DIFFERENCE) is None


def test_pages_of_tags(moto, project, moto_proxy):
    """Moto shows ten at a time."""
    tags = {"key%02d" % i: "v" for i in range(45)}
    make(project + ".drivers", MOTO_ENDPOINT, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
    without_ddl(moto, tags=json.dumps({**tags, "key44": "w", "key45": "v"}))
    assert moto.value(DIFFERENCE) == "tag \"key44\" is 'v', not 'w'; tag \"key45\" is missing"
    assert moto_proxy.count(TAGS) == 5


def test_pages_without_end(local, project, proxy):
    make_remote(project + ".drivers")
    without_ddl(local, tags='{"team": "search"}')
    proxy.fault(faults.answer({"Tags": [], "NextToken": "again"}), times=None, operation=TAGS)
    assert local.value(DIFFERENCE) == "tags can't be compared: there is no end of the tags"
    assert proxy.count(TAGS) == 50
    assert proxy.of(TAGS)[49].json()["NextToken"] == "again"


def test_characters_that_the_database_lacks(session, new_database, project, moto_proxy):
    """The words get question marks, the comparison is by what is stored."""
    latin = new_database
    latin.server(project, moto_proxy.url)
    try:
        make(project + ".drivers", MOTO_ENDPOINT, Tags=[{"Key": "team", "Value": "検索"}, {"Key": "été", "Value": "été"}])
        without_ddl(latin, tags='{"team": "\\u691c\\u7d22", "été": "été"}')
        assert latin.value(DIFFERENCE) is None
        set_tags(project, team="検")
        assert latin.value(DIFFERENCE).startswith("tag \"team\" is '???', not '??????'")
    finally:
        dynamodb(MOTO_ENDPOINT).delete_table(TableName=project + ".drivers")


@pytest.fixture
def new_database(session):
    session.run("CREATE DATABASE dynamo_fdw_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    latin = Session("dynamo_fdw_latin")
    latin.run("CREATE EXTENSION dynamo_fdw")
    yield latin
    latin.close()
    session.run("DROP DATABASE dynamo_fdw_latin WITH (FORCE)")


# Recovery to a point in time.


def test_recovery(moto, project, moto_proxy):
    make(project + ".drivers", MOTO_ENDPOINT)
    without_ddl(moto, point_in_time_recovery="true")
    moto_proxy.forget()
    assert moto.value(DIFFERENCE) == "point_in_time_recovery is 'false', not 'true'"
    assert moto_proxy.operations() == ["DescribeTable", BACKUPS]
    dynamodb(MOTO_ENDPOINT).update_continuous_backups(
        TableName=project + ".drivers", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    assert moto.value(DIFFERENCE) is None
    moto.run("ALTER SERVER feast OPTIONS (ADD point_in_time_recovery 'false')")
    without_ddl(moto, "other", table_name=project + ".drivers")
    assert moto.value(DIFFERENCE.replace("drivers", "other")) == "point_in_time_recovery is 'true', not 'false'"


# What is asked, and what comes of failures.


def test_nothing_more_is_asked_without_such_options(local, project, proxy):
    local.set_server(deletion_protection="false", stream_view_type="NONE", table_class="STANDARD", max_read_units="-1")
    for name in ("a", "b", "c"):
        make_remote("%s.%s" % (project, name))
        without_ddl(local, name)
    proxy.forget()
    proxy.fault(faults.allowing("DescribeTable"), times=None)
    assert local.run("SELECT difference FROM dynamo_fdw_plan()") == [(None,)] * 3
    assert proxy.operations() == ["DescribeTable"] * 3


def test_only_where_it_is_said_and_the_table_is_there(moto, project, moto_proxy):
    for name in ("drivers", "tagged", "backed"):
        make("%s.%s" % (project, name), MOTO_ENDPOINT)
    without_ddl(moto)
    without_ddl(moto, "tagged", tags='{"team": "search"}')
    without_ddl(moto, "backed", point_in_time_recovery="true")
    without_ddl(moto, "absent", point_in_time_recovery="true", tags='{"team": "search"}')
    moto_proxy.forget()
    assert moto.run("SELECT foreign_table::text, difference FROM dynamo_fdw_plan() ORDER BY 1") == [
        ("absent", None),
        ("backed", "point_in_time_recovery is 'false', not 'true'"),
        ("drivers", None),
        ("tagged", 'tag "team" is missing'),
    ]
    assert sorted(moto_proxy.operations()) == [BACKUPS] + ["DescribeTable"] * 4 + [TAGS]
    assert moto_proxy.of(BACKUPS)[0].json() == {"TableName": project + ".backed"}
    assert moto_proxy.of(TAGS)[0].json()["ResourceArn"].endswith("table/%s.tagged" % project)


def test_all_are_asked_together(moto, project, moto_proxy):
    for i in range(6):
        make("%s.t%d" % (project, i), MOTO_ENDPOINT)
        without_ddl(moto, "t%d" % i, tags='{"team": "search"}', point_in_time_recovery="true")
    moto_proxy.forget()
    moto_proxy.latency = 0.2
    assert moto.run("SELECT DISTINCT difference FROM dynamo_fdw_plan()") == [
        ('point_in_time_recovery is \'false\', not \'true\'; tag "team" is missing',)
    ]
    assert moto_proxy.most_in_flight(TAGS) == moto_proxy.most_in_flight(BACKUPS) == 6


def test_the_owners_keys_sign(moto, new_role, project, moto_proxy):
    make(project + ".drivers", MOTO_ENDPOINT)
    without_ddl(moto, tags='{"team": "search"}')
    role = new_role("feast")
    moto.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id 'FDWOWNER', secret_access_key 's')" % role)
    moto.run("ALTER FOREIGN TABLE drivers OWNER TO %s" % role)
    moto_proxy.forget()
    moto.run(DIFFERENCE)
    assert moto_proxy.count(TAGS) == 1
    assert all("Credential=FDWOWNER/" in request.header("Authorization") for request in moto_proxy.requests)


@pytest.mark.parametrize("option, operation, words", [
    ({"tags": '{"team": "search"}'}, TAGS, "tags can't be compared: "),
    ({"point_in_time_recovery": "true"}, BACKUPS, "point_in_time_recovery can't be compared: "),
])  # fmt: skip
@pytest.mark.parametrize("trouble, why", [
    (faults.error("AccessDeniedException"), "dynamodb:%s was denied: AccessDeniedException: made up by the test"),
    (faults.error("UnknownOperationException", message=""), "UnknownOperationException: no message"),
    (faults.answer(b"[]"), "the answer does not"),
    (faults.hang_up, ""),
])  # fmt: skip
def test_a_look_that_fails(local, project, proxy, option, operation, words, trouble, why):
    """It is said, and the rest of the row stays."""
    local.set_server(total_max_retry_attempts="1")
    make_remote(project + ".drivers")
    without_ddl(local, stream_view_type="NEW_IMAGE", drop_remote_table="always", **option)
    proxy.fault(trouble, times=None, operation=operation)
    ((difference, *rest),) = local.run("SELECT difference, status, on_create, on_drop FROM dynamo_fdw_plan()")
    shown = "stream_view_type is 'NONE', not 'NEW_IMAGE'; "
    assert difference.startswith(shown + words + (why % operation if "%s" in why else why))
    assert len(difference) > len(shown + words)
    assert rest == ["ACTIVE", USE, "delete: drop_remote_table is 'always'"]


def test_dynamodb_local_itself(session, project):
    """It knows neither."""
    session.server(project)
    make_remote(project + ".drivers")
    without_ddl(session, tags='{"team": "search"}', point_in_time_recovery="true")
    first, second = session.value(DIFFERENCE).split("; ")
    assert first.startswith("point_in_time_recovery")
    assert second.startswith("tags can't be compared: UnknownOperationException")


def test_a_service_that_tells_no_arn(local, project, proxy):
    def nameless(exchange):
        status, _, body = exchange.forward()
        shown = json.loads(body)
        del shown["Table"]["TableArn"]
        exchange.send_json(status, shown)

    make_remote(project + ".drivers")
    without_ddl(local, tags='{"team": "search"}')
    proxy.fault(nameless, operation="DescribeTable")
    assert local.value(DIFFERENCE) == "tags can't be compared: DescribeTable tells no ARN"
    assert proxy.count(TAGS) == 0


@pytest.mark.parametrize("operation", [TAGS, BACKUPS])
def test_cancel(local, project, proxy, operation):
    make_remote(project + ".drivers")
    without_ddl(local, tags='{"team": "search"}', point_in_time_recovery="true")
    proxy.fault(faults.stall, times=None, operation=operation)
    running = Running(local, DIFFERENCE)
    proxy.wait_for(operation)
    local.conn.cancel()
    assert running.join().error.sqlstate == "57014"


# What CREATE would do.


def test_an_absent_table(local):
    without_ddl(local, billing_mode="PROVISIONED", read_capacity=5, write_capacity=6, ttl="1 day", ttl_attribute="x",
                deletion_protection="true", point_in_time_recovery="true", tags='{"team":"search", "a": "b"}')  # fmt: skip
    assert local.value(ON_CREATE) == (
        'make the remote table, with time to live by "x", deletion_protection \'true\', billing_mode \'PROVISIONED\','
        " read_capacity '5', write_capacity '6', point_in_time_recovery 'true', tags '{\"a\": \"b\", \"team\": \"search\"}'"
    )


def test_an_absent_table_with_one_setting(local):
    without_ddl(local, stream_view_type="NEW_IMAGE")
    assert local.value(ON_CREATE) == "make the remote table, with stream_view_type 'NEW_IMAGE'"


def test_a_table_that_is_there(local, project, proxy):
    """It keeps its settings, unless it is the owner's by its record."""
    local.table("drivers", DRIVERS)
    assert local.value(ON_CREATE) == USE
    local.set_server(stream_view_type="NEW_IMAGE")
    assert local.value(ON_CREATE) == "use the remote table, and change its settings"
    local.run("SELECT dynamo_fdw_create_table('drivers')")
    assert local.run("SELECT on_create, difference FROM dynamo_fdw_plan()") == [(USE, None)]
    local.run("ALTER SERVER feast OPTIONS (SET stream_view_type 'NONE')")
    local.run("SELECT dynamo_fdw_forget(id) FROM dynamo_fdw_record")
    assert local.value(ON_CREATE) == USE
    local.run("SELECT dynamo_fdw_create_table('drivers')")
    assert local.value(DIFFERENCE) == "stream_view_type is 'NEW_IMAGE', not 'NONE'"


@pytest.mark.parametrize("there", [True, False])
def test_options_that_contradict_each_other(local, project, there):
    """ALTER SERVER can't look at all tables."""
    if there:
        make_remote(project + ".drivers")
    without_ddl(local, "other", stream_view_type="NEW_IMAGE")
    without_ddl(local, max_read_units=5, drop_remote_table="always")
    local.run("ALTER SERVER feast OPTIONS (ADD billing_mode 'PROVISIONED', ADD read_capacity '5', ADD write_capacity '6')")
    rows = local.run("SELECT status, on_create, difference, on_drop FROM dynamo_fdw_plan() ORDER BY foreign_table::text")
    assert rows[0][:2] == ("ACTIVE" if there else "absent", 'fail: its billing mode is PROVISIONED, which has no "max_read_units"')
    assert rows[0][2] is None
    assert rows[0][3] == ("delete: drop_remote_table is 'always'" if there else "nothing: it is not there")
    assert rows[1][1].startswith("make the remote table, with billing_mode 'PROVISIONED', read_capacity '5'")
