"""Random edits of a registry and DDL of users, and after each apply the schema is what the model says.

The seed is fixed, so that a failure comes again; RANDOM_APPLIES="SEED NUMBER" tries others.
"""

import copy
import json
import os
import random

import pytest

import apply_model as model
from applied import COLUMNS, actions, apply, apply_fails, comment, functions, structure, tables
from small_registry import projection, registry, service, view
from support import remote_tables

SEED, NUMBER = map(int, (os.environ.get("RANDOM_APPLIES") or "1 20").split())
KINDS = {"INT64": "bigint", "STRING": "text", "FLOAT": "real", "BOOL": "boolean", "STRING_LIST": "text[]", "JSON": "jsonb"}
TAGS = [{}, {"team": "ml"}, {"team": "ops"}, {"team": "ml", "größe": "ü/2", "a b": ""}]
RESULTS = (
    "SELECT name, format_type(type, NULL) FROM pg_proc, unnest(proargnames, proallargtypes, proargmodes)"
    " a(name, type, mode) WHERE pronamespace = 'feast'::regnamespace AND proname = %s AND mode = 't'"
)


class Sequence:
    """A registry and a schema that both change."""

    def __init__(self, session, project, chance):
        self.session, self.project, self.chance = session, project, chance
        self.views, self.services, self.schema = {}, {}, model.Schema()
        self.made = 0

    def new_name(self, kind):
        self.made += 1
        return "%s%d" % (kind, self.made)

    def pick(self, what):
        return self.chance.choice(sorted(what))

    def kind(self):
        return self.chance.choice(list(KINDS))

    def run(self, sql):
        self.session.run(sql)

    # Edits of the registry.

    def add_view(self):
        features = {self.new_name("f"): self.kind() for _ in range(self.chance.randint(1, 4))}
        self.views[self.new_name("view")] = model.View(features, self.chance.choice(["", "it's one"]))

    def remove_view(self):
        name = self.pick(self.views)
        del self.views[name]
        for service_name in list(self.services):
            left = [one for one in self.services[service_name] if one[0] != name]
            self.services[service_name] = left
            if not left:
                del self.services[service_name]

    def add_feature(self):
        name = self.new_name("f")
        # one that a user's own column has already
        own = [one.feature for table in self.schema.tables.values() for one in table.columns.values() if not one.ours]
        view_name = self.pick(self.views)
        table = self.schema.table_of(view_name)
        if own and table and self.chance.random() < 0.5:
            mine = [one.feature for one in self.schema.tables[table].columns.values() if not one.ours]
            name = self.chance.choice(mine) if mine else name
        self.views[view_name].features[name] = self.kind()

    def remove_feature(self):
        of = self.views[self.pick(self.views)]
        if len(of.features) > 1:
            gone = self.pick(of.features)
            del of.features[gone]
            for name, projections in list(self.services.items()):
                left = [(one, [feature for feature in features if feature != gone]) for one, features in projections]
                self.services[name] = [(one, features) for one, features in left if features]
                if not self.services[name]:
                    del self.services[name]

    def change_type(self):
        of = self.views[self.pick(self.views)]
        of.features[self.pick(of.features)] = self.kind()

    def toggle(self):
        of = self.views[self.pick(self.views)]
        of.disabled = not of.disabled

    def describe(self):
        self.views[self.pick(self.views)].description = self.chance.choice(["", "\\ new", "$$ \" other %"])

    def tag(self):
        self.views[self.pick(self.views)].tags = self.chance.choice(TAGS)

    def change_service(self):
        name = self.new_name("service") if not self.services or self.chance.random() < 0.4 else self.pick(self.services)
        chosen = self.chance.sample(sorted(self.views), min(len(self.views), self.chance.randint(1, 3)))
        self.services[name] = []
        for one in chosen:
            features = self.views[one].features
            some = self.chance.sample(list(features), self.chance.randint(1, len(features)))
            self.services[name].append((one, [feature for feature in features if feature in some]))

    def remove_service(self):
        if self.services:
            del self.services[self.pick(self.services)]

    # What users do.

    def own_column(self):
        table, name, kind = self.pick(self.schema.tables), self.new_name("f"), self.kind()
        self.run("ALTER FOREIGN TABLE feast.%s ADD %s %s" % (table, name, KINDS[kind]))
        self.schema.tables[table].columns[name] = model.Column(name, kind, False)

    def rename_table(self):
        table, new = self.pick(self.schema.tables), self.new_name("view")
        self.run("ALTER FOREIGN TABLE feast.%s RENAME TO %s" % (table, new))
        self.schema.rename_table(table, new)

    def rename_column(self):
        table = self.pick(self.schema.tables)
        if self.schema.tables[table].columns:
            name, new = self.pick(self.schema.tables[table].columns), self.new_name("f")
            self.run("ALTER FOREIGN TABLE feast.%s RENAME %s TO %s" % (table, name, new))
            self.schema.rename_column(table, name, new)

    def drop_table(self):
        table = self.pick(self.schema.tables)
        self.run("DROP FOREIGN TABLE feast.%s CASCADE" % table)
        self.schema.drop_table(table)

    def own_comment(self):
        table = self.pick(self.schema.tables)
        self.run("COMMENT ON FOREIGN TABLE feast.%s IS 'mine'" % table)
        self.schema.tables[table].comment = "mine"

    def own_tags(self):
        """Others than the registry's, or none."""
        table = self.pick(self.schema.tables)
        tags = self.chance.choice(TAGS)
        self.set_tags(table, json.dumps(tags) if tags else None)
        self.schema.tables[table].tags = tags

    def rewrite_tags(self):
        """The same in another order and spacing."""
        tagged = [name for name, table in self.schema.tables.items() if table.tags]
        if tagged:
            table = self.pick(tagged)
            tags = self.schema.tables[table].tags
            self.set_tags(table, json.dumps(dict(reversed(tags.items())), indent=1))

    def set_tags(self, table, value):
        there = "tags" in self.options(table)
        if there or value:
            verb = ("SET" if there else "ADD") if value else "DROP"
            text = "" if value is None else "'%s'" % value
            self.run("ALTER FOREIGN TABLE feast.%s OPTIONS (%s tags %s)" % (table, verb, text))

    def options(self, table):
        found = self.session.value("SELECT ftoptions FROM pg_foreign_table WHERE ftrelid = %s::regclass", ["feast." + table])
        return dict(option.split("=", 1) for option in found)

    def own_function(self):
        if self.schema.functions:
            name = self.pick(self.schema.functions)
            self.run("DROP FUNCTION feast.%s" % name)
            self.run("CREATE FUNCTION feast.%s() RETURNS integer LANGUAGE sql RETURN 1" % name)
            self.schema.functions[name] = model.Function([], set(), ours=False)

    def drop_function(self):
        if self.schema.functions:
            name = self.pick(self.schema.functions)
            self.run("DROP FUNCTION feast.%s" % name)
            del self.schema.functions[name]

    # Steps.

    def edit(self):
        of_registry = [self.add_view, self.remove_view, self.add_feature, self.remove_feature, self.change_type,
                       self.change_type, self.toggle, self.describe, self.tag, self.tag, self.change_service, self.change_service,
                       self.remove_service]  # fmt: skip
        of_users = [self.own_column, self.rename_table, self.rename_column, self.drop_table, self.own_comment,
                    self.own_tags, self.rewrite_tags, self.own_function, self.drop_function]  # fmt: skip
        if not self.views:
            return self.add_view()
        return self.chance.choice(of_registry if not self.schema.tables or self.chance.random() < 0.7 else of_users)()

    def registry(self):
        protos = {
            name: view(self.project, name, one.features, disabled=one.disabled, description=one.description, tags=one.tags)
            for name, one in self.views.items()
        }
        made = [
            service(self.project, name, [projection(protos[one], features) for one, features in projections])
            for name, projections in self.services.items()
        ]
        return registry(self.project, *protos.values(), *made)

    def step(self):
        for _ in range(self.chance.randint(1, 4)):
            self.edit()
        bytes = self.registry().SerializeToString()
        prune = self.chance.random() < 0.5
        after = copy.deepcopy(self.schema)
        try:
            must, may = model.apply(after, self.views, self.services, prune)
        except model.Refused:
            return self.refused(bytes)
        remote = remote_tables(self.project)
        before = structure(self.session, "-n", "feast") if self.chance.random() < 0.3 else None
        planned = apply(self.session, bytes, dry_run=True, prune=prune)
        assert remote_tables(self.project) == remote
        if before:
            self.session.run("BEGIN")
            apply(self.session, bytes, prune=prune)
            self.session.run("ROLLBACK")
            assert structure(self.session, "-n", "feast") == before
            assert remote_tables(self.project) == remote
        done = apply(self.session, bytes, prune=prune)
        assert [row for row in planned if row[0] != "remote table"] == done
        got = actions(done)
        assert len(got) == len(set(got)) and must <= set(got) <= must | may, (set(got) ^ must, prune)
        self.schema = after
        self.check()
        again = apply(self.session, bytes, prune=prune)
        assert all(row[2] == "none" for row in again), again

    def refused(self, bytes):
        """Only pruning may drop the function."""
        before = structure(self.session, "-n", "feast")
        for dry_run in (True, False):
            assert apply_fails(self.session, bytes, dry_run=dry_run).sqlstate == "2BP01"
        assert structure(self.session, "-n", "feast") == before

    def check(self):
        """The catalogs against the model."""
        assert tables(self.session) == sorted(self.schema.tables)
        for name, table in self.schema.tables.items():
            got = {column: kind for column, kind, _ in self.session.run(COLUMNS, ["feast." + name])}
            wanted = {column: KINDS[one.kind] for column, one in table.columns.items()}
            assert got == {"driver_id": "bigint", "event_timestamp": "timestamp with time zone", **wanted}
            assert comment(self.session, "feast." + name) == table.comment
            assert json.loads(self.options(name).get("tags", "{}")) == table.tags
        ours = sorted(name for name, one in self.schema.functions.items() if one.ours)
        assert functions(self.session) == ours
        for name in ours:
            wanted = [(result, KINDS[kind]) for result, kind in self.schema.functions[name].results]
            assert self.session.run(RESULTS, [name]) == wanted
            assert self.session.run("SELECT * FROM feast.%s(ARRAY[1])" % name)[0][0] == 1
        assert remote_tables(self.project) == sorted(table.view for table in self.schema.tables.values())


@pytest.mark.parametrize("seed", range(SEED, SEED + NUMBER))
def test_sequence(feast, project, seed):
    sequence = Sequence(feast, project, random.Random(seed))
    for _ in range(6):
        sequence.step()
