"""Who may use the AWS credentials of the server process: users, mappings, options and ways, with what each comes to.

The verdicts are those of identity_world.verdict(), a model of the rule, and are compared with the keys that DynamoDB
saw.
"""

from itertools import product

import pytest

from identity_world import NO_CREDENTIALS, SELECT, Case, populated
from support import DRIVERS

SUPERUSERS = ("postgres", "second")
USERS = (*SUPERUSERS, "plain", "owner", "member", "lost")

# What stands in a mapping.
OPTIONS = (
    (),
    ("keys",),
    ("keys", "profile"),
    ("keys", "role"),
    ("keys", "lent"),
    ("keys", "role", "lent"),
    ("profile",),
    ("role",),
    ("lent",),
    ("profile", "lent"),
    ("role", "lent"),
    ("role", "profile", "lent"),
)


@pytest.fixture(scope="module")
def world(cluster_home):
    """Two servers, one with session_based_auth, and users of all kinds."""
    world = populated(cluster_home, "plain", "bystander", max_connections=50)
    world.role("member", "INHERIT IN ROLE second")
    world.role("lost", "SUPERUSER")
    world.server("feast")
    world.server("chain", session_based_auth="true")
    world.map("bystander", "feast", world.options("bystander", ["keys"]))
    yield world
    world.close()


@pytest.fixture
def fresh(world):
    """The world as the fixture made it."""
    world.admin.run("ALTER ROLE lost SUPERUSER")
    for server, user in product(("feast", "chain"), (*USERS, "public")):
        world.unmap(user, server)
    for server in ("feast", "chain"):
        world.own(server, "postgres")
    return world


def seen(world, session, server):
    """The outcome of a query, with which dynamo_fdw_identity() must agree."""
    outcome = world.outcome(session, SELECT % (server + "_drivers"))
    if outcome == [NO_CREDENTIALS]:
        assert session.fail("SELECT dynamo_fdw_identity('%s')" % server).sqlstate == NO_CREDENTIALS
    else:
        used = world.checking.used()[-1]
        assert session.value("SELECT access_key_id FROM dynamo_fdw_identity('%s')" % server) == used[-4:]
    return outcome


def whose_rows():
    yield None, ()
    yield from product(("own", "public"), OPTIONS)


@pytest.mark.parametrize("server", ["feast", "chain"])
def test_who_by_whose_mapping_by_which_options(fresh, server):
    """Each session lives through all of it: changed mappings, a server that changes hands, a user who loses rights."""
    world, wrong, rows = fresh, [], 0
    for whose, words in whose_rows():
        for user in ("public", *USERS):
            mapped = whose == "own" and user != "public" or whose == "public" and user == "public"
            world.map(user, server, world.options(user, words) if mapped else None)
        for server_owner in ("postgres", "owner", "second"):
            world.own(server, server_owner)
            for user in USERS:
                case = Case(
                    superuser=user in SUPERUSERS,
                    whose=whose,
                    options=world.options(user, words),
                    owner_is_superuser=server_owner in SUPERUSERS,
                    chain=server == "chain",
                )
                for superuser in (True, False) if user == "lost" else (case.superuser,):
                    if user == "lost":
                        world.admin.run("ALTER ROLE lost %s" % ("SUPERUSER" if superuser else "NOSUPERUSER"))
                    case = case._replace(superuser=superuser)
                    outcome = seen(world, world.session(user), server)
                    rows += 1
                    if outcome != world.expected(user, case):
                        wrong.append((user, whose, words, server_owner, case, outcome))
    assert not wrong and rows > 500


# Through what: in each way the rights of `user` count, whoever asks.


def ask(session_user, *statements):
    """A way: statements in the session of "user" or of another role, with the user and his table put in."""

    def way(world, user):
        session = world.session(user if session_user == "user" else session_user)
        return world.outcome(session, *[text.format(user=user, table="feast_drivers") for text in statements])

    return way


def copy(world, user):
    def rows(session):
        with session.conn.cursor().copy("COPY feast_drivers FROM STDIN") as copying:
            copying.write_row((1, "2024-01-01 00:00:00+00", 1.5, 10))

    return world.outcome_of(lambda: rows(world.session(user)), world.session(user))


def cursor(world, user):
    """Declared by the user, read after SET ROLE to another one."""
    session = world.session("postgres")
    declare = "BEGIN; SET ROLE %s; DECLARE c CURSOR FOR %s" % (user, SELECT % "feast_drivers")
    outcome = world.outcome(session, declare, "SET ROLE bystander", "FETCH ALL FROM c", "COMMIT")
    session.run("RESET ROLE")
    return outcome


ROW = "(1, '2024-01-01 00:00:00+00', 1.5, 10)"
READ = "SELECT trips FROM %s WHERE driver_id = 1"
JOIN = "SELECT trips FROM generate_series(1::bigint, 3) i (driver_id) LEFT JOIN %s USING (driver_id)"
WAYS = {
    "table": ask("user", READ % "{table}"),
    "SET ROLE": ask("postgres", "SET ROLE {user}", READ % "{table}", "RESET ROLE"),
    "SET SESSION AUTHORIZATION": ask(
        "postgres", "SET SESSION AUTHORIZATION {user}", READ % "{table}", "RESET SESSION AUTHORIZATION"
    ),
    "cursor": cursor,
    "view": ask("bystander", READ % "view_of_{user}"),
    "view of a view": ask("bystander", READ % "view_of_view_of_{user}"),
    "barrier": ask("bystander", READ % "barrier_of_{user}"),
    "invoker's view": ask("user", READ % "view_of_invoker"),
    "function": ask("bystander", "SELECT read_as_{user}()"),
    "function that writes": ask("bystander", "SELECT write_as_{user}()"),
    "lookup join": ask("user", JOIN % "{table}"),
    "lookup join of a view": ask("bystander", JOIN % "view_of_{user}"),
    "subquery": ask("user", "SELECT (%s)" % READ % "{table}"),
    "INSERT": ask("user", "INSERT INTO {table} VALUES " + ROW),
    "INSERT into a view": ask("bystander", "INSERT INTO view_of_{user} VALUES " + ROW),
    "COPY": copy,
    "UPDATE": ask("user", "UPDATE {table} SET trips = 2 WHERE driver_id = 1"),
    "UPDATE of a view": ask("bystander", "UPDATE view_of_{user} SET trips = 2 WHERE driver_id = 1"),
    "DELETE": ask("user", "DELETE FROM {table} WHERE driver_id = 1"),
    "partition": ask("user", READ % "parts"),
    "INSERT into a partition": ask("user", "INSERT INTO parts VALUES " + ROW),
    "parent": ask("user", READ % "parent"),
    "MERGE": ask(
        "user",
        "CREATE TEMP TABLE IF NOT EXISTS target (driver_id bigint)",
        "MERGE INTO target t USING (%s) s ON false WHEN NOT MATCHED THEN INSERT VALUES (s.trips)" % READ % "{table}",
    ),
}


@pytest.fixture(scope="module")
def ways(world):
    """The views, functions and tables that the ways need."""
    admin = world.admin
    columns = "driver_id bigint NOT NULL, event_timestamp timestamptz, conv_rate real, trips integer"
    admin.run("CREATE TABLE parts (%s) PARTITION BY LIST (driver_id)" % columns)
    admin.run("CREATE TABLE parent (%s)" % columns)
    for name, attach in (
        ("part", "ALTER TABLE parts ATTACH PARTITION part DEFAULT"),
        ("child", "ALTER TABLE child INHERIT parent"),
    ):
        admin.table(name, DRIVERS, "feast", table_name=world.remote, create_remote_table="false")
        admin.run(attach.replace("ALTER TABLE child", "ALTER FOREIGN TABLE child"))
    admin.run("GRANT ALL ON parts, parent TO PUBLIC")
    admin.run("CREATE VIEW view_of_invoker WITH (security_invoker) AS SELECT * FROM feast_drivers")
    admin.run("ALTER VIEW view_of_invoker OWNER TO bystander; GRANT ALL ON view_of_invoker TO PUBLIC")
    for user in USERS:
        admin.run("CREATE VIEW view_of_%s AS SELECT * FROM feast_drivers" % user)
        admin.run("CREATE VIEW barrier_of_%s WITH (security_barrier) AS SELECT * FROM feast_drivers" % user)
        admin.run("ALTER VIEW view_of_%s OWNER TO %s" % (user, user))
        admin.run("ALTER VIEW barrier_of_%s OWNER TO %s" % (user, user))
        admin.run("GRANT ALL ON view_of_%s, barrier_of_%s TO PUBLIC" % (user, user))
        admin.run("CREATE VIEW view_of_view_of_%s AS SELECT * FROM view_of_%s" % (user, user))
        admin.run("ALTER VIEW view_of_view_of_%s OWNER TO bystander" % user)
        for name, what, result in (
            ("read", READ % "feast_drivers", "integer"),
            ("write", "INSERT INTO feast_drivers VALUES %s" % ROW, "void"),
        ):
            admin.run(
                "CREATE FUNCTION %s_as_%s() RETURNS %s LANGUAGE sql SECURITY DEFINER AS $$ %s $$"
                % (name, user, result, what)
            )
            admin.run("ALTER FUNCTION %s_as_%s() OWNER TO %s" % (name, user, user))


@pytest.mark.parametrize("way", WAYS)
def test_through_what(fresh, ways, way):
    world, wrong = fresh, []
    for words, server_owner in product(((), ("keys",), ("lent",), ("role", "lent"), None), ("postgres", "owner")):
        world.own("feast", server_owner)
        for user in USERS[:-1]:
            options = None if words is None else world.options(user, words)
            world.map(user, "feast", options)
            whose = None if words is None else "own"
            case = Case(user in SUPERUSERS, whose, options or {}, server_owner in SUPERUSERS, False)
            outcome = WAYS[way](world, user)
            if outcome != world.expected(user, case):
                wrong.append((user, words, server_owner, outcome))
    assert not wrong


def test_a_member_of_a_superusers_role(fresh):
    """Only as the superuser whom it has made itself is it one, with the superuser's mapping."""
    world, session = fresh, fresh.session("member")
    world.map("member", "feast", {})
    world.map("second", "feast", {})
    assert seen(world, session, "feast") == [NO_CREDENTIALS]
    session.run("SET ROLE second")
    assert seen(world, session, "feast") == ["server"]
    world.unmap("second", "feast")
    assert seen(world, session, "feast") == [NO_CREDENTIALS]
    session.run("RESET ROLE")


def test_views_of_two_in_one_statement(fresh, ways):
    """Each part is signed for itself, also where one node looks both up."""
    world = fresh
    for user, words in (("postgres", []), ("plain", ["keys"])):
        world.map(user, "feast", world.options(user, words))
    join = (
        "SELECT * FROM generate_series(1::bigint, 3) i (driver_id)"
        " LEFT JOIN view_of_postgres a USING (driver_id) LEFT JOIN %s b USING (driver_id)"
    )
    session = world.session("plain")
    assert "Lookup Join" in str(session.run("EXPLAIN " + join % "feast_drivers"))
    assert set(world.outcome(session, join % "feast_drivers")) == {"server", "keys of plain"}
    assert set(world.outcome(world.session("bystander"), join % "view_of_plain")) == {"server", "keys of plain"}
    world.map("plain", "feast", {})
    assert NO_CREDENTIALS in world.outcome(session, join % "feast_drivers")
