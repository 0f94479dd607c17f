"""Users, servers and user mappings in a cluster whose server process has AWS credentials of its own, and a model of who
may use them.

What happened is read off the wire alone: which key signed what DynamoDB was asked.
"""

import time
from collections import namedtuple
from pathlib import Path

import psycopg

from checking_proxy import CheckingProxy
from key_service import ROLE_ARN, KeyService
from keys import SIGNATURE, Keys
from support import DRIVERS, ENDPOINT, Session, drop_servers, dynamodb, make_remote, option_list

SELECT = "SELECT trips FROM %s WHERE driver_id = 1"
NO_CREDENTIALS = "28000"

# Is the user whose mapping counts a superuser, which mapping that is ("own", "public", None) and with which options, is
# the server's owner a superuser, and has it session_based_auth?
Case = namedtuple("Case", "superuser whose options owner_is_superuser chain")

# What a superuser takes from whom he had let use the server process's credentials: whose right it is, the words of his
# mapping (see World.options), how it is taken, and how it is given back.
LOSSES = {
    "ALTER USER MAPPING": (
        "plain",
        ("lent",),
        "ALTER USER MAPPING FOR plain SERVER feast OPTIONS (SET credentials_required 'true')",
        "ALTER USER MAPPING FOR plain SERVER feast OPTIONS (SET credentials_required 'false')",
    ),
    "DROP USER MAPPING": (
        "plain",
        ("lent",),
        "DROP USER MAPPING FOR plain SERVER feast",
        "CREATE USER MAPPING FOR plain SERVER feast OPTIONS (credentials_required 'false')",
    ),
    "NOSUPERUSER": ("second", (), "ALTER ROLE second NOSUPERUSER", "ALTER ROLE second SUPERUSER"),
    "ALTER SERVER OWNER": ("second", (), "ALTER SERVER feast OWNER TO owner", "ALTER SERVER feast OWNER TO postgres"),
}


def verdict(case):
    """What signs, by the rule: "keys" of the mapping, a "profile", the "server" process's; "role over ..." one of them;
    or an SQLSTATE.
    """
    if case.whose is None:
        return NO_CREDENTIALS
    has_keys = "access_key_id" in case.options
    by_right = case.superuser and case.whose == "own" and case.owner_is_superuser
    lent = case.options.get("credentials_required") == "false"
    if has_keys and not case.chain:
        base = "keys"
    elif by_right or lent:
        base = "profile" if "profile" in case.options else "server"
    else:
        return NO_CREDENTIALS
    return "role over " + base if "role_arn" in case.options else base


class World:
    """A cluster's databases with the extension; `admin` is a superuser's session in the first one.

    Everybody trusts everybody: Session of any role may be opened, and is kept.
    """

    def __init__(self, cluster, **settings):
        self.cluster = cluster
        self.keys = Keys()
        self.server_key = self.keys.user("AKIATESTSERVER00SRVR", "SECRETofTheServerProcess")
        self.profile_key = self.keys.user("AKIATESTPROFILE0PRFL", "SECRETofTheProfile")
        self.mapping_keys = {}
        self.service = KeyService(self.keys)
        self.checking = CheckingProxy(ENDPOINT, self.keys)
        self.sessions = {}
        self.project = "who%d" % time.time_ns()
        self.remote = self.project + ".drivers"  # made by no foreign table
        make_remote(self.remote)
        profile = "[other]\naws_access_key_id = %s\naws_secret_access_key = %s\n"
        credentials = Path(cluster.home, "credentials")
        credentials.write_text(profile % (self.profile_key.access_key_id, self.profile_key.secret))
        credentials.chmod(0o644)
        self.settings = {"log_min_messages": "debug5", **settings}
        self.environment = {
            **self.server_key.environment(),
            "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_ENDPOINT_URL_STS": self.service.url,
        }
        self.restart()

    def restart(self, **more):
        """Starts the server, with more in its environment; sessions are new."""
        self.end_sessions()
        self.cluster.restart({**self.environment, **more}, **self.settings)
        self.admin = self.session("postgres")

    def end_sessions(self):
        for session in self.sessions.values():
            session.close()
        self.sessions.clear()

    def close(self):
        self.end_sessions()
        for (database,) in self.cluster_databases():
            session = self.cluster.session(database)
            drop_servers(session)
            session.close()
        self.cluster.stop()
        shown = [line for line in self.cluster.log().splitlines() if self.shows_secret(line)]
        assert not shown, shown[:5]
        self.checking.close()
        self.service.close()
        dynamodb().delete_table(TableName=self.remote)

    def shows_secret(self, line):
        """PostgreSQL itself logs its environment, and statements, at this level."""
        if "\tAWS_" in line or "USER MAPPING" in line:
            return False
        return SIGNATURE.search(line) or any(secret in line for secret in self.keys.secrets())

    def cluster_databases(self):
        session = self.cluster.session()
        databases = session.run("SELECT datname FROM pg_database WHERE datallowconn AND datname <> 'template1'")
        session.close()
        return databases

    def session(self, role, database="postgres"):
        """The session of a role in a database, opened when it is first asked for."""
        if (role, database) not in self.sessions:
            where = {"host": self.cluster.home, "port": 5432, "user": role}
            self.sessions[role, database] = Session(database, **where)
        return self.sessions[role, database]

    def role(self, name, attributes=""):
        self.admin.run("CREATE ROLE %s LOGIN %s; GRANT ALL ON SCHEMA public TO %s" % (name, attributes, name))
        return name

    # Mappings and servers, made by the superuser.

    def key_of(self, user):
        """The key that stands in a user's mappings where they have one."""
        if user not in self.mapping_keys:
            name = (user.upper() + "0" * 20)[:12]
            self.mapping_keys[user] = self.keys.user("AKIAMAPD" + name[::-1], "SECRETofTheMappingOf" + user)
        return self.mapping_keys[user]

    def options(self, user, words):
        """Options of a mapping by words: keys, role, profile, lent."""
        return {
            **(self.key_of(user).mapping() if "keys" in words else {}),
            **({"role_arn": ROLE_ARN} if "role" in words else {}),
            **({"profile": "other"} if "profile" in words else {}),
            **({"credentials_required": "false"} if "lent" in words else {}),
        }

    def unmap(self, user, server, session=None):
        (session or self.admin).run("DROP USER MAPPING IF EXISTS FOR %s SERVER %s" % (user, server))

    def map(self, user, server, options, session=None):
        """Replaces a user's mapping; options None: he has none from now on."""
        self.unmap(user, server, session)
        if options is not None:
            clause = "OPTIONS (%s)" % option_list(options) if options else ""
            (session or self.admin).run("CREATE USER MAPPING FOR %s SERVER %s %s" % (user, server, clause))

    def server(self, name, session=None, **options):
        """A server that all may use, with a foreign table <name>_drivers over the one remote table."""
        session = session or self.admin
        options = {"create_remote_table": "false", **options}
        session.server(self.project, self.checking.url, name, mapping=False, **options)
        session.run("GRANT USAGE ON FOREIGN SERVER %s TO PUBLIC" % name)
        session.table(name + "_drivers", DRIVERS, name, table_name=self.remote, create_remote_table="false")
        session.run("GRANT ALL ON %s_drivers TO PUBLIC" % name)

    def own(self, server, owner, session=None):
        (session or self.admin).run("ALTER SERVER %s OWNER TO %s" % (server, owner))

    # What happens.

    def outcome(self, session, *statements, keep_role=False):
        """What signed the requests that the statements sent, each once and in order; the SQLSTATE, if one failed."""
        return self.outcome_of(lambda: [session.run(statement) for statement in statements], session, keep_role)

    def outcome_of(self, act, session, keep_role=False):
        """The same of a function that works in a session; if it fails, transaction and role (unless kept) end."""
        self.checking.forget()
        failed = []
        try:
            act()
        except psycopg.Error as error:
            failed = [error.sqlstate]
            session.run("ROLLBACK")
            if not keep_role:
                session.run("RESET SESSION AUTHORIZATION; RESET ROLE")
            session.warnings()
        assert not self.checking.refused, self.checking.refused
        return list(dict.fromkeys(self.names(self.checking.used()))) + failed

    def names(self, key_ids):
        return [self.name(key_id) for key_id in key_ids]

    def name(self, key_id):
        """What a key is called in a verdict, with the user's name where it is that of his mapping: "keys of plain"."""
        if key_id == self.server_key.access_key_id:
            return "server"
        if key_id == self.profile_key.access_key_id:
            return "profile"
        for user, key in self.mapping_keys.items():
            if key.access_key_id == key_id:
                return "keys of " + user
        issued = [key.access_key_id for key in self.keys.issued("AssumeRole")]
        return "role over " + self.name(self.service.signers()[issued.index(key_id)])

    def expected(self, user, case):
        """The outcome of one request by the model: keys get the name of the user whose mapping it is."""
        owner = "public" if case.whose == "public" else user
        return [verdict(case).replace("keys", "keys of " + owner)]


def populated(cluster, *plain, **settings):
    """A world with the superuser "second", with "owner", who may own servers, and with plain users."""
    world = World(cluster, **{"dynamo_fdw.allowed_endpoints": "127.0.0.1", **settings})
    world.role("second", "SUPERUSER")
    for name in ("owner", *plain):
        world.role(name)
    world.admin.run("GRANT USAGE ON FOREIGN DATA WRAPPER dynamo_fdw TO owner")
    return world
