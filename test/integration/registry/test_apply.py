"""dynamo_fdw_apply: a schema follows a registry."""

import os
import subprocess

import pytest

from applied import actions, apply, apply_fails, columns, comment, functions, reapply, structure, tables, versioned
from golden import DATA
from small_registry import field, note_version, on_demand, projection, registry, service, set_fields, set_keys, set_source, view
from support import MOTO_ENDPOINT, Session, dynamodb, fill, make_remote, remote_tables


# Idempotent


def load_golden(name):
    return (DATA / name / "registry.db").read_bytes()


@pytest.mark.parametrize("source", ["argument", "file", "sql"])
@pytest.mark.parametrize("golden, wanted", [("registry2", "parcels"), ("registry2", "parcels_lab"), ("registry", "rides")])
def test_second_run_does_nothing(session, project, tmp_path, source, golden, wanted):
    given = {"project": wanted}
    options = {"table_name_template": project + ".{project}.{table_name}"}
    if source == "argument":
        given["registry"] = load_golden(golden)
    elif source == "file":
        (tmp_path / "registry.db").write_bytes(load_golden(golden))
        (tmp_path / "registry.db").chmod(0o644)
        options["registry"] = tmp_path / "registry.db"
    elif golden == "registry":
        pytest.skip("there is no SQL registry of it")
    else:
        session.run("DROP SCHEMA IF EXISTS of_feast CASCADE; CREATE SCHEMA of_feast; SET search_path = of_feast")
        session.run((DATA / "registry2/sql_registry.sql").read_text())
        session.run("RESET search_path")
        options.update(registry="of_feast", registry_type="sql")
    session.server(project, enable_online_feature_view_versioning="true", **options)
    session.run("DROP SCHEMA IF EXISTS feast CASCADE; CREATE SCHEMA feast")
    planned = apply(session, dry_run=True, **given)
    assert tables(session) == [] and remote_tables(project) == []
    done = apply(session, **given)
    assert [row for row in planned if row[0] != "remote table"] == done
    assert {row[2] for row in done} == {"create"}
    created = sorted(row[1] for row in done if row[0] == "foreign table")
    assert created == sorted(tables(session)) and len(created) == len(remote_tables(project))
    assert sorted(row[1] for row in planned if row[0] == "remote table") == [
        "%s.%s" % (project, name) for name in remote_tables(project)
    ]
    assert sorted(row[1] for row in done if row[0] == "function") == sorted(functions(session))
    before = structure(session)
    assert apply(session, **given) == []
    # DynamoDB Local has no tags
    assert [row for row in apply(session, dry_run=True, **given) if not row[3].startswith("tags can't be compared")] == []
    assert apply(session, prune=True, **given) == []
    assert structure(session) == before


def test_two_projects_in_one_schema(session, project):
    """Names that both have are told, and neither run touches what the other made."""
    session.server(project, table_name_template=project + ".{project}.{table_name}")
    session.run("DROP SCHEMA IF EXISTS feast CASCADE; CREATE SCHEMA feast")
    both = load_golden("registry2")
    apply(session, both, project="parcels")
    before = structure(session)
    planned = apply(session, both, project="parcels_lab", dry_run=True)
    done = apply(session, both, project="parcels_lab", prune=True)
    assert len([row for row in done if row[2] == "create"]) == 2
    assert [row for row in planned if row[0] != "remote table"] == done
    told = [row[:2] for row in done if row[2] == "none"]
    assert ("foreign table", "parcel_stats") in told and ("function", "shipment_v1") in told
    assert set(structure(session).split("\n")) >= set(line for line in before.split("\n") if "DEFAULT" not in line)
    assert {row[2] for row in apply(session, both, project="parcels_lab", prune=True)} == {"none"}
    assert apply(session, both, project="parcels", prune=True) == []
    # nor does pruning of a project that is empty
    other = registry("parcels_lab")
    gone = apply(session, other, project="parcels_lab", prune=True)
    assert {row[2] for row in gone} == {"drop"}
    assert apply(session, both, project="parcels", prune=True) == []
    assert structure(session) == before


def test_pruning_a_project_spares_a_function_of_the_same_name(feast, project):
    """Two services of one name in two projects: the function is of the first one."""
    one, two = view(project, "one", {"a": "INT64"}), view(project + "b", "two", {"a": "INT64"})
    both = registry([project, project + "b"], one, two)
    both.feature_services.append(service(project, "same", [projection(one)]))
    apply(feast, both)
    before = feast.value("SELECT pg_get_functiondef('feast.same'::regproc)")
    both.feature_services.append(service(project + "b", "same", [projection(two)]))
    rows = apply(feast, both, project=project + "b", prune=True)
    assert ("function", "same", "none") in actions(rows)
    assert feast.value("SELECT pg_get_functiondef('feast.same'::regproc)") == before
    feast.run("DROP FOREIGN TABLE feast.two")


# What changes in the registry


def test_first_run(feast, project, rides):
    rides.feature_views[0].spec.features[0].description = "in all"
    rows = reapply(feast, rides, [
        ("comment", "ride", "create"),
        ("comment", "stats", "create"),
        ("comment", "stats.trips", "create"),
        ("foreign table", "stats", "create"),
        ("function", "ride", "create"),
    ])  # fmt: skip
    assert [row[0] for row in rows][0] == "foreign table"
    assert remote_tables(project) == ["stats"]
    assert comment(feast, "feast.stats", "trips") == "in all"


def test_view_added_and_removed(feast, project, rides):
    apply(feast, rides)
    rides.feature_views.append(view(project, "more", {"x": "INT64"}))
    reapply(feast, rides, [("foreign table", "more", "create")])
    del rides.feature_views[1]
    rows = reapply(feast, rides, [("foreign table", "more", "none")])
    assert rows[0][3] == "It left the registry"
    assert remote_tables(project) == ["more", "stats"]
    reapply(feast, rides, [("foreign table", "more", "drop")], prune=True)
    assert remote_tables(project) == ["stats"]


def test_column_added_and_removed(feast, project, rides, stats):
    apply(feast, rides)
    spec = rides.feature_views[0].spec
    spec.features.extend([field("fares", "DOUBLE", "in euro"), field("xmin", "INT32"), field("Trips", "STRING")])
    reapply(feast, rides, [
        ("column", "stats.fares", "add"),
        ("column", "stats.xmin_", "add"),
        ("column", 'stats."Trips"', "add"),
        ("comment", "stats.fares", "create"),
    ])  # fmt: skip
    feast.run("INSERT INTO feast.stats (driver_id, event_timestamp, xmin_) VALUES (1, now(), 2)")
    assert feast.value("SELECT xmin_ FROM feast.stats WHERE driver_id = 1") == 2
    set_fields(spec.features, {"trips": "INT64", "fares": "DOUBLE"})
    rides.feature_services[0].spec.features[0].CopyFrom(projection(rides.feature_views[0], ["trips"]))
    spec.features[1].description = "in euro"
    left = [("column", 'stats."Trips"'), ("column", "stats.rate"), ("column", "stats.xmin_")]
    reapply(feast, rides, [(*one, "none") for one in left] + [("function", "ride", "replace")])
    reapply(feast, rides, [(*one, "drop") for one in left], prune=True)
    assert list(columns(feast, "feast.stats")) == ["driver_id", "event_timestamp", "trips", "fares"]


def test_type_changed(feast, project, rides, new_role):
    """The function is made anew, with its grants."""
    role = new_role("feast")
    apply(feast, rides)
    feast.run("GRANT EXECUTE ON FUNCTION feast.ride TO %s; REVOKE ALL ON FUNCTION feast.ride FROM PUBLIC" % role)
    rights = feast.value("SELECT proacl::text FROM pg_proc WHERE proname = 'ride'")
    set_fields(rides.feature_views[0].spec.features, {"trips": "STRING", "rate": "FLOAT"})
    rides.feature_services[0].spec.features[0].CopyFrom(projection(rides.feature_views[0]))
    rows = reapply(feast, rides, [("column", "stats.trips", "alter"), ("function", "ride", "replace")])
    assert rows[0][3] == "INT64 becomes STRING"
    assert columns(feast, "feast.stats")["trips"] == "text"
    assert feast.value("SELECT proacl::text FROM pg_proc WHERE proname = 'ride'") == rights
    assert comment(feast, "feast.stats") == "of a driver"
    # a type that is no default, and back
    for kind, sql in [("JSON", "jsonb"), ("UUID", "uuid"), ("INT32", "integer")]:
        set_fields(rides.feature_views[0].spec.features, {"trips": kind, "rate": "FLOAT"})
        rides.feature_services[0].spec.features[0].CopyFrom(projection(rides.feature_views[0]))
        reapply(feast, rides, [("column", "stats.trips", "alter"), ("function", "ride", "replace")])
        assert columns(feast, "feast.stats")["trips"] == sql
    assert feast.value("SELECT proacl::text FROM pg_proc WHERE proname = 'ride'") == rights


def test_default_privileges_do_not_reach_a_function_made_anew(feast, project, rides, new_role):
    role = new_role("feast")
    apply(feast, rides)
    feast.run("ALTER DEFAULT PRIVILEGES IN SCHEMA feast GRANT EXECUTE ON FUNCTIONS TO " + role)
    set_fields(rides.feature_views[0].spec.features, {"trips": "STRING", "rate": "FLOAT"})
    apply(feast, rides)
    assert feast.value("SELECT proacl FROM pg_proc WHERE proname = 'ride'") is None
    feast.run("REVOKE EXECUTE ON FUNCTION feast.ride FROM PUBLIC")
    rights = feast.value("SELECT proacl::text FROM pg_proc WHERE proname = 'ride'")
    set_fields(rides.feature_views[0].spec.features, {"trips": "BOOL", "rate": "FLOAT"})
    apply(feast, rides)
    assert feast.value("SELECT proacl::text FROM pg_proc WHERE proname = 'ride'") == rights
    feast.run("DROP FUNCTION feast.ride")
    roles = "SELECT count(*) FROM pg_shdepend WHERE classid = 'pg_proc'::regclass AND refobjid = %s::regrole"
    assert feast.value(roles, [role]) == 0


def test_view_and_service_renamed_in_case_only(feast, project, rides):
    # DynamoDB Local knows no case in names
    feast.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s')" % MOTO_ENDPOINT)
    apply(feast, rides)
    rides.feature_views[0].spec.name = "Stats"
    rides.feature_services[0].spec.name = "Ride"
    rides.feature_services[0].spec.features[0].CopyFrom(projection(rides.feature_views[0]))
    came = [
        ("comment", "Ride", "create"),
        ("comment", "Stats", "create"),
        ("foreign table", "Stats", "create"),
        ("function", "Ride", "create"),
    ]
    reapply(feast, rides, came + [("foreign table", "stats", "none"), ("function", "ride", "none")])
    reapply(feast, rides, [("foreign table", "stats", "drop"), ("function", "ride", "drop")], prune=True)
    assert tables(feast) == ["Stats"] and functions(feast) == ["Ride"]


def test_service_changed_added_and_removed(feast, project, rides, stats):
    apply(feast, rides)
    rides.feature_services[0].spec.features[0].CopyFrom(projection(stats, ["rate"]))
    rows = reapply(feast, rides, [("function", "ride", "replace")])
    assert rows[0][3] == "Its arguments or columns have changed"
    rides.feature_services.append(service(project, "other", [projection(stats)]))
    reapply(feast, rides, [("function", "other", "create")])
    del rides.feature_services[1]
    reapply(feast, rides, [("function", "other", "none")])
    reapply(feast, rides, [("function", "other", "drop")], prune=True)
    assert functions(feast) == ["ride"]


def test_description_changed(feast, project, rides):
    apply(feast, rides)
    rides.feature_views[0].spec.description = "it's \\ other\n%"
    rides.feature_services[0].spec.description = "$$"
    reapply(feast, rides, [("comment", "stats", "replace"), ("comment", "ride", "replace")])
    assert comment(feast, "feast.stats") == "it's \\ other\n%"
    # nothing is said: what there is may be the user's
    rides.feature_views[0].spec.description = ""
    assert apply(feast, rides) == []
    rides.feature_views[0].spec.description = "not wanted"
    assert apply(feast, rides, import_comments=False) == []


def test_tags_changed(feast, rides):
    """They go with the view's, whatever a user sets; how he writes the same ones is his."""
    table, tags = ("foreign table", "stats", "alter"), rides.feature_views[0].spec.tags
    apply(feast, rides)
    tags.update({"team": "it", "größe": "2"})
    (row,) = reapply(feast, rides, [table])
    assert row[3] == 'ADD tags \'{"größe": "2", "team": "it"}\''
    feast.run("""ALTER FOREIGN TABLE feast.stats OPTIONS (SET tags '{"team":"it",\n"gr\\u00f6\u00dfe": "2"}')""")
    assert apply(feast, rides) == []
    del tags["größe"]
    (row,) = reapply(feast, rides, [table])
    assert row[3] == 'SET tags \'{"team": "it"}\''
    feast.run("""ALTER FOREIGN TABLE feast.stats OPTIONS (SET tags '{"team": "mine"}')""")
    reapply(feast, rides, [table])
    tags.clear()
    (row,) = reapply(feast, rides, [table])
    assert row[3] == "DROP tags"


def test_tags_in_aws(feast, project, rides):
    """As Feast has it: the view's over the store's; but tags of others stay."""
    feast.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s', ADD tags '{\"store\": \"s\", \"team\": \"s\"}')" % MOTO_ENDPOINT)
    client = dynamodb(MOTO_ENDPOINT)

    def tags():
        arn = client.describe_table(TableName=project + ".stats")["Table"]["TableArn"]
        return {tag["Key"]: tag["Value"] for tag in client.list_tags_of_resource(ResourceArn=arn)["Tags"]}

    view_tags = rides.feature_views[0].spec.tags
    view_tags.update({"team": "it", "gone": "1"})
    apply(feast, rides)
    assert tags() == {"store": "s", "team": "it", "gone": "1"}
    arn = client.describe_table(TableName=project + ".stats")["Table"]["TableArn"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "others", "Value": "x"}])
    del view_tags["gone"]
    view_tags["größe"] = "ü"
    apply(feast, rides, dry_run=True)
    assert "gone" in tags()
    apply(feast, rides)
    assert tags() == {"store": "s", "team": "it", "größe": "ü", "others": "x"}
    view_tags.clear()
    apply(feast, rides)
    assert tags() == {"store": "s", "team": "s", "others": "x"}


def test_tags_that_aws_would_not_take(feast, rides):
    """They are no reason to take the good ones away that are there."""
    tags = rides.feature_views[0].spec.tags
    tags["team"] = "it"
    apply(feast, rides)
    feast.notices.clear()
    tags["aws:made"] = "x"
    assert apply(feast, rides) == []
    ((severity, message, detail),) = feast.notices
    assert severity == "WARNING" and '"stats"' in message and "aws:" in detail
    assert 'tags={"team": "it"}' in feast.value("SELECT ftoptions FROM pg_foreign_table WHERE ftrelid = 'feast.stats'::regclass")
    del tags["aws:made"]
    del tags["team"]
    reapply(feast, rides, [("foreign table", "stats", "alter")])


def test_version_up_and_down(feast, project, rides):
    versioned(feast, project, rides)
    rides.feature_views[0].meta.current_version_number = 0
    apply(feast, rides)
    for number, name in [(1, "stats_v1"), (3, "stats_v3"), (0, "stats"), (2, "stats_v2")]:
        rides.feature_views[0].meta.current_version_number = number
        reapply(feast, rides, [("foreign table", "stats", "alter")])
        assert name in remote_tables(project)
        fill(feast, 1, "feast.stats (driver_id, event_timestamp, rate, trips)")
        assert apply(feast, rides, prune=True) == []
    assert tables(feast) == ["stats"]


def test_version_that_a_service_names(feast, project, rides, stats):
    versioned(feast, project, rides)
    rides.feature_services.append(service(project, "pinned", [projection(stats, version_tag=2)]))
    apply(feast, rides)
    assert tables(feast) == ["stats", "stats@v2"]
    assert remote_tables(project) == ["stats_v2", "stats_v3"]
    rides.feature_views[0].meta.current_version_number = 4
    note_version(rides, project, rides.feature_views[0], 4)
    reapply(feast, rides, [("foreign table", "stats", "alter")], prune=True)
    # the version that was the current one is asked for now
    rides.feature_services[1].spec.features[0].version_tag = 3
    rows = reapply(feast, rides, [
        ("comment", "stats@v3", "create"), ("foreign table", "stats@v2", "none"), ("foreign table", "stats@v3", "create"),
        ("function", "pinned", "replace"),
    ], prune=True)  # fmt: skip
    assert "names this version" in [row[3] for row in rows if row[2] == "none"][0]
    assert remote_tables(project) == ["stats_v2", "stats_v3", "stats_v4"]


def test_view_whose_name_looks_like_a_version(feast, project):
    """"stats_v2" is a view of its own, whatever comes and goes beside it."""
    like = view(project, "stats_v2", {"other": "STRING"})
    apply(feast, registry(project, like))
    both = registry(project, view(project, "stats", {"trips": "INT64"}), like)
    reapply(feast, both, [("foreign table", "stats", "create")])
    assert list(columns(feast, "feast.stats_v2")) == ["driver_id", "event_timestamp", "other"]
    reapply(feast, registry(project, both.feature_views[0]), [("foreign table", "stats_v2", "drop")], prune=True)
    apply(feast, both)
    reapply(feast, registry(project, like), [("foreign table", "stats", "drop")], prune=True)


def test_view_disabled_and_enabled(feast, project, rides):
    """It has not left the registry: its items stay."""
    apply(feast, rides)
    rides.feature_views[0].spec.disabled = True
    rows = reapply(feast, rides, [("foreign table", "stats", "none")], prune=True)
    assert "disabled" in rows[0][3]
    assert apply(feast, rides, prune=True, import_disabled=True) == []
    rides.feature_views[0].spec.disabled = False
    assert apply(feast, rides, prune=True) == []
    assert functions(feast) == ["ride"]


def test_view_online_toggled(feast, project, rides):
    apply(feast, rides)
    rides.feature_views[0].spec.online = False
    rows = reapply(feast, rides, [("foreign table", "stats", "none")], prune=True)
    assert "not online" in rows[0][3]
    rides.feature_views[0].spec.online = True
    assert apply(feast, rides, prune=True) == []


@pytest.mark.parametrize("keys", [{"driver_id": "STRING"}, {"driver_id": "INT64", "city": "STRING"}, {"city": "STRING"}, {}])
@pytest.mark.parametrize("prune", [False, True])
def test_keys_changed(feast, project, stats, rides, keys, prune):
    """Nothing is done to the table, whose items another key does not find, and which the functions go on to read."""
    apply(feast, rides)
    fill(feast, 2, "feast.stats (driver_id, event_timestamp, rate, trips)")
    set_keys(rides.feature_views[0], keys)
    rides.feature_views[0].spec.features.append(field("new"))
    rows = apply(feast, rides, prune=prune)
    assert rows[0][:3] == ("foreign table", "stats", "none") and "join keys" in rows[0][3]
    assert "create" not in [row[2] for row in rows] and "new" not in columns(feast, "feast.stats")
    assert feast.value("SELECT trips FROM feast.stats WHERE driver_id = 2") == 20
    assert apply(feast, rides, dry_run=True) == apply(feast, rides)
    feast.run("DROP FOREIGN TABLE feast.stats CASCADE")
    reapply(feast, rides, [
        ("comment", "stats", "create"), ("comment", "ride", "create"),
        ("foreign table", "stats", "create"), ("function", "ride", "create"),
    ])  # fmt: skip


def test_without_keys_and_then_with(feast, project, stats, rides):
    set_keys(rides.feature_views[0], {})
    apply(feast, rides)
    assert apply(feast, rides) == []
    set_keys(rides.feature_views[0], {"driver_id": "INT64"})
    assert apply(feast, rides)[0][:3] == ("foreign table", "stats", "none")


def test_source_changed(feast, project, rides):
    apply(feast, rides)
    one = rides.feature_views[0]
    set_source(one, "lab.trips", {"t": "trips"})
    done = reapply(feast, rides, [("column", "stats.trips", "alter"), ("foreign table", "stats", "alter")])
    assert done[0][3] == "ADD batch_source 'lab.trips', ADD timestamp_field 'ts'"
    set_source(one, "lab.other", {"o'x": "rate"}, "at", "made")
    reapply(feast, rides, [
        ("column", "stats.rate", "alter"), ("column", "stats.trips", "alter"), ("foreign table", "stats", "alter"),
    ])  # fmt: skip
    one.spec.ClearField("batch_source")
    reapply(feast, rides, [("column", "stats.rate", "alter"), ("foreign table", "stats", "alter")])


def test_ttl_follows_where_that_is_asked_for(feast, project):
    made = registry(project, view(project, "stats", {"trips": "INT64"}, ttl=60))
    apply(feast, made)
    reapply(feast, made, [("foreign table", "stats", "alter")], import_ttl=True)
    made.feature_views[0].spec.ttl.seconds = 90
    assert apply(feast, made) == []
    reapply(feast, made, [("foreign table", "stats", "alter")], import_ttl=True)
    made.feature_views[0].spec.ttl.seconds = 0
    reapply(feast, made, [("foreign table", "stats", "alter")], import_ttl=True)
    feast.run("ALTER FOREIGN TABLE feast.stats OPTIONS (ADD ttl '1 day')")
    assert apply(feast, made) == []


def test_project_renamed(feast, project, rides):
    """The tables of the one before have the names, and are another project's."""
    apply(feast, rides)
    other = registry(project + "x", view(project + "x", "stats", {"trips": "INT64", "z": "INT64"}))
    rows = apply(feast, other, project=project + "x", prune=True)
    assert rows == [("foreign table", "stats", "none", "Another relation or type has this name, which was not made for it")]
    assert apply(feast, rides, prune=True) == []


def test_service_whose_view_left(feast, project, rides):
    """Its function goes before the table does."""
    apply(feast, rides)
    del rides.feature_views[0]
    reapply(feast, rides, [("foreign table", "stats", "none"), ("function", "ride", "none")])
    # the service asks for a view that is not there, and the function can't outlive its table
    reapply(feast, rides, [("foreign table", "stats", "drop"), ("function", "ride", "drop")], prune=True)
    assert (tables(feast), functions(feast), remote_tables(project)) == ([], [], [])


def test_service_left_while_a_type_changed(feast, project, rides):
    """The function is in the way: nobody but who asked for pruning loses it."""
    apply(feast, rides)
    set_fields(rides.feature_views[0].spec.features, {"trips": "STRING", "rate": "FLOAT"})
    del rides.feature_services[0]
    before = structure(feast)
    for dry_run in (True, False):
        error = apply_fails(feast, rides, dry_run=dry_run)
        assert error.sqlstate == "2BP01" and '"ride"' in str(error) and "prune" in error.diag.message_hint
    assert structure(feast) == before
    reapply(feast, rides, [("column", "stats.trips", "alter"), ("function", "ride", "drop")], prune=True)


def test_on_demand_view(feast, project, stats):
    """Whoever makes a SQL function for one gets its features at the next apply."""
    double = on_demand(project, "double", [projection(stats, ["trips"])], {"twice": "INT64"})
    made = registry(project, stats, double, service(project, "both", [projection(double), projection(stats)]))
    apply(feast, made)
    feast.run("CREATE FUNCTION feast.double(trips bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN trips * 2")
    reapply(feast, made, [("function", "both", "replace")])
    fill(feast, 1, "feast.stats (driver_id, event_timestamp, rate, trips)")
    assert feast.run("SELECT * FROM feast.both(ARRAY[1])") == [(1, 20, 10, 0.25)]
    error = feast.fail("DROP FUNCTION feast.double")
    assert "both" in error.diag.message_detail
    # the type of what it takes changes: the function is none for it any more, until there is one that takes that
    set_fields(made.feature_views[0].spec.features, {"trips": "STRING", "rate": "FLOAT"})
    double = on_demand(project, "double", [projection(made.feature_views[0], ["trips"])], {"twice": "INT64"})
    made.on_demand_feature_views[0].CopyFrom(double)
    reapply(feast, made, [("column", "stats.trips", "alter"), ("function", "both", "replace")])
    assert feast.run("SELECT * FROM feast.both(ARRAY[2])") == [(2, None, None)]
    feast.run("DROP FUNCTION feast.double")
    feast.run("CREATE FUNCTION feast.double(trips text) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN trips::bigint * 2")
    reapply(feast, made, [("function", "both", "replace")])
    assert feast.run("SELECT * FROM feast.both(ARRAY[2])") == [(2, None, None, None)]


# The remote side of a dry run


def remote_rows(feast, changed, **arguments):
    return [row[1:] for row in apply(feast, changed, dry_run=True, **arguments) if row[0] == "remote table"]


def test_remote_tables_in_a_dry_run(feast, project, rides):
    """What would be made and deleted, and what is not as it should be."""
    name = project + ".stats"
    assert remote_rows(feast, rides) == [(name, "create", None)]
    apply(feast, rides)
    assert remote_rows(feast, rides) == []
    empty = registry(project)
    assert remote_rows(feast, empty) == []
    assert remote_rows(feast, empty, prune=True) == [(name, "drop", "delete: CREATE FOREIGN TABLE made it")]
    feast.run("ALTER FOREIGN TABLE feast.stats OPTIONS (ADD drop_remote_table 'never')")
    assert remote_rows(feast, empty, prune=True) == []
    feast.run("ALTER FOREIGN TABLE feast.stats OPTIONS (DROP drop_remote_table)")
    dynamodb().delete_table(TableName=name)
    assert remote_rows(feast, rides) == [(name, "create", None)]
    make_remote(name, key="id")
    ((table, action, detail),) = remote_rows(feast, rides)
    assert (table, action) == (name, "none") and "id" in detail


def test_restored_dump(session, database, project, rides):
    """There is nothing to do, and the functions are known as ours."""
    session.server(project)
    session.run("DROP SCHEMA IF EXISTS feast CASCADE; CREATE SCHEMA feast")
    versioned(session, project, rides)
    rides.feature_services.append(service(project, "pinned", [projection(rides.feature_views[0], version_tag=2)]))
    set_source(rides.feature_views[0], "lab.trips", {"t": "trips"})
    rides.feature_views[0].spec.features.append(field("ctid", "BOOL"))
    apply(session, rides)
    session.run("ALTER FOREIGN TABLE feast.stats RENAME rate TO r")
    apply(session, rides)
    info = session.conn.info
    where = ["-h", info.host, "-p", str(info.port), "-U", info.user]
    bindir = session.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
    if not os.path.exists(bindir + "/pg_dump"):
        pytest.skip("pg_dump is not here")
    script = subprocess.run([bindir + "/pg_dump", *where, database], check=True, capture_output=True).stdout
    session.run("DROP DATABASE IF EXISTS restored_apply WITH (FORCE)")
    session.run("CREATE DATABASE restored_apply")
    try:
        subprocess.run([bindir + "/psql", "-qX", "-v", "ON_ERROR_STOP=1", *where, "restored_apply"], input=script,
                       check=True, capture_output=True)  # fmt: skip
        there = Session("restored_apply")
        assert apply(there, rides, prune=True) == []
        assert actions(apply(there, registry(project), dry_run=True, prune=True)) == [
            ("foreign table", "stats", "drop"), ("foreign table", "stats@v2", "drop"),
            ("function", "pinned", "drop"), ("function", "ride", "drop"),
        ]  # fmt: skip
        there.close()
    finally:
        session.run("DROP DATABASE restored_apply WITH (FORCE)")
        session.run("DROP SCHEMA feast CASCADE")


# Arguments


def test_null_arguments(feast, rides):
    for arguments in ("NULL, 'feast'", "'feast', NULL"):
        assert feast.fail("SELECT * FROM dynamo_fdw_apply(%s)" % arguments).sqlstate == "22004"
    # NULL is the default
    given = dict.fromkeys(["project", "dry_run", "prune", "full_feature_names", "import_disabled", "import_comments", "import_ttl"])
    assert ("foreign table", "stats", "create") in actions(apply(feast, rides, **given))


@pytest.mark.parametrize("arguments, sqlstate", [
    ({"server": "nowhere"}, "42704"), ({"schema": "nowhere"}, "3F000"), ({"project": "nowhere"}, "HV00Q"),
    ({"registry": b"no registry"}, "HV004"), ({"registry": None}, "HV002"),
])  # fmt: skip
def test_wrong_arguments(feast, rides, arguments, sqlstate):
    given = {"registry": rides, **arguments}
    assert apply_fails(feast, **given).sqlstate == sqlstate


def test_long_and_empty_names_of_projects(session, project):
    """A project is no SQL name: it may be longer, or empty."""
    session.run("DROP SCHEMA IF EXISTS feast CASCADE; CREATE SCHEMA feast")
    session.server(project, table_name_template=project + ".{table_name}")
    session.notices.clear()
    long = "p" * 100
    made = registry(long, view(long, "stats", {"trips": "INT64"}))
    assert actions(apply(session, made, project=long)) == [("foreign table", "stats", "create")]
    assert apply(session, made, project=long) == []
    assert session.notices == []


def test_what_is_in_the_registry_is_quoted(feast, project):
    """Names and texts that would end what they stand in."""
    name = "a\"; DROP SCHEMA feast CASCADE; --'$$"
    odd = view(project, "odd", {name: "INT64", "b\\": "STRING"}, description=name)
    set_source(odd, "x'); DROP TABLE y; --", {"it's": name})
    made = registry(project, odd, service(project, name, [projection(odd)], "'"))
    feast.run("SET standard_conforming_strings = off")
    apply(feast, made)
    assert tables(feast) == ["odd"] and functions(feast) == [name]
    assert name in columns(feast, "feast.odd")
    assert apply(feast, made) == []
    odd.spec.features.append(field("c\\'"))
    made.feature_views[0].CopyFrom(odd)
    assert [row[2] for row in apply(feast, made)] == ["add"]
    assert apply(feast, made) == []
