"""The server shuts down while statements wait for DynamoDB."""

import random
import signal
import time

import psycopg
import pytest

import faults
from cluster import FAST, IMMEDIATE, SMART
from support import DRIVERS, Running, fill, takes
from interrupts import CREATE, READ, WRITE

COMMIT = "DROP FOREIGN TABLE drivers"


@pytest.fixture
def started(initialized, project, proxy):
    """A running server of the test's own with the foreign table "drivers"."""
    initialized.start()
    initialized.clear_log()
    session = initialized.session()
    session.run("SET dynamo_fdw.remote_ddl = off; DROP EXTENSION IF EXISTS dynamo_fdw CASCADE")
    session.run("SET dynamo_fdw.remote_ddl = on; CREATE EXTENSION dynamo_fdw")
    session.server(project, proxy.url, read_timeout=300, total_max_retry_attempts=100)
    session.table("drivers", DRIVERS)
    session.close()
    proxy.forget()
    yield initialized
    initialized.stop()


def stuck(cluster, proxy, statements, fault):
    """Each statement in a session of its own, waiting for an answer."""
    proxy.fault(fault, times=None)
    running = [Running(cluster.session(), statement) for statement in statements]
    end = time.monotonic() + 10
    while len(proxy.requests) < len(statements):
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.1))
    return running


@pytest.mark.parametrize("how", [FAST, IMMEDIATE], ids=["fast", "immediate"])
@pytest.mark.parametrize("fault", [faults.stall, faults.error("ThrottlingException")], ids=["no answer", "throttled"])
def test_it_waits_for_nobody(started, proxy, how, fault):
    statements = [READ, READ, WRITE, CREATE, COMMIT] if fault is faults.stall else [READ, READ, WRITE]
    running = stuck(started, proxy, statements, fault)
    with takes(less_than=2):
        started.stop(how)
    for each in running:
        assert isinstance(each.join().error, psycopg.OperationalError)


def test_smart_lets_statements_end(started, proxy):
    session = started.session()
    fill(session, 300)
    proxy.fault(faults.late(1), times=None)
    running = Running(session, READ)
    proxy.wait_for("BatchGetItem")
    started.signal(SMART)
    assert sorted(running.join().rows) == [(10 * i,) for i in range(1, 301)]
    session.close()
    with takes(less_than=2):
        started.stop(SMART)


def test_recovery_after_an_immediate_shutdown(started, proxy, project):
    """What was committed is there; a deletion that was under way is pending."""
    session = started.session()
    session.run("CREATE FOREIGN TABLE second (%s) SERVER feast" % DRIVERS)
    proxy.forget()
    proxy.fault(faults.stall, times=None, operation="DeleteTable")
    running = Running(session, "DROP FOREIGN TABLE second")
    proxy.wait_for("DeleteTable")
    started.stop(IMMEDIATE)
    running.join()
    proxy.heal()
    started.start()
    again = started.session()
    assert again.value("SELECT to_regclass('second')") is None
    assert again.value("SELECT dynamo_fdw_delete_pending()") == 1
    fill(again, 3)
    assert len(again.run(READ)) == 3
    again.close()


def test_backends_end_when_the_postmaster_is_killed(started, proxy):
    running = stuck(started, proxy, [READ, WRITE, CREATE], faults.stall)
    with takes(less_than=2):
        started.stop(signal.SIGKILL)
        for each in running:
            assert isinstance(each.join().error, psycopg.OperationalError)
