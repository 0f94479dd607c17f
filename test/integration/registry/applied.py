"""dynamo_fdw_apply, called, and what it leaves behind."""

import os
import subprocess

import pytest

from small_registry import note_version

SCHEMA = "feast"

COLUMNS = (
    "SELECT attname, format_type(atttypid, atttypmod), attfdwoptions FROM pg_attribute"
    " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)


def apply_sql(registry=None, schema=SCHEMA, server="feast", **arguments):
    """A call, as text and parameters."""
    if registry is not None:
        arguments["registry"] = registry if isinstance(registry, bytes) else registry.SerializeToString()
    given = "".join(", %s => %%(%s)s" % (name, name) for name in arguments)
    return "SELECT * FROM dynamo_fdw_apply('%s', '%s'%s)" % (server, schema, given), arguments


def apply(session, registry=None, **arguments):
    """The rows: kind, name, action, detail."""
    return session.run(*apply_sql(registry, **arguments))


def apply_fails(session, registry=None, **arguments):
    return session.fail(*apply_sql(registry, **arguments))


def actions(rows):
    """The rows without their details, sorted."""
    return sorted(row[:3] for row in rows)


def tables(session, schema=SCHEMA):
    """Names of the foreign tables in a schema."""
    return [
        name
        for (name,) in session.run(
            "SELECT relname FROM pg_class WHERE relkind = 'f' AND relnamespace = %s::regnamespace ORDER BY 1", [schema]
        )
    ]


def columns(session, table):
    """{name: type} of a table."""
    return {name: kind for name, kind, _ in session.run(COLUMNS, [table])}


def functions(session, schema=SCHEMA):
    """Names of the functions in a schema that are ours."""
    return [
        name
        for (name,) in session.run(
            "SELECT proname FROM pg_proc p JOIN pg_depend d ON classid = 'pg_proc'::regclass AND objid = p.oid"
            " AND deptype = 'x' WHERE pronamespace = %s::regnamespace ORDER BY 1",
            [schema],
        )
    ]


def comment(session, relation, column=None):
    if column is None:
        return session.value("SELECT obj_description(%s::regclass)", [relation])
    return session.value(
        "SELECT col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s",
        [relation, column],
    )


def structure(session, *options):
    """The database's objects, as pg_dump writes them."""
    info = session.conn.info
    bindir = session.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
    program = os.path.join(bindir, "pg_dump")
    if not os.path.exists(program):
        pytest.skip("pg_dump is not here")
    command = [program, "-s", "-h", info.host, "-p", str(info.port), "-U", info.user, *options, info.dbname]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # a word that is another one in every dump
    return "\n".join(line for line in text.split("\n") if not line.startswith(("\\restrict", "\\unrestrict")))


def reapply(feast, changed, expected, **arguments):
    """A dry run tells what the apply then does, and after that nothing is left to do."""
    planned = apply(feast, changed, dry_run=True, **arguments)
    done = apply(feast, changed, **arguments)
    assert [row for row in planned if row[0] != "remote table"] == done
    assert actions(done) == sorted(expected)
    left = [row for row in apply(feast, changed, **arguments) if row[2] != "none"]
    assert left == []
    return done


def versioned(feast, project, rides):
    """Turns versions on: the registry's first view has 0 to 3."""
    feast.set_server(enable_online_feature_view_versioning="true")
    for number in range(4):
        rides.feature_views[0].meta.current_version_number = number
        note_version(rides, project, rides.feature_views[0], number)
