"""Random settings of foreign tables of two roles over the same remote tables: what test_random_settings.py runs.

World has the server, roles and sessions, and takes steps; settings_model.py says what they must lead to.
"""

import copy
import random
import secrets

import psycopg
from psycopg.pq import TransactionStatus

import faults
from settings_model import BITS, CAPACITIES, KNOWN, NEW, OPTIONS, Note, Part, Remote, Table
from settings_model import apply, changes_of, contradicts, made, shown_by, update, wanted
from settings_trouble import trouble
from settings_values import Values
from support import ACCESS_KEY, KEY, SECRET_KEY, Session, dynamodb, option_list

NAMES = 3  # remote names
TABLES = 3  # foreign tables of a role
KEYS = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}
BUSY = "55P03"  # the remote name is another transaction's


class Actor:
    """A role's session, its foreign tables, and its transaction."""

    def __init__(self, world, role, letter):
        self.role = role
        self.letter = letter
        self.database = world.database
        self.tables = {}  # as committed
        self.connect()

    def connect(self):
        self.session = Session(self.database)
        self.session.run("SET lock_timeout = '100ms'; SET ROLE %s" % self.role)
        self.forget()
        self.off = self.superuser = False

    def forget(self):
        """No transaction is open."""
        self.open = self.failed = False
        self.part = Part(self.tables).copy()
        self.savepoints = []  # Parts
        self.made = []  # Remotes, all of the transaction
        self.touched = set()  # remote names


class World(Values):
    """The server, the roles and their sessions, and what the model says of the remote tables."""

    def __init__(self, database, endpoint, peer, seed):
        self.random = random.Random(seed)
        self.database = database
        self.peer = peer
        self.client = dynamodb(endpoint)
        self.prefix = "rs_%s." % secrets.token_hex(4)
        self.names = [self.prefix + "n%d" % i for i in range(NAMES)]
        self.admin = Session(database)
        self.server = {}  # its options of settings
        self.remotes = {}
        self.log = []
        self.roles = [self.prefix[:-1] + "_" + letter for letter in "ab"]
        self.proxy = faults.Proxy(endpoint)
        self.proxy.usual = lambda request: faults.right  # tags, too
        limits = {"connect_timeout": 1, "read_timeout": 1.5, "total_max_retry_attempts": 2}
        self.admin.server(self.prefix[:-1], self.proxy.url, mapping=False, **limits)
        for role in self.roles:
            self.admin.run("CREATE ROLE %s" % role)
            self.admin.run("GRANT ALL ON SCHEMA public TO %s; GRANT USAGE ON FOREIGN SERVER feast TO %s" % (role, role))
            self.admin.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (%s)" % (role, option_list(KEYS)))
        self.actors = [Actor(self, role, role[-1]) for role in self.roles]
        for actor in self.actors * 3:
            self.create(actor)

    def close(self):
        for actor in self.actors:
            actor.session.close()
        self.admin.run("SET dynamo_fdw.remote_ddl = off; DROP SERVER feast CASCADE")
        self.admin.run("SELECT dynamo_fdw_forget(id) FROM dynamo_fdw_record")
        for role in self.roles:
            self.admin.run("DROP OWNED BY %s; DROP ROLE %s" % (role, role))
        self.admin.close()
        self.proxy.close()
        for name in self.names:
            self.delete(name)

    def delete(self, name):
        """Not by us."""
        try:
            self.client.update_table(TableName=name, DeletionProtectionEnabled=False)
            self.client.delete_table(TableName=name)
        except self.client.exceptions.ResourceNotFoundException:
            pass

    # ---- names ----

    def remote(self, actor):
        """A name whose table no other open transaction has in its hands."""
        busy = set().union(*(one.touched for one in self.actors if one is not actor and self.chance(0.9)))
        return self.pick(busy)

    def pick(self, busy):
        return self.random.choice([name for name in self.names if name not in busy] or self.names)

    def known(self, actor):
        """A foreign table of the actor, or None."""
        return self.random.choice(list(actor.part.tables.values())) if actor.part.tables else None

    # ---- running ----

    def execute(self, actor, sql):
        self.log.append("%s %s" % (actor.letter, sql))
        actor.session.notices.clear()
        try:
            actor.session.run(sql)
        except psycopg.Error as error:
            self.log.append("  %s %s" % (error.sqlstate, error))
            assert error.sqlstate and not error.sqlstate.startswith("XX"), error
            return error.sqlstate
        finally:
            self.log.extend("  %s %s %s" % notice for notice in actor.session.notices)

    def is_busy(self, actor):
        """May another transaction have the remote name in its hands?  CREATE takes those, too, that wait for deletion."""
        return any(one is not actor and one.open and one.touched for one in self.actors)

    def statement(self, actor, sql, expected, remotes=(), effect=None):
        """
        Runs a statement that must fail with one of the SQLSTATEs, or, if there are none, succeed; then its effect
        is taken in.  Where another transaction has a remote name, it may fail for that.
        """
        busy = self.is_busy(actor)
        if actor.failed:
            expected = {"25P02"}
        elif actor.open:
            actor.touched.update(remotes)  # locked to the transaction's end, also if the statement fails after a savepoint
        error = self.execute(actor, sql)
        if error == BUSY and busy:
            self.fail(actor)
        elif error:
            if actor.open or expected:
                assert error in expected, "%s, expected %s" % (error, expected)
                self.fail(actor)
            else:
                self.commit_failed(actor, effect, error)
        else:
            assert not expected, "should fail with %s" % expected
            actor.touched.update(remotes)
            if effect:
                effect()
            if not actor.open:
                self.committed(actor)

    def fail(self, actor):
        """The transaction, if one is open, or its last savepoint's part is over."""
        if actor.open and not actor.failed and not actor.savepoints:
            self.remove(actor.made)
            actor.touched.clear()
        actor.failed = actor.open

    def commit_failed(self, actor, effect, error):
        """A statement outside of transaction blocks that failed at its commit, as the model has to say, too."""
        effect()
        assert error == "22023" and changes_of(actor.part, self.server) is None, error
        self.rolled_back(actor)

    # ---- ends of transactions ----

    def committed(self, actor):
        """Takes in what a commit does."""
        changes = changes_of(actor.part, self.server)
        assert changes is not None, "the commit should have failed"
        for table, want, bits, old_tags in changes:
            remote = self.remotes.get(table.remote)
            if remote:
                apply(remote.shown, want, bits, old_tags, remote.maker == actor.role, self.peer)
        before, actor.tables = actor.tables, actor.part.tables
        self.remove([remote for remote in actor.made if remote.undone])
        dropped = {table.remote for table in before.values()} | actor.touched
        for name in dropped:
            self.maybe_deleted(actor, name)
        actor.forget()

    def remove(self, gone):
        """Remote tables that transactions made go."""
        self.remotes = {name: remote for name, remote in self.remotes.items() if not any(remote is one for one in gone)}

    def uses(self, name):
        """The actors that have committed foreign tables over a remote name."""
        return [actor for actor in self.actors if any(table.remote == name for table in actor.tables.values())]

    def maybe_deleted(self, actor, name):
        """The actor may have dropped its last foreign table over the name."""
        remote = self.remotes.get(name)
        users = self.uses(name)
        if remote is None or remote.maker is None or actor in users:
            return
        if users:
            remote.owed = remote.owed or remote.maker == actor.role
        elif remote.maker != actor.role and not remote.owed:
            return
        elif remote.shown["protection"] or actor.off:
            self.compare(name)
            self.give_up(name)
        elif shown_by(self.client, name, self.peer) is None:
            del self.remotes[name]
        else:
            assert remote.maker != actor.role, "%s is left" % name
            self.give_up(name)

    def give_up(self, name):
        """What waits for its deletion is deleted by somebody else."""
        self.log.append("- %s goes" % name)
        self.delete(name)
        self.remotes.pop(name, None)
        self.admin.run("SELECT dynamo_fdw_forget(id) FROM dynamo_fdw_record WHERE table_name = %s", [name])

    def rolled_back(self, actor):
        self.remove(actor.made)
        actor.forget()

    # ---- steps ----

    def step(self):
        actor = self.random.choice(self.actors)
        steps, weights = zip(*STEPS)
        step = World.end_part if actor.failed and self.chance(0.7) else self.random.choices(steps, weights)[0]
        step(self, actor)
        self.check()

    def create(self, actor):
        name = "%s%d" % (actor.letter, self.random.randrange(TABLES))
        options = {"table_name": self.remote(actor), **self.settings(0.25)}
        if self.chance(0.1):
            options["create_remote_table"] = "false"
        table = Table(name, options)
        if actor.superuser or self.is_unclear(actor, table.remote):
            return
        want = wanted(self.server, options)
        expected = {"42P07"} if name in actor.part.tables else set()
        if contradicts(options) or want is None:
            expected.add("22023")
        sql = "CREATE FOREIGN TABLE %s (id %s, v text) SERVER feast OPTIONS (%s)" % (name, KEY, option_list(options))
        self.statement(actor, sql, expected, [table.remote], lambda: self.created(actor, table, want))

    def is_unclear(self, actor, remote):
        """Would two foreign tables change one remote table, or one that is missing be made under another one?"""
        noted = {note.uid for note in actor.part.notes}
        if any(table.uid in noted and table.remote == remote for table in actor.part.tables.values()):
            return True
        there = any(table.remote == remote for table in actor.part.tables.values()) or self.uses(remote)
        return remote not in self.remotes and actor.open and bool(there)

    def created(self, actor, table, want):
        actor.part.tables[table.name] = table
        if actor.off or not table.changes_remote():
            return
        bits = set(want)
        remote = self.remotes.get(table.remote)
        if remote is None:
            remote = self.remotes[table.remote] = made(want, actor.role, self.peer)
            actor.made.append(remote)
            bits = {setting for setting in ("protection", "recovery") if want.get(setting)}
        elif remote.undone:
            remote.undone = False
        elif remote.maker != actor.role:
            return
        remote.owed = False
        if any(remote is one for one in actor.made):
            actor.part.made.append(remote)
        if bits:
            actor.part.notes.append(Note(table.uid, bits, None))

    def drop(self, actor):
        table = self.known(actor)
        if table:
            self.statement(
                actor, "DROP FOREIGN TABLE " + table.name, set(), [table.remote], lambda: actor.part.tables.pop(table.name)
            )

    def actions(self, options):
        """ADD, SET and DROP of settings: (verb, name, value)."""
        new = self.settings(self.random.choice([0.2, 0.4]))
        for name in [name for name in options if name in BITS and self.chance(0.1)]:
            new[name] = None
        found = []
        for name, value in new.items():
            verb = "DROP" if value is None else "SET" if name in options else "ADD"
            if value and self.chance(0.01):
                verb = self.random.choice(["ADD", "SET"])
            found.append((verb, name, value or ""))
        if found and "billing_mode" in new:
            # what does not go with the new mode goes, as a rule
            unfit = CAPACITIES["PAY_PER_REQUEST" if new["billing_mode"] == "PROVISIONED" else "PROVISIONED"]
            found += [("DROP", name, "") for name in unfit if name in options and name not in new and self.chance(0.95)]
        return found

    def altered(self, options, actions):
        """The options after the actions, and the errors that there must be one of."""
        after, expected = dict(options), set()
        for verb, name, value in actions:
            if verb == "ADD" and name in after:
                expected.add("42710")
            elif verb != "ADD" and name not in after:
                expected.add("42704")
            elif verb == "DROP":
                del after[name]
            else:
                after[name] = value
        return after, expected

    def action_list(self, actions):
        return ", ".join(
            "%s %s%s" % (verb, name, "" if verb == "DROP" else " '%s'" % value.replace("'", "''"))
            for verb, name, value in actions
        )

    def alter(self, actor):
        if self.chance(0.03):
            self.alter_of_another(actor)
            return
        table = self.known(actor)
        actions = self.actions(table.options) if table else []
        if not actions or self.is_changed_by_another(actor, table):
            return
        after, expected = self.altered(table.options, actions)
        if not expected and (contradicts(after) or wanted(self.server, after) is None):
            expected.add("22023")
        old = (wanted(self.server, table.options) or {}).get("tags", {})
        note = Note(table.uid, {BITS[name] for _, name, _ in actions}, old)

        def effect():
            table.options = after
            if not actor.off and table.changes_remote():
                actor.part.notes.append(note)

        sql = "ALTER FOREIGN TABLE %s OPTIONS (%s)" % (table.name, self.action_list(actions))
        self.statement(actor, sql, expected, [table.remote], effect)

    def alter_of_another(self, actor):
        other = self.actors[actor is self.actors[0]]
        if other.tables and not actor.superuser:
            sql = "ALTER FOREIGN TABLE %s OPTIONS (ADD read_capacity '1')" % self.random.choice(list(other.tables))
            self.statement(actor, sql, {"42501", "42P01", BUSY})

    def is_changed_by_another(self, actor, table):
        """Does the transaction change its remote table by another foreign table?  Then they race."""
        noted = {note.uid for note in actor.part.notes} - {table.uid}
        return any(one.uid in noted and one.remote == table.remote for one in actor.part.tables.values())

    def apply_all(self, actor):
        """dynamo_fdw_alter_table()."""
        table = self.known(actor)
        if table is None or self.is_changed_by_another(actor, table):
            return
        want = wanted(self.server, table.options)
        expected = {"55000"} if actor.off else {"55000"} if not table.changes_remote() else set()
        if not expected and want is None:
            expected.add("22023")
        note = Note(table.uid, set(want or ()), None)
        sql = "SELECT dynamo_fdw_alter_table('%s')" % table.name
        self.statement(actor, sql, expected, [table.remote], lambda: actor.part.notes.append(note))

    def truncate(self, actor):
        table = self.known(actor)
        remote = table and self.remotes.get(table.remote)
        if remote is None or actor.open or self.is_busy(actor):
            return
        want = wanted(self.server, table.options)
        others = [one for one in actor.tables.values() if one.remote == table.remote and one.uid != table.uid]
        expected = set()
        if actor.off or not table.changes_remote() or remote.maker != actor.role or len(self.uses(table.remote)) > 1:
            expected.add("55000")
        elif want is None:
            expected.add("22023")
        elif others or remote.shown["protection"]:
            expected.add("55000")

        def effect():
            self.remotes[table.remote] = made(want, actor.role, self.peer)
            bits = {setting for setting in ("protection", "recovery") if want.get(setting)}
            actor.part.notes.append(Note(table.uid, bits, None))

        self.statement(actor, "TRUNCATE " + table.name, expected, [table.remote], effect)

    def begin(self, actor):
        if not actor.open:
            self.execute(actor, "BEGIN")
            actor.open = True
        elif not actor.failed and len(actor.savepoints) < 3:
            assert self.execute(actor, "SAVEPOINT s%d" % len(actor.savepoints)) is None
            actor.savepoints.append(actor.part.copy())

    def end_part(self, actor):
        """Ends a savepoint, or the transaction."""
        if not actor.open:
            return
        if actor.savepoints and self.chance(0.6):
            level = self.random.randrange(len(actor.savepoints))
            if not actor.failed and self.chance(0.3):
                assert self.execute(actor, "RELEASE s%d" % level) is None
                del actor.savepoints[level:]
            else:
                self.rollback_to(actor, level)
                if self.chance(0.3):
                    self.commit(actor)
        else:
            self.random.choice([self.commit] * 3 + [self.rollback, self.prepare])(actor)

    def rollback_to(self, actor, level):
        assert self.execute(actor, "ROLLBACK TO s%d" % level) is None
        before = actor.part
        actor.part = actor.savepoints[level].copy()
        del actor.savepoints[level + 1 :]
        for remote in actor.made:
            remote.undone = remote.undone or (remote in before.made and remote not in actor.part.made)
        actor.failed = False

    def commit(self, actor):
        error = self.end(actor, "COMMIT")
        changes = None if actor.failed else changes_of(actor.part, self.server)
        asked = set().union(*(bits for _, _, bits, _ in changes or []))
        assert self.sent() <= asked, "%s, asked for %s" % (self.sent(), asked)
        if changes is None:
            assert error == (None if actor.failed else "22023"), error
            self.rolled_back(actor)
        elif error == BUSY and self.is_busy(actor):
            self.rolled_back(actor)
        else:
            assert error is None, error
            self.committed(actor)

    def end(self, actor, sql):
        self.proxy.forget()
        return self.execute(actor, sql)

    def sent(self):
        """Which of some settings the end of a transaction has asked about."""
        about = {"ListTagsOfResource": "tags", "UpdateContinuousBackups": "recovery"}
        return {about[operation] for operation in self.proxy.operations() if operation in about}

    def rollback(self, actor):
        assert self.end(actor, "ROLLBACK") is None and not self.sent()
        self.rolled_back(actor)

    def prepare(self, actor):
        if not actor.failed and (any(note.bits for note in actor.part.notes) or actor.part.made):
            error = self.execute(actor, "PREPARE TRANSACTION 'x'")
            assert error == "0A000", error
            self.rolled_back(actor)

    def set_role(self, actor):
        if not actor.open:
            actor.superuser = self.chance(0.3)
            self.execute(actor, "RESET ROLE" if actor.superuser else "SET ROLE " + actor.role)

    def set_off(self, actor):
        if not actor.open:
            actor.off = self.chance(0.2)
            self.execute(actor, "RESET ROLE")
            self.execute(actor, "SET dynamo_fdw.remote_ddl = " + ("off" if actor.off else "on"))
            if not actor.superuser:
                self.execute(actor, "SET ROLE " + actor.role)

    def alter_server(self, _):
        """By a superuser, beside the transactions."""
        new = self.settings(0.15)
        for name in ("stream_view_type", "max_read_units", "max_write_units", "warm_throughput"):
            new.pop(name, None)
        new.update({name: None for name in self.server if self.chance(0.4)})
        actions = [
            ("DROP" if value is None else "SET" if name in self.server else "ADD", name, value or "")
            for name, value in new.items()
        ]
        if not actions:
            return
        sql = "ALTER SERVER feast OPTIONS (%s)" % self.action_list(actions)
        after, _ = self.altered(self.server, actions)
        self.log.append("- " + sql)
        if contradicts(after):
            assert self.admin.fail(sql).sqlstate == "22023"
        else:
            self.admin.run(sql)
            self.server = after

    def somebody_else(self, _):
        """Changes by boto3, of tables that no open transaction has in its hands."""
        name = self.pick(set().union(*(actor.touched for actor in self.actors if actor.open)))
        if any(actor.open and name in actor.touched for actor in self.actors):
            return
        remote = self.remotes.get(name)
        how = self.random.choice(FOREIGN if remote else [World.foreign_make])
        self.log.append("- somebody else: %s %s" % (how.__name__, name))
        how(self, name, remote)

    def foreign_make(self, name, _):
        """Makes it anew."""
        self.delete(name)
        tags = self.tags()
        self.client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        self.remotes[name] = Remote(shown={**copy.deepcopy(NEW), "tags": tags if self.peer == "moto" else {}})

    def foreign_delete(self, name, _):
        self.delete(name)
        del self.remotes[name]

    def foreign_tags(self, name, remote):
        if self.peer != "moto":
            return
        arn = self.client.describe_table(TableName=name)["Table"]["TableArn"]
        new = self.tags()
        gone = [key for key in remote.shown["tags"] if self.chance(0.3) and key not in new]
        if new:
            self.client.tag_resource(ResourceArn=arn, Tags=[{"Key": key, "Value": new[key]} for key in new])
        if gone:
            self.client.untag_resource(ResourceArn=arn, TagKeys=gone)
        remote.shown["tags"].update(new)
        for key in gone:
            del remote.shown["tags"][key]

    def foreign_protection(self, name, remote):
        protection = self.chance(0.5)
        self.client.update_table(TableName=name, DeletionProtectionEnabled=protection)
        update(remote.shown, self.peer, protection=protection)

    def foreign_capacity(self, name, remote):
        if remote.shown["capacity"][0] == "PROVISIONED":
            self.client.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
            update(remote.shown, self.peer, capacity=("PAY_PER_REQUEST",))
        else:
            units = {"ReadCapacityUnits": self.random.randrange(1, 4), "WriteCapacityUnits": 2}
            self.client.update_table(TableName=name, BillingMode="PROVISIONED", ProvisionedThroughput=units)
            update(remote.shown, self.peer, capacity=("PROVISIONED", *units.values()))

    def foreign_recovery(self, name, remote):
        if self.peer == "moto":
            remote.shown["recovery"] = self.chance(0.5)
            self.client.update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": remote.shown["recovery"]},
            )

    # ---- checks ----

    def compare(self, name):
        remote = self.remotes.get(name)
        shown = shown_by(self.client, name, self.peer)
        expected = remote and {setting: remote.shown[setting] for setting in KNOWN[self.peer]}
        assert shown == expected, "%s is %s, should be %s" % (name, shown, expected)

    def check(self):
        for name in self.names:
            self.compare(name)
        for actor in self.actors:
            self.check_options(self.admin, actor.tables)
            if actor.open and not actor.failed:
                self.check_options(actor.session, actor.part.tables)
            status = actor.session.conn.info.transaction_status
            assert (status != TransactionStatus.IDLE) == actor.open

    def check_options(self, session, tables):
        for table in tables.values():
            found = dict(session.run(OPTIONS, [table.name]))
            assert found == table.options, "%s has %s, should have %s" % (table.name, found, table.options)


FOREIGN = [World.foreign_make, World.foreign_delete, World.foreign_protection, World.foreign_capacity]
FOREIGN += [World.foreign_recovery] + [World.foreign_tags] * 3
STEPS = [
    (World.create, 7),
    (World.alter, 60),
    (World.drop, 4),
    (World.apply_all, 5),
    (World.truncate, 4),
    (World.begin, 12),
    (World.end_part, 14),
    (World.set_role, 3),
    (World.set_off, 2),
    (World.alter_server, 3),
    (World.somebody_else, 12),
    (trouble, 2),
]
