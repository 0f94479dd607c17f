"""Sessions outlive their credentials: refreshes ahead of the end, forced ones, and those that fail."""

import threading
import time

import pytest

import faults
from faults import right
from key_service import status
from support import Running, make_remote, option_list, records, remote_tables
from world import (
    CREATE,
    DROP,
    INSERT,
    SELECT,
    connect,
    held_back,
    section,
    sentence,
    shared_files,
    wait_for_expiry,
    wait_until,
)

PENDING = "SELECT count(*) FROM dynamo_fdw_record WHERE state <> 'made'"
DOWN = status(500)


def start(cluster, service, keys, source):
    """The server process gets its keys of a service by one of three sources."""
    environments = {
        "imds": service.metadata_environment,
        "container": service.container_environment,
        "AssumeRole": lambda: {**keys.user().environment(), "AWS_ENDPOINT_URL_STS": service.url},
    }
    cluster.restart(environments[source]())


def mapping_of(source):
    return {"role_arn": "arn:aws:iam::123456789012:role/fdw-role"} if source == "AssumeRole" else {}


@pytest.fixture
def make(cluster, project, checking, keys, service):
    """Makes a session whose keys of a source live for some seconds; its table is there, unless it is to be made by the
    session, and no key was asked for.
    """
    sessions = []

    def make(source, lifetime, table=True, **options):
        service.lifetime = lifetime
        start(cluster, service, keys, source)
        session = connect(cluster, project, checking.url, mapping_of(source), **options)
        if table:
            make_remote(project + ".drivers")
            session.run("SET dynamo_fdw.remote_ddl = off")
            session.run(CREATE)
            session.run("SET dynamo_fdw.remote_ddl = on")
        sessions.append(session)
        checking.forget()
        return session

    yield make
    for session in sessions:
        session.close()


def fetches(service):
    """How often keys were asked for."""
    return sum(operation in ("credentials", "container", "AssumeRole") for operation in service.operations())


def read_until(session, condition, what):
    """Reads again and again, which must not fail."""

    def once():
        session.run(SELECT)
        return condition()

    return wait_until(once, what, pause=0.05)


# Ahead of the end.


@pytest.mark.parametrize("source", ["imds", "AssumeRole"])
def test_sessions_outlive_three_expiries(cluster, make, checking, keys, service, source):
    first, second = make(source, 4), cluster.session()

    def expired():
        return [key for key in keys.issued(source) if key.expired() and key.access_key_id in checking.used()]

    stop = threading.Event()
    done = []

    def load(session, name):
        """A statement that fails ends it."""
        while not stop.is_set():
            session.run("INSERT INTO drivers VALUES (%s, now(), 0.5, %s)", [name, len(done)])
            assert len(session.run("SELECT trips FROM drivers WHERE driver_id = %s", [name])) == 1
            done.append(name)

    def guarded(session, name):
        try:
            load(session, name)
        except Exception as error:
            done.append(error)

    threads = [threading.Thread(target=guarded, args=(session, i)) for i, session in enumerate((first, second))]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(expired()) >= 6 or not all(thread.is_alive() for thread in threads), "three expiries each")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    second.close()
    assert [what for what in done if not isinstance(what, int)] == []
    assert {0, 1} <= set(done)
    assert first.warnings() == []


@pytest.mark.parametrize("source", ["imds", "AssumeRole"])
def test_no_statement_waits_while_there_are_keys(make, checking, keys, service, source):
    session = make(source, 12)
    session.run(SELECT)
    (first,) = keys.issued(source)
    asked = len(service.requests)
    service.lifetime = 3600
    # after a quarter of its time the refresh begins, and gets no answer
    with held_back(service):
        read_until(session, lambda: len(service.requests) > asked, "a refresh")
        assert time.time() < first.expires - 2  # far ahead of the end: it is due after 3 s of 12
        for _ in range(5):
            session.run(SELECT)
            session.run(INSERT)
        assert len(service.requests) == asked + 1
        assert set(checking.used()) == {first.access_key_id}
    read_until(session, lambda: len(set(checking.used())) == 2, "the new keys")
    assert session.warnings() == [] and not checking.refused
    assert fetches(service) == 2


def test_an_idle_session_outlives_its_keys(make, checking, keys, service):
    session = make("AssumeRole", 4)
    session.run(SELECT)
    wait_for_expiry(keys)
    service.lifetime = 3600
    session.run(SELECT)
    assert fetches(service) == 2 and not checking.refused


@pytest.mark.parametrize("source", ["imds", "container", "AssumeRole"])
def test_an_answer_that_nobody_looks_at_in_time(make, checking, keys, service, source):
    """The refresh begins at once, and what it brings has ended when the session comes back."""
    session = make(source, 2)
    session.run(SELECT)
    wait_for_expiry(keys)
    service.lifetime = 3600
    session.run(SELECT)
    session.run(INSERT)
    assert session.warnings() == []
    assert not checking.refused


def test_a_session_that_falls_idle_while_it_refreshes(make, checking, keys, service):
    """The answer is there when the session comes back, or is asked for once more: nothing fails for it."""
    session = make("AssumeRole", 4)
    session.run(SELECT)
    with held_back(service):
        read_until(session, lambda: len(service.requests) > 1, "a refresh")
    wait_until(lambda: keys.issued()[0].expired(), "the end of the first keys")
    service.lifetime = 3600
    session.run(SELECT)
    session.run(INSERT)
    assert session.warnings() == []
    assert not checking.refused


# Refused by DynamoDB.


@pytest.mark.parametrize("source", ["imds", "container", "AssumeRole"])
def test_keys_that_end_early(make, checking, keys, service, source):
    session = make(source, 3600)
    session.run(SELECT)
    keys.revoke()
    session.run(INSERT)
    session.run(SELECT)
    assert [code for _, code in checking.refused] == ["ExpiredTokenException"]
    assert fetches(service) == 2
    assert session.warnings() == []


def test_keys_that_are_never_taken(make, checking, keys, service):
    """New keys are asked for once a request, and no more."""
    session = make("imds", 3600)
    checking.fault(faults.error("ExpiredTokenException"), times=None, operation="BatchGetItem")
    error = session.fail(SELECT)
    assert error.sqlstate == "28000" and "ExpiredTokenException" in error.diag.message_detail
    assert "instance metadata" in error.diag.message_hint
    assert checking.count("BatchGetItem") == 2 and fetches(service) == 2
    checking.heal()
    session.run(SELECT)


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidSignatureException"])
def test_keys_of_the_mapping_are_not_asked_for_again(make, checking, keys, service, code):
    session = make("imds", 3600)
    session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (%s)" % option_list(keys.user().mapping()))
    checking.fault(faults.error(code), times=None)
    assert session.fail(SELECT).sqlstate == "28000"
    assert checking.count("BatchGetItem") == 1 and service.requests == []


def test_keys_that_change_in_the_file(cluster, project, checking, keys):
    """A rotation: the file has new keys, then the old ones are deleted."""
    old, new = keys.user(), keys.user("AKIATESTUSER00000002", "USERSECRETnotlogged2")
    cluster.restart(shared_files(cluster, credentials=section("default", old)))
    session = connect(cluster, project, checking.url)
    session.run(CREATE)
    session.run(SELECT)
    shared_files(cluster, credentials=section("default", new))
    session.run(SELECT)
    assert set(checking.used()) == {old.access_key_id}
    old.revoked = True
    session.run(SELECT)
    session.run(INSERT)
    assert checking.used()[-1] == new.access_key_id
    assert [id for id, _ in checking.refused] == [old.access_key_id]


def test_a_long_scan(make, checking, keys, service):
    """Keys end in the middle: what was refused is asked again, signed anew, and no row is missing."""
    session = make("imds", 3600, batch_size=2, max_read_workers=4)
    session.run("INSERT INTO drivers SELECT i, now(), 0, i FROM generate_series(1, 60) i")
    first = keys.issued()[-1]
    checking.forget()

    def revoking(exchange):
        keys.revoke()
        right(exchange)

    checking.fault(right, times=9, operation="BatchGetItem")
    checking.fault(revoking, operation="BatchGetItem")
    rows = session.run("SELECT trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 60)))")
    assert sorted(rows) == [(i,) for i in range(1, 61)]
    assert set(checking.used()) == {first.access_key_id, keys.issued()[-1].access_key_id}
    assert {code for _, code in checking.refused} == {"ExpiredTokenException"}
    assert fetches(service) == 2
    assert len(checking.refused) + 30 == checking.count("BatchGetItem")


# Refreshes that fail.


def test_a_refresh_that_fails(make, checking, keys, service):
    """A warning once; statements go on to the end of the keys, and fail then; they work again when the service does."""
    session = make("container", 6)
    session.run(SELECT)
    service.fault(DOWN, times=None)
    warned = []

    def read():
        error = None
        try:
            session.run(SELECT)
        except Exception as caught:
            error = caught
        warned.extend(session.warnings())
        return error

    error = wait_until(read, "the end of the keys", pause=0.05)
    assert time.time() >= int(keys.issued()[0].expires) and not checking.refused
    assert len(warned) == 1 and "could not be refreshed" in warned[0] and "answered with HTTP 500" in warned[0]
    assert error.sqlstate == "28000" and "container: " in error.diag.message_detail
    assert "HTTP 500" in error.diag.message_detail
    service.heal()
    wait_until(lambda: read() is None, "keys again")
    assert len(warned) == 1


def test_metadata_that_fails(make, checking, keys, service):
    """While IMDS is impaired, AWS takes what it gave before beyond its end."""
    session = make("imds", 2)
    session.run(SELECT)
    service.fault(DOWN, times=None)
    checking.takes_expired = True
    wait_for_expiry(keys)
    before = len(keys.issued())
    for _ in range(3):
        session.run(SELECT)
        session.run(INSERT)
    assert len(keys.issued()) == before and not checking.refused
    assert len([text for text in session.warnings() if "could not be refreshed" in text]) <= 1


def test_no_refresh_after_a_forced_one_that_fails(make, checking, keys, service):
    session = make("AssumeRole", 3600)
    session.run(SELECT)
    keys.revoke()
    service.fault(DOWN, times=None)
    error = session.fail(SELECT)
    assert error.sqlstate == "28000" and "security token" in sentence(error) and "HTTP 500" in sentence(error)
    service.heal()
    wait_until(lambda: not isinstance(Running(session, SELECT).join().error, Exception), "keys again")


# The ends of transactions.


def test_commit_of_a_drop(make, project, checking, keys, service):
    """The keys end between DROP and COMMIT: new ones are there before it begins to delete."""
    session = make("container", 2, table=False)
    session.run(CREATE)
    session.run("BEGIN")
    session.run(DROP)
    wait_for_expiry(keys)
    service.lifetime = 3600
    session.run("COMMIT")
    assert session.warnings() == [] and remote_tables(project) == []
    looked = checking.of("DescribeTable")[-1]
    assert service.requests[-1].arrived < looked.arrived < checking.of("DeleteTable")[-1].arrived
    assert not checking.refused


def revoke_at(checking, keys, operation):
    """The keys end while a request is answered, which is the last that they are good for."""

    def act(exchange):
        right(exchange)
        keys.revoke()

    checking.fault(act, operation=operation)


def test_keys_that_end_within_commit(make, project, checking, keys, service):
    session = make("container", 3600, table=False)
    session.run(CREATE)
    session.run("BEGIN")
    session.run(DROP)
    revoke_at(checking, keys, "DescribeTable")
    session.run("COMMIT")
    assert session.warnings() == [] and remote_tables(project) == []
    assert [code for _, code in checking.refused] == ["ExpiredTokenException"]


@pytest.mark.parametrize("when", ["before", "within"])
@pytest.mark.parametrize("how", [DOWN, faults.stall], ids=["500", "stall"])
def test_commit_of_a_drop_without_keys(make, project, checking, keys, service, when, how):
    """The transaction is committed, come what may, and the deletion is owed."""
    session = make("container", 3600 if when == "within" else 2, table=False)
    session.run(CREATE)
    session.run("BEGIN")
    session.run(DROP)
    service.fault(how, times=None)
    if when == "within":
        revoke_at(checking, keys, "DescribeTable")
    else:
        wait_for_expiry(keys)
    session.run("COMMIT")
    (warning,) = session.warnings()
    assert project + ".drivers" in warning
    assert session.value("SELECT to_regclass('drivers')") is None and session.value(PENDING) == 1
    assert remote_tables(project) == ["drivers"]
    service.heal()
    service.lifetime = 3600
    wait_until(lambda: session.value("SELECT dynamo_fdw_delete_pending()") == 1, "keys again", pause=0.5)
    assert remote_tables(project) == [] and records(session) == []


def test_rollback_of_a_create(make, project, checking, keys, service):
    session = make("container", 2, table=False)
    session.run("BEGIN")
    session.run(CREATE)
    wait_for_expiry(keys)
    service.lifetime = 3600
    session.run("ROLLBACK")
    assert session.warnings() == [] and remote_tables(project) == []
    assert records(session) == []


@pytest.mark.parametrize("how", [DOWN, faults.stall], ids=["500", "stall"])
def test_rollback_of_a_create_without_keys(make, project, checking, keys, service, how):
    session = make("container", 2, table=False)
    session.run("BEGIN")
    session.run(CREATE)
    wait_for_expiry(keys)
    service.fault(how, times=None)
    session.run("ROLLBACK")
    assert project + ".drivers" in " ".join(session.warnings())
    assert remote_tables(project) == ["drivers"] and session.alive()
    service.heal()
    service.lifetime = 3600
    wait_until(lambda: session.value("SELECT dynamo_fdw_delete_pending()") == 1, "keys again", pause=0.5)
    assert remote_tables(project) == []
