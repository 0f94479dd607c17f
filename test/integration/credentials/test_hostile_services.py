"""STS, metadata service and container that misbehave: an error in time, which holds nothing that isn't theirs to say."""

import pytest

import faults
from backend import descriptors
from faults import answer, cut, hang_up, redirect, reset, stall, trickle
from interrupts import ENDS
from key_service import (
    ROLE_ARN,
    KeyService,
    endless,
    metadata_failure,
    padded,
    status,
    sts_error,
    with_doctype,
    with_value,
    without,
)
from keys import Keys
from support import takes
from world import CREATE, INSERT, SELECT, connect, section, shared_files, texts, wait_until

LONG = 100  # seconds; a fetch takes 10 at most, most faults far less

# What each source asks first: there the general faults strike.
FIRST = {"sts": "AssumeRole", "imds": "token", "container": "container"}

MARK = "QUOTEDfromTheForeignBody"


@pytest.fixture(scope="module")
def shared_service():
    service = KeyService(Keys())
    yield service
    service.close()


@pytest.fixture(scope="module")
def hostile_cluster(cluster_home, shared_service):
    """A server process for which each of the three services is a profile's."""
    user = shared_service.keys.user()
    config = (
        section("profile sts", role_arn=ROLE_ARN, source_profile="user")
        + section("profile imds", role_arn=ROLE_ARN, credential_source="Ec2InstanceMetadata")
        + section("profile container", role_arn=ROLE_ARN, credential_source="EcsContainer")
    )
    environment = {
        **shared_files(cluster_home, config, section("user", user)),
        **shared_service.container_environment(),
        **shared_service.metadata_environment(),
        "AWS_ENDPOINT_URL_STS": shared_service.url,
    }
    cluster_home.restart(environment)
    yield cluster_home
    cluster_home.stop()


@pytest.fixture
def ask(hostile_cluster, shared_service):
    """Makes a session that has yet to get its keys by a profile."""
    sessions = []

    def ask(profile):
        session = connect(hostile_cluster, "hostile", "http://127.0.0.1:9", {"profile": profile})
        session.run("SET dynamo_fdw.remote_ddl = off")
        session.run(CREATE)
        sessions.append(session)
        return session

    shared_service.heal()
    shared_service.forget()
    yield ask
    shared_service.heal()
    for session in sessions:
        session.close()
    cleaner = hostile_cluster.session()
    cleaner.run("SET dynamo_fdw.remote_ddl = off; DROP SERVER IF EXISTS feast CASCADE")
    cleaner.close()


def assert_refused(session, service, seconds=LONG):
    """An error for want of credentials, in time; its words."""
    with takes(less_than=seconds):
        error = session.fail(SELECT)
    said = texts(error)
    assert error.sqlstate == "28000", said
    assert not [secret for secret in service.keys.secrets() if secret in said]
    assert MARK not in said and "\r" not in said and "\x1b" not in said and "\n\n" not in said
    assert session.alive()
    return said


def huge(exchange):
    exchange.send(200, b'{"' + MARK.encode() + b'": "' + b"x" * (20 << 20) + b'"}')


def mark(*around):
    return answer(MARK.encode().join(around))


GENERAL = {
    "huge": huge,
    "long": padded(65 * 1024 + 1),
    "endless": endless,
    "empty": answer(b""),
    "text": mark(b"<<< ", b" >>>"),
    "html": mark(b"<html><body>", b"</body></html>"),
    "binary": mark(b"\x00\xff\r\n", b"\x1b[1m"),
    "json": mark(b'{"x": "', b'"}'),
    "half": mark(b'{"AccessKeyId": "', b'", "Secre'),
    "deep": answer(b"[" * 60000),
    "deep xml": answer(b"<a>" * 20000),
    "redirect": redirect,
    "hang up": hang_up,
    "reset": reset,
    "cut": cut,
    "400": answer(MARK.encode(), 400),
    "403": answer(MARK.encode(), 403),
    "404": answer(MARK.encode(), 404),
    "405": status(405),
    "429": status(429),
    "500": answer(MARK.encode(), 500),
    "503": status(503),
    "no http": faults.raw(lambda body: [MARK.encode() * 10]),
    "many headers": faults.raw(lambda body: [b"HTTP/1.1 200 OK\r\n", *[b"X: %b\r\n" % (b"y" * 8000)] * 1000]),
}


# What stands for itself is a token; the right one with blanks is the right one.
TOKENS = ("text", "html", "json", "long", "half", "deep", "deep xml")

# What each service is asked again for, after a second or so: these are enough of what the three have in common.
OF_CONTAINER = ("huge", "json", "binary", "redirect", "403", "500")
NOT_OF_STS = ("reset", "503", "empty", "text", "json", "half")

CASES = [(source, fault) for source in FIRST for fault in GENERAL]
CASES = [case for case in CASES if case[0] != "imds" or case[1] not in TOKENS]
CASES = [case for case in CASES if case[0] != "container" or case[1] in OF_CONTAINER]
CASES = [case for case in CASES if case[0] != "sts" or case[1] not in NOT_OF_STS]


@pytest.mark.parametrize("source, fault", CASES)
def test_an_answer_that_is_none(ask, shared_service, source, fault):
    session = ask(source)
    shared_service.fault(GENERAL[fault], times=None, operation=FIRST[source])
    said = assert_refused(session, shared_service)
    assert "elsewhere" not in said
    assert {request.path for request in shared_service.requests} <= {"/", "/latest/api/token", "/v1/credentials"}


@pytest.mark.parametrize("source, fault", [("sts", trickle(600)), ("imds", stall), ("container", stall)], ids=FIRST)
def test_an_answer_that_does_not_come(ask, shared_service, source, fault):
    session = ask(source)
    shared_service.fault(fault, times=None, operation=FIRST[source])
    said = assert_refused(session, shared_service)
    assert "imds" not in source or "hop limit" in said


@pytest.mark.parametrize(
    "source, operation, fault, words",
    [
        ("sts", "AssumeRole", with_doctype, "malformed"),
        ("sts", "AssumeRole", with_value("SecretAccessKey", "a&#13;&#10;b"), "secret access key"),
        ("sts", "AssumeRole", with_value("SessionToken", "a&#10;b"), "session token"),
        ("sts", "AssumeRole", with_value("AccessKeyId", "&undefined;"), ""),
        ("sts", "AssumeRole", with_value("Expiration", "tomorrow"), "expiration"),
        ("sts", "AssumeRole", without("SessionToken"), "session token is missing"),
        ("sts", "AssumeRole", sts_error("AccessDenied", 403, "no\r\nno"), "AccessDenied"),
        ("sts", "AssumeRole", sts_error("X" * 5000, 400, "y" * 50000), "XXX"),
        ("imds", "token", answer(b"a\r\nX-Evil: 1"), "token"),
        ("imds", "token", answer(b"a b"), "token"),
        ("imds", "role", answer(b"../../evil\r\n"), "roles"),
        ("imds", "role", answer(b"a b?c#d"), "roles"),
        ("imds", "role", answer(b""), "roles"),
        ("imds", "role", answer(b"r" * 60000), "roles"),
        ("imds", "role", redirect, "redirect"),
        ("imds", "credentials", with_value("Token", '"a\\r\\nb"'), "session token"),
        ("imds", "credentials", with_value("SecretAccessKey", "null"), "SecretAccessKey"),
        ("imds", "credentials", with_value("Expiration", "null"), "Expiration"),
        ("imds", "credentials", metadata_failure("AssumeRoleUnauthorizedAccess"), "AssumeRoleUnauthorizedAccess"),
        ("imds", "credentials", huge, ""),
        ("imds", "credentials", redirect, "redirect"),
        ("container", "container", with_value("AccessKeyId", '"a\\u0000b"'), "zero byte"),
        ("container", "container", with_value("Token", '"a\\nb"'), "session token"),
        ("container", "container", with_value("Expiration", "5"), "Expiration"),
        ("container", "container", without("SecretAccessKey"), "secret access key is missing"),
        ("container", "container", answer({"code": "Denied", "message": "\x1b[2Jno\r\n"}, 400), "Denied"),
    ],
)
def test_a_part_that_is_wrong(ask, shared_service, source, operation, fault, words):
    session = ask(source)
    shared_service.fault(fault, times=None, operation=operation)
    said = assert_refused(session, shared_service)
    assert words in said and len(said) < 4000
    assert not any(request.header("X-Evil") for request in shared_service.requests)


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("source", list(FIRST))
def test_ends_while_it_waits_for_keys(ask, shared_service, source, how):
    session = ask(source)
    shared_service.fault(stall, times=None)
    how(session, SELECT, lambda: shared_service.wait_for(FIRST[source]))


@pytest.mark.parametrize("statement", ["SELECT * FROM dynamo_fdw_identity('feast')", INSERT])
def test_a_cancel_of_other_statements(ask, shared_service, statement):
    session = ask("sts")
    shared_service.fault(stall, times=None)
    session.run("SET statement_timeout = '200ms'")
    with takes(less_than=LONG / 10):
        assert session.fail(statement).sqlstate == "57014"


def test_descriptors(ask, shared_service):
    """Neither failures nor cancels leave one open."""
    session = ask("sts")
    session.fail(SELECT)  # DynamoDB is not there, and that is the first use of all
    before = descriptors(session)
    for fault in (stall, hang_up, cut, endless, huge, status(500)):
        shared_service.fault(fault, times=None)
        session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET profile 'container')")
        session.run("SET statement_timeout = '300ms'")
        session.fail(SELECT)
        session.run("RESET statement_timeout")
        session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET profile 'sts')")
        shared_service.heal()
    # a fetch that was left behind goes on whenever the session waits
    wait_until(lambda: session.fail(SELECT) and descriptors(session) <= before, "they are closed")


def test_a_cursor_that_is_left_open(ask, shared_service):
    """Its statement's fetch goes on with whatever comes next, or is given up with the session."""
    session = ask("container")
    session.run("BEGIN")
    session.run("DECLARE c CURSOR FOR " + SELECT)
    session.run("COMMIT")
    shared_service.fault(stall, times=None)
    session.run("BEGIN")
    session.run("DECLARE c CURSOR FOR " + SELECT)
    session.run("SET LOCAL statement_timeout = '200ms'")
    assert session.fail("FETCH ALL FROM c").sqlstate == "57014"
    session.run("ROLLBACK")
    session.run("BEGIN; DECLARE c CURSOR FOR %s; COMMIT" % SELECT)
    assert session.run(SELECT + " LIMIT 0") == []
    assert session.alive()
