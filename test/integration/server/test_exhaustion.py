"""A backend that runs out of descriptors or memory fails its statement, and works again when there are some."""

import os
import resource
from contextlib import contextmanager

import psycopg
import pytest

from support import fill, remote_tables

MANY = "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 300)))"
ROWS = [(i, 10 * i) for i in range(1, 301)]


@contextmanager
def limited(session, what, soft):
    """The backend has this soft limit for a while."""
    try:
        old = resource.prlimit(session.pid, what)
        resource.prlimit(session.pid, what, (soft, old[1]))
    except (OSError, PermissionError) as error:
        pytest.skip("no prlimit: %s" % error)
    try:
        yield
    finally:
        resource.prlimit(session.pid, what, old)


def address_space(session):
    with open("/proc/%d/status" % session.pid) as status:
        (line,) = [line for line in status if line.startswith("VmSize")]
        return int(line.split()[1]) * 1024


def descriptors(session):
    return len(os.listdir("/proc/%d/fd" % session.pid))


@pytest.fixture
def wide(drivers):
    """drivers 1 to 300 by 30 requests, 30 at once."""
    fill(drivers, 300)
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD batch_size '10', ADD max_read_workers '30')")
    return drivers


def read(session):
    """All rows, or an error that says what is missing; never some of the rows."""
    try:
        assert sorted(session.run(MANY)) == ROWS
    except psycopg.Error as error:
        assert error.sqlstate in ("53000", "53200"), str(error)


@pytest.mark.parametrize("left", [0, 1, 2, 5, 20])
def test_no_descriptors(wide, left):
    with limited(wide, resource.RLIMIT_NOFILE, descriptors(wide) + left):
        for _ in range(3):
            read(wide)
    assert sorted(wide.run(MANY)) == ROWS


@pytest.mark.parametrize("left", [0, 1, 2, 4, 8])
def test_no_memory(wide, left):
    with limited(wide, resource.RLIMIT_AS, address_space(wide) + left * 512 * 1024):
        for _ in range(3):
            read(wide)
    assert sorted(wide.run(MANY)) == ROWS


@pytest.mark.parametrize("left", [-8, -4, -2, -1, 0, 1, 5])
def test_no_descriptors_at_commit(drivers, project, left):
    """The remote table is deleted, stays with a warning, or the transaction fails: not the server."""
    with limited(drivers, resource.RLIMIT_NOFILE, descriptors(drivers) + left):
        try:
            drivers.run("DROP FOREIGN TABLE drivers")
        except psycopg.Error as error:
            assert error.sqlstate in ("53000", "XX000"), str(error)
    here = drivers.value("SELECT to_regclass('drivers') IS NOT NULL")
    if here != ("drivers" in remote_tables(project)):
        assert "is not deleted" in drivers.warnings()[0]
        assert drivers.value("SELECT dynamo_fdw_delete_pending()") == 1
