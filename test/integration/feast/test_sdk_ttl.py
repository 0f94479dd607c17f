"""Items with a ttl_attribute: Feast reads and replaces them as its own; and of what Feast writes we find what its ttl allows."""

from datetime import datetime, timedelta, timezone

import pytest

from support import KEY, TIME, dynamodb, raw_items

NOW = datetime.now(timezone.utc).replace(microsecond=0)
COLUMNS = "driver_id %s, event_timestamp %s, trips integer, name text" % (KEY, TIME)
FEATURES = {"trips": "INT32", "name": "STRING"}
DRIVERS = [{"driver_id": i} for i in (1, 2, 3)]


@pytest.fixture
def both(session, project, feast):
    """A feature view of Feast, and a foreign table "hourly" over it with a ttl."""
    feast.apply("hourly", {"driver_id": "INT64"}, FEATURES)
    session.server(project, ttl_attribute="expires_at")
    session.table("hourly", COLUMNS, ttl="1 day")
    return session


def test_feast_reads_items_with_the_attribute(both, feast, project):
    both.run("INSERT INTO hourly VALUES (1, %s, 10, 'a'), (2, %s, NULL, NULL)", [NOW, NOW - timedelta(hours=3)])
    assert all("expires_at" in item for item in raw_items(project + ".hourly").values())
    got = feast.read("hourly", DRIVERS)
    assert got == [{"trips": 10, "name": "a"}, {"trips": None, "name": None}, {"trips": None, "name": None}]


def test_feast_reads_a_table_whose_time_to_live_is_enabled(session, project, feast):
    session.server(project, ttl_attribute="expires_at")
    session.table("hourly", COLUMNS, ttl="1 day")
    feast.apply("hourly", {"driver_id": "INT64"}, FEATURES)
    session.run("INSERT INTO hourly VALUES (1, %s, 10, 'a')", [NOW])
    feast.write("hourly", [dict(driver_id=2, trips=20, name="b", event_timestamp=NOW)])
    assert feast.read("hourly", DRIVERS[:2]) == [{"trips": 10, "name": "a"}, {"trips": 20, "name": "b"}]
    found = dynamodb().describe_time_to_live(TableName=project + ".hourly")["TimeToLiveDescription"]
    assert found == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_the_rest_of_the_item_is_feasts(both, feast, project):
    feast.apply("theirs", {"driver_id": "INT64"}, FEATURES)
    feast.write("theirs", [dict(driver_id=1, trips=10, name="a", event_timestamp=NOW)])
    both.run("INSERT INTO hourly VALUES (1, %s, 10, 'a')", [NOW])
    (ours,), (theirs,) = (raw_items("%s.%s" % (project, view)).values() for view in ("hourly", "theirs"))
    assert ours.pop("expires_at") == {"N": str(int(NOW.timestamp()) + 86400)}
    assert ours == theirs


def test_feast_replaces_an_item_and_its_attribute(both, feast, project):
    both.run("INSERT INTO hourly VALUES (1, %s, 10, 'a')", [NOW])
    feast.write("hourly", [dict(driver_id=1, trips=11, name="b", event_timestamp=NOW)])
    (item,) = raw_items(project + ".hourly").values()
    assert "expires_at" not in item
    assert both.run("SELECT trips FROM hourly WHERE driver_id = 1") == [(11,)]


def test_what_feast_wrote_expires_here_and_not_in_feast(both, feast):
    rows = [dict(driver_id=i, trips=i, name="x", event_timestamp=NOW - timedelta(hours=12 * i)) for i in (1, 2, 3)]
    feast.write("hourly", rows)
    assert both.run("SELECT trips FROM hourly WHERE driver_id = ANY ('{1,2,3}')") == [(1,)]
    joined = "SELECT i, trips FROM generate_series(1, 3) i LEFT JOIN hourly ON driver_id = i ORDER BY i"
    assert both.run(joined) == [(1, 1), (2, None), (3, None)]
    assert [row["trips"] for row in feast.read("hourly", DRIVERS)] == [1, 2, 3]
