"""dynamo_fdw_apply: what is the user's own stays."""

import pytest

from applied import actions, apply, apply_fails, columns, comment, reapply, structure, tables, versioned
from small_registry import field, projection, registry, set_fields, view
from support import KEY, remote_tables


def test_own_columns(feast, project, rides):
    apply(feast, rides)
    feast.run("ALTER FOREIGN TABLE feast.stats ADD note text, ADD twice bigint GENERATED ALWAYS AS (trips * 2) STORED")
    assert apply(feast, rides, prune=True) == []
    # a feature of the same name, and of another type: the column is the user's
    rides.feature_views[0].spec.features.extend([field("note", "INT64", "of Feast"), field("twice", "DOUBLE")])
    rows = reapply(feast, rides, [("column", "stats.note", "none"), ("column", "stats.twice", "none")], prune=True)
    assert rows[0][3] == "It was not made by this function, and is STRING where the registry has INT64"
    assert columns(feast, "feast.stats")["note"] == "text" and comment(feast, "feast.stats", "note") is None
    feast.run("ALTER FOREIGN TABLE feast.stats DROP note")
    reapply(feast, rides, [
        ("column", "stats.note", "add"), ("column", "stats.twice", "none"), ("comment", "stats.note", "create"),
    ], prune=True)  # fmt: skip


def test_own_column_of_the_same_type(feast, project, rides):
    apply(feast, rides)
    feast.run("ALTER FOREIGN TABLE feast.stats ADD note bigint")
    rides.feature_views[0].spec.features.extend([field("note", "INT64")])
    assert apply(feast, rides, prune=True) == []
    del rides.feature_views[0].spec.features[2]
    assert apply(feast, rides, prune=True) == []
    assert "note" in columns(feast, "feast.stats")


def test_chosen_type_and_options(feast, project, rides):
    """Another SQL type for the same Feast type, and options that the registry says nothing of."""
    apply(feast, rides)
    feast.run("CREATE DOMAIN feast.small AS bigint CHECK (VALUE < 1000)")
    feast.run("DROP FUNCTION feast.ride; ALTER FOREIGN TABLE feast.stats ALTER trips TYPE feast.small")
    feast.run("ALTER FOREIGN TABLE feast.stats OPTIONS (ADD batch_size '7')")
    reapply(feast, rides, [("function", "ride", "create"), ("comment", "ride", "create")])
    assert columns(feast, "feast.stats")["trips"] == "feast.small"


def test_renamed_table_and_column(feast, project, rides):
    apply(feast, rides)
    feast.run("ALTER FOREIGN TABLE feast.stats RENAME TO mine; ALTER FOREIGN TABLE feast.mine RENAME trips TO t")
    reapply(feast, rides, [("function", "ride", "replace")], prune=True)
    rides.feature_views[0].spec.features.extend([field("t", "STRING")])
    reapply(feast, rides, [("column", "mine.t_2", "add")])
    assert comment(feast, "feast.mine") == "of a driver"
    # another view takes the name that is free now
    rides.feature_views.append(view(project, "mine", {"x": "INT64"}))
    assert actions(apply(feast, rides)) == [("foreign table", "mine", "none")]


def test_renamed_table_and_another_version(feast, project, rides):
    versioned(feast, project, rides)
    apply(feast, rides)
    feast.run("ALTER FOREIGN TABLE feast.stats RENAME TO mine")
    rides.feature_views[0].meta.current_version_number = 1
    reapply(feast, rides, [("foreign table", "mine", "alter")], prune=True)
    assert remote_tables(project) == ["stats_v1", "stats_v3"]


def test_dropped_things_are_made_again(feast, project, rides):
    apply(feast, rides)
    feast.run("ALTER FOREIGN TABLE feast.stats DROP COLUMN rate CASCADE")
    reapply(feast, rides, [("column", "stats.rate", "add"), ("function", "ride", "create"), ("comment", "ride", "create")])
    feast.run("ALTER FOREIGN TABLE feast.stats DROP COLUMN event_timestamp")
    reapply(feast, rides, [("column", "stats.event_timestamp", "add")])
    feast.run("DROP FOREIGN TABLE feast.stats CASCADE")
    reapply(feast, rides, [
        ("comment", "ride", "create"), ("comment", "stats", "create"),
        ("foreign table", "stats", "create"), ("function", "ride", "create"),
    ])  # fmt: skip


@pytest.mark.parametrize("how", [
    "CREATE OR REPLACE FUNCTION feast.ride(driver_id bigint[]) RETURNS TABLE (driver_id bigint, trips bigint, rate real)"
    " LANGUAGE sql AS 'SELECT 1::bigint, 2::bigint, 3::real'",
    "DROP FUNCTION feast.ride; CREATE FUNCTION feast.ride() RETURNS integer LANGUAGE sql RETURN 1",
    "CREATE FUNCTION feast.ride(text) RETURNS integer LANGUAGE sql RETURN 1",
    "DROP FUNCTION feast.ride; CREATE PROCEDURE feast.ride() LANGUAGE sql AS 'SELECT 1'",
    "DROP FUNCTION feast.ride; CREATE AGGREGATE feast.ride(integer) (SFUNC = int4pl, STYPE = integer)",
])  # fmt: skip
def test_function_of_the_users_own(feast, project, rides, stats, how):
    apply(feast, rides)
    feast.run(how)
    rides.feature_services[0].spec.features[0].CopyFrom(projection(stats, ["rate"]))
    state = "SELECT array_agg(row(prosrc, prosqlbody, proargnames) ORDER BY oid)::text FROM pg_proc WHERE proname = 'ride'"
    before = feast.value(state)
    for prune in (False, True):
        assert [row[:3] for row in apply(feast, rides, prune=prune)] == [("function", "ride", "none")]
    assert feast.value(state) == before


def test_function_taken_over_by_its_user(feast, project, rides):
    """NO DEPENDS ON EXTENSION is how to say so."""
    apply(feast, rides)
    feast.run("ALTER FUNCTION feast.ride NO DEPENDS ON EXTENSION dynamo_fdw")
    del rides.feature_services[0]
    assert apply(feast, rides, prune=True) == []


def test_table_taken_over_by_its_user(feast, project, rides):
    apply(feast, rides)
    feast.run("ALTER FOREIGN TABLE feast.stats OPTIONS (SET managed 'false')")
    rides.feature_views[0].spec.features.append(field("more"))
    rides.feature_views[0].spec.description = "other"
    assert apply(feast, rides, prune=True) == []
    del rides.feature_services[0], rides.feature_views[0]
    assert actions(apply(feast, rides, prune=True)) == [("function", "ride", "drop")]
    assert tables(feast) == ["stats"]


def test_unmanaged_table_over_the_same_remote_table(feast, project, rides):
    """It serves as the view's table, and is left as it is; so is one beside a managed one."""
    feast.run("CREATE FOREIGN TABLE feast.stats (driver_id %s, trips bigint) SERVER feast" % KEY)
    assert actions(apply(feast, rides)) == [("comment", "ride", "create"), ("function", "ride", "create")]
    assert list(columns(feast, "feast.stats")) == ["driver_id", "trips"]
    assert apply(feast, rides) == []
    feast.run("DROP FOREIGN TABLE feast.stats CASCADE")
    apply(feast, rides)
    feast.run("CREATE FOREIGN TABLE feast.a (driver_id %s) SERVER feast OPTIONS (feature_view 'stats')" % KEY)
    rides.feature_views[0].spec.features.append(field("more"))
    reapply(feast, rides, [("column", "stats.more", "add")], prune=True)
    versioned(feast, project, rides)
    feast.run("CREATE FOREIGN TABLE feast.b (driver_id %s) SERVER feast OPTIONS (feature_view 'stats_v3')" % KEY)
    reapply(feast, rides, [("foreign table", "stats", "alter")], prune=True)
    assert list(columns(feast, "feast.a")) == list(columns(feast, "feast.b")) == ["driver_id"]


@pytest.mark.parametrize("taken", [
    "CREATE TABLE feast.stats ()", "CREATE VIEW feast.stats AS SELECT 1", "CREATE SEQUENCE feast.stats",
    "CREATE TYPE feast.stats AS ENUM ()", "CREATE DOMAIN feast.stats AS text", "CREATE TYPE feast.stats AS (a int)",
])  # fmt: skip
def test_name_that_is_taken(feast, project, rides, taken):
    feast.run(taken)
    rides.feature_views.append(view(project, "more", {"x": "INT64"}))
    assert actions(apply(feast, rides, prune=True)) == [("foreign table", "more", "create"), ("foreign table", "stats", "none")]


def test_grants_and_views_stay(feast, project, rides, new_role):
    role = new_role("feast")
    apply(feast, rides)
    feast.run("GRANT SELECT (driver_id, trips) ON feast.stats TO %s; GRANT INSERT ON feast.stats TO %s" % (role, role))
    feast.run("CREATE VIEW feast.v AS SELECT * FROM feast.ride(ARRAY[1])")
    rides.feature_views[0].spec.features.append(field("more"))
    before = feast.run("SELECT relacl::text, (SELECT array_agg(attacl::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid)"
                       " FROM pg_class c WHERE relname = 'stats'")  # fmt: skip
    reapply(feast, rides, [("column", "stats.more", "add")])
    after = feast.run("SELECT relacl::text, (SELECT array_agg(attacl::text ORDER BY attnum) FILTER (WHERE attname <> 'more')"
                      " FROM pg_attribute WHERE attrelid = c.oid) FROM pg_class c WHERE relname = 'stats'")  # fmt: skip
    assert before == after


def test_what_views_need_stops_all_of_it(feast, project, rides):
    """The error names the view, and not even what came before is done."""
    apply(feast, rides)
    feast.run("CREATE VIEW feast.of_function AS SELECT * FROM feast.ride(ARRAY[1])")
    rides.feature_views.append(view(project, "a_new_one", {"x": "INT64"}))
    set_fields(rides.feature_views[0].spec.features, {"trips": "STRING", "rate": "FLOAT"})
    before = structure(feast)
    for dry_run in (True, False):
        error = apply_fails(feast, rides, dry_run=dry_run)
        assert error.sqlstate == "2BP01" and "of_function" in error.diag.message_detail
    assert structure(feast) == before and remote_tables(project) == ["stats"]
    feast.run("DROP VIEW feast.of_function; CREATE VIEW feast.of_table AS SELECT trips FROM feast.stats")
    error = apply_fails(feast, rides)
    assert error.sqlstate == "0A000" and "of_table" in error.diag.message_detail
    del rides.feature_views[0], rides.feature_services[0]
    error = apply_fails(feast, rides, prune=True)
    assert error.sqlstate == "2BP01" and "of_table" in error.diag.message_detail
    assert remote_tables(project) == ["stats"]
