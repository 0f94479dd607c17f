"""Random joins of some outer rows with feature views by their keys: what test_random_joins.py runs.

A query names views without a schema: it is run on foreign and on plain tables by the search_path.
"""

from join_world import COLUMNS, NOT_UNIQUE, OUTER_TABLES, SQL_VIEWS, VIEWS
from outer_rows import OUTERS, Block, columns_of, outer_select, outer_table, outer_unnest, outer_values, view_columns
from random_queries import OPERANDS, Operands, literal

# What a key may be compared with, made of a column.
EXPRESSIONS = {
    "int": ["{0} + 0", "({0})::numeric", "{0} % 4", "coalesce({0}, 3)", "nullif({0}, 1)", "abs({0})", "- - {0}"]
    + ["CASE WHEN {0} > 1 THEN {0} END", "same(({0} % 7)::bigint)", "(({0} % 7)::int)::small_id"],
    "text": ["{0} || ''", "lower({0})", "({0})::text", "({0})::varchar", "coalesce({0}, 'k1')", '{0} COLLATE "C"']
    + ["nullif({0}, 'k1')", "({0})::varchar(1)"],
    "bytea": ["{0} || ''::bytea", "coalesce({0}, '\\x00')"],
    "time": ["{0} + interval '0'", "({0})::timestamptz", "({0})::timestamp", "date_trunc('second', {0})"],
}
# The same, but these name no key for every row.
NO_KEYS = {"int": ["unsteady(({0} % 7)::bigint)", "(SELECT {0})"], "text": ["{0} COLLATE any_case"]}


class Join(Operands):
    """One random query and how to run it.

    sql        with $1, … for the parameters
    after      a query that shows what a statement which writes has done, or None
    other      other values for the parameters
    ordered    the order of its rows is given
    strict     each view has at most one row for an outer row
    writes     it changes tables
    locks      it is FOR UPDATE or the like
    """

    def __init__(self, random):
        super().__init__(random)
        self.other = []
        self.after = None
        self.ordered = False
        self.strict = False
        self.writes = False
        self.locks = False
        self.aliases = 0
        self.sql = random.choice(SHAPES)(self)

    def value(self, text, type):
        before = len(self.parameters)
        sql = super().value(text, type)
        if len(self.parameters) > before:
            self.other.append((self.another(text, type), type))
        return sql

    def another(self, text, type):
        """Another value of a type; arrays turn around."""
        if type.endswith("[]"):
            return "{%s}" % ",".join(reversed(text[1:-1].split(","))) if text else text
        texts = [other for values in OPERANDS.values() for other, types in values if type in types]
        return self.random.choice(texts + [None])

    def alias(self, letter="v"):
        self.aliases += 1
        return "%s%d" % (letter, self.aliases)

    def maybe(self, probability, text, otherwise=""):
        return text if self.chance(probability) else otherwise


# Conditions of joins.


def key_value(q, kind, columns):
    """An expression over columns for a key."""
    if not columns.get(kind) or q.chance(0.12):
        return q.scalar(kind)
    column = q.random.choice(columns[kind])
    if kind in NO_KEYS and q.chance(0.01):
        return q.choose(*NO_KEYS[kind]).format(column)
    return q.choose(*EXPRESSIONS[kind]).format(column) if q.chance(0.25) else column


def equality(q, key, kind, columns):
    value = key_value(q, kind, columns)
    if q.strict or q.chance(0.85):
        return q.choose("%s = %s", "%s = %s", "NOT (%s <> %s)") % q.choose((key, value), (value, key))
    forms = ["{0} IN ({1})", "{0} = ANY (ARRAY[{1}])", "{0} IS NOT DISTINCT FROM {1}", "{0} IN ({1}, {2})"]
    forms += ["({0} = {1} OR {0} = {2})", "({0} = {1}) IS TRUE"]
    if kind == "int":
        forms += ["({0})::numeric = {1}", "({0})::bigint = {1}"]
    return q.choose(*forms).format(key, value, key_value(q, kind, columns))


def key_conditions(q, alias, view, columns):
    """An equality for each key; some are given by a constant, or by another key."""
    parts = []
    bound = {}
    for key, (_, kind) in VIEWS[view].items():
        name = "%s.%s" % (alias, key)
        if kind in bound and q.chance(0.15):
            parts.append("%s = %s" % (name, bound[kind]))
        else:
            parts.append(equality(q, name, kind, columns))
            bound[kind] = name
    q.random.shuffle(parts)
    return parts


def filter_of(q, alias, columns):
    """A condition over features of a view, or over outer columns, or over both."""
    ints = columns.get("int") or ["1"]
    texts = columns.get("text") or ["'k1'"]
    return q.choose(
        "{0}.n IS NULL",
        "{0}.n IS NOT NULL",
        "{0}.n > 0",
        "{0}.s > 'k0'",
        "coalesce({0}.n, 1) = 1",
        "coalesce({0}.s, 'x') <> 'k1'",
        "({0}.n > 1) IS NOT TRUE",
        "{0} IS NOT NULL",
        "NOT ({0} IS NULL)",
        "{0}::text LIKE '%1%'",
        "{1} > 1",
        "{1} IS NOT NULL",
        "{0}.n <> {1}",
        "{0}.n < {1} + 2",
        "{0}.s IS DISTINCT FROM {2}",
        "({0}.n = 1 OR {1} = 2)",
        "EXISTS (SELECT FROM local e WHERE e.i = {0}.n)",
        "{0}.n IN (SELECT e.w FROM local e)",
        "{0}.n NOT IN (SELECT e.w FROM local e WHERE e.w = {1})",
        "{0}.n < (SELECT max(e.row) FROM local e WHERE e.j = {1})",
        "{0}.m >= (SELECT min(e.row) FROM local e)",
        "EXISTS (SELECT FROM by_int8 f WHERE f.id = {0}.n)",
        "(SELECT f.n FROM by_text f WHERE f.k = {2}) > 0",
        "unsteady({0}.n) < 3",
        "leak('view', {0}.n)",
        "true",
        "false",
        q.value("t", "bool"),
        "{0}.n < %s" % q.value("3", "integer"),
    ).format(alias, q.random.choice(ints), q.random.choice(texts))


def above_outer_join(q, alias, columns):
    """A condition that rows may meet which a LEFT JOIN has made NULL: it stays above it."""
    return q.choose(
        "({0}.n IS NULL OR {0}.n > 1)",
        "coalesce({0}.n, 1) = 1",
        "coalesce({0}.s, 'x') <> 'k1'",
        "({0}.n > 1) IS NOT TRUE",
        "{0}.s IS DISTINCT FROM 'k0'",
        "({0}.n IS NULL) = ({1} > 1)",
        "{0}.n IS DISTINCT FROM {1}",
        "NOT ({0} IS NOT NULL AND {0}.n > 0)",
        "coalesce({0}.n, -1) NOT IN (SELECT e.w FROM local e WHERE e.w > 1)",
        "leak('view', coalesce({0}.n, 0))",
    ).format(alias, q.random.choice(columns.get("int") or ["1"]))


def on(q, alias, view, columns):
    """An ON clause that binds the keys."""
    parts = key_conditions(q, alias, view, columns)
    while q.chance(0.2):
        parts.append(filter_of(q, alias, columns))
    if view == "secret" and q.chance(0.5):
        parts.append("leak('secret', %s.n)" % alias)
    q.random.shuffle(parts)
    return " AND ".join(parts or ["true"])


# Joins.


SELDOM = ["fenced", "secret"]  # no key of a join reaches their table


def pick_view(q):
    often = [view for view in VIEWS if view not in SELDOM] * 3 + ["by_int8", "by_text", "by_two", "defaults"] * 2
    return q.random.choice([view for view in often + SELDOM if not (q.strict and view in NOT_UNIQUE)])


def one_view(q, block):
    """Joins one view, most often by LEFT JOIN."""
    view, alias = pick_view(q), q.alias()
    columns = block.columns if q.chance(0.3) else block.outer
    kind = q.choose("LEFT JOIN", "LEFT JOIN", "LEFT JOIN", "JOIN", "JOIN")
    block.sql += " %s %s %s ON %s" % (kind, view, alias, on(q, alias, view, columns))
    block.add_view(alias, view)


def nested_views(q, block):
    """Joins views that are joined with each other first, the second by features of the first."""
    first, second = q.choose("by_int8", "by_text", "by_two", "defaults"), pick_view(q)
    a, b = q.alias(), q.alias()
    inner = on(q, b, second, view_columns(a, first) if q.chance(0.7) else block.outer)
    kind = q.choose("LEFT JOIN", "JOIN")
    if any(name in inner for names in block.outer.values() for name in names):
        inner = on(q, b, second, view_columns(a, first))
    sql = "(%s %s %s %s %s ON %s)" % (first, a, kind, second, b, inner)
    block.sql += " %s %s ON %s" % (q.choose("LEFT JOIN", "JOIN"), sql, on(q, a, first, block.outer))
    block.add_view(a, first)
    block.add_view(b, second)


def local_table(q, block):
    """Joins another local table in between; its rows are used as well."""
    alias = q.alias("k")
    block.sql += " %s local %s ON %s.row = %s" % (
        q.choose("LEFT JOIN", "JOIN"), alias, alias, q.random.choice(block.columns["int"])
    )  # fmt: skip
    for kind, names in columns_of(alias).items():
        block.columns[kind] = block.columns.get(kind, []) + names
        block.outer[kind] = block.outer.get(kind, []) + names


def lateral_view(q, block):
    """Joins a LATERAL sub-select over a view."""
    view, alias, inner = pick_view(q), q.alias(), q.alias("x")
    tail = q.choose("", "", " OFFSET 0", " LIMIT 1", " ORDER BY n, s, m")
    if " LIMIT" in tail and not q.strict:
        tail = ""
    block.sql += " %s (SELECT %s.* FROM %s %s WHERE %s%s) %s ON %s" % (
        q.choose("CROSS JOIN LATERAL", "LEFT JOIN LATERAL", "JOIN LATERAL"),
        inner, view, inner, on(q, inner, view, block.columns), tail, alias, q.maybe(0.2, alias + ".n > 0", "true"),
    )  # fmt: skip
    block.sql = block.sql.replace("CROSS JOIN LATERAL", "JOIN LATERAL")
    block.add_view(alias, view)


def semi_join(q, block):
    """EXISTS, IN, NOT EXISTS, NOT IN over a view."""
    view, alias = pick_view(q), q.alias("x")
    keys = VIEWS[view]
    if keys and all(block.outer.get(kind) for _, kind in keys.values()) and q.chance(0.4):
        outer = ", ".join(q.random.choice(block.outer[kind]) for _, kind in keys.values())
        names = ", ".join("%s.%s" % (alias, key) for key in keys)
        where = q.maybe(0.3, " WHERE " + filter_of(q, alias, block.outer))
        block.where.append("(%s) IN (SELECT %s FROM %s %s%s)" % (outer, names, view, alias, where))
    else:
        block.where.append(
            "%s (SELECT FROM %s %s WHERE %s)"
            % (q.choose("EXISTS", "NOT EXISTS"), view, alias, on(q, alias, view, block.outer))
        )


def two_roots(q, block):
    """Joins another join of local rows with a view, by the rows."""
    alias, other, view = q.alias("k"), q.alias(), pick_view(q)
    inner = on(q, other, view, columns_of(alias))
    block.sql = "(%s) %s (local %s %s %s %s ON %s) ON %s.row = l.row" % (
        block.sql, q.choose("JOIN", "LEFT JOIN"), alias, q.choose("JOIN", "LEFT JOIN"), view, other, inner, alias
    )  # fmt: skip
    block.add_view(other, view)


STEPS = [one_view] * 12 + [nested_views, nested_views, local_table, lateral_view, lateral_view, semi_join, semi_join]


def block(q, outer=None, strict=False):
    """Some outer rows joined with one to ten views."""
    q.strict = q.strict or strict
    result = (outer or q.random.choice(OUTERS))(q)
    many = "many" in result.sql or "unnest" in result.sql
    for _ in range(q.choose(1, 1, 1, 2, 2, 3) if many else q.choose(1, 1, 1, 2, 2, 3, 4, 5, 10)):
        q.random.choice(STEPS)(q, result)
    if not result.views or q.chance(0.1) and "(" not in result.sql[:1]:
        one_view(q, result)
    if q.chance(0.08) and result.base:
        two_roots(q, result)
    while q.chance(0.35):
        alias, _ = q.random.choice(result.views)
        above = above_outer_join if q.chance(0.6) else filter_of
        result.where.append(above(q, alias, result.columns))
    if q.chance(0.08) and result.views:
        alias, view = q.random.choice(result.views)
        result.where += ["%s.%s IS NULL" % (alias, key) for key in list(VIEWS[view])[:1]]
    if "guarded" in result.sql and q.chance(0.5):
        result.where.append("leak('secret', l.n)")
    if "policed" in result.sql and q.chance(0.5):
        result.where.append("leak('policed', l.row)")
    return result


def select_list(q, result):
    """Columns of some views: single ones, keys, whole rows, their table."""
    items = ["l.row"] if "l.row" in result.text() or result.base or q.chance(0.8) else []
    if result.views and result.views[0][0] == "l":
        items = ["l.id"]
    for alias, view in result.views:
        forms = ["{0}.n", "{0}.s", "{0}.m", "{0}.*", "{0}", "row_to_json({0}.*)", "{0} IS NULL", "{0}.*::text"]
        forms += ["coalesce({0}.n, 0) + 1", "(SELECT {0}.n)", "{0}.n" if q.locks else "count({0}.n) OVER ()"]
        forms += ["{0}.%s" % key for key in VIEWS[view]] * 2
        if "LATERAL" not in result.sql and view not in SQL_VIEWS:
            forms.append("{0}.tableoid::regclass")
        if q.chance(0.75):
            items.append(q.choose(*forms).format(alias))
    return ", ".join(items or ["1"])


# Shapes of queries.


def select(q):
    result = block(q)
    return "SELECT %s FROM %s" % (select_list(q, result), result.text())


def filtered(q):
    """Left joins, and conditions above them."""
    result = q.choose(outer_table, outer_select, outer_unnest)(q)
    for _ in range(q.choose(1, 2, 3)):
        view, alias = pick_view(q), q.alias()
        result.sql += " LEFT JOIN %s %s ON %s" % (view, alias, on(q, alias, view, result.outer))
        result.add_view(alias, view)
        result.where.append(above_outer_join(q, alias, result.columns))
    return "SELECT %s FROM %s" % (select_list(q, result), result.text())


def sorted_rows(q):
    """Rows in the order of the outer rows, and some of them."""
    result = block(q, q.choose(outer_table, outer_unnest), strict=True)
    q.ordered = True
    limit = q.choose("", "", " LIMIT 1", " LIMIT 5", " LIMIT 40", " LIMIT 7 OFFSET 3")
    return "SELECT %s FROM %s ORDER BY l.row%s%s" % (
        select_list(q, result), result.text(), q.maybe(0.2, " DESC"), limit
    )  # fmt: skip


def wrapped(q):
    inner = select(q)
    return q.choose(
        "SELECT count(*) FROM ({0}) q",
        "SELECT q::text, count(*) FROM ({0}) q GROUP BY 1",
        "SELECT DISTINCT q::text FROM ({0}) q",
        "SELECT q::text FROM ({0} OFFSET 0) q",
        "SELECT q::text FROM ({0}) q UNION ALL SELECT q::text FROM ({0}) q",
        "SELECT q::text FROM ({0}) q EXCEPT SELECT q::text FROM ({1}) q",
        "SELECT q::text, row_number() OVER (PARTITION BY q::text) FROM ({0}) q",
        "WITH w AS MATERIALIZED ({0}) SELECT w::text FROM w UNION ALL SELECT w::text FROM w",
        "WITH w AS NOT MATERIALIZED ({0}) SELECT w::text FROM w UNION ALL SELECT w::text FROM w",
        "WITH w AS MATERIALIZED ({0}) SELECT o.row, (SELECT count(*) FROM w) FROM local o",
    ).format(inner, select(q))


def grouped(q):
    result = block(q)
    alias, _ = q.random.choice(result.views)
    row = "l.id" if result.views[0][0] == "l" else "l.row"
    return q.choose(
        "SELECT {0}.n, count(*), sum({1}) FROM {2} GROUP BY {0}.n",
        "SELECT {0}.s, max({0}.n) FROM {2} GROUP BY ROLLUP ({0}.s) HAVING count(*) > 1",
        "SELECT count({0}.n), count(DISTINCT {0}.s), sum({0}.m) FILTER (WHERE {0}.n > 0) FROM {2}",
        "SELECT {1}, rank() OVER (PARTITION BY {0}.n ORDER BY {1}) FROM {2}",
    ).format(alias, row, result.text())


def correlated(q):
    """A join that is run again for each row of an outer query, whose columns are keys, too."""
    q.strict = True
    result = block(q, q.choose(outer_table, outer_values, outer_unnest))
    alias, view = q.alias(), q.choose("by_int8", "by_two", "defaults", "by_text")
    scope = {kind: names + result.outer.get(kind, []) for kind, names in columns_of("o").items()}
    result.sql += " LEFT JOIN %s %s ON %s" % (view, alias, on(q, alias, view, scope))
    result.add_view(alias, view)
    if q.chance(0.6):
        result.where.append(q.choose("l.i = o.i", "l.row <= o.row", "l.i IS DISTINCT FROM o.w"))
    return q.choose(
        "SELECT o.row, (SELECT count({0}.n) FROM {1}) FROM local o",
        "SELECT o.row, ARRAY(SELECT {0}.n FROM {1} ORDER BY 1) FROM local o",
        "SELECT o.row FROM local o WHERE EXISTS (SELECT {0}.n FROM {1})",
        "SELECT o.row, x.* FROM local o, LATERAL (SELECT l.row AS r, {0}.n, {0}.s FROM {1}) x",
        "SELECT o.row, x.* FROM local o LEFT JOIN LATERAL (SELECT {0}.n, {0}.s FROM {1} OFFSET 0) x ON true",
        "SELECT o.row, x.* FROM local o LEFT JOIN LATERAL"
        " (SELECT l.row AS r, {0}.n FROM {1} ORDER BY l.row, {0}.n LIMIT 2) x ON x.n = o.i",
        "SELECT o.row, x.* FROM local o CROSS JOIN LATERAL (SELECT count(*), max({0}.s) FROM {1}) x",
        "SELECT o.row, CASE WHEN o.i > 1 THEN (SELECT sum({0}.m) FROM {1}) END FROM local o",
    ).format(alias, result.text())


def from_view(q):
    """Rows of a view whose keys are those of other rows."""
    kind = q.choose("int", "int", "text")
    view = q.choose("by_int8", "by_int4", "by_domain", "again", "again_far", "parts") if kind == "int" else "by_text"
    key = "f.id" if kind == "int" else "f.k"
    column = q.choose(*COLUMNS[kind])
    table = q.choose(*OUTER_TABLES)
    condition = "l.w > 0" if q.chance(0.4) else "true"
    sub = q.choose(
        "{0} IN (SELECT l.{1} FROM {2} l WHERE {3})",
        "{0} = ANY (SELECT l.{1} FROM {2} l WHERE {3})",
        "EXISTS (SELECT FROM {2} l WHERE l.{1} = {0} AND {3})",
        "{0} IN (SELECT l.{1} FROM {2} l JOIN by_int4 g ON g.id = l.i WHERE {3})",
        "{0} = ANY (ARRAY(SELECT l.{1} FROM {2} l WHERE {3}))",
    ).format(key, column, table, condition)
    parts = [sub] + ([filter_of(q, "f", {})] if q.chance(0.4) else [])
    return "SELECT %s FROM %s f WHERE %s" % (q.choose("f.*", "f", "f.n, f.s", "count(*)"), view, " AND ".join(parts))


def other_side(q):
    """RIGHT and FULL JOIN, and a view written first."""
    view, alias = pick_view(q), q.alias()
    outer = outer_table(q)
    kind = q.choose("RIGHT JOIN", "RIGHT JOIN", "JOIN", "FULL JOIN")
    sql = "%s %s %s %s ON %s" % (view, alias, kind, outer.sql, on(q, alias, view, outer.outer))
    result = Block(sql, outer.columns)
    result.outer = outer.outer
    result.add_view(alias, view)
    if kind != "FULL JOIN":
        one_view(q, result)
    return "SELECT %s FROM %s" % (select_list(q, result), result.text())


def commas(q):
    """Inner joins written as a list, in any order."""
    items, where, views = ["%s l" % q.choose(*OUTER_TABLES)], [], []
    for _ in range(q.choose(1, 2, 3)):
        view, alias = pick_view(q), q.alias()
        columns = columns_of("l")
        if views and q.chance(0.4):
            columns = view_columns(*q.random.choice(views))
        where.append(on(q, alias, view, columns))
        items.append("%s %s" % (view, alias))
        views.append((alias, view))
    q.random.shuffle(items)
    result = Block(", ".join(items), columns_of("l"))
    result.views, result.where = views, where
    return "SELECT %s FROM %s" % (select_list(q, result), result.text())


def partitioned(q):
    """Tables of the same partitions, joined by what they are divided by."""
    result = Block("divided l %s parts v ON v.id = l.j" % q.choose("LEFT JOIN", "JOIN"), columns_of("l"), base=True)
    result.add_view("v", "parts")
    one_view(q, result)
    return "SELECT %s FROM %s" % (select_list(q, result), result.text())


def dropped_rows(q):
    """Keys that can't be computed for rows which a filter or another join drops."""
    view, alias, first = q.choose("by_int8", "by_int4", "defaults"), q.alias(), q.alias()
    table = q.choose("local", "many", "divided")
    return q.choose(
        "SELECT l.row, {0}.n FROM {1} l LEFT JOIN {2} {0} ON {0}.id = 6 / l.w WHERE l.w <> 0",
        "SELECT l.row, {0}.n FROM {1} l JOIN {2} {0} ON {0}.id = 6 / l.w WHERE l.w <> 0 AND {0}.n > 0",
        "SELECT l.row, {0}.n FROM (SELECT * FROM {1} WHERE w <> 0 OFFSET 0) l LEFT JOIN {2} {0} ON {0}.id = 6 / l.w",
        "SELECT l.row, {0}.n FROM {1} l JOIN by_int8 {3} ON {3}.id = l.i AND {3}.n <> 0 LEFT JOIN {2} {0}"
        " ON {0}.id = 6 / {3}.n",
        "SELECT l.row, {0}.n FROM {1} l JOIN by_int8 {3} ON {3}.id = l.i JOIN {2} {0} ON {0}.id = 6 / {3}.n"
        " WHERE {3}.n <> 0",
        "SELECT l.row, {0}.n FROM {1} l JOIN local k ON k.row = l.w AND k.w <> 0 LEFT JOIN {2} {0} ON {0}.id = 6 / k.w",
        "SELECT l.row, {0}.n FROM {1} l LEFT JOIN {2} {0} ON {0}.id = CASE WHEN l.w <> 0 THEN 6 / l.w END",
        "SELECT l.row, {0}.n FROM {1} l LEFT JOIN by_int8 {3} ON {3}.id = l.i LEFT JOIN {2} {0} ON {0}.id = 6 / l.w"
        " WHERE l.w > 0 AND {3}.n > 0",
    ).format(alias, table, view, first)


def recursive(q):
    result = block(q, lambda q: Block("r l", {"int": ["l.i", "l.row"], "text": ["l.t"]}), strict=True)
    alias, _ = q.random.choice(result.views)
    return (
        "WITH RECURSIVE r(row, i, t) AS (SELECT g, g::bigint, 'k' || g FROM generate_series(0, 4) g UNION ALL"
        " SELECT l.row + 1, coalesce(%s.n, l.i + 1)::bigint, coalesce(%s.s, l.t) FROM %s)"
        " SELECT * FROM r" % (alias, alias, result.text() + (" AND" if result.where else " WHERE") + " l.row < 6")
    )


def locked(q):
    result = block(q, outer_table)
    q.locks = True
    columns = select_list(q, result)
    return "SELECT %s FROM %s FOR %s OF l" % (columns, result.text(), q.choose("UPDATE", "SHARE", "KEY SHARE"))


def insert(q):
    q.writes = True
    return "INSERT INTO sink SELECT q::text FROM (%s) q RETURNING *" % select(q)


def write_first(q):
    """The outer rows are those that a statement in WITH wrote."""
    q.writes = True
    change = q.choose(
        "INSERT INTO target SELECT * FROM local RETURNING *",
        "UPDATE target SET i = 3 WHERE w = 1 RETURNING *",
        "DELETE FROM target WHERE w = 2 RETURNING *",
    )
    result = block(q, lambda q: Block("changed l", columns_of("l")))
    return "WITH changed AS (%s) SELECT %s FROM %s" % (change, select_list(q, result), result.text())


def update(q):
    q.writes = q.strict = True
    q.after = "SELECT * FROM target ORDER BY row"
    view, alias = q.choose("by_int8", "by_two", "by_text", "defaults", "again"), q.alias()
    if q.chance(0.5):
        condition = on(q, alias, view, columns_of("target"))
        source = "%s %s" % (view, alias)
    else:
        condition = "l.row = target.row AND " + on(q, alias, view, columns_of("l"))
        source = "local l, %s %s" % (view, alias)
    return q.choose(
        "UPDATE target SET i = {1}.n, t = {1}.s FROM {0} WHERE {2}",
        "UPDATE target SET i = {1}.n FROM {0} WHERE {2} RETURNING target.row, {1}.s",
        "DELETE FROM target USING {0} WHERE {2} RETURNING target.*",
        "UPDATE target SET i = (SELECT {1}.n FROM {0} WHERE {2})",
        "DELETE FROM target WHERE EXISTS (SELECT FROM {0} WHERE {2})",
    ).format(source, alias, condition)


def merge(q):
    q.writes = True
    q.after = "SELECT * FROM target ORDER BY row"
    result = block(q, lambda q: Block("local l", columns_of("l"), base=True), strict=True)
    alias, _ = q.random.choice(result.views)
    return (
        "MERGE INTO target USING (SELECT l.row, %s.n, %s.s FROM %s) x ON x.row = target.row"
        " WHEN MATCHED AND x.n > 2 THEN DELETE WHEN MATCHED THEN UPDATE SET i = x.n, t = x.s"
        " WHEN NOT MATCHED THEN INSERT (row, i, t) VALUES (x.row, x.n, x.s)" % (alias, alias, result.text())
    )


SHAPES = (
    [select] * 8
    + [filtered] * 4
    + [sorted_rows] * 4
    + [wrapped] * 3
    + [grouped] * 2
    + [correlated] * 4
    + [from_view] * 2
)
SHAPES += [
    other_side,
    commas,
    commas,
    partitioned,
    dropped_rows,
    recursive,
    locked,
    insert,
    write_first,
    update,
    update,
    merge,
]


def inlined(sql, parameters):
    """The statement with literals in place of its parameters."""
    for number in range(len(parameters), 0, -1):
        sql = sql.replace("$%d" % number, literal(*parameters[number - 1]))
    return sql
