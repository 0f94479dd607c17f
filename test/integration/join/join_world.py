"""The tables that random joins read: in schema "feast" as foreign tables, in "plain" as local ones with the same rows.

What is joined with them stands in public, and is the same for both.
"""

from random_queries import KEY, VALUES
from support import ACCESS_KEY, SECRET_KEY, TIME, option_list

# Keys of each view, by kind. All have the features n (integer), s (text) and m (bigint), which may be keys of others.
TABLES = {
    "by_int8": {"id": ("bigint", "int")},
    "by_int4": {"id": ("integer", "int")},
    "by_domain": {"id": ("small_id", "int")},
    "by_text": {"k": ("text", "text")},
    "by_varchar": {"k": ("varchar(10)", "text")},
    "by_bytea": {"raw": ("bytea", "bytea")},
    "by_time": {"at": ("timestamptz", "time")},
    "by_two": {"a": ("integer", "int"), "b": ("text", "text")},
    "by_ints": {"k": ("bigint", "int"), "l": ("integer", "int"), "m2": ("bigint", "int")},
    "by_three": {"v": ("varchar(10)", "text"), "raw": ("bytea", "bytea"), "at": ("timestamptz", "time")},
    "entityless": {},
    "far": {"a": ("integer", "int"), "b": ("text", "text")},  # on another server
    "parts": {"id": ("bigint", "int")},  # partitioned; the partitions are foreign tables
}

# More foreign tables over the remote table of by_int8, and one over far's: other columns, in another order.
AGAIN = {
    "again": ("feast", "by_int8", "s text, id bigint %s, n integer, m bigint" % KEY),
    "again_far": ("far", "by_int8", "m bigint, n integer, s text, id bigint %s" % KEY),
    "far_here": ("feast", "far", "n integer, b text %s, s text, a integer %s, m bigint" % (KEY, KEY)),
}
AGAIN_KEYS = {"again": TABLES["by_int8"], "again_far": TABLES["by_int8"], "far_here": TABLES["far"]}

# SQL views; what they compute is NULL where a LEFT JOIN finds nothing, but where it finds a row.
SQL_VIEWS = {
    "defaults": ("by_int8", "SELECT id, coalesce(n, -1) AS n, coalesce(s, 'none') AS s, m FROM by_int8"),
    "computed": ("by_int4", "SELECT id + 0 AS x, n + 1 AS n, 's' AS s, id, m, 7 AS one FROM by_int4"),
    "kept": ("by_two", "SELECT * FROM by_two WHERE n IS DISTINCT FROM 1"),
    "secret": ("by_int8", "SELECT * FROM by_int8 WHERE n <> 3"),  # a security barrier: nobody sees an n of 3
    "fenced": ("by_text", "SELECT * FROM by_text OFFSET 0"),  # no key passes
    "united": ("by_int8", "SELECT id, n, s, m FROM by_int8 UNION ALL SELECT id, n, s, m FROM again"),
}
NOT_UNIQUE = ["united"]
HIDDEN = 3

# Outer rows that are a join themselves, with all columns of the tables below.
SERVICE = (
    "SELECT l.*, a.n, b.s FROM many l LEFT JOIN by_int8 a ON a.id = l.i LEFT JOIN by_two b ON b.a = l.w AND b.b = l.t"
)

GUARDED = "SELECT l.*, a.n, a.s FROM many l JOIN by_int8 a ON a.id = l.i WHERE a.n <> 3"  # a security barrier, too

VIEWS = {**TABLES, **AGAIN_KEYS, **{name: TABLES[table] for name, (table, _) in SQL_VIEWS.items()}}

# Outer tables; all have the same columns.
OUTER = (
    "SELECT g AS row, nullif(g % 6, 4) AS i, (g % 4)::smallint AS w,"
    " CASE WHEN g % 31 = 30 THEN 5000000000 ELSE g % 3 END AS j,"
    " CASE WHEN g % 29 = 28 THEN 1e30 ELSE g % 9 / 2.0 END AS q,"
    " CASE WHEN g % 17 = 16 THEN 'K1' ELSE nullif('k' || g % 4, 'k3') END AS t, ('k' || g % 3)::varchar AS c,"
    " ('k' || g % 5)::name AS nm, nullif('\\x0' || g % 3, '\\x02')::bytea AS r,"
    " timestamptz '2024-01-01 00:00+00' + g % 4 * interval '500 ms' AS d, date '2024-01-01' + g % 2 AS e,"
    " ARRAY[g % 5, g % 3, NULL]::bigint[] AS arr"
    " FROM generate_series({}, {}) g"
)
COLUMNS = {"int": ["i", "w", "j", "q"], "text": ["t", "c", "nm"], "bytea": ["r"], "time": ["d", "e"]}
OUTER_TABLES = ["local", "many", "divided", "policed"]
FIRST_HIDDEN = 1000  # rows of "policed" from here on are for nobody but superusers

FUNCTIONS = """
    CREATE FUNCTION same(bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN $1; END';
    CREATE FUNCTION unsteady(bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN $1; END';
    CREATE FUNCTION leak(what text, int) RETURNS bool LANGUAGE plpgsql IMMUTABLE COST 0.0001 AS
        $$BEGIN IF $2 IS NOT NULL THEN RAISE NOTICE '% %', what, $2; END IF; RETURN true; END$$;
"""


def make(session, project, endpoint, ttl=False):
    """
    Everything; the role "joiner" may do anything to it, but sees only some rows of "policed".  With `ttl` the foreign
    tables have more rows than the plain ones, which have expired.
    """
    session.run("SET TIME ZONE 'UTC'; SET client_min_messages = warning")
    clean(session)
    session.run("CREATE DOMAIN small_id AS integer; CREATE COLLATION any_case (provider = icu,"
                " locale = 'und-u-ks-level2', deterministic = false)")  # fmt: skip
    session.run(FUNCTIONS)
    make_servers(session, project, endpoint)
    make_outer_tables(session)
    for schema in ("plain", "feast"):
        session.run("CREATE SCHEMA %s; GRANT ALL ON SCHEMA %s TO joiner" % (schema, schema))
        session.run("SET search_path = %s, public" % schema)
        make_views(session, schema, project, {"ttl": "1 day"} if ttl else {})
        session.run("GRANT ALL ON ALL TABLES IN SCHEMA %s TO joiner" % schema)


def clean(session):
    """Removes what another test here left; the foreign tables are gone by then."""
    session.run("DROP SCHEMA IF EXISTS plain, feast CASCADE; DROP TABLE IF EXISTS %s, target, sink CASCADE"
                % ", ".join(OUTER_TABLES))  # fmt: skip
    session.run("DROP FUNCTION IF EXISTS same, unsteady, leak; DROP DOMAIN IF EXISTS small_id;"
                " DROP COLLATION IF EXISTS any_case")  # fmt: skip
    if session.run("SELECT FROM pg_roles WHERE rolname = 'joiner'"):
        session.run("DROP OWNED BY joiner CASCADE")
    else:
        session.run("CREATE ROLE joiner")
    session.run("GRANT ALL ON SCHEMA public TO joiner")


def make_servers(session, project, endpoint):
    session.server(project, endpoint, batch_size=10, max_read_workers=3)
    session.server(project, endpoint, name="far")
    options = option_list({"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY})
    for server in ("feast", "far"):
        session.run("CREATE USER MAPPING FOR joiner SERVER %s OPTIONS (%s)" % (server, options))
        session.run("GRANT USAGE ON FOREIGN SERVER %s TO joiner" % server)


def make_outer_tables(session):
    session.run("CREATE TABLE local AS " + OUTER.format(0, 7))
    session.run("CREATE TABLE many AS " + OUTER.format(0, 69))
    session.run("CREATE TABLE divided (LIKE many) PARTITION BY RANGE (j)")
    # bounds as those of "parts"
    session.run("CREATE TABLE divided1 PARTITION OF divided FOR VALUES FROM (MINVALUE) TO (2)")
    session.run("CREATE TABLE divided2 PARTITION OF divided FOR VALUES FROM (2) TO (MAXVALUE)")
    session.run("INSERT INTO divided " + OUTER.format(0, 39))
    session.run("CREATE TABLE policed AS " + OUTER.format(0, 19))
    session.run("INSERT INTO policed " + OUTER.format(FIRST_HIDDEN, FIRST_HIDDEN + 9))
    session.run("ALTER TABLE policed ENABLE ROW LEVEL SECURITY")
    session.run("CREATE POLICY visible ON policed USING (row < %d)" % FIRST_HIDDEN)
    session.run("CREATE TABLE target AS SELECT * FROM many WHERE row < 30")
    session.run("CREATE TABLE sink (what text)")
    session.run("ANALYZE local, many, divided, policed; GRANT ALL ON ALL TABLES IN SCHEMA public TO joiner")


def make_views(session, schema, project, expiry):
    for name, keys in TABLES.items():
        columns = ["%s %s %s" % (key, type, KEY) for key, (type, _) in keys.items()]
        # a dropped column, and in some the features before the keys
        columns += ["gone real", "n integer", "s text", "m bigint"]
        columns = ", ".join(reversed(columns) if len(name) % 2 else columns)
        if name == "parts":
            make_partitions(session, schema, columns, expiry)
        elif schema == "feast":
            options = {} if keys else {"entityless": "true"}
            session.table(name, columns, server="far" if name == "far" else "feast", **options, **expiry)
        else:
            session.run("CREATE TABLE %s (%s)" % (name, columns.replace(KEY, "")))
        session.run("ALTER TABLE %s DROP COLUMN gone" % name)
        if schema == "plain":
            fill(session, name, keys)
        else:
            session.run("INSERT INTO feast.%s SELECT * FROM plain.%s" % (name, name))
            if expiry and keys and name != "parts":
                write_expired(session, project, name, keys)
    for name, (server, of, columns) in AGAIN.items():
        if schema == "feast":
            session.table(name, columns, server=server, table_name="%s.%s" % (project, of), **expiry)
        else:
            session.run("CREATE TABLE %s (%s)" % (name, columns.replace(KEY, "")))
            names = ", ".join(column.split()[0] for column in columns.split(", "))
            session.run("INSERT INTO %s SELECT %s FROM %s" % (name, names, of))
    for name, (_, query) in SQL_VIEWS.items():
        barrier = "WITH (security_barrier)" if name == "secret" else ""
        session.run("CREATE VIEW %s %s AS %s" % (name, barrier, query))
    session.run("CREATE VIEW service AS " + SERVICE)
    session.run("CREATE VIEW guarded WITH (security_barrier) AS " + GUARDED)


def write_expired(session, project, table, keys):
    """Items of an old time, where the plain table lacks a row."""
    columns = ["%s %s %s" % (key, type, KEY) for key, (type, _) in keys.items()] + ["n integer", "s text", "m bigint"]
    names = ", ".join(column.split()[0] for column in columns)
    server = "far" if table == "far" else "feast"
    session.table("old", ", ".join([*columns, "at_time " + TIME]), server=server, table_name=project + "." + table,
                  create_remote_table="false")  # fmt: skip
    session.run("INSERT INTO old SELECT %s, now() - interval '25 hours' FROM plain.lacking_%s" % (names, table))
    session.run("DROP FOREIGN TABLE old")


def make_partitions(session, schema, columns, expiry):
    """The table "parts" with partitions whose columns stand in other orders."""
    plain = columns.replace(KEY, "")
    session.run("CREATE TABLE parts (%s) PARTITION BY RANGE (id)" % plain)
    for name, bounds in (("part1", "FROM (MINVALUE) TO (2)"), ("part2", "FROM (2) TO (MAXVALUE)")):
        if schema == "feast":
            session.table(name, columns, **expiry)
        else:
            session.run("CREATE TABLE %s (%s)" % (name, plain))
        session.run("ALTER TABLE parts ATTACH PARTITION %s FOR VALUES %s" % (name, bounds))
        columns = ", ".join(reversed(columns.split(", ")))
        plain = columns.replace(KEY, "")


def fill(session, table, keys):
    """Most combinations of the keys' values; features are NULL now and then."""
    lists = [
        "unnest(ARRAY[%s]::%s[]) AS of_%s (%s)" % (", ".join(VALUES[kind]), type, key, key)
        for key, (type, kind) in keys.items()
    ]
    source = " CROSS JOIN ".join(lists) or "(SELECT) AS one_row"
    number = "row_number() OVER ()"
    session.run(
        f"INSERT INTO {table} ({''.join(key + ', ' for key in keys)} n, s, m)"
        f" SELECT *, nullif({number} % 5, 2), nullif('k' || {number} % 4, 'k3'),"
        f" CASE {number} % 7 WHEN 6 THEN NULL WHEN 5 THEN 5000000000 ELSE {number} % 7 - 1 END FROM {source}"
    )
    if keys:
        lacking = f"{table} WHERE hashtext({table}::text) % 4 = 0"
        session.run(f"CREATE TABLE lacking_{table} AS SELECT * FROM {lacking}; DELETE FROM {lacking}")
