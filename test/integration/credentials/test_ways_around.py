"""Ways around the rules of who may use which credentials, and reach what, each of which they hold."""

import psycopg
import pytest

from identity_world import LOSSES, NO_CREDENTIALS, SELECT, populated

READ = SELECT % "feast_drivers"
DENIED = "42501"


@pytest.fixture(scope="module")
def world(cluster_home):
    world = populated(cluster_home, "plain", "other")
    yield world
    world.close()


@pytest.fixture
def feast(world):
    """A server of postgres; "plain" may use the server process's credentials there, "second" by right."""
    world.server("feast")
    world.map("plain", "feast", world.options("plain", ["lent"]))
    world.map("second", "feast", {})
    world.map("other", "feast", world.options("other", ["keys"]))
    yield world
    for session in world.sessions.values():
        session.run("ROLLBACK; RESET ROLE; DEALLOCATE ALL")
    world.admin.run("DROP SERVER feast CASCADE; ALTER ROLE second SUPERUSER")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"])
@pytest.mark.parametrize(
    "statement", [READ, "EXECUTE p", "FETCH 1 FROM late", "INSERT INTO feast_drivers VALUES (1, now(), 1, 1)"]
)
def test_an_open_transaction_hears_of_it(feast, begin, statement, loss):
    """It has locked all that it needs, so that nothing it does makes it look for news."""
    user, _, take, _ = LOSSES[loss]
    session = feast.session(user)
    session.run("PREPARE p AS " + READ)
    session.run(begin)
    if user == "second":
        for catalog in ("pg_authid", "pg_user_mapping", "pg_foreign_server", "pg_foreign_table"):
            session.run("SELECT count(*) FROM " + catalog)
    session.run("INSERT INTO feast_drivers VALUES (1, now(), 1, 1)")
    assert feast.outcome(session, READ, READ, "EXECUTE p") == ["server"]
    session.run("DECLARE late CURSOR FOR " + READ)  # asks when it is first fetched from
    feast.admin.run(take)
    assert feast.outcome(session, statement) == [NO_CREDENTIALS]


def test_identity_is_for_those_who_may_use_the_server(feast):
    other = feast.session("other")
    feast.admin.run("REVOKE USAGE ON FOREIGN SERVER feast FROM PUBLIC")
    assert other.fail("SELECT dynamo_fdw_identity('feast')").sqlstate == DENIED
    feast.admin.run("GRANT USAGE ON FOREIGN SERVER feast TO other")
    assert (
        other.value("SELECT access_key_id FROM dynamo_fdw_identity('feast')")
        == feast.key_of("other").access_key_id[-4:]
    )
    row = str(other.run("SELECT * FROM dynamo_fdw_identity('feast')"))
    assert not [secret for secret in feast.keys.secrets() if secret in row]
    assert feast.key_of("other").access_key_id not in row


def test_identity_is_none_of_other_wrappers_servers(feast):
    """Whatever is set there, and though the user may use the server."""
    admin = feast.admin
    admin.run("CREATE FOREIGN DATA WRAPPER foreign_one; CREATE SERVER elsewhere FOREIGN DATA WRAPPER foreign_one")
    admin.run("CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (access_key_id 'a', secret_access_key 'b')")
    error = admin.fail("SELECT dynamo_fdw_identity('elsewhere')")
    admin.run("DROP FOREIGN DATA WRAPPER foreign_one CASCADE")
    assert error.sqlstate == "42809"


def test_identity_tells_of_the_current_users_mapping_alone(feast):
    """In whatever it is called: a function with the definer's rights tells of the definer's, by his own will."""
    plain = feast.session("plain")
    plain.run("CREATE VIEW pg_temp.v AS SELECT * FROM dynamo_fdw_identity('feast')")
    assert plain.run("SELECT access_key_id FROM pg_temp.v") == [("SRVR",)]
    feast.map("plain", "feast", {})
    error = plain.fail("SELECT * FROM pg_temp.v")
    assert error.sqlstate == NO_CREDENTIALS
    assert feast.server_key.access_key_id not in str(error)


def test_a_key_id_known_gives_no_role_of_another(feast):
    """The session has assumed the role with the right secret; who knows but the id gets nothing."""
    feast.map("other", "feast", feast.options("other", ["keys", "role"]))
    options = {**feast.options("other", ["keys", "role"]), "secret_access_key": "guessed"}
    feast.map("plain", "feast", options)
    admin = feast.admin
    admin.run("SET ROLE other")
    assert feast.outcome(admin, READ) == ["role over keys of other"]
    admin.run("SET ROLE plain")
    assert feast.outcome(admin, READ) == [NO_CREDENTIALS]
    admin.run("RESET ROLE")


def test_no_proxy_for_servers_of_plain_users(feast):
    """Behind one nobody sees which address a name has. The server process's environment has one."""
    feast.restart(http_proxy=feast.checking.url)
    feast.admin.run(
        "ALTER SERVER feast OPTIONS (SET endpoint_url 'http://name.invalid', ADD total_max_retry_attempts '1')"
    )
    feast.admin.run("SET dynamo_fdw.allowed_endpoints = '*'")
    feast.map("postgres", "feast", feast.options("postgres", ["keys"]))
    feast.own("feast", "owner")
    feast.checking.forget()
    assert feast.admin.fail(READ).sqlstate == "08001"
    assert not feast.checking.requests
    feast.own("feast", "postgres")
    feast.admin.run("SELECT 1")
    try:
        feast.admin.run(READ)
    except psycopg.Error:
        pass
    assert feast.checking.requests
    feast.restart()
