"""What CREATE and DROP may do to DynamoDB, checked from outside: random_ddl.py acts, this watches.

All requests of a database go through a watcher, a proxy that looks before it forwards a DeleteTable: which table is it,
which foreign tables of this database are committed over its name at that moment, which ones were there before?  What it
asks PostgreSQL are catalogs alone, and never records of the extension, so it shares no code and no belief with it.
"""

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass

import boto3
import psycopg
from botocore.exceptions import ClientError

import faults
from faults import Proxy
from support import ENDPOINT, REGION, SECRET_KEY

FOREIGN_TABLES = """
SELECT c.oid, c.relname, c.relowner, s.oid, t.ftoptions, s.srvoptions
FROM pg_foreign_table t JOIN pg_class c ON c.oid = t.ftrelid JOIN pg_foreign_server s ON s.oid = t.ftserver
JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE w.fdwname = 'dynamo_fdw'
"""
LOCKS = """
SELECT 1 FROM pg_locks WHERE relation = %s AND granted AND mode IN ('AccessExclusiveLock', 'ShareRowExclusiveLock')
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
MAPPINGS = "SELECT umserver, umuser, umoptions FROM pg_user_mapping"


@dataclass(frozen=True)
class ForeignTable:
    """As committed."""

    oid: int
    name: str
    owner: int
    remote: str
    region: str
    policy: str
    account: str  # None: its owner has no user mapping


@dataclass
class Remote:
    """A remote table that is there."""

    account: str
    name: str
    maker: str = None  # the database whose CREATE made it; None: somebody else
    feast_key: bool = True
    before: frozenset = frozenset()  # OIDs of the maker's foreign tables that were over the name before
    doubtful: bool = False  # its CreateTable met a fault: its maker may not know that it is its own


def options(array):
    return dict(text.split("=", 1) for text in array or [])


class Database:
    """Committed foreign tables of a database, now and before."""

    def __init__(self, name):
        self.name = name
        self.conn = psycopg.connect(dbname=name, autocommit=True)
        self.tables = {}

    def read(self):
        """The committed foreign tables by OID."""
        mappings = {(server, user): options(found) for server, user, found in self.conn.execute(MAPPINGS)}
        found = {}
        for oid, name, owner, server, of_table, of_server in self.conn.execute(FOREIGN_TABLES):
            of_table, of_server = options(of_table), options(of_server)
            remote = of_table.get("table_name") or "%s.%s" % (of_server["project"], of_table.get("feature_view", name))
            policies = {of_server.get("drop_remote_table"), of_table.get("drop_remote_table")}
            policy = "never" if "never" in policies else of_table.get("drop_remote_table")
            mapping = mappings.get((server, owner)) or mappings.get((server, 0)) or {}
            policy = policy or of_server.get("drop_remote_table", "created")
            region = of_server["region"]
            found[oid] = ForeignTable(oid, name, owner, remote, region, policy, mapping.get("access_key_id"))
        return found


class Model:
    """The remote tables that are there, and why each may go."""

    def __init__(self, databases, accounts, prefix, table_ids):
        self.table_ids = table_ids
        self.lock = threading.RLock()
        self.databases = {name: Database(name) for name in databases}
        self.prefix = prefix
        self.clients = {account: client_of(account) for account in accounts}
        self.remotes = {}  # by identity
        self.used = set()  # (database, identity): a foreign table over it was committed since it was made
        self.released = defaultdict(set)  # (database, identity): policies of those that were dropped
        self.excused = set()  # identities of tables that may stay, though nothing is over them
        self.by_hand = set()  # (database, name) of foreign tables whose remote table shall go without them
        self.policies_change = False  # by an open transaction
        self.violations = []
        self.deleted = self.made = 0
        self.create_faults = False
        self.watchers = {name: self.watch(name) for name in databases}

    # ---- the service ----

    def at(self, account, name):
        """The identity of what is there, or None."""
        try:
            table = self.clients[account].describe_table(TableName=name)["Table"]
            return identity(account, table["CreationDateTime"].timestamp())
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ResourceNotFoundException", error
            return None

    def ids_named(self, name):
        return [table_id for table_id, remote in self.remotes.items() if remote.name == name]

    def make(self, account, name, key="entity_id"):
        """Somebody else makes a table, if it is not there."""
        with self.lock:
            try:
                table = self.clients[account].create_table(
                    TableName=name,
                    KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                    BillingMode="PAY_PER_REQUEST",
                )["TableDescription"]
            except ClientError:
                return
            made = identity(account, table["CreationDateTime"].timestamp())
            self.remotes[made] = Remote(account, name, feast_key=key == "entity_id")
            self.refresh_all()

    def delete(self, account, name):
        """Somebody else deletes a table, if it is there."""
        with self.lock:
            self.remotes.pop(self.at(account, name), None)
            try:
                self.clients[account].delete_table(TableName=name)
            except ClientError:
                pass

    def delete_all(self):
        for remote in list(self.remotes.values()):
            self.delete(remote.account, remote.name)

    # ---- watching ----

    def watch(self, database):
        watcher = Proxy(ENDPOINT)
        watcher.fault(lambda exchange: self.on_create(database, exchange), None, "CreateTable")
        watcher.fault(lambda exchange: self.on_delete(database, exchange), None, "DeleteTable")
        watcher.fault(self.on_describe, None, "DescribeTable")
        return watcher

    def close(self):
        for watcher in self.watchers.values():
            watcher.close()
        for database in self.databases.values():
            database.conn.close()

    def on_create(self, database, exchange):
        with self.lock:
            status, _, body = exchange.forward()
            if status == 200:
                account, table = account_of(exchange), json.loads(body)["TableDescription"]
                made = identity(account, table["CreationDateTime"])
                name = table["TableName"]
                before = frozenset(t.oid for t in self.databases[database].tables.values() if t.remote == name)
                self.remotes[made] = Remote(account, name, database, True, before, self.create_faults)
                self.made += 1
        exchange.send(status, self.with_id(exchange, body))

    def on_describe(self, exchange):
        status, _, body = exchange.forward()
        exchange.send(status, self.with_id(exchange, body))

    def with_id(self, exchange, body):
        """DynamoDB has a TableId, DynamoDB Local has none: it is tested with and without."""
        answer = json.loads(body)
        for table in (answer.get(member) for member in ("Table", "TableDescription")):
            if table and self.table_ids:
                table["TableId"] = identity(account_of(exchange), table["CreationDateTime"])
                return json.dumps(answer).encode()
        return body

    def on_delete(self, database, exchange):
        with self.lock:
            account, name = account_of(exchange), exchange.asked.json()["TableName"]
            table_id = self.at(account, name)
            try:
                self.refresh(database)
                if table_id:
                    self.judge(database, account, name, table_id)
            except Exception as error:  # of a thread that nobody joins
                self.violations.append(repr(error))
            status, _, body = exchange.forward()
            if status == 200:
                self.deleted += 1
                self.remotes.pop(table_id, None)
        exchange.send(status, body)

    def judge(self, database, account, name, table_id):
        """A DeleteTable is about to be done: may it?"""
        remote = self.remotes.get(table_id)
        policies = self.released[database, table_id]
        over = [
            table
            for table in self.databases[database].tables.values()
            if table.remote == name
            and table.region == REGION
            and table.account in (account, None)
            and (database, table.name) not in self.by_hand
            and not (remote and table.oid in remote.before and self.is_locked(database, table))
        ]
        by_hand = any(where == database for where, _ in self.by_hand)
        if over:
            self.complain("referenced by %s" % over, database, account, name)
        if remote is None or not remote.feast_key:
            self.complain("unknown, or not Feast's: %s" % remote, database, account, name)
        elif self.policies_change or by_hand:
            pass
        elif remote.maker != database and "always" not in policies:
            self.complain("made by %s, dropped %s" % (remote.maker, policies), database, account, name)
        elif (database, table_id) in self.used and not policies & {"created", "always"}:
            self.complain("in use before, dropped %s" % policies, database, account, name)

    def is_locked(self, database, table):
        """Can nobody else write by the foreign table now, since before its remote table was made by a transaction?"""
        return self.databases[database].conn.execute(LOCKS, [table.oid]).fetchone() is not None

    def complain(self, why, *what):
        self.violations.append("%s: %s" % (" ".join(what), why))

    # ---- what commits changed ----

    def refresh(self, database):
        """Reads the catalogs anew and notes what is over no remote table any more."""
        with self.lock:
            of = self.databases[database]
            before, of.tables = of.tables, of.read()
            for oid, table in before.items():
                now = of.tables.get(oid)
                for table_id in self.ids_named(table.remote):
                    if now is None:
                        self.released[database, table_id].add(table.policy)
                    if (now is None and table.policy == "never") or (now and now.remote != table.remote):
                        self.excused.add(table_id)
            for table in of.tables.values():
                for table_id in self.ids_named(table.remote):
                    if table.oid not in self.remotes[table_id].before:
                        self.used.add((database, table_id))

    def refresh_all(self):
        for database in self.databases:
            self.refresh(database)

    def excuse(self, names):
        """What has these names may stay, though nothing is over it."""
        with self.lock:
            for name in names:
                self.excused.update(self.ids_named(name))

    def unreferenced(self, database):
        """What CREATE of this database made, nothing is over, and has no excuse: identity, Remote."""
        with self.lock:
            over = {table.remote for table in self.databases[database].tables.values()}
            return [
                (table_id, remote)
                for table_id, remote in self.remotes.items()
                if remote.maker == database
                and remote.name not in over
                and table_id not in self.excused
                and not remote.doubtful
            ]

    def check_service(self):
        """The tables that are there are those of the model, requests that are still under way aside."""
        for account in self.clients:
            end = time.monotonic() + 10
            while (there := self.names_there(account)) != (known := self.names_known(account)):
                if time.monotonic() > end:
                    self.complain("there are %s, should be %s" % (there, known), account)
                    break
                time.sleep(0.01)

    def names_there(self, account):
        pages = self.clients[account].get_paginator("list_tables").paginate()
        return {name for page in pages for name in page["TableNames"] if name.startswith(self.prefix)}

    def names_known(self, account):
        with self.lock:
            return {remote.name for remote in self.remotes.values() if remote.account == account}


def client_of(account):
    return boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=ENDPOINT,
        aws_access_key_id=account,
        aws_secret_access_key=SECRET_KEY,
    )


def identity(account, created):
    """No two tables of the tests are made in one millisecond by one account and under one name."""
    return "%s-%d" % (account, round(created * 1000))


def account_of(exchange):
    """The access key that signed."""
    return exchange.asked.header("Authorization").split("Credential=")[1].split("/")[0]


def new_proxy(watcher):
    """A proxy for faults, before the watcher."""
    return Proxy(watcher.url)


# Faults by name, each with the operations that it is for (None: any).
FAULTS = {
    "throttle": (faults.error("ThrottlingException"), None),
    "500": (faults.error("InternalServerError", 500), None),
    "denied": (faults.error("AccessDeniedException"), None),
    "stall": (faults.stall, None),
    "late": (faults.late(0.2), None),
    "hang up": (faults.hang_up, None),
    "lose": (faults.lose, None),
    "cut": (faults.cut, None),
    "truncated": (faults.truncated, None),
    "wrong_crc": (faults.wrong_crc, None),
    "creating": (faults.creating, ["DescribeTable", "CreateTable"]),
}
