"""Whom servers of plain users may make PostgreSQL talk to, and how little of a foreign service's answer they see."""

import json
import time

import psycopg
import pytest

import faults
from identity_world import SELECT, World
from support import DRIVERS, remote_tables

ALLOWED = "dynamo_fdw.allowed_endpoints"
FORBIDDEN, REFUSED_CONNECTION, NO_CREDENTIALS = "42501", "08001", "28000"
READ = SELECT % "t"


@pytest.fixture(scope="module")
def world(cluster_home):
    world = World(cluster_home)
    world.role("plain")
    world.role("second", "SUPERUSER")
    world.admin.run("GRANT USAGE ON FOREIGN DATA WRAPPER dynamo_fdw TO plain")
    world.admin.run("GRANT CREATE ON DATABASE postgres TO plain")
    yield world
    world.close()


@pytest.fixture
def plain(world):
    """A session of the plain user, who owns a server "mine" to DynamoDB with keys, and a table t there."""
    session = world.session("plain")
    world.server("mine", session)
    session.run("ALTER FOREIGN TABLE mine_drivers RENAME TO t")
    for user in ("plain", "postgres"):
        world.map(user, "mine", world.options(user, ["keys"]))
    session.warnings()
    world.checking.forget()
    yield session
    world.session("plain").run("ROLLBACK")
    world.checking.heal()
    world.admin.run("ROLLBACK")
    world.admin.run("ALTER ROLE plain RESET ALL; ALTER DATABASE postgres RESET ALL; RESET ALL")
    world.admin.run("ALTER SYSTEM RESET ALL")
    world.admin.run("SELECT pg_reload_conf(); SET dynamo_fdw.remote_ddl = off")
    world.admin.run("DROP SERVER mine CASCADE; SELECT dynamo_fdw_forget(id) FROM dynamo_fdw_record")
    world.admin.run("RESET dynamo_fdw.remote_ddl")


@pytest.fixture
def allowed(world, plain):
    """The same with DynamoDB Local allowed."""
    world.admin.run("ALTER ROLE ALL SET %s = '127.0.0.1'" % ALLOWED)
    yield reopened(world, "plain")
    world.admin.run("ALTER ROLE ALL RESET ALL")
    reopened(world, "plain")


def reopened(world, user):
    world.sessions.pop((user, "postgres")).close()
    return world.session(user)


def moved(plain, **options):
    """The error of a query after the server's options have changed."""
    plain.run("ALTER SERVER mine OPTIONS (%s)" % ", ".join("SET %s '%s'" % pair for pair in options.items()))
    return plain.fail(READ)


def reads(session):
    return session.run(READ) == []


# Servers that no superuser owns


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "http://localhost:8000",
        "http://LOCALHOST:1",
        "http://[::1]:8000",
        "http://127.1:8000",
        "http://0:8000",
        "http://0.0.0.0:8000",
        "http://2130706433:8000",
        "http://0x7f000001:8000",
        "http://[::ffff:127.0.0.1]:8000",
        "https://10.0.0.1",
        "http://192.168.1.1",
        "http://172.16.0.1:5432",
        "https://[fd00::1]",
        "http://169.254.169.254",
        "http://[fd00:ec2::254]",
        "https://example.com",
        "http://dynamodb.us-west-2.amazonaws.com",
        "https://dynamodb.us-west-2.amazonaws.com:8443",
        "https://dynamodb.us-west-2.amazonaws.com.example.com",
        "https://dynamodb.us-west-2.amazonaws.com.",
        "https://xdynamodb.us-west-2.amazonaws.com",
        "https://dynamodb-us-west-2.amazonaws.com",
        "https://dynamodb.us-west-2.api.aws.example.com",
        "https://dynamodb.cn-north-1.amazonaws.com",
        "https://s3.us-west-2.amazonaws.com",
        "https://bucket.s3.amazonaws.com",
        "https://dynamodb.s3.amazonaws.com",
        "https://123456789012.ddb.s3.amazonaws.com",
        "https://dynamodb.s3-us-west-2.amazonaws.com",
        "https://dynamodb.execute-api.us-west-2.amazonaws.com",
        "https://lb-1.us-west-2.elb.amazonaws.com",
        "https://evil.vpce.amazonaws.com",
        "https://vpce-1.sts.us-west-2.vpce.amazonaws.com",
    ],
)
def test_refused(world, plain, url):
    error = moved(plain, endpoint_url=url)
    assert error.sqlstate == FORBIDDEN and ALLOWED in error.diag.message_hint, error
    assert world.session("postgres").fail(READ).sqlstate == FORBIDDEN  # by the superuser's own mapping, too
    assert plain.fail("SELECT dynamo_fdw_identity('mine')").sqlstate == FORBIDDEN
    create = "CREATE FOREIGN TABLE made (%s) SERVER mine OPTIONS (create_remote_table 'true')" % DRIVERS
    plain.run("ALTER SERVER mine OPTIONS (DROP create_remote_table)")
    assert plain.fail(create).sqlstate == FORBIDDEN
    assert not world.checking.requests


@pytest.mark.parametrize("words", [["keys", "role"], ["lent"]])
def test_sts_is_asked_in_a_region_alone(world, allowed, words):
    """Its host has the region's name in it, and s3.amazonaws.com, say, is no region."""
    world.map("plain", "mine", world.options("plain", words))
    error = moved(allowed, region="s3")
    assert error.sqlstate == FORBIDDEN and "STS" in error.diag.message_detail, error
    create = "CREATE FOREIGN TABLE made (%s) SERVER mine OPTIONS (create_remote_table 'true')" % DRIVERS
    allowed.run("ALTER SERVER mine OPTIONS (DROP create_remote_table)")
    assert allowed.fail(create).sqlstate == FORBIDDEN
    world.map("plain", "mine", world.options("plain", ["keys"]))
    assert allowed.run("SELECT region FROM dynamo_fdw_identity('mine')") == [("s3",)]


def test_region_local_is_no_way_around(plain):
    plain.run("ALTER SERVER mine OPTIONS (DROP endpoint_url)")
    assert moved(plain, region="local").sqlstate == FORBIDDEN


@pytest.mark.parametrize(
    "url",
    [
        "https://dynamodb.us-west-2.amazonaws.com",
        "https://DynamoDB-fips.us-west-2.amazonaws.com:443",
        "https://vpce-1-x.dynamodb.us-west-2.vpce.amazonaws.com",
        "https://123456789012.ddb.us-west-2.amazonaws.com",
        "https://dynamodb.us-west-2.api.aws",
        "https://dynamodb.cn-north-1.amazonaws.com.cn",
    ],
)
def test_aws_is_not_refused(plain, url):
    """Where the name resolves, the service refuses our keys; where it does not, nothing is connected to."""
    plain.run("ALTER SERVER mine OPTIONS (ADD connect_timeout '2', ADD total_max_retry_attempts '1')")
    assert moved(plain, endpoint_url=url).sqlstate in (REFUSED_CONNECTION, NO_CREDENTIALS)


# The setting


PATTERNS = {
    "127.0.0.1": True,
    "*": True,
    "127.*": True,
    "*.1": True,
    "example.com,  127.0.0.1": True,
    "": False,
    "127.0.0.2": False,
    "localhost": False,
    "27.0.0.1": False,
    "127.0.0": False,
}


@pytest.mark.parametrize("patterns", PATTERNS)
def test_in_force_at_once(world, plain, patterns):
    """In a session that has a connection, each time the file changes."""
    for value, reaches in ((patterns, PATTERNS[patterns]), ("", False), (patterns, PATTERNS[patterns])):
        world.admin.run("ALTER SYSTEM SET %s = '%s'" % (ALLOWED, value))
        world.admin.run("SELECT pg_reload_conf()")
        wait_for(plain, value)
        if reaches:
            assert reads(plain)
        else:
            assert plain.fail(READ).sqlstate == FORBIDDEN


def wait_for(session, value):
    end = time.monotonic() + 30
    while session.value("SHOW " + ALLOWED) != value:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_by_a_superuser_for_a_role_a_database_or_a_transaction(world, plain):
    plain.run("SELECT dynamo_fdw_version()")
    for target in ("ROLE plain", "DATABASE postgres", "ROLE plain IN DATABASE postgres"):
        world.admin.run("ALTER %s SET %s = '127.0.0.1'" % (target, ALLOWED))
        assert reads(reopened(world, "plain"))
        world.admin.run("ALTER %s RESET %s" % (target, ALLOWED))
        assert reopened(world, "plain").fail(READ).sqlstate == FORBIDDEN
    admin = world.admin
    admin.run("BEGIN; SET LOCAL %s = '127.0.0.1'" % ALLOWED)
    assert reads(admin)
    admin.run("SAVEPOINT s; SET LOCAL %s = ''" % ALLOWED)
    assert admin.fail(READ).sqlstate == FORBIDDEN
    admin.run("ROLLBACK TO s")
    assert reads(admin)
    admin.run("COMMIT")
    assert admin.fail(READ).sqlstate == FORBIDDEN


def test_in_force_at_once_for_tables_too(world, plain):
    """Within a transaction, whose requests about tables share a client."""
    admin = world.admin
    admin.run("BEGIN")
    for patterns, refused in (("127.0.0.1", False), ("", True), ("127.0.0.1", False)):
        admin.run("SET LOCAL %s = '%s'" % (ALLOWED, patterns))
        status = admin.value("SELECT status FROM dynamo_fdw_plan('mine')")
        assert ("none of AWS's endpoints" in status) == refused, status
    admin.run("ROLLBACK")


@pytest.mark.parametrize("loaded", [True, False])
def test_not_by_a_plain_user(world, plain, loaded):
    """Nor before the library is loaded, when the setting is one that nobody knows."""
    function = "CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql SET %s = '*' AS ''"
    for statement in (
        "SET %s = '*'",
        "SET LOCAL %s = '*'",
        "SELECT set_config('%s', '*', false)",
        "ALTER ROLE plain SET %s = '*'",
        "ALTER DATABASE postgres SET %s = '*'",
        function,
    ):
        session = reopened(world, "plain")
        if loaded:
            session.run("SELECT dynamo_fdw_version()")
            assert session.fail(statement % ALLOWED).sqlstate == FORBIDDEN
        else:
            session.run("BEGIN")
            world.outcome(session, statement % ALLOWED)
        assert session.fail(READ).sqlstate == FORBIDDEN
        session.run("ROLLBACK")
    where = {"host": world.cluster.home, "port": 5432, "user": "plain", "dbname": "postgres"}
    with psycopg.connect(options="-c %s=*" % ALLOWED, **where) as conn:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="AWS's endpoints"):
            conn.execute(READ)
    assert not world.checking.requests


# Hands


def test_the_owner_at_the_time_of_use_counts(world, plain):
    """Also of a cached connection, a prepared statement's plan and a view."""
    plain.run("PREPARE p AS " + READ)
    plain.run("CREATE VIEW v AS SELECT * FROM t; GRANT SELECT ON v TO PUBLIC")
    world.admin.run("CREATE VIEW sv AS SELECT * FROM t; GRANT SELECT ON sv TO PUBLIC")
    for _ in range(2):
        for statement in ("EXECUTE p", READ, SELECT % "v", SELECT % "sv"):
            assert plain.fail(statement).sqlstate == FORBIDDEN
        for statement in (READ, SELECT % "v", SELECT % "sv"):
            assert world.admin.fail(statement).sqlstate == FORBIDDEN
        world.own("mine", "postgres")
        for statement in ("EXECUTE p", READ, SELECT % "v", SELECT % "sv"):
            assert plain.run(statement) == []
        world.own("mine", "second")
        assert reads(plain)
        world.admin.run("ALTER ROLE second NOSUPERUSER")
        assert plain.fail("EXECUTE p").sqlstate == FORBIDDEN
        world.admin.run("ALTER ROLE second SUPERUSER")
        assert reads(plain)
        world.own("mine", "plain")
    plain.run("DEALLOCATE p")


def test_handed_over_with_tables_and_deletions(world, plain):
    """CREATE while a superuser owns the server; DROP, COMMIT and what is pending find it handed over."""
    world.own("mine", "postgres")
    world.admin.run("ALTER SERVER mine OPTIONS (DROP create_remote_table)")
    for name in ("made", "more", "rest"):
        plain.run("CREATE FOREIGN TABLE %s (%s) SERVER mine" % (name, DRIVERS))
    world.checking.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    plain.run("DROP FOREIGN TABLE rest")
    plain.run("BEGIN; DROP FOREIGN TABLE more")
    world.own("mine", "plain")
    assert world.outcome(plain, "COMMIT") == []
    assert world.outcome(plain, "DROP FOREIGN TABLE made") == []
    assert world.outcome(plain, "SELECT dynamo_fdw_delete_pending()") == []
    assert world.outcome(world.admin, "SELECT dynamo_fdw_delete_pending()") == []
    assert any("is not deleted" in text for text in plain.warnings())
    assert remote_tables(world.project) == ["drivers", "made", "more", "rest"]
    world.own("mine", "postgres")
    assert plain.value("SELECT dynamo_fdw_delete_pending()") == 3
    assert remote_tables(world.project) == ["drivers"]


# Everybody's servers


LINK_LOCAL = [
    "http://169.254.169.254",
    "http://169.254.170.2:80",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://169.254.43518",
    "http://[fd00:ec2::254]",
    "http://[fe80::1]",
    "http://[::ffff:169.254.169.254]",
    "http://[64:ff9b::169.254.169.254]",
]


@pytest.mark.parametrize("url", LINK_LOCAL)
def test_link_local_is_refused_to_everybody(world, plain, url):
    """Allowed by name, and by superusers on a superuser's server, too."""
    plain.run("ALTER SERVER mine OPTIONS (ADD total_max_retry_attempts '3')")
    world.admin.run("ALTER SERVER mine OPTIONS (SET endpoint_url '%s'); SET %s = '*'" % (url, ALLOWED))
    for owner in ("plain", "postgres"):
        world.own("mine", owner)
        error = world.admin.fail(READ)
        assert error.sqlstate == FORBIDDEN and "attempts" not in str(error), error


def test_the_servers_own_credentials_go_over_plain_http_to_no_other_machine(world, plain):
    admin = world.admin
    world.own("mine", "postgres")
    world.map("postgres", "mine", {})
    world.map("plain", "mine", {"credentials_required": "false"})
    assert world.outcome(admin, READ) == ["server"]
    for url in ("http://10.0.0.1", "http://127.0.0.1.example.com", "http://0.0.0.0:%d" % world.checking.port):
        admin.run("ALTER SERVER mine OPTIONS (SET endpoint_url '%s')" % url)
        for session in (admin, plain):
            error = session.fail(READ)
            assert error.sqlstate == NO_CREDENTIALS and "plain http" in error.diag.message_detail
    world.map("plain", "mine", world.options("plain", ["keys"]))
    assert world.outcome(plain, READ) == ["keys of plain"]  # 0.0.0.0: his own go where he likes


# What comes back


ESCAPES = "\x1b]0;title\x07\x1b[31mred\r\nLOG:  forged\x00\u009b2J\u202e"
SECRET = "SECRETofTheForeignService"
PAGE = ("<html><body>%s</body></html>" % (SECRET * 400)).encode()


def clean(text):
    return all(character >= " " and not "\x7f" <= character <= "\x9f" for character in text)


def parts(error):
    diag = error.diag
    return [part or "" for part in (diag.message_primary, diag.message_detail, diag.message_hint)]


ANSWERS = {
    "HTML": faults.answer(PAGE, 403),
    "HTML, 200": faults.answer(PAGE),
    "text": faults.answer(SECRET.encode() * 10, 400),
    "JSON without a code": faults.answer({"secret": SECRET * 10, "Item": {"S": SECRET}}, 400),
    "JSON that is no answer": faults.answer({"secret": SECRET * 10}),
    "a list": faults.answer(json.dumps([SECRET]).encode(), 400),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_without_code_is_not_shown(world, allowed, what):
    allowed.run("ALTER SERVER mine OPTIONS (ADD total_max_retry_attempts '1')")
    world.checking.fault(ANSWERS[what], times=None)
    for statement in (READ, "INSERT INTO t VALUES (1, now(), 1, 1)", "UPDATE t SET trips = 1 WHERE driver_id = 1"):
        error = allowed.fail(statement)
        assert SECRET[:8] not in " ".join(parts(error)) and "html" not in str(error)
    assert SECRET[:8] not in str(allowed.run("SELECT * FROM dynamo_fdw_plan()"))


@pytest.mark.parametrize(
    "code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException", "Strange"]
)
def test_a_message_is_cut_and_cleaned(world, allowed, code):
    allowed.run("ALTER SERVER mine OPTIONS (ADD total_max_retry_attempts '1')")
    for message in ("x" * 10000, "begin " + ESCAPES + "y" * 10000, "begin \u00e9" * 1000):
        body = {"__type": "x#" + code + " \x1b[0m" + "c" * 500, "message": message}
        world.checking.fault(faults.answer(body, 400), times=None)
        error = allowed.fail(READ)
        assert all(clean(part) and len(part) < 1000 for part in parts(error)), error
        assert message[:5] in error.diag.message_detail and "forged" not in str(error)
        world.checking.heal()


def test_headers_are_cleaned(world, allowed):
    world.checking.fault(faults.error("ValidationException", x_amzn_RequestId="id\x1b[31m" + "z" * 500), times=None)
    error = allowed.fail(READ)
    assert all(clean(part) and len(part) < 1000 for part in parts(error)), error
    assert "Request id id" in str(error)


def table_of(status="ACTIVE", key="entity_id"):
    return {
        "Table": {
            "TableName": "x",
            "TableStatus": status,
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
            "CreationDateTime": 1,
            "TableId": ESCAPES.replace("\x00", ""),
        }
    }


def test_a_description_is_cut_and_cleaned(world, allowed):
    allowed.run("ALTER SERVER mine OPTIONS (DROP create_remote_table)")
    create = "CREATE FOREIGN TABLE made (%s) SERVER mine" % DRIVERS
    for answer in (
        table_of(status="x" + ESCAPES.replace("\x00", "") + "y" * 1000),
        table_of(status="\u00e9" * 100),
        table_of(key="k" + ESCAPES.replace("\x00", "") + "y" * 1000),
        table_of(key="\u00e9" * 1000),
    ):
        world.checking.fault(faults.answer(answer), times=None)
        error = allowed.fail(create)
        assert all(clean(part) and len(part) < 1000 for part in parts(error)), error
        for row in allowed.run("SELECT status, difference, on_create, on_drop FROM dynamo_fdw_plan('mine')"):
            assert all(clean(text or "") and len(text or "") < 400 for text in row), row
        world.checking.heal()
