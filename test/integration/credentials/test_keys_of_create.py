"""CreateTable whose keys fail: whether a table may have been made is told by what was sent."""

import pytest

import faults
from key_service import ROLE_ARN, sts_error
from support import Running, records, remote_tables, takes
from world import CREATE, connect

EXPIRED = faults.error("ExpiredTokenException")
MAYBE = 'remote table "%s.drivers" could not be deleted CreateTable was sent, and not answered clearly.'


@pytest.fixture
def session(cluster, project, checking, keys, service):
    cluster.restart({**keys.user().environment(), "AWS_ENDPOINT_URL_STS": service.url})
    session = connect(cluster, project, checking.url, {"role_arn": ROLE_ARN})
    session.run("SELECT * FROM dynamo_fdw_identity('feast')")
    yield session
    session.close()


def cancelled_create(session, checking, service, create):
    """CREATE is cancelled while CreateTable, which was refused, waits for new keys."""
    checking.fault(EXPIRED, operation="CreateTable")
    service.fault(faults.stall, times=None)
    asked = service.count("AssumeRole")
    running = Running(session, create)
    service.wait_for("AssumeRole", asked + 1)
    session.conn.cancel()
    return running


def test_a_cancel_before_it_is_sent(session, checking, service):
    running = cancelled_create(session, checking, service, CREATE)
    with takes(less_than=2):
        running.join()
    assert running.error.sqlstate == "57014"
    service.heal()
    assert session.run("SELECT 1") and records(session) == [] and session.warnings() == []
    assert checking.count("CreateTable") == 1


def test_a_cancel_before_it_is_sent_in_a_subtransaction(session, checking, service):
    create = "DO $$ BEGIN %s; EXCEPTION WHEN query_canceled THEN NULL; END $$" % CREATE
    running = cancelled_create(session, checking, service, create)
    with takes(less_than=2):
        running.join()
    assert running.error is None
    service.heal()
    assert records(session) == [] and session.warnings() == []
    assert checking.count("CreateTable") == 1


def test_an_attempt_that_was_lost_before(session, project, checking, service):
    checking.fault(faults.lose, operation="CreateTable")
    checking.fault(EXPIRED, operation="CreateTable")
    service.fault(sts_error("AccessDenied", 403, "no"), times=None)
    assert session.fail(CREATE).sqlstate == "28000"
    assert session.warnings() == [MAYBE % project]
    assert remote_tables(project) == ["drivers"]
