"""The outer rows of random joins, called "l": tables, sub-selects, arrays, … See random_joins.py."""

from join_world import COLUMNS, OUTER_TABLES


class Block:
    """A FROM clause and conditions of WHERE, and what may be used above them."""

    def __init__(self, sql, columns, base=False):
        self.sql = sql
        self.columns = columns  # by kind
        self.outer = {kind: list(names) for kind, names in columns.items()}
        self.where = []
        self.views = []  # (alias, view)
        self.base = base  # the outer is a table "l" whose column "row" is unique

    def text(self):
        where = " WHERE " + " AND ".join(self.where) if self.where else ""
        return self.sql + where

    def add_view(self, alias, view):
        self.views.append((alias, view))
        for kind, names in view_columns(alias, view).items():
            self.columns[kind] = self.columns.get(kind, []) + names


def columns_of(alias):
    return {kind: ["%s.%s" % (alias, name) for name in names] for kind, names in COLUMNS.items()}


def view_columns(alias, view):
    """What keys of other views may come from: features."""
    return {"int": [alias + ".n", alias + ".m"], "text": [alias + ".s"]}


# Outer rows.


def outer_table(q):
    name = q.choose(*OUTER_TABLES, "local", "many")
    return Block("%s l" % name, columns_of("l"), base=True)


def outer_select(q):
    source = q.choose(
        "(SELECT * FROM many ORDER BY row LIMIT 50)",
        "(SELECT * FROM many WHERE row > 30 ORDER BY row DESC)",
        "(SELECT * FROM local UNION ALL SELECT * FROM many WHERE row < 30)",
        "(SELECT DISTINCT * FROM divided)",
        "(SELECT min(row) AS row, i, max(w) AS w, j, q, t, c, nm, r, d, e FROM many"
        " GROUP BY i, j, q, t, c, nm, r, d, e)",
        "(SELECT a.row, b.i, a.w, b.j, a.q, a.t, b.c, b.nm, a.r, a.d, a.e FROM local a"
        " LEFT JOIN many b ON b.row = a.i)",
        "(SELECT row, i, w, j, q, t, c, nm, r, d, e, sum(row) OVER (ORDER BY row) FROM local)",
        "(SELECT * FROM many TABLESAMPLE system (100))",
        "(SELECT * FROM local WHERE false)",
        "service",
        "guarded",
    )
    return Block("%s l" % source, columns_of("l"))


def outer_unnest(q):
    """The form of feature services."""
    ints = [q.choose("0", "1", "2", "3", "4", "-5", "7", "NULL") for _ in range(q.choose(0, 1, 3, 20, 45))]
    texts = [q.choose("k0", "k1", "k2", "k9", '""', "é", "NULL") for _ in ints]
    sql = "unnest(%s, %s) WITH ORDINALITY l(i, t, row)" % (
        q.value("{%s}" % ",".join(ints), q.choose("bigint[]", "integer[]")),
        q.value("{%s}" % ",".join(texts), q.choose("text[]", "varchar[]")),
    )
    return Block(sql, {"int": ["l.i"], "text": ["l.t"]})


def outer_values(q):
    source = q.choose(
        "(VALUES %s) l(row, i, t)" % ", ".join("(%d, %d::bigint, 'k%d')" % (n, n % 5, n % 3) for n in range(9)),
        "(SELECT g AS row, g %% 5 AS i, 'k' || g AS t FROM generate_series(%s::int, 5) g) l" % q.choose("0", "-5"),
        "(SELECT 1 AS row, %s AS i, %s AS t) l" % (q.value("2", "bigint"), q.value("k1", "text")),
    )
    return Block(source, {"int": ["l.i"], "text": ["l.t"]})


def outer_view(q):
    """Rows of a view that is asked for by keys."""
    alias = "l"
    view = q.choose("by_int8", "by_int4", "again", "again_far", "parts", "defaults")
    block = Block("%s l" % view, {"int": ["l.id", "l.n", "l.m"], "text": ["l.s"]})
    block.where.append("l.id = ANY (%s)" % q.array("int"))
    block.views.append((alias, view))
    return block


def outer_cte(q):
    inner = q.choose("SELECT * FROM many WHERE row < 40", "SELECT * FROM local", "SELECT * FROM divided WHERE w > 1")
    sql = "(WITH o AS %s (%s) SELECT * FROM o) l" % (q.choose("MATERIALIZED", "NOT MATERIALIZED"), inner)
    return Block(sql, columns_of("l"))


OUTERS = [outer_table] * 6 + [outer_select] * 2 + [outer_unnest] * 2 + [outer_values, outer_view, outer_cte]
