"""Mappings that lend the server process's credentials are made and changed by superusers alone."""

import pytest

from identity_world import World
from key_service import ROLE_ARN
from support import option_list

DENIED = "42501"
KEYS = {"access_key_id": "AKIAX", "secret_access_key": "x"}
LENDING = {
    "credentials_required": {"credentials_required": "false"},
    "credentials_required, no keys needed": {"credentials_required": "off", **KEYS},
    "profile": {"profile": "other"},
    "profile with keys": {"profile": "other", **KEYS},
    "role without keys": {"role_arn": ROLE_ARN},
    "role with an id": {"role_arn": ROLE_ARN, "external_id": "of-role"},
}
HARMLESS = {
    "nothing": {},
    "keys": KEYS,
    "token": {"session_token": "t", **KEYS},
    "required": {"credentials_required": "true"},
    "role with keys": {"role_arn": ROLE_ARN, "external_id": "of-role", "duration_seconds": "900", **KEYS},
}
# whose mapping a user may make: his own with USAGE, that of others as the server's owner
MAKERS = [
    ("plain", "plain"),
    ("owner", "owner"),
    ("owner", "plain"),
    ("owner", "postgres"),
    ("owner", "PUBLIC"),
    ("member", "plain"),
]


@pytest.fixture(scope="module")
def world(cluster_home):
    world = World(cluster_home)
    world.role("second", "SUPERUSER")
    world.role("owner")
    world.role("plain")
    world.role("member", "INHERIT IN ROLE owner, second")
    yield world
    world.close()


@pytest.fixture
def server(world):
    world.server("feast")
    world.own("feast", "owner")
    yield "feast"
    world.admin.run("DROP SERVER feast CASCADE")


def clause(options):
    return "OPTIONS (%s)" % option_list(options) if options else ""


def other_changes(options):
    """Changes of other options than those that lend, after which the mapping lends as before."""
    if "access_key_id" in options:
        return "SET access_key_id 'y'", "ADD session_token 'y'", "DROP access_key_id, DROP secret_access_key"
    if "role_arn" in options:
        return ("SET role_arn '%s2'" % ROLE_ARN,) + (("DROP external_id",) if "external_id" in options else ())
    return ("ADD access_key_id 'y', ADD secret_access_key 'y'",)


def of(user, server):
    return " USER MAPPING FOR %s SERVER %s " % (user, server)


@pytest.mark.parametrize("maker,user", MAKERS)
def test_lending_is_a_superusers(world, server, maker, user):
    session, mapping = world.session(maker), of(user, server)
    for options in LENDING.values():
        assert session.fail("CREATE" + mapping + clause(options)).sqlstate == DENIED
        world.admin.run("CREATE" + mapping + clause(options))
        for change in other_changes(options):
            assert session.fail("ALTER" + mapping + "OPTIONS (%s)" % change).sqlstate == DENIED
        session.run("DROP" + mapping)
    for options in HARMLESS.values():
        session.run("CREATE" + mapping + clause(options))
        session.run("DROP" + mapping)


@pytest.mark.parametrize("maker,user", MAKERS)
def test_no_step_leads_there(world, server, maker, user):
    session, mapping = world.session(maker), of(user, server)
    role = {"role_arn": ROLE_ARN, **KEYS}
    session.run("CREATE" + mapping + clause(role))
    steps = (
        "DROP access_key_id, DROP secret_access_key",
        "ADD profile 'other'",
        "ADD credentials_required 'false'",
        "ADD credentials_required 'f'",
    )
    for step in steps:
        assert session.fail("ALTER" + mapping + "OPTIONS (%s)" % step).sqlstate == DENIED
    assert session.fail("ALTER" + mapping + "OPTIONS (DROP access_key_id)").sqlstate == "HV002"
    assert session.fail("ALTER" + mapping + "OPTIONS (SET access_key_id '')").sqlstate == "22023"


def test_what_was_lent_can_be_given_back(world, server):
    mapping = of("plain", server)
    world.admin.run("CREATE" + mapping + clause({"credentials_required": "false"}))
    session = world.session("owner")
    session.run("ALTER" + mapping + "OPTIONS (SET credentials_required 'true')")
    assert session.fail("ALTER" + mapping + "OPTIONS (SET credentials_required 'false')").sqlstate == DENIED


@pytest.mark.parametrize("option", ["ca_bundle '/x'", "sts_endpoint_url 'https://example.com'"])
def test_options_of_servers(world, server, option):
    """Whoever alters others beside one that a superuser has set may; in whatever way it is tried."""
    name = option.split()[0]
    owner = world.session("owner")
    add = "ALTER SERVER feast OPTIONS (ADD %s)" % option
    rename = "BEGIN ALTER FOREIGN TABLE feast_drivers RENAME TO x; EXCEPTION WHEN OTHERS THEN NULL; END"
    after_failure = "DO $$ BEGIN %s; %s; END $$" % (rename, add)
    for statement in (add, "DO $$ BEGIN %s; END $$" % add, after_failure, "BEGIN; SAVEPOINT s; %s; COMMIT" % add):
        assert owner.fail(statement).sqlstate == DENIED
        owner.run("ROLLBACK")
    world.admin.run(add)
    owner.run("ALTER SERVER feast OPTIONS (ADD batch_size '5')")
    for change in ("SET " + option, "DROP " + name):
        assert owner.fail("ALTER SERVER feast OPTIONS (%s)" % change).sqlstate == DENIED
