"""Cancel, statement_timeout and terminate act at once, whatever the network does."""

import psycopg
import pytest

import faults
from support import DRIVERS, Running, Session, deaf_port, fill, takes

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"
INSERT = "INSERT INTO drivers VALUES (1, now(), 0, 0)"
JOIN = "SELECT trips FROM generate_series(1, 3) i JOIN drivers ON driver_id = i"
STATEMENTS = {SELECT: "BatchGetItem", INSERT: "BatchWriteItem", JOIN: "BatchGetItem"}


@pytest.fixture
def admin(database):
    session = Session(database)
    yield session
    session.close()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_timeout_while_the_answer_stalls(drivers, proxy, statement):
    fill(drivers, 1)
    proxy.fault(faults.stall)
    drivers.run("SET statement_timeout = '300ms'")
    with takes(less_than=1.5, more_than=0.25):
        assert drivers.fail(statement).sqlstate == "57014"
    drivers.run("RESET statement_timeout")
    assert drivers.run(SELECT) == [(10,)]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_cancel_while_the_answer_stalls(drivers, proxy, admin, statement):
    fill(drivers, 1)
    proxy.forget()
    proxy.fault(faults.stall)
    running = Running(drivers, statement)
    proxy.wait_for(STATEMENTS[statement])
    with takes(less_than=1):
        admin.run("SELECT pg_cancel_backend(%s)", [drivers.pid])
        running.join()
    assert running.error.sqlstate == "57014"
    assert drivers.run(SELECT) == [(10,)]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_terminate_while_the_answer_stalls(drivers, proxy, admin, statement):
    fill(drivers, 1)
    proxy.forget()
    proxy.fault(faults.stall)
    running = Running(drivers, statement)
    proxy.wait_for(STATEMENTS[statement])
    with takes(less_than=1):
        admin.run("SELECT pg_terminate_backend(%s, 5000)", [drivers.pid])
        running.join()
    assert isinstance(running.error, psycopg.OperationalError)
    assert admin.run(SELECT) == [(10,)]


def test_statement_timeout_while_keys_are_sorted(drivers):
    """Two keys are combined, without repeats, before anything is asked; at an odd moment of that the time is over."""
    drivers.table("trips", "driver_id integer OPTIONS (entity_key 'true'), city text OPTIONS (entity_key 'true')")
    drivers.run(
        "CREATE TEMP TABLE many AS"
        " SELECT array_agg(i * 7919::bigint % 3000017) ids FROM generate_series(1, 3000000) i"
    )
    for milliseconds in range(100, 600, 100):
        drivers.run("SET statement_timeout = %d" % milliseconds)
        with takes(less_than=milliseconds / 1000 + 0.3):
            query = "SELECT FROM trips WHERE driver_id = ANY ((SELECT ids FROM many)::bigint[]) AND city IN ('a', 'b')"
            assert drivers.fail(query).sqlstate == "57014"


def test_cancel_gives_up_what_is_in_flight(drivers, proxy, admin):
    proxy.fault(faults.stall, times=None)
    running = Running(drivers, "SELECT trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(500))])
    proxy.wait_for("BatchGetItem", 5)
    admin.run("SELECT pg_cancel_backend(%s)", [drivers.pid])
    assert running.join().error.sqlstate == "57014"
    with takes(less_than=5):
        while not all(request.abandoned for request in proxy.of("BatchGetItem")):
            drivers.run("SELECT pg_sleep(0.05)")


def test_cancel_while_waiting_for_a_retry(drivers, proxy, admin):
    proxy.fault(faults.error("InternalServerError", 500, x_amz_retry_after="5000"), times=None)
    running = Running(drivers, SELECT)
    proxy.wait_for("BatchGetItem")
    with takes(less_than=1):
        admin.run("SELECT pg_sleep(0.2), pg_cancel_backend(%s)", [drivers.pid])
        running.join()
    assert running.error.sqlstate == "57014"


def test_cancel_while_connecting(session, project):
    with deaf_port() as port:
        session.server(project, "http://127.0.0.1:%d" % port, create_remote_table="false")
        session.table("drivers", DRIVERS)
        session.run("SET statement_timeout = '300ms'")
        with takes(less_than=1.5, more_than=0.25):
            assert session.fail(SELECT).sqlstate == "57014"


def test_closing_a_cursor_gives_up_what_is_in_flight(drivers, proxy):
    fill(drivers, 300)
    proxy.fault(faults.right, operation="BatchGetItem")
    proxy.fault(faults.stall, times=None, operation="BatchGetItem")
    keys = ",".join(map(str, range(1, 301)))
    drivers.run("BEGIN")
    drivers.run("DECLARE c CURSOR FOR SELECT trips FROM drivers WHERE driver_id = ANY ('{%s}')" % keys)
    assert len(drivers.run("FETCH 1 FROM c")) == 1
    with takes(less_than=1):
        drivers.run("CLOSE c")
        drivers.run("COMMIT")
    proxy.heal()
    assert drivers.run(SELECT) == [(10,)]


def test_cancel_of_a_create_while_the_answer_stalls(drivers, proxy, admin):
    proxy.fault(faults.stall, operation="CreateTable")
    running = Running(drivers, "CREATE FOREIGN TABLE other (id bigint OPTIONS (entity_key 'true')) SERVER feast")
    proxy.wait_for("CreateTable")
    with takes(less_than=8):  # the abort may try for 5 s to delete what it made
        admin.run("SELECT pg_cancel_backend(%s)", [drivers.pid])
        running.join()
    assert running.error.sqlstate == "57014"
    assert admin.value("SELECT to_regclass('other')") is None
