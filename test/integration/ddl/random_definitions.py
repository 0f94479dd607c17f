"""A model of what CREATE and ALTER accept, and random statements: what test_random_definitions.py runs."""

import copy
from dataclasses import dataclass, field

# Types: can be a feature, can be a key, and a value as SQL with what SELECT shows.
TYPES = {
    "integer": (True, True, "7"),
    "bigint": (True, True, "8"),
    "text": (True, True, "'text'"),
    "timestamptz": (True, True, "'2024-01-02 03:04:05+00'"),
    "real": (True, False, "0.5"),
    "boolean": (True, False, "true"),
    "uuid": (True, False, "'6f1b8c1e-9d54-4c8e-8a57-2b5c5c8f1a11'"),
    "integer[]": (True, False, "'{1,2}'"),
    "jsonb": (True, False, "'[{\"a\": 1}, null]'"),
    "json[]": (True, False, "ARRAY['{\"a\":1}', 'null']::json[]"),
    "point": (False, False, "'(1,2)'"),
    "xml": (False, False, "'<a/>'"),
    "interval": (False, False, "'1 day'"),
    "money": (False, False, "1"),
}
# ALTER TYPE that the server does without USING.
CASTS = {"integer": ["bigint", "real", "text", "money"], "bigint": ["integer", "text", "money"], "text": ["text"],
         "real": ["integer", "text"], "uuid": ["text"], "xml": ["text"], "point": ["text"]}  # fmt: skip
# The types that an option value_type 'JSON_LIST' goes with.
JSON_LISTS = ["jsonb", "json[]"]
NAMES = ["a", "b", "c", "d", "e", "f"]


@dataclass
class Column:
    name: str
    type: str
    options: dict = field(default_factory=dict)

    @property
    def role(self):
        for option in ("entity_key", "event_timestamp"):
            if self.options.get(option) == "true":
                return option
        return "feature"

    @property
    def remote_name(self):
        return self.options.get("name", self.name)

    def good(self):
        feature, key, _ = TYPES[self.type]
        if "value_type" in self.options and self.type not in JSON_LISTS:
            return False
        if self.role == "event_timestamp":
            return self.type == "timestamptz"
        return key if self.role == "entity_key" else feature


@dataclass
class Table:
    """A foreign table; `parent` is the table whose ALTER reaches it."""

    name: str
    parent: str = None
    entityless: bool = False
    columns: list = field(default_factory=list)

    def find(self, name):
        return next((column for column in self.columns if column.name == name), None)

    def of(self, role):
        return [column for column in self.columns if column.role == role]

    def has_keys(self):
        return self.entityless or bool(self.of("entity_key"))

    def consistent(self):
        """What even a half-made table must be."""
        return len(self.of("event_timestamp")) <= 1 and not (self.entityless and self.of("entity_key"))

    def same_name(self, column):
        """Another column that would be the same attribute in DynamoDB."""
        return column.role != "event_timestamp" and any(
            other is not column and other.role == column.role and other.remote_name == column.remote_name
            for other in self.columns
        )

    def usable(self):
        columns = [column for column in self.columns if column.role != "feature"]
        return (
            self.consistent()
            and self.has_keys()
            and all(column.good() for column in columns)
            and not any(self.same_name(column) for column in self.columns)
        )


def option_sql(options, verb=""):
    return "OPTIONS (%s)" % ", ".join("%s%s '%s'" % (verb, name, value) for name, value in options.items())


def column_sql(column):
    return "%s %s%s" % (column.name, column.type, " " + option_sql(column.options) if column.options else "")


class Model:
    """The tables as they must be by now, and random statements on them."""

    def __init__(self, chooser):
        self.chooser = chooser
        self.tables = {}

    def random_type(self, good=0.8):
        types = [name for name, (feature, _, _) in TYPES.items() if feature == (self.chooser.random() < good)]
        return self.chooser.choice(types or list(TYPES))

    def random_options(self):
        return self.chooser.choice(
            [{}, {}, {}, {"entity_key": "true"}, {"event_timestamp": "true"}, {"name": self.chooser.choice(NAMES)},
             {"value_type": "JSON_LIST"}]
        )  # fmt: skip

    def random_column(self, name):
        options = self.random_options()
        fitting = "value_type" in options and self.chooser.random() < 0.8
        return Column(name, self.chooser.choice(JSON_LISTS) if fitting else self.random_type(), options)

    def reached(self, name):
        """Tables that ALTER of `name` reaches."""
        return [table for table in self.tables.values() if name in (table.name, table.parent)]

    def create(self, name):
        """CREATE of a table on its own: statement, and whether it is accepted."""
        names = self.chooser.sample(NAMES, self.chooser.randint(1, 4))
        table = Table(name, None, self.chooser.random() < 0.2, [self.random_column(name) for name in names])
        sql = "CREATE FOREIGN TABLE %s (%s) SERVER feast %s" % (
            name,
            ", ".join(map(column_sql, table.columns)),
            option_sql({"entityless": str(table.entityless).lower(), "create_remote_table": "false"}),
        )
        accepted = table.usable() and all(column.good() for column in table.columns)
        if accepted:
            self.tables[name] = table
        return sql, accepted

    def alter(self):
        """A random ALTER; (statement, whether it is accepted, whether the checks are to be off)."""
        return self.chooser.choice(
            [self.add_column, self.add_column, self.drop_column, self.change_type, self.change_option,
             self.change_option, self.change_entityless, self.smuggle_column]
        )()  # fmt: skip

    def try_on(self, tables, change, touched, added=False):
        """Does it to copies, and to the tables if that is accepted."""
        copies = [copy.deepcopy(table) for table in tables]
        for table in copies:
            change(table)
        accepted = all(
            table.consistent()
            and (column is None or (column.good() and not (added and table.same_name(column))))
            for table in copies
            for column in [table.find(touched) if touched else None]
        )
        if accepted:
            self.tables.update((table.name, table) for table in copies)
        return accepted

    def somewhere(self):
        """A table to alter: a foreign one, or a parent."""
        names = {table.name for table in self.tables.values() if table.parent is None}
        return self.chooser.choice(sorted(names | {table.parent for table in self.tables.values() if table.parent}))

    def add_column(self):
        where = self.somewhere()
        name = self.chooser.choice(NAMES)
        column = self.random_column(name)
        if where not in self.tables:
            column.options = {}
        if any(table.find(name) for table in self.reached(where)):
            return None
        accepted = self.try_on(
            self.reached(where), lambda table: table.columns.append(copy.deepcopy(column)), name, added=True
        )
        return "ALTER TABLE %s ADD COLUMN %s" % (where, column_sql(column)), accepted, False

    def smuggle_column(self):
        where = self.somewhere()
        name = self.chooser.choice(NAMES)
        if any(table.find(name) for table in self.reached(where)):
            return None
        column = Column(name, self.random_type(0))
        for table in self.reached(where):
            table.columns.append(copy.deepcopy(column))
        return "ALTER TABLE %s ADD COLUMN %s" % (where, column_sql(column)), True, True

    def drop_column(self):
        where = self.somewhere()
        tables = self.reached(where)
        names = [column.name for column in tables[0].columns if column.name != "id"]
        if not names:
            return None
        name = self.chooser.choice(names)
        for table in tables:
            table.columns.remove(table.find(name))
        return "ALTER TABLE %s DROP COLUMN %s" % (where, name), True, False

    def change_type(self):
        where = self.somewhere()
        tables = self.reached(where)
        columns = [column for column in tables[0].columns if column.name != "id" and column.type in CASTS]
        if not columns:
            return None
        column = self.chooser.choice(columns)
        type = self.chooser.choice(CASTS[column.type])

        def change(table):
            table.find(column.name).type = type

        accepted = self.try_on(tables, change, column.name)
        return "ALTER TABLE %s ALTER COLUMN %s TYPE %s" % (where, column.name, type), accepted, False

    def change_option(self):
        table = self.chooser.choice(list(self.tables.values()))
        if not table.columns:
            return None
        column = self.chooser.choice(table.columns)
        name = self.chooser.choice(["entity_key", "entity_key", "event_timestamp", "name", "value_type"])
        value = {"name": self.chooser.choice(NAMES), "value_type": "JSON_LIST"}.get(name, "true")
        verb = self.chooser.choice(["SET", "DROP"]) if name in column.options else "ADD"
        sql = "ALTER FOREIGN TABLE %s ALTER COLUMN %s " % (table.name, column.name)
        sql += "OPTIONS (DROP %s)" % name if verb == "DROP" else option_sql({name: value}, verb + " ")

        def change(copied):
            options = copied.find(column.name).options
            if verb == "DROP":
                del options[name]
            else:
                options[name] = value

        both = {**column.options, name: value}
        if verb == "ADD" and both.get("entity_key") == both.get("event_timestamp") == "true":
            return sql, False, False  # the validator's
        return sql, self.try_on([table], change, column.name), False

    def change_entityless(self):
        table = self.chooser.choice(list(self.tables.values()))

        def change(copied):
            copied.entityless = not copied.entityless

        value = "false" if table.entityless else "true"
        return (
            "ALTER FOREIGN TABLE %s OPTIONS (SET entityless '%s')" % (table.name, value),
            self.try_on([table], change, None),
            False,
        )
