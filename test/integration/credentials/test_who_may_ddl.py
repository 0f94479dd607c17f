"""Who may use the AWS credentials of the server process by CREATE, ALTER, DROP and the functions beside them: the owner
of the foreign table is who counts, whoever drops it, and what he may now.
"""

from itertools import product

import pytest

import faults
from identity_world import LOSSES, NO_CREDENTIALS, Case, populated
from support import DRIVERS, dynamodb, remote_tables

OWNERS = ("postgres", "second", "plain", "owner")
SUPERUSERS = ("postgres", "second")
CREATE = "CREATE FOREIGN TABLE made.t (%s) SERVER feast" % DRIVERS
DROP = "DROP FOREIGN TABLE made.t"
UNMAP = "DROP USER MAPPING FOR {user} SERVER feast"
SCHEMA = "CREATE SCHEMA IF NOT EXISTS made AUTHORIZATION bystander; GRANT ALL ON SCHEMA made TO PUBLIC"
ALL_WORDS = ((), ("keys",), ("lent",), ("role", "lent"), ("keys", "role"), None)


@pytest.fixture(scope="module")
def world(cluster_home):
    world = populated(cluster_home, "plain", "bystander")
    yield world
    world.close()


@pytest.fixture
def fresh(world):
    """A server "feast" of postgres without mappings, and a schema "made" of bystander's, in which all may create."""
    admin = world.admin
    world.server("feast", create_remote_table="true")
    admin.run(SCHEMA)
    yield world
    world.checking.heal()
    admin.run("ALTER ROLE second SUPERUSER; SET dynamo_fdw.remote_ddl = off")
    admin.run("DROP SCHEMA IF EXISTS made CASCADE; DROP SERVER IF EXISTS feast CASCADE")
    admin.run("SELECT dynamo_fdw_forget(id) FROM dynamo_fdw_record")
    admin.run("RESET dynamo_fdw.remote_ddl")
    for table in remote_tables(world.project):
        if table != "drivers":
            dynamodb().delete_table(TableName=world.project + "." + table)


def set_up(world, user, words, server_owner, whose="own"):
    """What must come of it, by the model."""
    who = user if whose == "own" else "public"
    options = world.options(who, words or ())
    for one in (user, "public"):
        world.map(one, "feast", options if one == who and words is not None else None)
    world.own("feast", server_owner)
    whose = None if words is None else whose
    return world.expected(user, Case(user in SUPERUSERS, whose, options, server_owner in SUPERUSERS, False))


def made(world):
    return "t" in remote_tables(world.project)


# (who, statement); {user} is the owner of the foreign table, {server_owner} that of the server.
DROPS = {
    "by its owner": ("{user}", DROP),
    "by a superuser": ("postgres", DROP),
    "with the schema, by the schema's owner": ("bystander", "DROP SCHEMA made CASCADE"),
    "with the server, by the server's owner": ("{server_owner}", "DROP SERVER feast CASCADE"),
    "by dynamo_fdw_drop_table()": ("postgres", "SELECT dynamo_fdw_drop_table('made.t')"),
    "DROP OWNED": ("postgres", "DROP OWNED BY {user} CASCADE"),
    "with its mapping": ("postgres", "BEGIN; %s; %s; COMMIT" % (UNMAP, DROP)),
    "before its mapping": ("postgres", "BEGIN; %s; %s; COMMIT" % (DROP, UNMAP)),
    "by ROLLBACK": None,
}


@pytest.mark.parametrize("way", DROPS)
def test_create_and_drop(fresh, way):
    world = fresh
    mappings = ("own",) if "MAPPING" in str(DROPS[way]) else ("own", "public")
    for user, words, server_owner, whose in product(OWNERS, ALL_WORDS, ("postgres", "owner"), mappings):
        wanted = set_up(world, user, words, server_owner, whose)
        session = world.session(user)
        if way == "by ROLLBACK":
            assert world.outcome(session, "BEGIN", CREATE, "ROLLBACK") == wanted, (user, words, server_owner)
            assert not made(world)
            continue
        assert world.outcome(session, CREATE) == wanted, (user, words, server_owner)
        if wanted == [NO_CREDENTIALS]:
            continue
        who, statement = [text.format(user=user, server_owner=server_owner) for text in DROPS[way]]
        if statement == "DROP OWNED BY postgres CASCADE":  # which the bootstrap superuser may not
            statement = DROP
        outcome = world.outcome(world.session(who), statement)
        if way == "with its mapping":
            assert outcome == [] and made(world)
            dynamodb().delete_table(TableName=world.project + ".t")
            world.admin.run("SELECT dynamo_fdw_forget(id) FROM dynamo_fdw_record")
        else:
            assert outcome == wanted and not made(world), (user, words, server_owner)
        restore(world)


def restore(world):
    """What the drop took along."""
    world.admin.run("DROP FOREIGN TABLE IF EXISTS made.t")
    world.admin.run(SCHEMA)
    if not world.admin.run("SELECT FROM pg_foreign_server WHERE srvname = 'feast'"):
        world.admin.run("DROP FOREIGN TABLE IF EXISTS feast_drivers")
        world.server("feast", create_remote_table="true")
    world.admin.run("GRANT USAGE ON FOREIGN SERVER feast TO PUBLIC")
    world.admin.run("GRANT USAGE ON FOREIGN DATA WRAPPER dynamo_fdw TO owner")
    for user in OWNERS:
        world.admin.run("GRANT ALL ON SCHEMA public TO %s" % user)


# Who makes tables can lose more.
ALL_LOSSES = {
    **LOSSES,
    "session_based_auth": (
        "plain",
        ("keys",),
        "ALTER SERVER feast OPTIONS (ADD session_based_auth 'true')",
        "ALTER SERVER feast OPTIONS (DROP session_based_auth)",
    ),
    "REVOKE USAGE": (
        "plain",
        ("lent",),
        "REVOKE USAGE ON FOREIGN SERVER feast FROM PUBLIC",
        "GRANT USAGE ON FOREIGN SERVER feast TO PUBLIC",
    ),
}


@pytest.mark.parametrize("loss", ALL_LOSSES)
@pytest.mark.parametrize("when", ["before DROP", "after DROP, before COMMIT", "with the deletion pending"])
def test_rights_lost(fresh, loss, when):
    """Nothing more is signed, whoever asks; the deletion is owed until the owner may again."""
    world = fresh
    user, words, take, give = ALL_LOSSES[loss]
    wanted = set_up(world, user, words, "postgres")
    session = world.session(user)
    session.run(CREATE)
    if when == "before DROP":
        world.admin.run(take)
        assert world.outcome(session, DROP) == []
    elif when == "after DROP, before COMMIT":
        session.run("BEGIN; " + DROP)
        world.admin.run(take)
        assert world.outcome(session, "COMMIT") == []
    else:
        world.checking.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
        session.run(DROP)
        world.admin.run(take)
    assert made(world)
    assert world.outcome(session, "SELECT dynamo_fdw_delete_pending()") == []
    assert world.outcome(world.admin, "SELECT dynamo_fdw_delete_pending()") == []
    assert world.outcome(world.admin, "SELECT * FROM dynamo_fdw_plan()") == []
    assert made(world)
    world.admin.run(give)
    assert world.outcome(session, "SELECT dynamo_fdw_delete_pending()") == wanted
    assert not made(world)


def test_functions_and_truncate(fresh):
    """The owner signs, also for those who have his role or his privilege."""
    world = fresh
    for user, words, server_owner in product(OWNERS, ALL_WORDS, ("postgres", "owner")):
        wanted = set_up(world, user, words, server_owner)
        session = world.session(user)
        session.run(CREATE + " OPTIONS (create_remote_table 'false')")
        session.run("ALTER FOREIGN TABLE made.t OPTIONS (SET create_remote_table 'true')")
        session.run("GRANT TRUNCATE ON made.t TO bystander")
        create = "SELECT dynamo_fdw_create_table('made.t')"
        bystander = world.session("bystander")
        assert world.outcome(bystander, create) == ["42501"]
        assert world.outcome(world.admin, create) == wanted, (user, words, server_owner)
        if wanted != [NO_CREDENTIALS]:
            assert world.outcome(session, "SELECT FROM dynamo_fdw_plan('feast')") == wanted
            assert world.outcome(bystander, "TRUNCATE made.t") == wanted
            assert world.outcome(bystander, "SELECT * FROM dynamo_fdw_plan()") == []
        assert world.outcome(session, DROP) == (wanted if wanted != [NO_CREDENTIALS] else [])
        assert not made(world)
