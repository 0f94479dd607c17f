"""Random CREATE, ALTER and DROP of three sessions in two databases: what test_random_ddl.py runs.

World has the servers, roles and sessions, and takes steps; ddl_model.py watches what they do to DynamoDB.
"""

import random
import secrets
import time

import psycopg

from ddl_model import FAULTS, Model, new_proxy
from support import REGION, SECRET_KEY, Running, Session, option_list

ACCOUNTS = ["FDWRANDOM1", "FDWRANDOM2"]
NAMES = 4  # remote names
TABLES = 5  # foreign tables of a schema
SCHEMAS = ["public", "sx"]
POLICIES = ["created", "created", "created", "always", "never", None]
LEFT = "SELECT state, table_name FROM dynamo_fdw_record WHERE state IN ('pending', 'leftover') ORDER BY 2"


class Actor:
    """A session, and what is known of its transaction."""

    def __init__(self, database):
        self.database = database
        self.connect()

    def connect(self):
        self.session = Session(self.database)
        self.session.run("SET lock_timeout = '300ms'")
        self.open = False
        self.savepoints = 0
        self.role = None
        self.off = False  # dynamo_fdw.remote_ddl was off
        self.touched = set()  # remote names of its transaction


class World:
    """Two databases, two servers in each, three roles, two accounts."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tag = secrets.token_hex(4)
        self.prefix = "rnd_%s." % self.tag
        self.roles = ["rnd_%s_%d" % (self.tag, i) for i in (1, 2)]
        self.databases = ["rnd_%s_%s" % (self.tag, letter) for letter in "ab"]
        self.admin = Session("postgres")
        for role in self.roles:
            self.admin.run("CREATE ROLE %s" % role)
        for database in self.databases:
            self.admin.run("CREATE DATABASE %s" % database)
        self.model = Model(self.databases, ACCOUNTS, self.prefix, table_ids=seed % 2 == 0)
        self.proxies = {name: new_proxy(watcher) for name, watcher in self.model.watchers.items()}
        self.admins = {name: Session(name) for name in self.databases}
        for database in self.databases:
            self.repair(database)
        a, b = self.databases
        self.actors = [Actor(a), Actor(a), Actor(b)]
        self.dirty = False  # something failed since the last quiet point
        self.log = []

    def close(self):
        for actor in self.actors:
            actor.session.close()
        for session in self.admins.values():
            session.close()
        self.model.close()
        for proxy in self.proxies.values():
            proxy.close()
        for database in self.databases:
            self.admin.run("DROP DATABASE %s WITH (FORCE)" % database)
        for role in self.roles:
            self.admin.run("DROP ROLE %s" % role)
        self.admin.close()
        self.model.delete_all()

    # ---- set-up ----

    def account(self, role, server):
        """Role 1 has another account by server two."""
        return ACCOUNTS[role == self.roles[1] or (role == self.roles[0] and server == "two")]

    def repair(self, database):
        """Makes what is missing of servers, mappings and privileges."""
        run = self.admins[database].run
        run("SET lock_timeout = '5s'")
        run("CREATE SCHEMA IF NOT EXISTS sx")
        run("CREATE EXTENSION IF NOT EXISTS dynamo_fdw SCHEMA public")
        for role in self.roles:
            run("GRANT ALL ON SCHEMA public, sx TO %s" % role)
        for server in ("one", "two"):
            self.repair_server(run, database, server)

    def repair_server(self, run, database, server):
        url = "http://%s:%d" % ("127.0.0.1" if server == "one" else "localhost", self.proxies[database].port)
        options = {
            "region": REGION, "endpoint_url": url, "project": self.prefix[:-1],
            "connect_timeout": 1, "read_timeout": 1.5, "total_max_retry_attempts": 2,
        }  # fmt: skip
        if not run("SELECT FROM pg_foreign_server WHERE srvname = %s", [server]):
            run("CREATE SERVER %s FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (%s)" % (server, option_list(options)))
        for role in [*self.roles, "postgres"]:
            keys = {"access_key_id": self.account(role, server), "secret_access_key": SECRET_KEY}
            run(
                "CREATE USER MAPPING IF NOT EXISTS FOR %s SERVER %s OPTIONS (%s)" % (role, server, option_list(keys))
            )
            run("GRANT USAGE ON FOREIGN SERVER %s TO %s" % (server, role))

    # ---- names ----

    def remote(self):
        return self.prefix + "n%d" % self.random.randrange(NAMES)

    def table(self):
        return "%s.f%d" % (self.random.choice(SCHEMAS), self.random.randrange(TABLES))

    def server(self):
        return self.random.choice(["one", "one", "two"])

    def known_table(self, actor):
        """Mostly one that is committed there."""
        there = self.admins[actor.database].run("SELECT ftrelid::regclass::text FROM pg_foreign_table")
        if there and self.random.random() < 0.8:
            return self.random.choice(there)[0]
        return self.table()

    # ---- running ----

    def execute(self, actor, sql):
        """Runs it; the error, if any, which must not be an internal one."""
        self.log.append("%d %s" % (self.actors.index(actor), sql))
        try:
            actor.session.run(sql)
        except psycopg.Error as error:
            self.log.append("  %s %s" % (error.sqlstate, error))
            self.note_error(actor, error)
            return error
        return None

    def note_error(self, actor, error):
        if error.sqlstate is None or actor.session.conn.closed:
            self.model.complain("the session is gone: %s" % error)
        elif error.sqlstate.startswith("XX"):
            self.model.complain("internal error: %s" % error)
        if not actor.open:
            self.end(actor)

    def end(self, actor):
        """Its transaction is over."""
        actor.open = False
        actor.savepoints = 0
        actor.touched.clear()
        if not any(one.open for one in self.actors):
            self.model.policies_change = False
        self.model.refresh(actor.database)
        self.model.by_hand.clear()

    def ddl(self, actor, sql, *touched):
        """A command of DDL, alone or in the transaction that is open."""
        actor.touched.update(touched)
        if actor.off:
            self.model.excuse(self.names_over(actor.database))
        error = self.execute(actor, sql)
        if not actor.open:
            self.end(actor)
        return error

    def names_over(self, database):
        return {table.remote for table in self.model.databases[database].tables.values()}

    # ---- steps ----

    def step(self):
        actor = self.random.choice(self.actors)
        steps, weights = zip(*STEPS)
        step = self.random.choices(steps, weights)[0]
        step(self, actor)
        self.check()

    def create(self, actor):
        options = {}
        remote = self.remote()
        name = self.table()
        if self.random.random() < 0.85:
            options["table_name"] = remote
        else:
            remote = self.prefix + name.split(".")[1]
        policy = self.random.choice(POLICIES)
        if policy:
            options["drop_remote_table"] = policy
        if self.random.random() < 0.2:
            options["create_remote_table"] = "false"
        self.ddl(
            actor,
            "CREATE FOREIGN TABLE %s (id bigint OPTIONS (entity_key 'true') NOT NULL, v text) SERVER %s%s"
            % (name, self.server(), " OPTIONS (%s)" % option_list(options) if options else ""),
            remote,
        )

    def drop(self, actor):
        names = {self.known_table(actor) for _ in range(self.random.choice([1, 1, 1, 2, 3]))}
        self.ddl(actor, "DROP FOREIGN TABLE IF EXISTS %s" % ", ".join(sorted(names)), *self.names_over(actor.database))

    def drop_cascade(self, actor):
        what = self.random.choice(
            ["SCHEMA sx", "SERVER one", "SERVER two", "EXTENSION dynamo_fdw", "OWNED BY " + self.random.choice(self.roles)]
        )
        if actor.role:
            self.execute(actor, "RESET ROLE")
            actor.role = None
        over = self.names_over(actor.database)
        error = self.ddl(actor, "DROP %s CASCADE" % what, *over)
        if error is None and (what.startswith("EXTENSION") or what.startswith("SERVER")):
            # no record, or nobody to sign for it, is left of what could not go at once
            self.model.excuse([remote.name for remote in self.model.remotes.values()])

    def rename(self, actor):
        table = self.known_table(actor)
        form = self.random.choice(["FOREIGN TABLE %s RENAME TO f%d", "TABLE %s RENAME TO f%d", "INDEX %s RENAME TO f%d"])
        self.ddl(actor, "ALTER " + form % (table, self.random.randrange(TABLES)), *self.names_over(actor.database))

    def alter_name(self, actor):
        remote = self.remote()
        verb = self.random.choice(["SET", "SET", "ADD"])
        sql = "ALTER FOREIGN TABLE %s OPTIONS (%s table_name '%s')" % (self.known_table(actor), verb, remote)
        self.ddl(actor, sql, remote, *self.names_over(actor.database))

    def alter_policy(self, actor):
        self.model.policies_change = True
        self.model.excuse([remote.name for remote in self.model.remotes.values()])
        policy = self.random.choice(["created", "always", "never"])
        if self.random.random() < 0.8:
            what = "FOREIGN TABLE %s" % self.known_table(actor)
        else:
            what = "SERVER %s" % self.server()
        verb = self.random.choice(["SET", "ADD", "DROP"])
        value = "" if verb == "DROP" else " '%s'" % policy
        self.ddl(actor, "ALTER %s OPTIONS (%s drop_remote_table%s)" % (what, verb, value))

    def alter_owner(self, actor):
        role = self.random.choice([*self.roles, "postgres"])
        self.ddl(actor, "ALTER FOREIGN TABLE %s OWNER TO %s" % (self.known_table(actor), role))

    def alter_server(self, actor):
        over = self.names_over(actor.database)
        options = self.random.choice(
            ["SET project '%s'" % self.prefix[:-1], "SET project '%sx'" % self.prefix, "SET read_timeout '1.4'"]
        )  # fmt: skip
        self.ddl(actor, "ALTER SERVER %s OPTIONS (%s)" % (self.server(), options), *over)
        self.model.excuse(over)

    def begin(self, actor):
        if not actor.open:
            self.execute(actor, "BEGIN")
            actor.open = True
        elif actor.savepoints < 3 and self.execute(actor, "SAVEPOINT s%d" % actor.savepoints) is None:
            actor.savepoints += 1

    def end_part(self, actor):
        """Ends a savepoint, or the transaction."""
        if not actor.open:
            return
        if actor.savepoints and self.random.random() < 0.6:
            level = self.random.randrange(actor.savepoints)
            if self.random.random() < 0.3:
                if self.execute(actor, "RELEASE s%d" % level) is None:
                    actor.savepoints = level
            else:
                self.execute(actor, "ROLLBACK TO s%d" % level)
                actor.savepoints = level + 1
        else:
            self.end_transaction(actor, self.random.choice(["COMMIT", "COMMIT", "ROLLBACK"]))

    def end_transaction(self, actor, how):
        if actor.off:
            self.model.excuse(self.names_over(actor.database))
        self.execute(actor, how)
        self.end(actor)

    def fail(self, actor):
        self.execute(actor, "SELECT 1 / 0")

    def set_role(self, actor):
        role = self.random.choice([*self.roles, None])
        if self.execute(actor, "SET ROLE %s" % role if role else "RESET ROLE") is None:
            actor.role = role

    def set_off(self, actor):
        off = self.random.random() < 0.3
        if self.execute(actor, "SET dynamo_fdw.remote_ddl = %s" % ("off" if off else "on")) is None:
            actor.off = off or (actor.off and actor.open)
            if off:
                self.dirty = True

    def function(self, actor):
        which = self.random.choice(["create_table", "drop_table", "delete_pending", "delete_pending", "forget"])
        over = self.names_over(actor.database)
        if which == "forget":
            self.dirty = True
            self.model.excuse([remote.name for remote in self.model.remotes.values()])
            sql = "SELECT dynamo_fdw_forget((SELECT max(id) FROM dynamo_fdw_record))"
        elif which == "delete_pending":
            sql = "SELECT dynamo_fdw_delete_pending()"
        else:
            table = self.known_table(actor)
            if which == "drop_table":
                self.model.by_hand.add((actor.database, table.split(".")[-1]))
                self.model.excuse(over)
            sql = "SELECT dynamo_fdw_%s('%s')" % (which, table)
        self.ddl(actor, sql, *over)

    def somebody_else(self, actor):
        """Not by us: makes a table, deletes one, or makes it anew."""
        account, name = self.random.choice(ACCOUNTS), self.remote()
        what = self.random.choice(["make", "delete", "anew"])
        key = self.random.choice(["entity_id", "entity_id", "other"])
        self.log.append("- somebody else: %s %s %s %s" % (what, account, name, key))
        if what != "make":
            self.model.delete(account, name)
        if what != "delete":
            self.model.make(account, name, key)

    def trouble(self, actor):
        """Faults for the next requests of a database."""
        self.dirty = True
        name = self.random.choice(sorted(FAULTS))
        action, operations = FAULTS[name]
        operation = self.random.choice(operations or ["CreateTable", "DescribeTable", "DeleteTable", None])
        times = self.random.choice([1, 1, 2, 3, 6])
        self.log.append("- fault %s %s x %d in %s" % (name, operation, times, actor.database[-1]))
        if operation in ("CreateTable", None) and name not in ("creating", "late"):
            self.model.create_faults = True
        self.proxies[actor.database].fault(action, times, operation)

    def take_away(self, actor):
        """A role loses a mapping or USAGE, or an admin restores all."""
        run = self.admins[actor.database].run
        role, server = self.random.choice(self.roles), self.server()
        self.dirty = True
        run("SET lock_timeout = '200ms'")
        try:
            what = self.random.choice(["mapping", "usage", "repair"])
            self.log.append("- take away %s %s %s" % (what, role, server))
            if what == "mapping":
                run("DROP USER MAPPING IF EXISTS FOR %s SERVER %s" % (role, server))
            elif what == "usage":
                run("REVOKE USAGE ON FOREIGN SERVER %s FROM %s" % (server, role))
            else:
                self.repair(actor.database)
        except psycopg.Error as error:
            self.log.append("  %s" % error)

    # ---- interruptions ----

    def interrupt(self, actor):
        """A slow command is cancelled, its backend ended, or its client goes."""
        self.dirty = True
        proxy = self.proxies[actor.database]
        proxy.latency = self.random.uniform(0, 0.1)
        actor.touched.update(self.names_over(actor.database))
        running = Running(actor.session, self.slow_command(actor))
        time.sleep(self.random.uniform(0, 0.25))
        how = self.random.choice(["cancel", "cancel", "cancel twice", "terminate", "disconnect"])
        self.log.append("%d %s, %s" % (self.actors.index(actor), running._args[0], how))
        self.do_interrupt(actor, how)
        running.join()
        proxy.latency = 0.0
        if how in ("terminate", "disconnect"):
            self.reconnect(actor)
        elif running.error:
            self.note_error(actor, running.error)
        self.after_unknown(actor)

    def slow_command(self, actor):
        remote = self.remote()
        actor.touched.add(remote)
        return self.random.choice(
            [
                "CREATE FOREIGN TABLE %s (id bigint OPTIONS (entity_key 'true') NOT NULL) SERVER %s OPTIONS (table_name '%s')"
                % (self.table(), self.server(), remote),
                "DROP FOREIGN TABLE IF EXISTS %s" % self.known_table(actor),
                "COMMIT",
                "ROLLBACK",
                "SELECT dynamo_fdw_delete_pending()",
            ]
        )

    def do_interrupt(self, actor, how):
        if how.startswith("cancel"):
            for _ in range(2 if "twice" in how else 1):
                self.admin.run("SELECT pg_cancel_backend(%s)", [actor.session.pid])
        else:
            self.admin.run("SELECT pg_terminate_backend(%s, 20000)", [actor.session.pid])

    def after_unknown(self, actor):
        """Whether a transaction is open is asked."""
        if not actor.session.conn.closed:
            actor.open = actor.session.conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE
        if not actor.open:
            self.end(actor)

    def reconnect(self, actor):
        pid = actor.session.pid
        actor.session.close()
        end = time.monotonic() + 30
        while self.admin.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid]):
            assert time.monotonic() < end, "the backend does not end"
            time.sleep(0.01)
        actor.connect()
        self.end(actor)

    def disconnect(self, actor):
        """The client goes while its session is idle, perhaps in a transaction."""
        self.log.append("%d disconnects" % self.actors.index(actor))
        self.dirty = True
        self.reconnect(actor)

    def overlap(self, actor):
        """Two sessions act at the same time."""
        other = self.random.choice([one for one in self.actors if one is not actor])
        self.dirty = True
        self.proxies[actor.database].latency = self.random.uniform(0, 0.05)
        pair = [actor, other]
        running = [Running(one.session, self.slow_command(one)) for one in pair]
        for one, run in zip(pair, running):
            one.touched.update(self.names_over(one.database))
            self.log.append("%d %s (beside another)" % (self.actors.index(one), run._args[0]))
        for one, run in zip(pair, running):
            if run.join().error:
                self.note_error(one, run.error)
            self.after_unknown(one)
        self.proxies[actor.database].latency = 0.0

    # ---- checks ----

    def warm_up(self):
        """Each session has made and deleted a remote table."""
        for actor in self.actors:
            self.create(actor)
            self.drop(actor)
        self.quiet()

    def check(self):
        for actor in self.actors:
            for text in actor.session.warnings():
                self.note_warning(text)
        self.model.check_service()
        if not self.dirty:
            self.check_complete()
        assert not self.model.violations, self.model.violations

    def note_warning(self, text):
        """What is kept, and said to be, may stay."""
        self.log.append("  " + text)
        if " is kept" in text or "is forgotten" in text or "cannot be deleted from here" in text:
            self.model.excuse([text.split('"')[1]])
        if "in doubt" in text or "not answered" in text:
            self.model.excuse([text.split('"')[1]])

    def owed(self, database):
        """(state, name) of the records that wait; none where the extension is not."""
        if self.admins[database].value("SELECT to_regclass('dynamo_fdw_record')") is None:
            return []
        return self.admins[database].run(LEFT)

    def check_complete(self):
        """Nothing of ours is left that nothing is over, but what a record says is to go."""
        touched = set().union(*(actor.touched for actor in self.actors if actor.open))
        for database in self.databases:
            try:
                owed = {name for _, name in self.owed(database)}
            except psycopg.errors.LockNotAvailable:  # an open transaction drops the extension
                continue
            for _, remote in self.model.unreferenced(database):
                if remote.name not in owed | touched:
                    self.model.complain("is left: %s, owed %s" % (remote, owed), database)

    def quiet(self):
        """All settles: transactions end, faults heal, everybody deletes what is owed."""
        self.log.append("- quiet")
        for proxy in self.proxies.values():
            proxy.heal()
        for actor in self.actors:
            if actor.open:
                actor.session.run("ROLLBACK")
            actor.session.run("RESET ROLE; SET dynamo_fdw.remote_ddl = on")
            self.end(actor)
            actor.off, actor.role = False, None
        for actor in self.actors:
            actor.session.run("SELECT 1")  # writes what its memory has
        for database in self.databases:
            self.settle(database)
        self.model.create_faults = False
        self.check_locks()
        self.dirty = False
        self.check()

    def settle(self, database):
        self.repair(database)
        run = self.admins[database].run
        for server in ("one", "two"):
            run("ALTER SERVER %s OPTIONS (SET project '%s')" % (server, self.prefix[:-1]))
            never = "SELECT FROM pg_foreign_server WHERE srvname = %s AND srvoptions::text LIKE '%%drop_remote%%'"
            if run(never, [server]):
                run("ALTER SERVER %s OPTIONS (DROP drop_remote_table)" % server)
        self.model.refresh(database)
        for _ in range(2):
            for role in [*self.roles, "postgres"]:
                run("SET ROLE %s; SELECT dynamo_fdw_delete_pending(); RESET ROLE" % role)
        for text in self.admins[database].warnings():
            self.note_warning(text)
        over = self.names_over(database)
        left = [name for _, name in self.owed(database) if name not in over]
        self.model.excuse(name for (name,) in run("SELECT table_name FROM dynamo_fdw_record WHERE state = 'final'"))
        if left:
            self.model.complain("is still owed: %s" % left, database)

    def check_locks(self):
        end = time.monotonic() + 10
        while self.admin.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"):
            assert time.monotonic() < end, self.admin.run("SELECT * FROM pg_locks WHERE locktype = 'advisory'")
            time.sleep(0.01)


STEPS = [
    (World.create, 22),
    (World.drop, 14),
    (World.begin, 14),
    (World.end_part, 16),
    (World.drop_cascade, 3),
    (World.rename, 3),
    (World.alter_name, 4),
    (World.alter_policy, 3),
    (World.alter_owner, 2),
    (World.alter_server, 1),
    (World.fail, 2),
    (World.set_role, 6),
    (World.set_off, 1),
    (World.function, 5),
    (World.somebody_else, 4),
    (World.trouble, 3),
    (World.take_away, 2),
    (World.interrupt, 3),
    (World.disconnect, 1),
    (World.overlap, 3),
]
