"""Random statements that write, and programs of them: what test_random_statements.py runs.

They name objects of random_world.py.  Keys of a program lie between `base` and `base` + 39, those that it writes itself
below `base` + 20; the rest is for triggers and functions.  Each row written can be told from all others.
"""

# What can be inserted into, and the table where the rows go.
WRITABLE = {
    "one": "one", "low": "one", "lower": "one", "two": "two", "by_rule": "two", "defaulted": "defaulted",
    "triggered": "triggered", "parent": "parent", "part1": "parent", "by_trigger": "by_trigger", "moving": "moving",
}  # fmt: skip

# What can be changed, and the tables whose rows then change.
CHANGEABLE = {
    "one": ["one"], "low": ["one"], "lower": ["one"], "by_trigger": ["one"], "two": ["two"], "defaulted": ["defaulted"],
    "secure": ["defaulted"], "triggered": ["triggered", "one", "two"], "parent": ["parent"], "part1": ["parent"],
    "moving": ["moving"],
}  # fmt: skip
WITH_TRIGGERS = ["triggered", "by_trigger"]
VIEWS = ["low", "lower", "by_trigger", "secure"]

# How a statement is executed; see Runner in test_random_statements.py.
WAYS = ["plain"] * 6 + ["prepared", "explain", "create as", "copy", "loop", "declare", "refcursor", "string"]


class Step:
    """One thing to do in a program."""

    def __init__(self, way, sql, has_rows=True, number=0, changes=(), rows=()):
        self.way = way
        self.changes = set(changes)  # tables that UPDATE or DELETE in it may change, in any order of rows
        self.rows = rows  # of COPY
        self.sql = sql
        self.has_rows = has_rows
        self.number = number  # of rows to fetch, where not all are

    def __repr__(self):
        return "%s: %s %s" % (self.way, self.sql, self.rows or "")


class Statements:
    """A source of random programs."""

    def __init__(self, random):
        self.random = random
        self.rows = 0
        self.base = 0
        self.taken = set()  # tables of the statement: WITH promises no order, and DynamoDB has no snapshots
        self.catches = False  # does the program survive an error of its own?
        self.undone = False  # was a part of it rolled back?

    def choose(self, *of):
        return self.random.choice(of)

    def chance(self, probability):
        return self.random.random() < probability

    def program(self, base):
        """Steps that are a transaction or several."""
        self.base = base
        self.catches = self.undone = False
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
                self.undone = self.undone or where.startswith("ROLLBACK")
                steps.append(Step("plain", where, has_rows=False))
            else:
                steps.append(self.step(alone=False))
        steps.append(Step("plain", self.choose("COMMIT", "COMMIT", "COMMIT", "ROLLBACK"), has_rows=False))
        if any(step.way == "declare" and step.number % 2 for step in steps):
            steps.append(Step("fetch", "", number=2))  # from a cursor that was held
        return steps

    def step(self, alone):
        # where something stays that was rolled back in PostgreSQL, changes would tell
        if self.chance(0.5) and not self.undone and not self.catches:
            return self.change_step(alone)
        if self.chance(0.1):
            return self.copy_step()
        way = self.random.choice(WAYS)
        kinds = [self.insert_statement, self.insert_statement, self.with_statement, self.call]
        self.taken = set()
        sql, has_rows = self.choose(*(kinds if way != "declare" or self.chance(0.1) else kinds[-1:]))()
        if not has_rows and way in ("create as", "copy", "loop"):
            way = "plain"
        if alone and way in ("declare", "refcursor"):
            way = "prepared"
        return Step(way, sql, has_rows, number=self.random.randint(0, 3))

    # UPDATE and DELETE.

    def change_step(self, alone):
        way = self.random.choice([way for way in WAYS if way != "declare"])
        self.taken = set()
        sql, has_rows = self.choose(self.change_statement, self.change_statement, self.with_changes, self.change_call)()
        if not has_rows and way in ("create as", "copy", "loop", "refcursor") or alone and way == "refcursor":
            way = "prepared"
        return Step(way, sql, has_rows, number=1000, changes=self.taken)

    def change_statement(self):
        returning = self.chance(0.5)
        return self.change(returning), returning

    def change(self, returning):
        """UPDATE or DELETE without a WITH."""
        table = self.choose(*[t for t, tables in CHANGEABLE.items() if not self.taken.intersection(tables)])
        self.taken.update(CHANGEABLE[table])
        target = self.choose(table, table + " AS t")
        name = target.split()[-1]
        update = self.chance(0.6)
        source, where, joined = self.keys_of(table, name)
        if table == "moving" and update:
            assigned, also = self.move(name)
            where += also
        elif update:
            assigned = self.assignments(table, name, joined)
        if self.chance(0.2):
            where += self.choose(" AND {0}.n > 5", " AND {0}.n IS NOT NULL", " AND {0}.s LIKE '%1%'").format(name)
        sql = (
            "UPDATE %s SET %s%s WHERE %s" % (target, assigned, source and " FROM " + source, where)
            if update
            else "DELETE FROM %s%s WHERE %s" % (target, source and " USING " + source, where)
        )
        return sql + (" RETURNING %s" % self.changed(table, name) if returning else "")

    def keys_of(self, table, name):
        """A source or "", a condition that gives keys, and whether `q.t` is one value for each row."""
        id = "%s.%s" % (name, "a" if table == "two" else "id")
        also = ""
        if table == "two":
            also = self.choose(" AND {0}.b = 'k0'", " AND {0}.b IN ('k1', 'k2')", " AND {0}.b = ANY ('{{k0,k1,k2}}')")
            also = also.format(name)
        ids = ", ".join(str(self.id()) for _ in range(self.choose(1, 2, 3, 8)))
        some = self.choose("true", "g > 9", "g % 2 = 0", "g < 5")
        kinds = ["key", "key", "in", "any", "values"]
        if table != "secure":  # an addition may tell of a row before its view has let it pass
            kinds += ["select", "exists", "join"] + ["twice"] * (table not in WITH_TRIGGERS)
        kind = self.choose(*kinds)
        if kind == "key":
            return "", "%s = %d%s" % (id, self.id(), also), False
        if kind == "in":
            return "", "%s IN (%s)%s" % (id, ids, also), False
        if kind == "any":
            return "", "%s = ANY (ARRAY[%s]::bigint[])%s" % (id, ids, also), False
        if kind == "select":
            return "", "%s IN (SELECT %d + g FROM source WHERE %s)%s" % (id, self.base, some, also), False
        if kind == "exists":
            condition = "EXISTS (SELECT FROM source WHERE %d + g = %s AND %s)%s" % (self.base, id, some, also)
            return "", condition, False
        if kind == "join":
            return "source q", "%d + q.g = %s AND %s%s" % (self.base, id, some, also), True
        if kind == "twice":
            source = "(SELECT g / 2 AS g FROM source) q"
            return source, "%d + q.g = %s%s" % (self.base, id, also), False
        source = "(VALUES (%d, 'v'), (%d, 'w')) q (id, t)" % (self.base + 3, self.base + 5)
        return source, "q.id = %s%s" % (id, also), True

    def move(self, name):
        """Of "moving": assignments that take rows to a partition, and a condition; they stay in foreign ones.

        They come from one other partition alone: of two rows that move to one key, nobody says which wins.
        """
        to = self.choose(0, 1, 2, 3)
        return (
            self.choose("n = %d, s = {0}.s || %s", "s = %s || {0}.s, n = %d")
            .replace("%d", str(to))
            .replace("%s", self.text())
            .format(name),
            " AND %s.n IN (%d, %d)" % (name, self.choose(0, 1), to),
        )

    def assignments(self, table, name, joined):
        text, number = self.text(), str(self.number())
        division = "n = 10 / ({0}.n - %d)" % self.random.randint(-2, 12)
        columns = "{0}.%s" % ("a" if table == "two" else "id")
        kinds = [
            "s = %s", "s = {0}.s || %s", "s = %s, n = %n", "n = %n", "n = {0}.n + 1", "n = {0}.n + 1, s = {0}.s || {0}.n || %s",
            "(n, s) = (SELECT max(g), %s || min(t) FROM source WHERE g < {0}.n)", "(n, s) = ROW (%n, %s)",
            "s = (SELECT t FROM source WHERE g = {0}.n)", "s = coalesce({0}.s, 'null') || %s, n = NULL",
            "s = {0}.s || {0}::text", "s = %s || " + columns + "::text", division,
        ]  # fmt: skip
        if joined:
            kinds += ["s = q.t || %s", "s = {0}.s || q.t, n = length(q.t)"]
        if table not in VIEWS or table == "lower":
            kinds.append("n = DEFAULT, s = %s")
        if "one" not in self.taken:
            kinds.append("s = {0}.s || %s || coalesce(bump(" + columns + "), 0)")
        return self.choose(*kinds).replace("%s", text).replace("%n", number).format(name)

    def changed(self, table, name):
        """RETURNING of UPDATE or DELETE, with columns id and s."""
        id = "a::bigint AS id" if table == "two" else "%s.id" % name
        kinds = ["%s, {0}.s", "%s, {0}.s, {0}.n", "%s, upper({0}.s) AS s", "%s, {0}::text AS s", "%s, {0}.s, {0}.*"]
        if table not in VIEWS:
            kinds.append("%s, {0}.tableoid::regclass::text || {0}.s AS s")
        return self.choose(*kinds).replace("%s", id).format(name)

    def with_changes(self):
        """Changes in WITH, read or not."""
        ctes = []
        names = []
        for i in range(self.random.randint(1, 3)):
            if all(self.taken.intersection(tables) for tables in CHANGEABLE.values()):
                break
            returning = self.chance(0.7)
            ctes.append("w%d AS (%s)" % (i, self.change(returning)))
            names += ["w%d" % i] * returning
        free = [table for table in ("one", "defaulted", "parent") if table not in self.taken]
        if names and free and self.chance(0.4):
            table = self.choose(*free)
            self.taken.add(table)
            copy = "INSERT INTO %s (id, n, s) SELECT id, 12, max(s) || 'c' FROM %s GROUP BY id RETURNING id, s"
            ctes.append("w9 AS (%s)" % copy % (table, self.choose(*names)))
            names.append("w9")
        name = self.choose(*names) if names else "source"
        main = self.choose("SELECT 1", "SELECT count(*) FROM {0}", "SELECT * FROM {0}", "SELECT EXISTS (SELECT FROM {0})")
        return "WITH %s %s" % (", ".join(ctes), main.format(name)), True

    def change_call(self):
        """A SELECT of functions that change rows."""
        self.taken.update(["one", "two"])
        many = self.choose(1, 3, 10)
        one = "%s(%d + g)" % (self.choose("bump", "bump_sql", "drop_sql", "try_change"), self.base)
        return self.choose(
            "SELECT %s FROM generate_series(1, %d) g" % (one, many),
            "SELECT g FROM generate_series(1, %d) g WHERE %s IS NOT NULL" % (many, one),
            "SELECT * FROM change_each(%d, %d)" % (self.base, many),
            "SELECT * FROM change_each(%d, %d) LIMIT 1" % (self.base, many),
        ), True

    # COPY.

    def copy_step(self):
        table = self.choose("one", "two", "defaulted", "triggered", "parent", "part1", "by_trigger", "moving")
        columns, _ = ("(a, b, n, s)", "") if table == "two" else ("(id, n, s)", "")
        rows = []
        for _ in range(self.choose(0, 1, 3, 10, 30)):
            id = self.id()
            number = "x" if self.chance(0.005) else self.number()
            if table == "part1":
                id = id // 4 * 4 + 1
            number = None if number == "NULL" else number
            rows.append((id, *(["k%d" % (id % 3)] * (table == "two")), number, self.text().strip("'")))
        where = self.choose("", "", " WHERE n IS DISTINCT FROM 5")
        return Step("copy from", "COPY %s %s FROM STDIN%s" % (table, columns, where), False, rows=rows)

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
