"""Settings and tags of DynamoDB tables: what CREATE, ALTER and TRUNCATE send, as boto3 would, and what comes of it."""

import json

import botocore.serialize
import pytest

import faults
from support import DRIVERS, KEY, MOTO_ENDPOINT, Session, dynamodb, fill, make_remote, option_list, records, remote_tables

FEAST_KEY = {
    "KeySchema": [{"AttributeName": "entity_id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "entity_id", "AttributeType": "S"}],
}
ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}


def boto3_body(operation, **parameters):
    """The request that boto3 makes of an operation."""
    model = dynamodb().meta.service_model
    serializer = botocore.serialize.create_serializer(model.metadata["protocol"])
    return json.loads(serializer.serialize_to_request(parameters, model.operation_model(operation))["body"])


def bodies(proxy, operation):
    return [request.json() for request in proxy.of(operation)]


def describe(project, endpoint=MOTO_ENDPOINT, table="drivers"):
    return dynamodb(endpoint).describe_table(TableName="%s.%s" % (project, table))["Table"]


def tags_of(project, table="drivers"):
    client = dynamodb(MOTO_ENDPOINT)
    found = client.list_tags_of_resource(ResourceArn=describe(project, table=table)["TableArn"])["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def recovery(project):
    found = dynamodb(MOTO_ENDPOINT).describe_continuous_backups(TableName=project + ".drivers")
    return found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]


def alter(session, clauses, table="drivers"):
    session.run("ALTER FOREIGN TABLE %s OPTIONS (%s)" % (table, clauses))


def options_of(session, table="drivers"):
    return session.value("SELECT ftoptions FROM pg_foreign_table WHERE ftrelid = %s::regclass", [table])


# CREATE.

CREATED = [
    ({}, ON_DEMAND),
    ({"billing_mode": "PAY_PER_REQUEST"}, ON_DEMAND),
    (
        {"billing_mode": "PROVISIONED", "read_capacity": 5, "write_capacity": 6},
        {"BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}},
    ),
    ({"max_read_units": 7}, {**ON_DEMAND, "OnDemandThroughput": {"MaxReadRequestUnits": 7}}),
    ({"max_write_units": 8}, {**ON_DEMAND, "OnDemandThroughput": {"MaxWriteRequestUnits": 8}}),
    (
        {"max_read_units": 7, "max_write_units": 8},
        {**ON_DEMAND, "OnDemandThroughput": {"MaxReadRequestUnits": 7, "MaxWriteRequestUnits": 8}},
    ),
    ({"max_read_units": -1, "max_write_units": -1}, ON_DEMAND),
    ({"table_class": "STANDARD"}, {**ON_DEMAND, "TableClass": "STANDARD"}),
    ({"table_class": "STANDARD_INFREQUENT_ACCESS"}, {**ON_DEMAND, "TableClass": "STANDARD_INFREQUENT_ACCESS"}),
    (
        {"warm_throughput": "ReadUnitsPerSecond=13000,WriteUnitsPerSecond=5000"},
        {**ON_DEMAND, "WarmThroughput": {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 5000}},
    ),
    (
        {"warm_throughput": "WriteUnitsPerSecond=5000"},
        {**ON_DEMAND, "WarmThroughput": {"WriteUnitsPerSecond": 5000}},
    ),
    ({"sse_kms_key": "AWS_OWNED"}, ON_DEMAND),
    ({"sse_kms_key": "alias/aws/dynamodb"}, {**ON_DEMAND, "SSESpecification": {"Enabled": True, "SSEType": "KMS"}}),
    (
        {"sse_kms_key": "alias/features"},
        {**ON_DEMAND, "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/features"}},
    ),
    ({"stream_view_type": "NONE"}, ON_DEMAND),
    (
        {"stream_view_type": "NEW_AND_OLD_IMAGES"},
        {**ON_DEMAND, "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}},
    ),
    (
        {"tags": '{"team": "search", "cost center": "é/7"}'},
        {**ON_DEMAND, "Tags": [{"Key": "cost center", "Value": "é/7"}, {"Key": "team", "Value": "search"}]},
    ),
    ({"tags": "{}"}, ON_DEMAND),
    ({"deletion_protection": "false", "point_in_time_recovery": "false"}, ON_DEMAND),
    (
        {
            "billing_mode": "PROVISIONED",
            "read_capacity": 1,
            "write_capacity": 1,
            "table_class": "STANDARD_INFREQUENT_ACCESS",
            "stream_view_type": "KEYS_ONLY",
            "sse_kms_key": "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "tags": '{"a": ""}',
        },
        {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
            "TableClass": "STANDARD_INFREQUENT_ACCESS",
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            "SSESpecification": {
                "Enabled": True,
                "SSEType": "KMS",
                "KMSMasterKeyId": "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            },
            "Tags": [{"Key": "a", "Value": ""}],
        },
    ),
]


@pytest.mark.parametrize("options, parameters", CREATED)
def test_create_sends_what_boto3_sends(moto, project, moto_proxy, options, parameters):
    moto.table("drivers", DRIVERS, **options)
    (sent,) = bodies(moto_proxy, "CreateTable")
    assert sent == boto3_body("CreateTable", TableName=project + ".drivers", **FEAST_KEY, **parameters)
    assert moto_proxy.operations() == ["DescribeTable", "CreateTable"]
    assert moto.warnings() == []
    # nothing differs, and nothing is sent to say so again
    moto_proxy.forget()
    moto.run("SELECT dynamo_fdw_alter_table('drivers')")
    changes = set(moto_proxy.operations()) - {"DescribeTable", "ListTagsOfResource"}
    # moto shows neither ceilings nor classes; recovery is asked for without a look
    assert changes <= {"UpdateTable", "UpdateContinuousBackups"}
    if not {"max_read_units", "max_write_units", "table_class", "sse_kms_key"} & set(options):
        assert "UpdateTable" not in changes


def test_protection_and_recovery_come_at_the_commit(moto, project, moto_proxy):
    moto.run("BEGIN")
    moto.table("drivers", DRIVERS, deletion_protection="true", point_in_time_recovery="true")
    assert moto_proxy.operations() == ["DescribeTable", "CreateTable"]
    assert describe(project)["DeletionProtectionEnabled"] is False
    moto.run("COMMIT")
    assert describe(project)["DeletionProtectionEnabled"] is True
    assert recovery(project) == "ENABLED"
    name = project + ".drivers"
    assert bodies(moto_proxy, "UpdateTable") == [
        boto3_body("UpdateTable", TableName=name, DeletionProtectionEnabled=True)
    ]
    assert bodies(moto_proxy, "UpdateContinuousBackups") == [
        boto3_body(
            "UpdateContinuousBackups",
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    ]


@pytest.mark.parametrize("end", ["ROLLBACK", "ROLLBACK TO s; COMMIT"])
def test_a_protected_table_is_undone(moto, project, moto_proxy, end):
    moto.run("BEGIN; SAVEPOINT s")
    moto.table("drivers", DRIVERS, deletion_protection="true", point_in_time_recovery="true")
    moto.run(end)
    assert remote_tables(project, MOTO_ENDPOINT) == []
    moto.run("SELECT dynamo_fdw_delete_pending()")
    assert records(moto) == []
    assert moto.warnings() == []


def test_nothing_is_protected_before_all_else_is_done(moto, project, moto_proxy):
    moto_proxy.fault(faults.error("AccessDeniedException"), times=None, operation="UpdateContinuousBackups")
    moto.run("BEGIN")
    moto.table("first", DRIVERS, deletion_protection="true")
    moto.table("second", DRIVERS, point_in_time_recovery="true")
    error = moto.fail("COMMIT")
    assert error.sqlstate == "42501"
    assert "dynamodb:UpdateContinuousBackups" in error.diag.message_hint
    assert remote_tables(project, MOTO_ENDPOINT) == []
    assert moto.warnings() == []


def test_options_of_the_server(moto, project, moto_proxy):
    moto.set_server(
        tags='{"team": "search", "env": "dev"}', read_capacity=3, write_capacity=4, stream_view_type="NEW_IMAGE"
    )
    moto.table("drivers", DRIVERS, tags='{"env": "prod", "view": "drivers"}', stream_view_type="NONE")
    moto.table("paid", DRIVERS, billing_mode="PROVISIONED", write_capacity=9)
    assert tags_of(project) == {"team": "search", "env": "prod", "view": "drivers"}
    assert tags_of(project, "paid") == {"team": "search", "env": "dev"}
    first, second = bodies(moto_proxy, "CreateTable")
    assert "StreamSpecification" not in first and "ProvisionedThroughput" not in first
    assert second["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert second["ProvisionedThroughput"] == {"ReadCapacityUnits": 3, "WriteCapacityUnits": 9}


@pytest.mark.parametrize(
    "options, detail",
    [
        ({"read_capacity": 5}, 'Its billing mode is PAY_PER_REQUEST, which has no "read_capacity".'),
        (
            {"billing_mode": "PROVISIONED", "read_capacity": 5},
            'Billing mode PROVISIONED needs "read_capacity" and "write_capacity".',
        ),
        ({"tags": json.dumps({"t%d" % i: "" for i in range(30)})}, "A table can have 50 tags, and with the server's it would have 60."),
    ],
)
def test_options_that_no_table_can_have(moto, project, moto_proxy, options, detail):
    moto.set_server(tags=json.dumps({"s%d" % i: "" for i in range(30)}))
    error = moto.fail("CREATE FOREIGN TABLE drivers (%s) SERVER feast OPTIONS (%s)" % (DRIVERS, option_list(options)))
    assert (error.sqlstate, error.diag.message_detail) == ("22023", detail)
    moto.table("drivers", DRIVERS)
    moto_proxy.forget()
    error = moto.fail("ALTER FOREIGN TABLE drivers OPTIONS (%s)" % option_list(options))
    assert (error.sqlstate, error.diag.message_detail) == ("22023", detail)
    assert moto_proxy.operations() == []


def test_an_option_that_the_service_refuses_is_named(local, proxy):
    proxy.fault(faults.error("ValidationException", message="KMS key not found"), operation="CreateTable")
    error = local.fail(
        "CREATE FOREIGN TABLE drivers (%s) SERVER feast OPTIONS (sse_kms_key 'alias/nobody', table_class 'STANDARD')"
        % DRIVERS
    )
    assert error.sqlstate == "HV000"
    assert "It was asked for table_class 'STANDARD', sse_kms_key 'alias/nobody'." in error.diag.message_detail


def test_iam_without_tag_resource(moto, project, moto_proxy):
    moto_proxy.fault(
        faults.error(
            "AccessDeniedException",
            message="User: arn:aws:iam::123456789012:user/u is not authorized to perform: dynamodb:TagResource on x",
        ),
        operation="CreateTable",
    )
    moto.table("drivers", DRIVERS, tags='{"team": "search"}')
    (warning,) = moto.warnings()
    assert "TagResource on table" in warning and "The table is made without its tags." in warning
    assert ["Tags" in body for body in bodies(moto_proxy, "CreateTable")] == [True, False]
    assert tags_of(project) == {}
    assert records(moto) == [(project + ".drivers", "made")]


# Tables that are there.


def test_a_table_that_is_there_is_not_changed(moto, project, moto_proxy):
    make_remote(project + ".drivers", endpoint=MOTO_ENDPOINT)
    moto.table("drivers", DRIVERS, tags='{"a": "b"}', deletion_protection="true", point_in_time_recovery="true")
    assert moto_proxy.operations() == ["DescribeTable"]
    assert tags_of(project) == {}
    (warning,) = moto.warnings()
    assert "exists already and is used as it is" in warning
    assert "deletion_protection is 'false', not 'true'" in warning
    # whoever wants it asks for it
    moto.run("SELECT dynamo_fdw_alter_table('drivers')")
    assert tags_of(project) == {"a": "b"}
    assert describe(project)["DeletionProtectionEnabled"] is True
    assert recovery(project) == "ENABLED"


def test_a_table_that_is_ours_is_changed(moto, project):
    moto.table("drivers", DRIVERS, tags='{"old": "1", "both": "1"}')
    moto.run("BEGIN; DROP FOREIGN TABLE drivers")
    moto.table("drivers", DRIVERS, tags='{"both": "2"}', deletion_protection="true")
    moto.run("COMMIT")
    # what was dropped with its foreign table is nobody's to remove
    assert tags_of(project) == {"old": "1", "both": "2"}
    assert describe(project)["DeletionProtectionEnabled"] is True


# ALTER.

ALTERED = [
    ("deletion_protection 'true'", {"DeletionProtectionEnabled": True}),
    (
        "billing_mode 'PROVISIONED', ADD read_capacity '5', ADD write_capacity '6'",
        {"BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}},
    ),
    ("max_read_units '5'", {"OnDemandThroughput": {"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": -1}}),
    ("table_class 'STANDARD_INFREQUENT_ACCESS'", {"TableClass": "STANDARD_INFREQUENT_ACCESS"}),
    (
        "warm_throughput 'ReadUnitsPerSecond=15000,WriteUnitsPerSecond=6000'",
        {"WarmThroughput": {"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 6000}},
    ),
    ("sse_kms_key 'alias/aws/dynamodb'", {"SSESpecification": {"Enabled": True, "SSEType": "KMS"}}),
    (
        "sse_kms_key 'alias/features'",
        {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/features"}},
    ),
    (
        "stream_view_type 'NEW_IMAGE'",
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}},
    ),
]


@pytest.mark.parametrize("option, parameters", ALTERED)
def test_alter_sends_what_boto3_sends(moto, project, moto_proxy, option, parameters):
    moto.table("drivers", DRIVERS)
    moto_proxy.forget()
    alter(moto, "ADD " + option)
    assert bodies(moto_proxy, "UpdateTable") == [boto3_body("UpdateTable", TableName=project + ".drivers", **parameters)]
    assert moto_proxy.operations() == ["DescribeTable", "UpdateTable"]
    assert moto.warnings() == []


def test_each_setting_goes_by_itself(moto, project, moto_proxy):
    """DynamoDB refuses, for example, a class or a stream together with capacities."""
    moto.table("drivers", DRIVERS)
    moto_proxy.forget()
    alter(
        moto,
        "stream_view_type 'OLD_IMAGE', table_class 'STANDARD_INFREQUENT_ACCESS', deletion_protection 'true',"
        " billing_mode 'PROVISIONED', read_capacity '2', write_capacity '3', tags '{\"a\": \"b\"}',"
        " point_in_time_recovery 'true'",
    )
    assert [sorted(set(body) - {"TableName"}) for body in bodies(moto_proxy, "UpdateTable")] == [
        ["TableClass"],
        ["BillingMode", "ProvisionedThroughput"],
        ["StreamSpecification"],
        ["DeletionProtectionEnabled"],
    ]
    shown = describe(project)
    assert shown["ProvisionedThroughput"]["WriteCapacityUnits"] == 3
    assert shown["StreamSpecification"]["StreamViewType"] == "OLD_IMAGE"
    assert tags_of(project) == {"a": "b"}
    assert recovery(project) == "ENABLED"


def test_a_stream_of_another_view(local, project, proxy):
    local.table("drivers", DRIVERS, stream_view_type="NEW_IMAGE")
    proxy.forget()
    alter(local, "SET stream_view_type 'OLD_IMAGE'")
    name = project + ".drivers"
    assert bodies(proxy, "UpdateTable") == [
        boto3_body("UpdateTable", TableName=name, StreamSpecification={"StreamEnabled": False}),
        boto3_body(
            "UpdateTable",
            TableName=name,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"},
        ),
    ]
    assert describe(project, faults_free())["StreamSpecification"]["StreamViewType"] == "OLD_IMAGE"
    alter(local, "SET stream_view_type 'NONE'")
    assert "StreamSpecification" not in describe(project, faults_free())


def faults_free():
    """DynamoDB Local itself."""
    return dynamodb().meta.endpoint_url


def test_capacities_of_dynamodb_local(local, project, proxy):
    def shown():
        table = describe(project, faults_free())
        return (
            table.get("BillingModeSummary", {"BillingMode": "PROVISIONED"})["BillingMode"],
            table["ProvisionedThroughput"]["ReadCapacityUnits"],
            table["ProvisionedThroughput"]["WriteCapacityUnits"],
            table.get("OnDemandThroughput"),
        )

    local.table("drivers", DRIVERS, billing_mode="PROVISIONED", read_capacity=2, write_capacity=3)
    assert shown() == ("PROVISIONED", 2, 3, None)
    alter(local, "SET read_capacity '4'")
    assert shown() == ("PROVISIONED", 4, 3, None)
    alter(local, "SET read_capacity '4', SET billing_mode 'PROVISIONED'")  # equals the current value: an error, if sent
    local.fail("ALTER FOREIGN TABLE drivers OPTIONS (SET billing_mode 'PAY_PER_REQUEST')")
    alter(local, "SET billing_mode 'PAY_PER_REQUEST', DROP read_capacity, DROP write_capacity")
    assert shown() == ("PAY_PER_REQUEST", 0, 0, None)
    alter(local, "ADD max_read_units '10', ADD max_write_units '20'")
    assert shown()[3] == {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20}
    alter(local, "SET max_read_units '11'")
    assert shown()[3] == {"MaxReadRequestUnits": 11, "MaxWriteRequestUnits": 20}
    proxy.forget()
    alter(local, "DROP max_write_units")
    assert bodies(proxy, "UpdateTable") == []
    alter(local, "SET max_read_units '-1'")
    (body,) = bodies(proxy, "UpdateTable")
    assert body["OnDemandThroughput"] == {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 20}


def test_tags_are_changed_by_difference(moto, project, moto_proxy):
    moto.table("drivers", DRIVERS, tags='{"keep": "1", "change": "1", "drop": "1", "theirs now": "1"}')
    arn = describe(project)["TableArn"]
    client = dynamodb(MOTO_ENDPOINT)
    client.untag_resource(ResourceArn=arn, TagKeys=["theirs now"])  # else moto would have it twice
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "foreign", "Value": "x"}, {"Key": "theirs now", "Value": "2"}])
    moto_proxy.forget()
    alter(moto, """SET tags '{"keep": "1", "change": "2", "new": "1"}'""")
    # Feast would remove the foreign ones, too
    assert tags_of(project) == {"keep": "1", "change": "2", "new": "1", "foreign": "x", "theirs now": "2"}
    assert moto_proxy.operations() == ["DescribeTable", "ListTagsOfResource", "TagResource", "UntagResource"]
    assert bodies(moto_proxy, "TagResource") == [
        boto3_body(
            "TagResource",
            ResourceArn=arn,
            Tags=[{"Key": "change", "Value": "2"}, {"Key": "new", "Value": "1"}],
        )
    ]
    assert bodies(moto_proxy, "UntagResource") == [boto3_body("UntagResource", ResourceArn=arn, TagKeys=["drop"])]
    alter(moto, "DROP tags")
    assert tags_of(project) == {"foreign": "x", "theirs now": "2"}
    assert moto.warnings() == []


def test_tags_of_a_table_that_is_not_ours_are_not_removed(moto, project):
    make_remote(project + ".drivers", endpoint=MOTO_ENDPOINT)
    arn = describe(project)["TableArn"]
    dynamodb(MOTO_ENDPOINT).tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "terraform's"}])
    moto.table("drivers", DRIVERS, tags='{"a": "terraform\'s"}'.replace("'", " "))
    alter(moto, "SET tags '{\"a\": \"terraform s\"}'")
    alter(moto, "SET tags '{\"b\": \"1\"}'")
    assert tags_of(project) == {"a": "terraform s", "b": "1"}


def test_many_pages_of_tags(moto, project, moto_proxy):
    moto.table("drivers", DRIVERS, tags='{"a": "1", "b": "2"}')
    moto_proxy.fault(
        faults.answer({"Tags": [{"Key": "a", "Value": "1"}], "NextToken": "more"}), operation="ListTagsOfResource"
    )
    moto_proxy.fault(faults.answer({"Tags": [{"Key": "b", "Value": "0"}]}), operation="ListTagsOfResource")
    moto_proxy.forget()
    alter(moto, "SET tags '{\"a\": \"1\", \"b\": \"2\"}'")
    first, second = bodies(moto_proxy, "ListTagsOfResource")
    assert "NextToken" not in first and second["NextToken"] == "more"
    assert [tag["Key"] for tag in bodies(moto_proxy, "TagResource")[0]["Tags"]] == ["b"]


def test_tags_without_end(moto, project, moto_proxy):
    moto.table("drivers", DRIVERS)
    moto_proxy.fault(faults.answer({"Tags": [], "NextToken": "more"}), times=None, operation="ListTagsOfResource")
    error = moto.fail("ALTER FOREIGN TABLE drivers OPTIONS (ADD tags '{\"a\": \"1\"}')")
    assert (error.sqlstate, moto_proxy.count("ListTagsOfResource")) == ("08P01", 50)


def test_rollback_sends_nothing(moto, project, moto_proxy):
    moto.table("drivers", DRIVERS, tags='{"a": "1"}')
    before = options_of(moto)
    moto_proxy.forget()
    moto.run("BEGIN")
    alter(moto, "SET tags '{}', ADD deletion_protection 'true'")
    moto.run("ROLLBACK")
    moto.run("BEGIN; SAVEPOINT s")
    alter(moto, "SET tags '{}', ADD deletion_protection 'true'")
    moto.run("ROLLBACK TO s; COMMIT")
    assert moto_proxy.operations() == []
    assert options_of(moto) == before


def test_a_transaction_is_applied_once(moto, project, moto_proxy):
    moto.table("drivers", DRIVERS, tags='{"a": "1"}')
    moto_proxy.forget()
    moto.run("BEGIN")
    alter(moto, "SET tags '{\"b\": \"1\"}', ADD deletion_protection 'true'")
    moto.run("SAVEPOINT s")
    alter(moto, "SET tags '{\"c\": \"1\"}'")
    moto.run("RELEASE s")
    alter(moto, "SET deletion_protection 'false'")
    moto.run("COMMIT")
    assert tags_of(project) == {"c": "1"}
    assert "UpdateTable" not in moto_proxy.operations()
    assert [moto_proxy.count(operation) for operation in ("TagResource", "UntagResource")] == [1, 1]


def test_drift_is_mended(moto, project):
    moto.table("drivers", DRIVERS, tags='{"a": "1"}', deletion_protection="true", point_in_time_recovery="true")
    client = dynamodb(MOTO_ENDPOINT)
    name = project + ".drivers"
    client.untag_resource(ResourceArn=describe(project)["TableArn"], TagKeys=["a"])
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    alter(moto, "SET deletion_protection 'true'")
    assert describe(project)["DeletionProtectionEnabled"] is True
    assert tags_of(project) == {} and recovery(project) == "DISABLED"  # these were not named
    moto.run("SELECT dynamo_fdw_alter_table('drivers')")
    assert tags_of(project) == {"a": "1"} and recovery(project) == "ENABLED"


def test_what_is_dropped_stays(moto, project, moto_proxy):
    moto.table("drivers", DRIVERS, deletion_protection="true", stream_view_type="NEW_IMAGE")
    moto_proxy.forget()
    alter(moto, "DROP deletion_protection, DROP stream_view_type")
    assert [message for level, message, _ in moto.notices if level == "NOTICE"] == [
        'remote table "%s.drivers" keeps its "%s"' % (project, option)
        for option in ("deletion_protection", "stream_view_type")
    ]
    assert moto_proxy.operations() == []
    assert describe(project)["DeletionProtectionEnabled"] is True
    # an option of the server's comes in its place, at the next ALTER of it or by hand
    moto.set_server(deletion_protection="false")
    assert "is not changed" in moto.warnings()[0]
    moto.run("SELECT dynamo_fdw_alter_table('drivers')")
    assert describe(project)["DeletionProtectionEnabled"] is False


def test_an_error_undoes_the_alter(moto, project, moto_proxy):
    moto.table("drivers", DRIVERS, table_class="STANDARD")
    before = options_of(moto)
    moto_proxy.fault(
        faults.error("LimitExceededException", message="Table class changed too often"),
        times=None,
        operation="UpdateTable",
    )
    error = moto.fail(
        "ALTER FOREIGN TABLE drivers OPTIONS (SET table_class 'STANDARD_INFREQUENT_ACCESS', ADD tags '{\"a\": \"1\"}')"
    )
    assert error.sqlstate == "53400"
    assert "It was to set table_class 'STANDARD_INFREQUENT_ACCESS'." in error.diag.message_detail
    assert "twice in 30 days" in error.diag.message_hint
    assert options_of(moto) == before
    (warning,) = moto.warnings()
    assert "has been changed, although the transaction is rolled back Set was: tags." in warning
    assert moto.alive()


@pytest.mark.parametrize("word", ["UPDATING", "CREATING"])
def test_a_table_that_is_being_changed_is_waited_for(local, project, proxy, word):
    local.table("drivers", DRIVERS)
    proxy.forget()
    proxy.fault(faults.in_status(word), times=2, operation="DescribeTable")
    proxy.fault(faults.error("ResourceInUseException"), operation="UpdateTable")
    alter(local, "ADD deletion_protection 'true'")
    assert proxy.operations() == ["DescribeTable"] * 3 + ["UpdateTable", "DescribeTable", "UpdateTable"]


def test_answers_that_are_lost(local, project, proxy):
    """DynamoDB refuses to set capacities to what they are."""
    local.table("drivers", DRIVERS, billing_mode="PROVISIONED", read_capacity=2, write_capacity=3)
    proxy.fault(faults.lose, operation="UpdateTable")
    alter(local, "SET read_capacity '4'")
    assert describe(project, faults_free())["ProvisionedThroughput"]["ReadCapacityUnits"] == 4
    proxy.fault(faults.lose, operation="UpdateTable")
    alter(local, "ADD stream_view_type 'NEW_IMAGE'")
    assert describe(project, faults_free())["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"


def test_emulators_without_tags_and_backups(local, project, proxy):
    local.table("drivers", DRIVERS, tags='{"a": "1"}', point_in_time_recovery="true")
    (warning,) = local.warnings()
    assert "UnknownOperationException" in warning and "point_in_time_recovery" in warning
    proxy.fault(faults.right, times=None)
    alter(local, "SET tags '{}'")
    (warning,) = local.warnings()
    assert "Tagging is not currently supported" in warning


def test_a_remote_table_that_is_not_there(local, project):
    local.table("drivers", DRIVERS)
    dynamodb().delete_table(TableName=project + ".drivers")
    alter(local, "ADD deletion_protection 'true'")
    (warning,) = local.warnings()
    assert "is not there, so nothing of it is changed" in warning
    local.run("SELECT dynamo_fdw_create_table('drivers')")
    assert describe(project, faults_free())["DeletionProtectionEnabled"] is True


def test_what_may_not_be_changed(local, project, proxy):
    local.table("drivers", DRIVERS, create_remote_table="false")
    proxy.forget()
    alter(local, "ADD deletion_protection 'true'")
    assert 'remote table "%s.drivers" is not changed' % project in [message for _, message, _ in local.notices]
    error = local.fail("SELECT dynamo_fdw_alter_table('drivers')")
    assert error.sqlstate == "55000"
    local.table("others", DRIVERS)
    proxy.forget()
    local.run("SET dynamo_fdw.remote_ddl = off")
    alter(local, "ADD deletion_protection 'true'", "others")
    assert local.fail("SELECT dynamo_fdw_alter_table('others')").sqlstate == "55000"
    local.run("RESET dynamo_fdw.remote_ddl; SET session_replication_role = replica")
    alter(local, "SET deletion_protection 'true'", "others")
    local.run("RESET session_replication_role")
    assert proxy.operations() == []


def test_who_asked_by_hand_stays_the_owner(moto, new_role, database):
    """Else the new owner's keys would sign what the old one asked for."""
    role = new_role("feast")
    moto.table("drivers", DRIVERS, deletion_protection="true")
    other = Session(database)
    moto.run("BEGIN; SELECT dynamo_fdw_alter_table('drivers')")
    other.run("SET lock_timeout = '100ms'")
    assert other.fail("ALTER FOREIGN TABLE drivers OWNER TO %s" % role).sqlstate == "55P03"
    other.run("INSERT INTO drivers VALUES (1, now(), 0, 0)")
    moto.run("COMMIT")
    other.run("ALTER FOREIGN TABLE drivers OWNER TO %s" % role)
    other.close()


def test_prepare_transaction(local):
    local.table("drivers", DRIVERS)
    local.run("BEGIN")
    alter(local, "ADD deletion_protection 'true'")
    error = local.fail("PREPARE TRANSACTION 'x'")
    assert error.sqlstate == "0A000"
    local.run("ROLLBACK")


def test_five_actions_suffice_without_settings(local, proxy):
    local.table("drivers", DRIVERS)
    fill(local, 3)
    alter(local, "ADD batch_size '7'")
    local.run("SELECT dynamo_fdw_alter_table('drivers')")
    local.run("SELECT * FROM dynamo_fdw_plan()")
    local.run("DROP FOREIGN TABLE drivers")
    assert set(proxy.operations()) == {"DescribeTable", "CreateTable", "BatchWriteItem", "DeleteTable"}


def test_truncate_keeps_what_options_say(moto, project):
    moto.table(
        "drivers",
        DRIVERS,
        tags='{"a": "1"}',
        point_in_time_recovery="true",
        billing_mode="PROVISIONED",
        read_capacity=2,
        write_capacity=3,
        stream_view_type="NEW_IMAGE",
    )
    fill(moto, 3)
    moto.run("TRUNCATE drivers")
    shown = describe(project)
    assert shown["ProvisionedThroughput"]["WriteCapacityUnits"] == 3
    assert shown["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    assert tags_of(project) == {"a": "1"}
    assert recovery(project) == "ENABLED"
    assert moto.run("SELECT * FROM drivers WHERE driver_id = 1") == []


def test_many_tables_at_once(moto, project, moto_proxy):
    moto.run("BEGIN")
    for i in range(60):
        moto.table("t%d" % i, "id %s" % KEY, deletion_protection="true")
    moto.run("COMMIT")
    assert moto_proxy.count("UpdateTable") == 60
    moto_proxy.forget()
    moto.run("BEGIN")
    for i in range(60):
        alter(moto, "SET deletion_protection 'false'", "t%d" % i)
    moto.run("COMMIT")
    assert moto_proxy.count("UpdateTable") == 60
    moto.run("DROP SERVER feast CASCADE")
    assert remote_tables(project, MOTO_ENDPOINT) == []


def test_whose_keys(moto, new_role, moto_proxy):
    """The owner's sign, whoever alters."""
    role = new_role("feast")
    moto.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id 'OWNER', secret_access_key 'x')" % role)
    moto.run("SET ROLE %s" % role)
    moto.table("drivers", DRIVERS)
    moto.run("RESET ROLE")
    moto_proxy.forget()
    alter(moto, "ADD deletion_protection 'true'")
    assert all("Credential=OWNER/" in r.header("Authorization") for r in moto_proxy.of("UpdateTable"))
    moto.run("DROP USER MAPPING FOR %s SERVER feast" % role)
    assert moto.fail("ALTER FOREIGN TABLE drivers OPTIONS (SET deletion_protection 'false')").sqlstate == "28000"
    other = new_role("feast")
    moto.run("SET ROLE %s" % other)
    assert moto.fail("SELECT dynamo_fdw_alter_table('drivers')").sqlstate == "42501"
    moto.run("RESET ROLE")
