"""What is in a schema, in the form of import_model."""

import os
from pathlib import Path

from golden import DATA, load
from import_model import Column
from support import option_list

REGISTRY2 = DATA / "registry2"

# What was "added in vN" is not in the versions before (features.py of registry2).
HISTORY = {0: ["weight_kg", "priority"], 1: ["weight_kg", "priority", "fragile"],
           2: ["weight_kg", "priority", "fragile", "route"]}  # fmt: skip


def golden_views(form):
    """The views of registry2 as its `form` has them: "file" or "sql"."""
    views = load("registry2/views.json")
    for view in views:
        view["version"] = view["in_%s_registry" % form]["current_version_number"]
        if (view["project"], view["name"]) == ("parcels", "parcel_stats"):
            fields = {feature["name"]: feature for feature in view["features"]}
            view["history"] = {number: [fields[name] for name in names] for number, names in HISTORY.items()}
    return views


def golden_services():
    return load("registry2/services.json")


def put_registry(path, data):
    """Writes a registry where the server can read it; its path."""
    file = Path(path) / "registry.db"
    file.write_bytes(data)
    os.chmod(file, 0o644)
    return str(file)


def load_sql_registry(session, schema, script=None):
    """Feast's tables with registry2's objects in a schema."""
    script = script or (REGISTRY2 / "sql_registry.sql").read_text()
    session.run('CREATE SCHEMA "%s"; SET search_path = "%s"' % (schema, schema))
    session.run(script)
    session.run("RESET search_path")


def import_project(session, project, schema="feast", server="feast", limit="", **options):
    """IMPORT FOREIGN SCHEMA into a new schema."""
    session.run("CREATE SCHEMA IF NOT EXISTS %s" % schema)
    session.run(import_sql(project, schema, server, limit, **options))


def import_sql(project, schema="feast", server="feast", limit="", **options):
    more = "OPTIONS (%s)" % option_list(options) if options else ""
    return 'IMPORT FOREIGN SCHEMA "%s" %s FROM SERVER %s INTO %s %s' % (project, limit, server, schema, more)


def dict_of(options):
    return dict(option.split("=", 1) for option in options or [])


def tables(session, schema="feast"):
    """Of each foreign table: columns, options, comment."""
    found = {}
    for name, options, comment in session.run(
        "SELECT relname, ftoptions, obj_description(c.oid, 'pg_class') FROM pg_class c"
        " JOIN pg_foreign_table t ON ftrelid = c.oid WHERE relnamespace = to_regnamespace(%s)",
        [schema],
    ):
        found[name] = ([], dict_of(options), comment)
    for table, *column, options, not_null, comment in session.run(
        "SELECT relname, attname, format_type(atttypid, atttypmod), attfdwoptions, attnotnull,"
        " col_description(c.oid, attnum) FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid"
        " WHERE relnamespace = to_regnamespace(%s) AND relkind = 'f' AND attnum > 0 AND NOT attisdropped"
        " ORDER BY c.oid, attnum",
        [schema],
    ):
        found[table][0].append(Column(*column, dict_of(options), not_null, comment))
    return found


def functions(session, schema="feast"):
    """Of each function that IMPORT made: arguments, results, comment, how volatile."""
    found = {}
    for name, names, types, inputs, comment, volatile in session.run(
        "SELECT proname, proargnames, ARRAY(SELECT format_type(t, NULL) FROM unnest(proallargtypes) t), pronargs,"
        " obj_description(p.oid, 'pg_proc'), provolatile FROM pg_proc p"
        " JOIN pg_depend d ON classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'x'"
        " WHERE pronamespace = to_regnamespace(%s)",
        [schema],
    ):
        pairs = list(zip(names, types))
        arguments = [(argument, type.removesuffix("[]")) for argument, type in pairs[:inputs]]
        found[name] = (arguments, pairs[inputs:], comment, volatile)
    return found


def assert_as(session, model, schema="feast"):
    """The schema is what the model says."""
    comments = model.asked.comments
    expected = {}
    for name, table in model.tables.items():
        columns = [
            Column(c.name, c.type, c.options, c.not_null, c.comment if comments else None) for c in table.columns
        ]
        expected[name] = (columns, table.options, table.comment if comments else None)
    got = tables(session, schema)
    assert set(got) == set(expected), (set(got), set(expected))
    for name in expected:
        for mine, wanted in zip(got[name][0], expected[name][0]):
            assert mine == wanted, (name, mine, wanted)
        assert len(got[name][0]) == len(expected[name][0]), name
        assert got[name][1:] == expected[name][1:], (name, got[name][1:], expected[name][1:])
    made = functions(session, schema)
    wanted = {
        name: (function.arguments, function.results, function.comment if comments else None, "s")
        for name, function in model.functions.items()
    }
    assert set(made) == set(wanted), (set(made), set(wanted))
    for name in wanted:
        for part, wanted_part in zip(made[name], wanted[name]):
            assert part == wanted_part, (name, part, wanted_part)


def quoted(texts):
    """What stands in quotes in each, sorted."""
    return sorted(text.split('"', 1)[1].rsplit('"', 1)[0] for text in texts)


def assert_told(notices, model):
    """One NOTICE for each view that is left out, one for all services without a function, one a view to be computed."""
    texts = [message for severity, message, _ in notices if severity == "NOTICE"]
    views = [text for text in texts if text.endswith(" is left out")]
    assert quoted(views) == sorted(model.not_served), texts
    without = [text for text in texts if text.startswith("feature services without a function: ")]
    names = ", ".join('"%s"' % name for name in model.without_function)
    assert without == (["feature services without a function: " + names] if names else []), (texts, names)
    computed = [text for text in texts if text.endswith(" is left out of feature services")]
    assert quoted(computed) == sorted(set(model.without_views)), texts
    full = [text for text in texts if text.endswith(" returns full feature names")]
    assert quoted(full) == sorted(model.full_names), texts
    incomplete = [text for text in texts if text.startswith("features are left out of feature service ")]
    assert quoted(incomplete) == sorted(model.incomplete), texts
    assert len(texts) == len(views) + len(without) + len(computed) + len(full) + len(incomplete), texts
    warned = [message for severity, message, _ in notices if severity == "WARNING"]
    assert len(warned) == len(model.warned), warned
