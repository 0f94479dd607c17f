"""Random registries, imported as file and as tables: what IMPORT makes is what the model says, and services answer.

The seed is fixed, so that a failure comes again; RANDOM_REGISTRIES="SEED NUMBER" tries others.
"""

import os
import random

import pytest
from psycopg import sql

from import_model import Asked, Project
from imported import assert_as, assert_told, import_project, put_registry
from random_registries import Generator
from registry_protos import registry_proto, store_as_tables

SEED, NUMBER = map(int, (os.environ.get("RANDOM_REGISTRIES") or "1 40").split())

# Of each type of an imported key: a value that is there, one that isn't.
KEY_VALUES = {"bigint": ("7", "8"), "integer": ("7", "8"), "text": ("k'1", "k2"), "bytea": ("\\x01", "\\x02"),
              "timestamp with time zone": ("2026-01-01 00:00+00", "2026-01-02 00:00+00")}  # fmt: skip
# Of each type of a feature: what it is written as.
VALUES = {
    "boolean": "t", "integer": "5", "bigint": "6", "real": "0.5", "double precision": "1.5", "text": "a'b",
    "bytea": "\\x0a", "timestamp with time zone": "2026-02-03 04:05:06+00", "numeric": "1.25",
    "uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
}  # fmt: skip
# An object is written where the value type is one, an array of objects or of anything elsewhere.
JSON_VALUES = {"SCALAR_MAP": '[{"key_type": "INT64", "key": 1, "value": 2}]', "MAP": '{"a": 1}', "STRUCT": '{"a": 1}'}


def literal(column):
    if column.type == "jsonb":
        return JSON_VALUES.get(column.options.get("value_type"), '[{"a": 1}]')
    if column.type.endswith("[]"):
        return '{"%s"}' % VALUES[column.type[:-2]].replace("\\", "\\\\")
    return VALUES[column.type]


def choose(rng):
    return {name: rng.randrange(3) == 0 for name in ("versioning", "disabled", "ttl", "full", "times")}


OPTIONS = {"disabled": "import_disabled", "ttl": "import_ttl", "full": "full_feature_names",
           "times": "include_event_timestamps"}  # fmt: skip


@pytest.mark.parametrize("number", range(NUMBER))
def test_a_random_registry(session, project, tmp_path, number):
    seed = SEED + number
    print('RANDOM_REGISTRIES="%d 1"' % seed)
    rng = random.Random(seed)
    views, services = Generator(rng, project).make()
    registry = registry_proto(project, views, services)
    asked = choose(rng)
    model = Project(project, views, services, Asked(server_project=project, create=True, **asked))
    options = {OPTIONS[name]: "true" for name, value in asked.items() if value and name in OPTIONS}
    where = {"registry": put_registry(tmp_path, registry.SerializeToString())}
    if rng.randrange(2):
        store_as_tables(session, "of_feast", registry)
        where = {"registry": "of_feast", "registry_type": "sql"}
    session.server(project, enable_online_feature_view_versioning=str(asked["versioning"]).lower(), **where)
    session.notices.clear()
    import_project(session, project, create_remote_table="true", **options)
    assert_as(session, model)
    assert_told(session.notices, model)
    check_services(session, model)


def check_services(session, model):
    """Each service with rows that are there, that aren't, and NULLs."""
    for name, table in model.tables.items():
        values = [KEY_VALUES[c.type][0] if "entity_key" in c.options else literal(c) for c in table.columns]
        values[len(table.keys)] = "2100-03-04 05:06:07+00"  # so that nothing expires
        run(session, "INSERT INTO feast.{} VALUES ({})", name, values=values)
    stored = {name: run(session, "SELECT * FROM feast.{} WHERE {}", name, model.tables[name]) for name in model.tables}
    for name, function in model.functions.items():
        check_service(session, model, name, function, stored)


def run(session, text, name, table=None, values=()):
    where = sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(key.name), sql.Literal(KEY_VALUES[key.type][0]))
        for key in (table.keys.values() if table else [])
    )
    more = where if table and table.keys else sql.SQL("true")
    if values:
        more = sql.SQL(", ").join(map(sql.Literal, values))
    return session.run(sql.SQL(text).format(sql.Identifier(name), more))


def check_service(session, model, name, function, stored):
    given = [[KEY_VALUES[type][0], KEY_VALUES[type][1], None, KEY_VALUES[type][0]] if type in KEY_VALUES else [None] * 4
             for _, type in function.arguments]  # fmt: skip
    arrays = sql.SQL(", ").join(
        sql.SQL("ARRAY[{}]::{}[]").format(sql.SQL(", ").join(map(sql.Literal, array)), sql.SQL(type))
        for array, (_, type) in zip(given, function.arguments)
    )
    rows = session.run(sql.SQL("SELECT * FROM feast.{}({})").format(sql.Identifier(name), arrays))
    assert len(rows) == (4 if given else 1)
    for row, n in zip(rows, (0, 1, 2, 3)):
        for value, source in zip(row, function.sources):
            if source[0] == "column":
                _, table, column, keys = source
                names = [one.name for one in model.tables[table].columns]
                found = all(given[argument][n] == given[argument][0] for argument in keys.values())
                wanted = stored[table][0][names.index(column)] if found else None
                assert value == wanted, (name, table, column)


def test_the_model_sees_something(session):
    """The random registries have what they are there for."""
    seen = set()
    for number in range(300):
        rng = random.Random(number)
        views, services = Generator(rng, "p").make()
        model = Project("p", views, services, Asked(**choose(rng)))
        seen |= {view["kind"] for view in views}
        seen |= {"functions"} if model.functions else set()
        for attribute in ("not_served", "warned", "without_function", "full_names", "without_views"):
            seen |= {attribute} if getattr(model, attribute) else set()
        seen |= {"version"} if any("@v" in name for name in model.tables) else set()
    assert len(seen) == 11, seen
