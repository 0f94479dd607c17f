"""Tables that `feast apply` and CREATE FOREIGN TABLE make are one and the same thing."""

from support import KEY, TIME, dynamodb, remote_tables
from test_sdk_writes import NOON

COLUMNS = "driver_id %s, event_timestamp %s, trips bigint" % (KEY, TIME)
ROW = dict(driver_id=1, trips=5, event_timestamp=NOON)


def describe(name):
    """What DescribeTable says, without what differs between any two tables."""
    table = dynamodb().describe_table(TableName=name)["Table"]
    return {key: table[key] for key in ("AttributeDefinitions", "KeySchema", "TableStatus")} | {
        "billing": table["BillingModeSummary"]["BillingMode"],
        "indexes": table.get("GlobalSecondaryIndexes"),
        "stream": table.get("StreamSpecification"),
    }


def test_both_make_the_same_table(session, feast, project):
    feast.apply("theirs", {"driver_id": "INT64"}, {"trips": "INT64"})
    session.server(project)
    session.table("ours", COLUMNS)
    assert describe(project + ".ours") == describe(project + ".theirs")


def test_a_table_of_feast_is_adopted_and_kept(session, feast, project):
    feast.apply("view", {"driver_id": "INT64"}, {"trips": "INT64"})
    feast.write("view", [ROW])
    session.server(project)
    session.table("view", COLUMNS)
    (warning,) = session.warnings()
    assert project + ".view" in warning
    session.run("DROP FOREIGN TABLE view")
    assert feast.read("view", [{"driver_id": 1}]) == [{"trips": 5}]


def test_feast_works_on_a_table_of_ours(session, feast, project):
    session.server(project)
    session.table("view", COLUMNS)
    feast.apply("view", {"driver_id": "INT64"}, {"trips": "INT64"})
    feast.write("view", [ROW])
    assert session.run("SELECT * FROM view WHERE driver_id = 1") == [(1, NOON, 5)]
    session.run("DROP FOREIGN TABLE view")
    assert remote_tables(project) == []


def test_a_template_for_the_names(session, tmp_path, project, proxy):
    from feast_repo import Repo

    template = "{project}.x-{table_name}_online"
    feast = Repo(tmp_path, project, proxy.url, table_name_template=template)
    session.server(project, table_name_template=template)
    session.table("view", COLUMNS)
    assert remote_tables(project) == ["x-view_online"]
    feast.apply("view", {"driver_id": "INT64"}, {"trips": "INT64"})
    session.run("INSERT INTO view VALUES (1, %s, 5)", [NOON])
    assert feast.read("view", [{"driver_id": 1}]) == [{"trips": 5}]
