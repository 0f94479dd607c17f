"""However many connections a session would like, PostgreSQL keeps descriptors for its own files.

What a backend may open for connections is a third of what it may open at all, and other extensions share that.  Each
test has a cluster of its own with a limit that is reached.
"""

import resource
import socket

import psycopg
import pytest

from backend import Watched, descriptors
from support import DRIVERS, fill, remote_tables

# Of a backend with max_files_per_process = 100: a third of what is left when PostgreSQL has taken its reserve.
SMALL = 100
SMALL_LIMIT = 30
MANY = 20  # so many at least are ours

ONE_BY_ONE = {"batch_size": 1, "max_read_workers": 100, "max_write_workers": 100}


def limited_cluster(cluster, **settings):
    """Starts the cluster under `ulimit -n 1024`."""
    cluster.start(**settings)
    try:
        resource.prlimit(cluster.server.pid, resource.RLIMIT_NOFILE, (1024, 1024))
    except (OSError, PermissionError) as error:
        pytest.skip("no prlimit: %s" % error)
    session = cluster.session()
    session.run("DROP EXTENSION IF EXISTS dynamo_fdw CASCADE")
    session.run("CREATE EXTENSION dynamo_fdw")
    return session


@pytest.fixture
def roomy(initialized):
    """A session that may open 1000 descriptors, of a server that may open 1024."""
    session = limited_cluster(initialized, max_files_per_process=1000)
    yield session
    session.close()
    initialized.stop()


@pytest.fixture
def narrow(initialized):
    """A session with room for about 25 connections."""
    session = limited_cluster(initialized, max_files_per_process=SMALL)
    yield session
    session.close()
    initialized.stop()


def server(session, project, name, **options):
    """A server whose table of its name asks for many connections; all of these tables are one in DynamoDB."""
    session.server(project, name=name, **options)
    session.table(name, DRIVERS, server=name, feature_view="drivers", create_remote_table="false", **ONE_BY_ONE)


def read(table, n):
    return "SELECT driver_id, trips FROM %s WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, %d)))" % (table, n)


def rows(n):
    return [(i, 10 * i) for i in range(1, n + 1)]


def test_ten_servers(roomy, project):
    """1000 connections are wanted by one statement, while PostgreSQL needs hundreds of files."""
    roomy.server(project, name="feast")
    roomy.table("drivers", DRIVERS, server="feast")
    roomy.table("copies", DRIVERS, server="feast")
    fill(roomy, 100)
    names = ["server_%d" % i for i in range(10)]
    for name in names:
        server(roomy, project, name)
        roomy.table("copy_%s" % name, DRIVERS, server=name, feature_view="copies", **ONE_BY_ONE)
    roomy.run(
        "DO $$ BEGIN FOR i IN 1 .. 600 LOOP"
        " EXECUTE format('CREATE TABLE local_%s AS SELECT %s AS i', i, i); END LOOP; END $$"
    )
    roomy.run(
        "CREATE FUNCTION open_files(n int) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE one int; s bigint := 0; BEGIN"
        " FOR i IN 1 .. 600 LOOP EXECUTE format('SELECT i FROM local_%s', i) INTO one; s := s + one; END LOOP;"
        " RETURN s; END $$"
    )
    reads = " UNION ALL ".join(read(name, 100) for name in names)
    writes = ", ".join(
        "w%d AS (INSERT INTO copy_%s SELECT driver_id + %d, now(), conv_rate, trips FROM %s"
        " WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 100))))" % (i, name, 1000 * i, name)
        for i, name in enumerate(names)
    )
    for _ in range(2):
        found = Watched(roomy, "SELECT *, CASE WHEN driver_id = 7 THEN open_files(1) END FROM (%s) _" % reads)
        assert sorted(found.rows, key=str) == sorted(
            ((i, 10 * i, 180300 if i == 7 else None) for i in range(1, 101) for _ in names), key=str
        )
        assert found.most < 340
        assert Watched(roomy, "WITH %s SELECT open_files(1)" % writes).rows == [(180300,)]
    written = " UNION ALL ".join(
        "SELECT count(*), sum(trips) FROM copy_%s WHERE driver_id = ANY (ARRAY(SELECT generate_series(%d, %d)))"
        % (name, 1000 * i + 1, 1000 * i + 100)
        for i, name in enumerate(names)
    )
    assert roomy.run(written) == [(100, 50500)] * 10


def test_fewer_in_flight(narrow, project):
    """100 workers do with the connections that there are; nothing is tried again for it."""
    narrow.server(project)
    narrow.table("drivers", DRIVERS, **ONE_BY_ONE)
    fill(narrow, 300)
    narrow.run("SELECT dynamo_fdw_stats_reset()")
    found = Watched(narrow, read("drivers", 300))
    assert sorted(found.rows) == rows(300)
    assert narrow.run("SELECT requests, retries FROM dynamo_fdw_stats") == [(300, 0)]
    assert MANY < descriptors(narrow) <= found.most < SMALL_LIMIT


def test_idle_connections_make_way(narrow, project):
    """Of two servers, the one that is asked later takes over the connections of the first."""
    narrow.server(project)
    narrow.table("drivers", DRIVERS)
    fill(narrow, 100)
    server(narrow, project, "first")
    server(narrow, project, "second")
    narrow.run(read("first", 100))
    for _ in range(2):
        narrow.run("SELECT dynamo_fdw_stats_reset()")
        assert sorted(Watched(narrow, read("second", 100)).rows) == rows(100)
        both = Watched(narrow, read("first", 100) + " UNION ALL " + read("second", 100))
        assert sorted(both.rows) == sorted(2 * rows(100))
        assert MANY < descriptors(narrow) <= both.most < SMALL_LIMIT
    opened = narrow.value("SELECT connections_opened FROM dynamo_fdw_stats WHERE server_name = 'second'")
    assert opened > 5


def test_many_servers_in_turn(narrow, project):
    """Clients that nobody uses make way too."""
    narrow.server(project)
    narrow.table("drivers", DRIVERS)
    fill(narrow, 3)
    for i in range(30):
        server(narrow, project, "server_%d" % i)
    for _ in range(2):
        for i in range(30):
            assert sorted(narrow.run(read("server_%d" % i, 3))) == rows(3)
    assert descriptors(narrow) < SMALL_LIMIT


def test_nothing_is_lost(narrow, project, proxy):
    """However often connections are closed, by whomever, the session can have as many as at first."""
    narrow.server(project, proxy.url, warmup_connections="true", keepalive_timeout="1")
    narrow.table("drivers", DRIVERS, **ONE_BY_ONE)
    fill(narrow, 60)
    narrow.run(read("drivers", 60))
    most = descriptors(narrow)
    assert MANY < most < SMALL_LIMIT
    for _ in range(150):
        assert sorted(narrow.run(read("drivers", 12))) == rows(12)
        proxy.hang_up_all()
    for i in range(50):
        narrow.run("ALTER SERVER feast OPTIONS (SET keepalive_timeout '%d')" % (2 + i))
        assert sorted(narrow.run(read("drivers", 12))) == rows(12)
    for _ in range(50):
        assert narrow.fail(read("drivers", 60) + " AND 1 / (driver_id - 7) < 5").sqlstate == "22012"
    for _ in range(2):
        assert sorted(narrow.run(read("drivers", 60))) == rows(60)
    assert descriptors(narrow) == most
    narrow.run("ALTER SERVER feast OPTIONS (ADD connect_timeout '5')")
    narrow.run("SELECT 1 FROM drivers WHERE false")
    assert descriptors(narrow) < 10


@pytest.fixture
def full_port():
    """A port of a host that lets connections wait: those that are open already are as many as it keeps."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for client in waiting:
            client.close()


def test_nothing_is_lost_while_connecting(narrow, project, full_port):
    """A hundred connections are given up before they are there; then there is room for as many as at first."""
    narrow.server(project)
    narrow.table("drivers", DRIVERS, **ONE_BY_ONE)
    fill(narrow, 60)
    server(narrow, project, "deaf", endpoint="http://127.0.0.1:%d" % full_port, connect_timeout="60")
    narrow.run("SET statement_timeout = '20ms'")
    for _ in range(100):
        assert narrow.fail(read("deaf", 1)).sqlstate == "57014"
    narrow.run("RESET statement_timeout")
    assert sorted(narrow.run(read("drivers", 60))) == rows(60)
    assert MANY < descriptors(narrow)


def test_refusal(narrow, initialized, project):
    """Where others took all, the statement fails with an error of its own; then the session goes on."""
    try:
        narrow.run("CREATE EXTENSION IF NOT EXISTS postgres_fdw")
    except psycopg.Error as error:
        pytest.skip("no postgres_fdw: %s" % error)
    narrow.server(project)
    narrow.table("drivers", DRIVERS)
    fill(narrow, 5)
    for i in range(SMALL_LIMIT):
        narrow.run(
            "CREATE SERVER pg_%d FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', port '5432', dbname 'postgres')"
            % (i, initialized.home)
        )
        narrow.run("CREATE USER MAPPING FOR CURRENT_USER SERVER pg_%d" % i)
        narrow.run("CREATE FOREIGN TABLE pg_%d (i int) SERVER pg_%d OPTIONS (table_name 'one')" % (i, i))
    narrow.run("CREATE TABLE one AS SELECT 1 AS i")
    narrow.run("ALTER SERVER feast OPTIONS (ADD connect_timeout '5')")  # closes what it has
    for i in range(SMALL_LIMIT):
        try:
            narrow.run("SELECT * FROM pg_%d" % i)
        except psycopg.Error:
            break
    else:
        raise AssertionError("no limit")
    for statement in read("drivers", 5), "INSERT INTO drivers VALUES (6, now())":
        error = narrow.fail(statement)
        assert error.sqlstate == "53000"
        assert "found no file descriptor" in error.diag.message_primary
        assert "max_files_per_process" in error.diag.message_hint
    narrow.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project) == ["drivers"]
    assert "is not deleted" in narrow.warnings()[-1]
    narrow.run("SELECT postgres_fdw_disconnect_all()")
    assert narrow.value("SELECT dynamo_fdw_delete_pending()") == 1
    narrow.table("drivers", DRIVERS)
    fill(narrow, 5)
    assert sorted(narrow.run(read("drivers", 5))) == rows(5)


def in_time(session):
    """What was not deleted within the few seconds of a COMMIT or ROLLBACK may be tried again; nothing else is told."""
    assert [warning for warning in session.warnings() if "in time" not in warning] == []
    session.run("SELECT dynamo_fdw_delete_pending()")


def test_drop_server_with_many_mappings(narrow, project):
    """1,200 mappings go with their server, and with the tables of fifteen roles."""
    narrow.run(
        "DO $$ BEGIN FOR i IN 1 .. 1200 LOOP"
        " EXECUTE format('CREATE ROLE mapped_%s', i); END LOOP; END $$"
    )
    narrow.server(project, mapping=False)
    narrow.run(
        "DO $$ BEGIN FOR i IN 1 .. 1200 LOOP EXECUTE format('CREATE USER MAPPING FOR mapped_%s SERVER feast"
        " OPTIONS (access_key_id ''FDWTEST'', secret_access_key ''secret'')', i); END LOOP; END $$"
    )
    narrow.run("GRANT CREATE ON SCHEMA public TO PUBLIC; GRANT USAGE ON FOREIGN SERVER feast TO PUBLIC")
    for i in range(1, 16):
        narrow.run("SET ROLE mapped_%d" % i)
        narrow.table("table_%d" % i, DRIVERS)
    narrow.run("RESET ROLE")
    assert len(remote_tables(project)) == 15
    dropped = Watched(narrow, "DROP SERVER feast CASCADE")
    in_time(narrow)
    assert remote_tables(project) == []
    assert dropped.most < SMALL_LIMIT


def test_drop_many_tables(narrow, project):
    """More tables than there can be connections are made and deleted, in a COMMIT and in a ROLLBACK."""
    narrow.server(project)
    create = (
        "CREATE SCHEMA many; DO $$ BEGIN FOR i IN 1 .. 60 LOOP EXECUTE format("
        "'CREATE FOREIGN TABLE many.t_%s (driver_id bigint OPTIONS (entity_key ''true'') NOT NULL) SERVER feast', i);"
        " END LOOP; END $$"
    )
    for create_many, end in (create, "DROP SCHEMA many CASCADE"), ("BEGIN; " + create, "ROLLBACK"):
        narrow.run(create_many)
        assert len(remote_tables(project)) == 60
        assert Watched(narrow, end).most < SMALL_LIMIT
        in_time(narrow)
        assert remote_tables(project) == []
