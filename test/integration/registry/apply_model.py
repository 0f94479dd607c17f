"""What a schema must look like after dynamo_fdw_apply, by the rules of the README and nothing of its code.

All views have the key driver_id, and no two features have one name, so services have no names that collide.
"""

from dataclasses import dataclass, field


@dataclass
class View:
    features: dict  # name: kind
    description: str = ""
    disabled: bool = False
    tags: dict = field(default_factory=dict)


@dataclass
class Column:
    feature: str
    kind: str
    ours: bool
    comment: str = None


@dataclass
class Table:
    view: str
    columns: dict  # SQL name: Column
    comment: str = None
    tags: dict = field(default_factory=dict)


@dataclass
class Function:
    results: list  # (name, kind)
    tables: set  # views
    ours: bool = True
    renamed: bool = False  # a column of its tables has another name than when it was made


class Refused(Exception):
    """A function is in the way of a change of columns."""


@dataclass
class Schema:
    tables: dict = field(default_factory=dict)  # SQL name: Table
    functions: dict = field(default_factory=dict)

    def table_of(self, view):
        return next((name for name, table in self.tables.items() if table.view == view), None)

    def column_of(self, table, feature):
        return next((name for name, column in self.tables[table].columns.items() if column.feature == feature), None)

    # What users do.

    def drop_table(self, name):
        view = self.tables.pop(name).view
        self.functions = {name: one for name, one in self.functions.items() if view not in one.tables}

    def rename_table(self, name, new):
        self.tables[new] = self.tables.pop(name)

    def rename_column(self, table, name, new):
        columns = self.tables[table].columns
        columns[new] = columns.pop(name)
        for function in self.functions.values():
            function.renamed |= self.tables[table].view in function.tables


def apply(schema, views, services, prune):
    """Changes `schema`; returns (rows that must be told, rows that may be)."""
    rows, changed, gone = set(), set(), set()
    for name, view in sorted(views.items()):
        table = schema.table_of(name)
        if view.disabled:
            if table:
                rows.add(("foreign table", table, "none"))
        elif table:
            if change_table(schema, table, view, prune, rows):
                changed.add(name)
        elif name in schema.tables:
            rows.add(("foreign table", name, "none"))
        else:
            columns = {feature: Column(feature, kind, True) for feature, kind in view.features.items()}
            schema.tables[name] = Table(name, columns, tags=view.tags)
            rows.add(("foreign table", name, "create"))
        table = schema.table_of(name)
        if table and not view.disabled and view.description and schema.tables[table].comment != view.description:
            rows.add(("comment", table, "replace" if schema.tables[table].comment else "create"))
            schema.tables[table].comment = view.description
    for name in [name for name, table in schema.tables.items() if table.view not in views]:
        rows.add(("foreign table", name, "drop" if prune else "none"))
        if prune:
            gone.add(schema.tables[name].view)
    may = change_functions(schema, services, prune, changed, gone, rows)
    for view in gone:
        del schema.tables[schema.table_of(view)]
    return rows, may


def change_table(schema, table, view, prune, rows):
    """Columns of a table; whether functions over it had to give way."""
    columns = schema.tables[table].columns
    breaks = False
    if schema.tables[table].tags != view.tags:
        schema.tables[table].tags = view.tags
        rows.add(("foreign table", table, "alter"))
    for feature, kind in view.features.items():
        name = schema.column_of(table, feature)
        if name is None:
            name, number = feature, 2
            while name in columns:
                name, number = "%s_%d" % (feature, number), number + 1
            columns[name] = Column(feature, kind, True)
            rows.add(("column", "%s.%s" % (table, name), "add"))
        elif columns[name].kind != kind:
            ours = columns[name].ours
            rows.add(("column", "%s.%s" % (table, name), "alter" if ours else "none"))
            if ours:
                columns[name].kind = kind
                breaks = True
    for name in [name for name, one in columns.items() if one.ours and one.feature not in view.features]:
        rows.add(("column", "%s.%s" % (table, name), "drop" if prune else "none"))
        if prune:
            del columns[name]
            breaks = True
    return breaks


def results_of(schema, projections):
    """What a service returns; None: it can't be served, for want of a table, or of all features (added to a disabled view)."""
    results = []
    for view, features in projections:
        table = schema.table_of(view)
        if table is None:
            return None
        found = [(feature, schema.column_of(table, feature)) for feature in features]
        results += [(feature, schema.tables[table].columns[column].kind) for feature, column in found if column]
    return [("driver_id", "INT64"), *results] if results else None


def change_functions(schema, services, prune, changed, gone, rows):
    may = set()
    for name, projections in services.items():
        there = schema.functions.get(name)
        results = results_of(schema, projections)
        if results and there and not there.ours:
            rows.add(("function", name, "none"))
            continue
        if results is None:
            if there and there.ours:
                rows.add(("function", name, "none"))
            continue
        made = Function(results, {view for view, _ in projections})
        if there is None:
            rows.add(("function", name, "create"))
        elif (there.results, there.tables) != (made.results, made.tables):
            rows.add(("function", name, "replace"))
        elif there.renamed:
            may.add(("function", name, "replace"))
        schema.functions[name] = made
    for name, function in list(schema.functions.items()):
        if name in services or not function.ours:
            continue
        if function.tables & changed and not prune:
            raise Refused
        rows.add(("function", name, "drop" if prune else "none"))
        if prune:
            del schema.functions[name]
    return may
