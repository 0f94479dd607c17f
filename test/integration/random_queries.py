"""Random queries whose conditions name the keys: what test_random_queries.py runs; joins are in random_joins.py.

A query names tables without a schema: it is run on foreign and on plain tables by the search_path.
"""

KEY = "OPTIONS (entity_key 'true')"

# Columns of each table: its keys, by kind, and features n (integer) and s (text). Where keys are of one kind, they are
# made equal to each other, too.
TABLES = {
    "one": {"id": ("bigint", "int")},
    "two": {"a": ("integer", "int"), "b": ("text", "text")},
    "same": {"k": ("bigint", "int"), "l": ("integer", "int"), "m": ("bigint", "int")},
    "three": {"v": ("varchar(10)", "text"), "raw": ("bytea", "bytea"), "at": ("timestamptz", "time")},
    "small": {"id": ("small_id", "int")},  # a domain
    "entityless": {},
}

# Values of the keys of all rows; each table has some of their combinations.
VALUES = {
    "int": ["0", "1", "2", "3", "4", "-5"],
    "text": ["'k0'", "'k1'", "'k2'", "''", "'é'"],
    "bytea": ["'\\x00'", "'\\x01'", "'\\x'"],
    "time": ["'2024-01-01 00:00+00'", "'2024-01-01 00:00:01+00'", "'1969-07-20 20:17+00'"],
}

# What they are compared with: values as text, each with types that have it.
WHOLE = ["smallint", "integer", "bigint", "numeric"]
OPERANDS = {
    "int": [(str(i), WHOLE) for i in (0, 1, 2, 3, 4, 7, -5)]
    + [("5000000000", ["bigint", "numeric"]), ("2.5", ["numeric"]), ("NaN", ["numeric"])],
    "text": [(text, ["text", "varchar", "name"]) for text in ("k0", "k1", "k2", "k9", "é")]
    + [("", ["text", "varchar"])],
    "bytea": [("\\x00", ["bytea"]), ("\\x01", ["bytea"]), ("\\x", ["bytea"]), ("\\x77", ["bytea"])],
    "time": [
        ("2024-01-01 00:00+00", ["timestamptz", "date", "timestamp"]),
        ("2024-01-01 00:00:01+00", ["timestamptz", "timestamp"]),
        ("2024-01-01 00:00:01.5+00", ["timestamptz", "timestamp"]),
        ("infinity", ["timestamptz", "date", "timestamp"]),
    ],
}
DEFAULT_TYPE = {"int": "integer", "text": "text", "bytea": "bytea", "time": "timestamptz"}

# A local table and its columns by kind.
LOCAL = (
    "CREATE TABLE local AS SELECT g AS row, nullif(g % 6, 4) AS i, (g % 4)::smallint AS w, (g % 3)::bigint AS j,"
    " g / 2.0 AS q, nullif('k' || g % 4, 'k3') AS t, ('k' || g % 3)::varchar AS c, ('k' || g % 5)::name AS nm,"
    " ('\\x0' || g % 3)::bytea AS r, timestamptz '2024-01-01 00:00+00' + g % 4 * interval '500 ms' AS d,"
    " date '2024-01-01' AS e, array[g, g + 1, NULL]::bigint[] AS arr FROM generate_series(0, 4) g"
)
LOCAL_COLUMNS = {"int": ["i", "w", "j", "q"], "text": ["t", "c", "nm"], "bytea": ["r"], "time": ["d", "e"]}


class Operands:
    """Random values to compare keys with: literals, sub-selects, and $1, … for `parameters`, which are (value, type)."""

    def __init__(self, random):
        self.random = random
        self.parameters = []

    def choose(self, *of):
        return self.random.choice(of)

    def chance(self, probability):
        return self.random.random() < probability

    def value(self, text, type):
        """A typed literal, or a parameter."""
        if self.chance(0.3):
            self.parameters.append((text, type))
            return "$%d" % len(self.parameters)
        return literal(text, type)

    def scalar(self, kind):
        if self.chance(0.08):
            return self.value(None, DEFAULT_TYPE[kind])
        text, types = self.random.choice(OPERANDS[kind])
        operand = self.value(text, self.random.choice(types))
        if kind == "int" and self.chance(0.1):
            return "%s + 0" % operand
        return "(SELECT %s)" % operand if self.chance(0.1) else operand

    def array(self, kind):
        if self.chance(0.2):
            return "ARRAY(SELECT %s FROM local)" % self.choose(*LOCAL_COLUMNS[kind])
        if kind == "int" and self.chance(0.1):
            return "(SELECT arr FROM local WHERE row = 2)::bigint[]"
        type = self.random.choice(self.random.choice(OPERANDS[kind])[1])
        texts = [text for text, types in OPERANDS[kind] if type in types] + ["NULL"]
        elements = self.random.choices(texts, k=self.random.randint(0, 4))
        return self.value("{%s}" % ",".join(e and e.replace("\\", "\\\\") or '""' for e in elements), type + "[]")


class Query(Operands):
    """One random query: `sql`."""

    def __init__(self, random):
        super().__init__(random)
        shape = random.choice(SHAPES)
        self.sql = shape(self)
        # a filter that is a join itself may have to come before the join that gives the keys (join_collapse_limit)
        filter_is_join = "JOIN" in self.sql and "FROM local e" in self.sql
        self.names_keys = shape not in (join_tree, tree_in_exists) and not filter_is_join

    def table(self, *names):
        return self.random.choice(names or list(TABLES))

    def equality(self, key, kind, outer):
        """Binds one key; `outer`: columns of other tables by kind."""
        if outer.get(kind) and self.chance(0.7):
            other = self.random.choice(outer[kind])
            if other == "l.arr":
                return "%s = ANY (%s)" % (key, other)
            return self.choose(
                "%s = %s" % (key, other),
                "%s = %s" % (other, key),
                "%s IN (%s, %s)" % (key, other, self.scalar(kind)),
                "(%s = %s OR %s = %s)" % (key, other, key, self.scalar(kind)),
                "(%s = %s OR %s)" % (key, other, self.sub_select(key, kind)),
                "%s IS NOT DISTINCT FROM %s" % (key, other),
            )
        forms = [
            lambda: "%s = %s" % (key, self.scalar(kind)),
            lambda: "%s = %s" % (self.scalar(kind), key),
            lambda: "%s IN (%s, %s)" % (key, self.scalar(kind), self.scalar(kind)),
            lambda: "%s = ANY (%s)" % (key, self.array(kind)),
            lambda: "%s IS NOT DISTINCT FROM %s" % (key, self.scalar(kind)),
            lambda: "(%s = %s) IS TRUE" % (key, self.scalar(kind)),
            lambda: "NOT (%s <> %s)" % (key, self.scalar(kind)),
            lambda: "(%s = %s OR %s)" % (key, self.scalar(kind), self.sub_select(key, kind)),
            lambda: "%s IS TRUE" % self.sub_select(key, kind),
        ]
        return self.random.choice(forms)()

    def sub_select(self, key, kind):
        """Where PostgreSQL makes no join of it, as in an OR, it is a plan of its own."""
        column = self.choose(*LOCAL_COLUMNS[kind])
        form = self.choose("({0} IN (SELECT {1} FROM local{2}))", "({0} = ANY (SELECT {1} FROM local{2}))")
        return form.format(key, column, self.choose("", " WHERE row < 3", " LIMIT 2", " WHERE false"))

    def condition(self, alias, keys, outer=None, depth=0):
        """Binds these keys (name: (type, kind)) of a table, in some shape; may filter as well."""
        outer = outer or {}
        names = list(keys)
        if depth < 3 and self.chance(0.25):
            return "(%s)" % " OR ".join(
                self.condition(alias, keys, outer, depth + 1) for _ in range(self.random.randint(2, 3))
            )
        if len(names) > 1 and not outer and self.chance(0.2):
            rows = ["(%s)" % ", ".join(self.scalar(keys[name][1]) for name in names) for _ in range(2)]
            return "(%s) IN (%s)" % (", ".join("%s.%s" % (alias, name) for name in names), ", ".join(rows))
        parts = self.equalities(alias, keys, outer)
        while self.chance(0.3):
            parts.append(self.filter(alias))
        if names and self.chance(0.15):
            name = self.random.choice(names)
            parts.append(self.condition(alias, {name: keys[name]}, outer, depth + 1))
        self.random.shuffle(parts)
        return "(%s)" % " AND ".join(parts or ["true"])

    def equalities(self, alias, keys, outer):
        """One for each key, and some between keys of a kind in place of the second one's."""
        parts = []
        bound = {}
        for name, (_, kind) in keys.items():
            column = "%s.%s" % (alias, name)
            if kind in bound and self.chance(0.4):
                parts.append("%s = %s" % self.random.choice([(column, bound[kind]), (bound[kind], column)]))
            else:
                parts.append(self.equality(column, kind, outer))
                bound[kind] = column
        return parts

    def filter(self, alias):
        return self.choose(
            "{0}.n IS NULL",
            "{0}.s > 's1'",
            "coalesce({0}.s, 'x') <> 's1'",
            "{0}.n IN (1, 2)",
            "random() < 2 AND {0}.n IS DISTINCT FROM 3",
            "({0} IS NOT NULL)",
            "EXISTS (SELECT FROM local e WHERE e.i = {0}.n)",
            "{0}.n IN (SELECT e.w FROM local e)",
            "NOT ({0}.n > 1)",
        ).format(alias)

    def where(self, table, alias="f", outer=None):
        return self.condition(alias, TABLES[table], outer)

    def columns(self, table):
        if TABLES[table] and self.chance(0.2):
            return ", ".join("f." + key for key in TABLES[table])
        return self.choose("f.*", "f", "count(f.*)", "f.s", "f.n, f.s", "count(*), max(f.n)")


def literal(text, type):
    return "NULL::" + type if text is None else "'%s'::%s" % (text.replace("'", "''"), type)


def of_local():
    """Columns of the local table, "l", for conditions of another one."""
    outer = {kind: ["l." + column for column in columns] for kind, columns in LOCAL_COLUMNS.items()}
    outer["int"].append("l.arr")
    return outer


def of_table(table):
    """Columns of a table, "f", likewise."""
    outer = {"int": ["f.n"], "text": ["f.s"]}
    for key, (_, kind) in TABLES[table].items():
        outer.setdefault(kind, []).append("f." + key)
    return outer


# Shapes of queries.


def plain(q):
    table = q.table()
    return "SELECT %s FROM %s f WHERE %s" % (q.columns(table), table, q.where(table))


def wrapped(q):
    inner = plain(q)
    return q.choose(
        "SELECT count(*) FROM ({0} LIMIT 2) q",
        "SELECT DISTINCT * FROM ({0}) q",
        "SELECT * FROM ({0} OFFSET 0) q",
        "{0} UNION ALL {0}",
        "WITH w AS MATERIALIZED ({0}) SELECT * FROM w, w w2",
        "WITH w AS NOT MATERIALIZED ({0}) SELECT * FROM w, w w2",
    ).format(inner)


def locked(q):
    table = q.table()
    return "SELECT f.* FROM %s f WHERE %s FOR UPDATE" % (table, q.where(table))


def join(q):
    table = q.table()
    kind = q.choose("JOIN", "LEFT JOIN")
    return "SELECT l.row, f.* FROM local l %s %s f ON %s" % (kind, table, q.where(table, "f", of_local()))


def unneeded_join(q):
    """A table that only says how often a row comes, or nothing at all if it is joined by its whole key."""
    table = q.table()
    bound = q.equalities("f", TABLES[table], of_local()) or ["true"]
    while q.chance(0.4):
        bound.append(q.filter("f"))
    on = q.choose(" AND ".join(bound), q.where(table, "f", of_local()))
    rows = lambda columns: "SELECT %s FROM local l LEFT JOIN %s f ON %s" % (columns, table, on)
    return q.choose(
        rows("l.row"),
        rows("count(*)"),
        rows("l.*") + " ORDER BY l.row",
        rows("DISTINCT l.w"),
        rows("l.t, count(*)") + " GROUP BY l.t",
        rows("l.row") + " LEFT JOIN small g ON g.id = l.i",
        rows("l.row") + " LEFT JOIN small g ON g.id = f.n",
        rows("g.n") + " LEFT JOIN small g ON g.id = l.w",
        "SELECT o.row FROM local o WHERE EXISTS (%s WHERE l.i = o.w)" % rows(""),
        "SELECT f.* FROM one f LEFT JOIN (%s) l ON l.row = f.n WHERE f.id IN (1, 2)" % rows("l.row"),
    )


def grouped(q):
    """Columns that depend on the key."""
    table = q.table()
    by = ", ".join(["f.%s" % key for key in TABLES[table]] + ["f.n", "f.s"])
    return "SELECT %s, count(*), max(l.row) FROM local l %s %s f ON %s GROUP BY %s" % (
        by,
        q.choose("JOIN", "LEFT JOIN"),
        table,
        q.where(table, "f", of_local()),
        by,
    )


def two_joins(q):
    first, second = q.table("one", "two", "small"), q.table()
    outer = q.choose(of_local(), of_table(first))
    return "SELECT l.row, f.*, g.* FROM local l %s %s f ON %s %s %s g ON %s" % (
        q.choose("JOIN", "LEFT JOIN"),
        first,
        q.where(first, "f", of_local()),
        q.choose("JOIN", "LEFT JOIN"),
        second,
        q.where(second, "g", outer),
    )


def self_join(q):
    table = q.table("one", "two", "same")
    return "SELECT f.n, g.* FROM %s f %s %s g ON %s WHERE %s" % (
        table,
        q.choose("JOIN", "LEFT JOIN"),
        table,
        q.where(table, "g", of_table(table)),
        q.where(table),
    )


def join_tree(q):
    """Joins of all kinds in any shape, with conditions on some of the tables that may hold for others."""
    tables = []
    sql, _ = branch(q, tables, q.random.randint(2, 4))
    conditions = [narrow(q, *q.random.choice(tables)) for _ in range(q.random.randint(0, 2))]
    aliases = ", ".join(alias + ".*" for alias, _ in tables)
    where = "WHERE " + " AND ".join(conditions) if conditions else ""
    return "SELECT %s FROM %s %s" % (q.choose(aliases, aliases, "count(*)"), sql, where)


def tree_in_exists(q):
    tables = []
    sql, columns = branch(q, tables, q.random.randint(1, 3))
    clauses = equalities(q, columns, columns_of("l", "local")) + [narrow(q, *tables[0])]
    return "SELECT l.row FROM local l WHERE l.i = ANY (%s) AND %s (SELECT FROM %s WHERE %s)" % (
        q.array("int"),
        q.choose("EXISTS", "NOT EXISTS"),
        sql,
        " AND ".join(clauses),
    )


def branch(q, tables, leaves):
    """A table, or a join of so many; what it is called is added to `tables`. Its text and its columns by kind."""
    if leaves == 1:
        table = q.choose("one", "one", "small", "small", "two", "same", "local", "local")
        alias = "t%d" % len(tables)
        tables.append((alias, table))
        return "%s %s" % (table, alias), columns_of(alias, table)
    right_leaves = q.random.randint(1, leaves - 1)
    left, left_columns = branch(q, tables, leaves - right_leaves)
    left_end = len(tables)
    right, right_columns = branch(q, tables, right_leaves)
    kind = q.choose("JOIN", "LEFT JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
    on = equalities(q, right_columns, left_columns) or ["true"]
    if kind != "FULL JOIN" and q.chance(0.5):
        on.append(narrow(q, *q.random.choice(tables[left_end:])))
    elif kind != "FULL JOIN" and q.chance(0.3):
        on.append(narrow(q, *q.random.choice(tables[-leaves:])))
    both = {k: left_columns.get(k, []) + right_columns.get(k, []) for k in set(left_columns) | set(right_columns)}
    return "(%s %s %s ON %s)" % (left, kind, right, " AND ".join(on)), both


def columns_of(alias, table):
    """The columns that a table is joined by, by kind: keys first, and repeated since they matter most."""
    if table == "local":
        return {kind: [alias + "." + column for column in columns] for kind, columns in LOCAL_COLUMNS.items()}
    columns = {}
    for key, (_, kind) in TABLES[table].items():
        columns.setdefault(kind, []).append("%s.%s" % (alias, key))
    return columns


def equalities(q, some, others):
    """Columns of one side equal to columns of the other one."""
    pairs = [(column, kind) for kind, columns in some.items() if others.get(kind) for column in columns]
    if len(pairs) > 3:
        pairs = q.random.sample(pairs, 3)
    return ["%s = %s" % (column, q.random.choice(others[kind])) for column, kind in pairs if q.chance(0.9)]


def narrow(q, alias, table):
    """A condition on some columns that tables are joined by, with values that joins may carry to other tables."""
    columns = [(column, kind) for kind, columns in columns_of(alias, table).items() for column in columns]
    parts = []
    for column, kind in q.random.sample(columns, q.random.randint(1, min(3, len(columns)))):
        one = lambda: "%s = %s" % (column, q.scalar(kind))
        many = lambda: "%s = ANY (%s)" % (column, q.array(kind))
        either = lambda: "(%s OR %s)" % (one(), q.choose(one, many)())
        partly = lambda: "(%s AND %s OR %s)" % (one(), q.filter(alias) if table != "local" else "true", many())
        parts.append(q.choose(many, many, either, partly, lambda: q.sub_select(column, kind))())
    return "(%s)" % q.choose(" AND ", " AND ", " AND ", " OR ").join(parts)


def full_join(q):
    table = q.table()
    return "SELECT l.row, f.* FROM local l FULL JOIN (SELECT * FROM %s f WHERE %s) f ON f.n = l.i" % (
        table,
        q.where(table),
    )


def semi_join(q):
    table = q.table()
    return "SELECT l.row FROM local l WHERE %s (SELECT FROM %s f WHERE %s)" % (
        q.choose("EXISTS", "NOT EXISTS"),
        table,
        q.where(table, "f", of_local()),
    )


def key_in_select(q):
    column = q.choose(*LOCAL_COLUMNS["int"])
    return "SELECT f.* FROM one f WHERE f.id IN (SELECT %s FROM local) AND %s" % (column, q.filter("f"))


def lateral(q):
    table = q.table()
    return "SELECT l.row, f.* FROM local l %s (SELECT * FROM %s f WHERE %s ORDER BY f::text LIMIT %d) f ON true" % (
        q.choose("JOIN LATERAL", "LEFT JOIN LATERAL"),
        table,
        q.where(table, "f", of_local()),
        q.choose(1, 100),
    )


def sub_select(q):
    table = q.table()
    return "SELECT l.row, (SELECT %s FROM %s f WHERE %s) FROM local l" % (
        q.choose("count(*)", "max(f.n)", "min(f.s)"),
        table,
        q.where(table, "f", of_local()),
    )


def recursive(q):
    return (
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT r.n + 1 FROM r JOIN one f ON %s WHERE r.n < 6)"
        " SELECT * FROM r" % q.where("one", "f", {"int": ["r.n"]})
    )


def view(q):
    return "SELECT %s FROM one_view f WHERE %s" % (q.choose("f.*", "f.n", "count(*)"), q.where("one"))


def barrier_view(q):
    """Only equality, which does not leak, so that it passes the barrier."""
    return "SELECT f.* FROM two_barrier f WHERE %s" % " AND ".join(
        "f.%s = %s" % (name, q.value(q.choose(*choices), type))
        for name, type, choices in (("a", "integer", ("1", "2")), ("b", "text", ("k0", "k1")))
    )


SHAPES = [plain, plain, plain, wrapped, locked, join, join, unneeded_join, unneeded_join, grouped, two_joins, self_join, full_join, semi_join]
SHAPES += [key_in_select, lateral, sub_select, recursive, view, barrier_view]

# These may ask for a table without naming its keys: then an error is right.
SHAPES += [join_tree] * 6 + [tree_in_exists] * 2
