"""IMPORT FOREIGN SCHEMA of the golden registries, against the rules (import_model)."""

import json
import re

import pytest

from golden import DATA, load
from import_model import Asked, Project
from imported import (
    REGISTRY2,
    assert_as,
    assert_told,
    functions,
    golden_services,
    golden_views,
    import_project,
    import_sql,
    load_sql_registry,
    put_registry,
    tables,
)
from support import option_list

FORMS = ["file", "sql", "postgres_fdw"]


@pytest.fixture
def place(session, database, tmp_path):
    """Makes a server of registry2 in one of its forms."""

    def make(form, project="parcels", **options):
        if form == "file":
            options["registry"] = put_registry(tmp_path, (REGISTRY2 / "registry.db").read_bytes())
        else:
            load_sql_registry(session, "of_feast")
            options.update(registry="of_feast", registry_type="sql")
        if form == "postgres_fdw":
            if not session.run("SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw'"):
                pytest.skip("postgres_fdw is not installed")
            session.run("CREATE EXTENSION IF NOT EXISTS postgres_fdw; CREATE SCHEMA there")
            here = option_list({"host": session.conn.info.host, "port": session.conn.info.port, "dbname": database})
            session.run("CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (%s)" % here)
            session.run("CREATE USER MAPPING FOR CURRENT_USER SERVER loopback OPTIONS (user '%s')"
                        % session.conn.info.user)  # fmt: skip
            session.run("IMPORT FOREIGN SCHEMA of_feast FROM SERVER loopback INTO there")
            options["registry"] = "there"
        session.server(project, **options)
        session.notices.clear()

    return make


def model_of(form, project, **asked):
    form = "file" if form == "file" else "sql"
    return Project(project, golden_views(form), golden_services(), Asked(server_project="parcels", **asked))


@pytest.mark.parametrize("project", ["parcels", "parcels_lab"])
@pytest.mark.parametrize("form", FORMS)
def test_objects_of_a_project(place, session, form, project):
    place(form, enable_online_feature_view_versioning="true")
    import_project(session, project)
    model = model_of(form, project, versioning=True)
    assert_as(session, model)
    assert_told(session.notices, model)


@pytest.mark.parametrize("form", ["file", "sql"])
def test_without_versioning(place, session, form):
    """A tag can't be served, and the table is the one without a number."""
    place(form)
    import_project(session, "parcels")
    model = model_of(form, "parcels")
    assert {"pinned", "pinned_and_latest"} <= set(model.without_function)
    assert_as(session, model)
    assert_told(session.notices, model)


def test_the_smaller_registry(session, tmp_path):
    session.server("parcels", registry=put_registry(tmp_path, (DATA / "registry/registry.db").read_bytes()))
    decoded = load("registry/registry.json")
    (project,) = {view["spec"]["project"] for view in decoded["feature_views"]}
    import_project(session, project)
    views = {view["spec"]["name"]: view["spec"] for view in decoded["feature_views"]}
    got = tables(session)
    assert set(got) == {name for name, view in views.items() if view.get("online")}
    for name, (columns, options, _) in got.items():
        keys = [key["name"] for key in views[name]["entity_columns"] if key["name"] != "__dummy_id"]
        assert [column.name for column in columns if "entity_key" in column.options] == keys
        assert json.loads(options.get("tags", "{}")) == views[name].get("tags", {})
        features = [feature["name"] for feature in views[name]["features"]]
        assert [column.name for column in columns[len(keys) + 1 :]] == features
    assert set(functions(session)) == {service["spec"]["name"] for service in decoded.get("feature_services", [])}


OPTIONS = {
    "import_disabled": "disabled",
    "import_ttl": "ttl",
    "full_feature_names": "full",
    "include_event_timestamps": "times",
    "import_comments": "comments",
    "import_services": "services",
}


@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_import(place, session, option):
    place("file", enable_online_feature_view_versioning="true")
    value = option not in ("import_comments", "import_services")
    import_project(session, "parcels", **{option: str(value).lower()})
    model = model_of("file", "parcels", versioning=True, **{OPTIONS[option]: value})
    assert_as(session, model)
    assert_told(session.notices, model)


@pytest.mark.parametrize("option, asked", [("full_feature_names", "full"), ("include_event_timestamps", "times")])
def test_options_of_the_server_are_defaults(place, session, option, asked):
    place("file", **{option: "true"})
    import_project(session, "parcels")
    import_project(session, "parcels", "feast2", **{option: "false"})
    assert_as(session, model_of("file", "parcels", **{asked: True}))
    assert_as(session, model_of("file", "parcels"), "feast2")


def test_the_readme_has_every_option(place, session):
    """The hint of a wrong option names all; IMPORT sets each to its documented default."""
    place("file")
    session.run("CREATE SCHEMA feast")
    hint = session.fail(import_sql("parcels", wrong="1")).diag.message_hint
    readme = (DATA.parents[1] / "README.md").read_text()
    section = readme.split("\n## From a Feast repository to SQL in five statements\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.M))
    assert set(re.findall(r"\w+_\w+", hint)) == set(rows)
    import_project(session, "parcels", **{name: value for name, value in rows.items() if value != "the server's"})
    assert_as(session, model_of("file", "parcels"))


def test_an_option_that_is_none(place, session):
    place("file")
    session.run("CREATE SCHEMA feast")
    error = session.fail(import_sql("parcels", import_tll="true"))
    assert error.sqlstate == "HV00D" and "import_ttl" in error.diag.message_hint
    assert session.fail(import_sql("parcels", import_ttl="perhaps")).sqlstate == "42601"
    assert tables(session) == {}


def test_limit_to_and_except(place, session):
    place("file")
    names = ["parcel_stats", "Courier-Profile.2", "parcel_archive"]
    listed = ", ".join('"%s"' % name for name in names)
    import_project(session, "parcels", limit="LIMIT TO (%s)" % listed)
    model = model_of("file", "parcels", wanted=lambda name: name in names)
    assert_as(session, model)
    assert_told(session.notices, model)
    session.notices.clear()
    import_project(session, "parcels", "feast2", limit="EXCEPT (%s)" % listed)
    model = model_of("file", "parcels", wanted=lambda name: name not in names)
    assert_as(session, model, "feast2")
    assert_told(session.notices, model)


def test_limit_to_a_long_name(place, session):
    """The parser clips what it is given as IMPORT clips the table's name."""
    place("file")
    (view,) = [view for view in golden_views("file") if view["name"].startswith("account_average")]
    import_project(session, "parcels", limit='LIMIT TO ("%s")' % view["name"])
    assert list(tables(session)) == [view["name"][:63]]


def test_the_servers_own_project_is_not_repeated(place, session):
    place("file", "parcels_lab")
    import_project(session, "parcels_lab")
    assert all("project" not in options for _, options, _ in tables(session).values())


def test_imported_twice(place, session):
    place("file")
    import_project(session, "parcels")
    before = tables(session), functions(session)
    assert session.fail(import_sql("parcels")).sqlstate == "42P07"
    assert (tables(session), functions(session)) == before


def test_rolled_back(place, session):
    place("file")
    session.run("CREATE SCHEMA feast")
    session.run("BEGIN")
    import_project(session, "parcels")
    session.run("ROLLBACK")
    assert tables(session) == {} and functions(session) == {}
    session.run("BEGIN")
    session.run("SAVEPOINT s")
    import_project(session, "parcels")
    session.run("ROLLBACK TO s")
    import_project(session, "parcels_lab")
    session.run("COMMIT")
    assert_as(session, model_of("file", "parcels_lab"))


def test_both_projects_in_two_schemas(place, session):
    place("sql")
    import_project(session, "parcels")
    import_project(session, "parcels_lab", "feast2")
    assert_as(session, model_of("sql", "parcels"))
    assert_as(session, model_of("sql", "parcels_lab"), "feast2")
