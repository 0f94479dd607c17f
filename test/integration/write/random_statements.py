"""Random statements that write, and programs of them: what test_random_statements.py runs.

They name objects of random_world.py.  Keys of a program lie between `base` and `base` + 39, those that it writes itself
below `base` + 20; the rest is for triggers and functions.  Each row written can be told from all others.
"""

# What can be inserted into, and the table where the rows go.
WRITABLE = {
    "one": "one", "low": "one", "lower": "one", "two": "two", "by_rule": "two", "defaulted": "defaulted",
    "triggered": "triggered", "parent": "parent", "part1": "parent", "by_trigger": "by_trigger",
}  # fmt: skip

# How a statement is executed; see Runner in test_random_statements.py.
WAYS = ["plain"] * 6 + ["prepared", "explain", "create as", "copy", "loop", "declare", "refcursor", "string"]


class Step:
    """One thing to do in a program."""

    def __init__(self, way, sql, has_rows=True, number=0):
        self.way = way
        self.sql = sql
        self.has_rows = has_rows
        self.number = number  # of rows to fetch, where not all are

    def __repr__(self):
        return "%s: %s" % (self.way, self.sql)


class Statements:
    """A source of random programs."""

    def __init__(self, random):
        self.random = random
        self.rows = 0
        self.base = 0
        self.taken = set()  # tables of the statement: WITH promises no order, and DynamoDB has no snapshots
        self.catches = False  # does the program survive an error of its own?

    def choose(self, *of):
        return self.random.choice(of)

    def chance(self, probability):
        return self.random.random() < probability

    def program(self, base):
        """Steps that are a transaction or several."""
        self.base = base
        self.catches = False
        if self.chance(0.04):
            return [Step("plain", "CALL put_and_commit(%s, %s)" % (self.id(), self.text()), has_rows=False)]
        if self.chance(0.7):
            return [self.step(alone=True)]
        return self.block()

    def block(self):
        """Statements between BEGIN and its end, with savepoints."""
        steps = [Step("plain", "BEGIN", has_rows=False)]
        savepoints = 0
        for _ in range(self.random.randint(1, 5)):
            if self.chance(0.2):
                savepoints += 1
                steps.append(Step("plain", "SAVEPOINT s%d" % savepoints, has_rows=False))
            elif savepoints and self.chance(0.3):
                where = self.choose("ROLLBACK TO s%d", "ROLLBACK TO s%d", "RELEASE s%d") % savepoints
                savepoints -= where.startswith("RELEASE")
                steps.append(Step("plain", where, has_rows=False))
            else:
                steps.append(self.step(alone=False))
        steps.append(Step("plain", self.choose("COMMIT", "COMMIT", "COMMIT", "ROLLBACK"), has_rows=False))
        if any(step.way == "declare" and step.number % 2 for step in steps):
            steps.append(Step("fetch", "", number=2))  # from a cursor that was held
        return steps

    def step(self, alone):
        way = self.random.choice(WAYS)
        kinds = [self.insert_statement, self.insert_statement, self.with_statement, self.call]
        self.taken = set()
        sql, has_rows = self.choose(*(kinds if way != "declare" or self.chance(0.1) else kinds[-1:]))()
        if not has_rows and way in ("create as", "copy", "loop"):
            way = "plain"
        if alone and way in ("declare", "refcursor"):
            way = "prepared"
        return Step(way, sql, has_rows, number=self.random.randint(0, 3))

    # Values.

    def id(self):
        return self.base + self.random.randint(0, 9) + self.choose(0, 0, 10)

    def text(self):
        self.rows += 1
        return "'r%d'" % self.rows

    def number(self):
        return self.choose(*range(12), *range(16), "NULL")

    def number_of(self, g):
        """An integer made of column `g`; it may fail at some row."""
        division = "10 / (%s - %d)" % (g, self.random.randint(-20, 9))
        return self.choose(g, "%s %% 5" % g, "NULL", "12", str(self.number()), division)

    # INSERT.

    def target(self, table, id, n, s):
        """Columns and expressions for a row of a table, of those for a row of "one"."""
        if table == "two":
            return "(a, b, n, s)", "%s, 'k' || (%s) %% 3, %s, %s" % (id, id, n, s)
        if table == "part1":
            return "(id, n, s)", "%s / 4 * 4 + 1, %s, %s" % (id, n, s)
        if self.chance(0.15):
            return "(id, s)", "%s, %s" % (id, s)
        if table == "defaulted" and self.chance(0.3):
            return "(id)", "%s" % id
        return self.choose("(id, n, s)", ""), "%s, %s, %s" % (id, n, s)

    def insert(self, returning, source=None):
        """INSERT without a WITH; `source`: a query with columns id and s."""
        table = self.random.choice(self.free())
        self.taken.add(WRITABLE[table])
        columns, query = self.from_rows(table) if source is None else self.from_query(table, source)
        sql = "INSERT INTO %s %s %s" % (table, columns, query)
        return sql + (" RETURNING %s" % self.returning(table) if returning else "")

    def free(self):
        """What the statement may still insert into."""
        return [table for table, base in WRITABLE.items() if base not in self.taken]

    def returning(self, table):
        id = "a::bigint AS id" if table == "two" else "id"
        if self.chance(0.2):
            return "%s, s, peek(%s)" % (id, id.split("::")[0])
        return self.choose("%s, s", "%s, s, n", "%s, upper(s) AS s").replace("%s", id)

    def from_rows(self, table):
        kind = self.choose("values", "values", "series", "series", "source", "read")
        if kind == "values":
            rows = []
            for _ in range(self.choose(1, 1, 2, 3, 5)):
                id = "NULL::bigint" if self.chance(0.01) else self.choose("%d", "%d", "put(%d, 'v')") % self.id()
                rows.append((id, self.number(), self.text()))
            # all rows have the same columns
            state = self.random.getstate()
            made = []
            for row in rows:
                self.random.setstate(state)
                made.append(self.target(table, *row))
            return made[0][0], "VALUES " + ", ".join("(%s)" % values for _, values in made)
        if kind == "series":
            query = "SELECT %d + g %% %d AS id, %s || g AS s, g FROM generate_series(1, %d) g" % (
                self.base, self.choose(3, 5, 10, 19), self.text(), self.choose(0, 1, 3, 8, 20, 30),
            )  # fmt: skip
        elif kind == "source":
            query = "SELECT %d + g AS id, %s || t AS s, g FROM source WHERE %s" % (
                self.base, self.text(), self.choose("true", "g > 9", "g % 2 = 0", "put(%d + g, t) > 0" % self.base),
            )  # fmt: skip
        elif table == "defaulted" or "defaulted" in self.taken:
            query = "SELECT %d AS id, %s AS s, 1 AS g" % (self.id(), self.text())
        else:
            self.taken.add("defaulted")
            query = "SELECT id + 1 AS id, %s || s AS s, n AS g FROM defaulted WHERE id = ANY (ARRAY[%d, %d, %d])" % (
                self.text(), self.id(), self.id(), self.id(),
            )  # fmt: skip
            return self.from_query(table, query + " ORDER BY id", "g")
        return self.from_query(table, query + self.choose("", "", " ORDER BY g DESC", " LIMIT 4"), "g")

    def from_query(self, table, query, g="length(q.s)"):
        columns, values = self.target(table, "q.id", self.number_of(g), "q.s")
        return columns, "SELECT %s FROM (%s) q" % (values, query)

    def insert_statement(self):
        returning = self.chance(0.5)
        return self.insert(returning), returning

    def with_statement(self):
        """Modifications in WITH, of which not all are read, or not to the end."""
        ctes = []
        names = []
        if self.chance(0.95):  # WITH does not know rules with ALSO
            self.taken.add("two")
        for i in range(self.random.randint(1, 4)):
            returning = self.chance(0.75)
            source = None
            if not self.free():
                break
            if names and self.chance(0.5):
                source = "SELECT id, %s || s AS s FROM %s" % (self.text(), self.random.choice(names))
                source += self.choose("", "", " LIMIT 1", " WHERE false", " WHERE s LIKE '%2'")
            if names and self.chance(0.1):
                ctes.append("w%d AS (SELECT id, s || 'q' AS s FROM %s)" % (i, self.random.choice(names)))
                names.append("w%d" % i)
                continue
            ctes.append("w%d AS (%s)" % (i, self.insert(returning, source)))
            if returning:
                names.append("w%d" % i)
        name = self.random.choice(names) if names else "source"
        main = self.choose(
            "SELECT 1", "SELECT 1 WHERE false", "SELECT * FROM {0} LIMIT 1", "SELECT count(*) FROM {0}",
            "SELECT * FROM {0}", "SELECT EXISTS (SELECT FROM {0})", "SELECT * FROM {0} a, {0} b LIMIT 3", "INSERT", "INSERT",
        )  # fmt: skip
        has_rows = True
        if main == "INSERT" and not self.free():
            main = "SELECT count(*) FROM {0}"
        elif main == "INSERT":
            has_rows = self.chance(0.5)
            source = "SELECT id, %s || s AS s FROM %s" % (self.text(), name) if names and self.chance(0.7) else None
            main = self.insert(has_rows, source)
        return "WITH %s %s" % (", ".join(ctes), main.format(name)), has_rows

    # Functions.

    def call(self):
        """A SELECT of functions that write."""
        id, text, many = self.id(), self.text(), self.choose(1, 3, 6)
        series = "generate_series(1, %d) g" % many
        if self.chance(0.1):
            self.catches = True
            return "SELECT try_put(%d, %s)" % (id, text), True
        if self.chance(0.04):
            return "INSERT INTO log (what) VALUES ('at commit') RETURNING 1", True
        function = self.choose("put", "put_sql", "put_both", "put_into")
        one = "%s(%d + g, %s || g)" % (function, self.base, text)
        set = "%s(%d, %d, %s)" % (self.choose("put_set", "put_each", "put_then_set"), self.base, many, text)
        return (
            self.choose(
                "SELECT %s FROM %s" % (one, series),
                "SELECT %s FROM %s LIMIT 2" % (one, series),
                "SELECT g FROM %s WHERE %s IS NOT NULL" % (series, one),
                "SELECT g FROM %s WHERE g > 2 AND %s IS NULL OR g = 1" % (series, one),
                "SELECT * FROM %s" % set,
                "SELECT * FROM %s LIMIT 1" % set,
                "SELECT %s LIMIT 1" % set,
                "SELECT (SELECT count(*) FROM %s), g FROM %s" % (set, series),
                "SELECT peek(%d), * FROM %s f" % (self.base + 1, set),
                "SELECT put_unread(%d, %s) FROM %s" % (id, text, series),
                "SELECT EXISTS (SELECT * FROM %s)" % set,
                "SELECT * FROM %s LEFT JOIN LATERAL put_sql(%d + g, %s || g) ON g > 1" % (series, self.base, text),
            ),
            True,
        )
