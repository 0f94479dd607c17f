"""Through PgBouncer in transaction mode: each transaction may run in another backend, with its own connections."""

import os
import shutil
import socket
import subprocess
import tempfile
import time

import psycopg
import pytest

import faults
from support import Running, Session, fill, remote_tables, takes
from test_concurrent_sessions import in_parallel

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"
BACKENDS = 3


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def pool(database):
    """Connection parameters of a PgBouncer with a few backends of the test's database."""
    program = shutil.which("pgbouncer") or pytest.fail("no pgbouncer")
    home = tempfile.mkdtemp(prefix="pgb")
    os.chmod(home, 0o777)  # root lends it to the user it hands over to
    port = free_port()
    settings = [
        "[databases]",
        "%s = host=%s port=%s user=%s" % (database, *(os.environ[n] for n in ("PGHOST", "PGPORT", "PGUSER"))),
        "[pgbouncer]",
        "pool_mode = transaction",
        "auth_type = any",
        "default_pool_size = %d" % BACKENDS,
        "listen_addr = 127.0.0.1",
        "listen_port = %d" % port,
        "unix_socket_dir =",
        "ignore_startup_parameters = options, extra_float_digits",
    ]
    with open(home + "/ini", "w") as ini:
        ini.write("\n".join(settings) + "\n")
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with open(home + "/log", "w") as log:
        server = subprocess.Popen([program, "-q", *user, home + "/ini"], stderr=log, cwd=home)
    where = {"host": "127.0.0.1", "port": port}
    wait_until_up(database, where)
    yield where
    server.terminate()
    server.wait(10)
    shutil.rmtree(home)


def wait_until_up(database, where):
    end = time.monotonic() + 10
    while True:
        try:
            return psycopg.connect(dbname=database, **where).close()
        except psycopg.OperationalError:
            assert time.monotonic() < end, "PgBouncer doesn't start"
            time.sleep(0.05)


@pytest.fixture
def client(drivers, pool, database):
    """A session through PgBouncer; drivers 1 to 100 are there."""
    fill(drivers, 100)
    client = connect(database, pool)
    yield client
    client.close()


def connect(database, pool):
    session = Session(database, **pool)
    session.conn.prepare_threshold = None  # PgBouncer has no protocol-level prepared statements before 1.21
    return session


def test_many_clients_over_few_backends(client, database, pool):
    pids = set()

    def work(number, _):
        own = connect(database, pool)
        for turn in range(10):
            first = 1000 + number * 100 + turn * 10
            own.run("INSERT INTO drivers SELECT i, now(), 0, -i FROM generate_series(%d, %d) i" % (first, first + 4))
            keys = list(range(first, first + 10))
            rows = own.run("SELECT driver_id, trips, pg_backend_pid() FROM drivers WHERE driver_id = ANY (%s)", [keys])
            assert sorted(row[:2] for row in rows) == [(i, -i) for i in keys[:5]]
            pids.update(row[2] for row in rows)
        own.close()

    in_parallel(database, work)
    assert 1 < len(pids) <= BACKENDS


def test_set_local_and_prepare_last_for_a_transaction(client, database, pool):
    def work(number, _):
        own = connect(database, pool)
        for turn in range(5):
            own.run("BEGIN")
            own.run("SET LOCAL plan_cache_mode = force_generic_plan")
            own.run("PREPARE q(bigint) AS SELECT trips FROM drivers WHERE driver_id = $1")
            assert own.run("EXECUTE q(%d)" % (number + 1)) == [(10 * number + 10,)]
            own.run("DEALLOCATE q")
            own.run("DECLARE c CURSOR FOR SELECT trips FROM drivers WHERE driver_id IN (1, 2, 3)")
            assert sorted(own.run("FETCH 2 FROM c") + own.run("FETCH 2 FROM c")) == [(10,), (20,), (30,)]
            own.run("COMMIT")
        assert own.value("SHOW plan_cache_mode") == "auto"
        own.close()

    in_parallel(database, work)


def test_an_error_leaves_the_backend_usable(client, proxy):
    for _ in range(2 * BACKENDS):
        proxy.fault(faults.error("ValidationException"), operation="BatchGetItem")
        assert client.fail(SELECT).sqlstate == "HV000"
        assert client.run(SELECT) == [(10,)]
    client.run("BEGIN")
    proxy.fault(faults.error("ValidationException"), operation="BatchGetItem")
    client.fail(SELECT)
    assert client.fail(SELECT).sqlstate == "25P02"
    client.run("ROLLBACK")
    assert client.run(SELECT) == [(10,)]


def test_cancel_goes_through(client, proxy):
    proxy.forget()
    proxy.fault(faults.stall)
    running = Running(client, SELECT)
    proxy.wait_for("BatchGetItem")
    with takes(less_than=1):
        client.conn.cancel()
        running.join()
    assert running.error.sqlstate == "57014"
    assert client.run(SELECT) == [(10,)]


def test_a_client_that_goes_ends_its_read(client, drivers, proxy):
    """PgBouncer closes the backend of a client that breaks off a transaction; checked for while a statement runs."""
    client.run("BEGIN")
    client.run("SET LOCAL client_connection_check_interval = 100")
    pid = client.value("SELECT pg_backend_pid()")
    proxy.forget()
    proxy.fault(faults.stall)
    Running(client, SELECT)
    proxy.wait_for("BatchGetItem")
    with takes(less_than=2):
        socket.socket(fileno=os.dup(client.conn.fileno())).shutdown(socket.SHUT_RDWR)
        while drivers.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND state = 'active'", [pid]):
            time.sleep(0.05)
    assert drivers.run(SELECT) == [(10,)]


def test_ddl(client, database, pool, project):
    for end in ("COMMIT", "ROLLBACK"):
        client.run("BEGIN")
        client.table("t", "id bigint OPTIONS (entity_key 'true'), x integer")
        client.run("INSERT INTO t VALUES (1, 2)")
        assert client.run("SELECT x FROM t WHERE id = 1") == [(2,)]
        client.run(end)
        assert ("t" in remote_tables(project)) == (end == "COMMIT")
        client.run("DROP FOREIGN TABLE IF EXISTS t")
    assert remote_tables(project) == ["drivers"]
