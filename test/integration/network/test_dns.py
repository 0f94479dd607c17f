"""A DNS server that never answers: statements stay cancellable and end with their timeout.

libcurl asks the system's resolver, so this takes a PostgreSQL server of its own in namespaces where that finds
only a deaf nameserver.  Skipped where the kernel or the container doesn't let us make these.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import psycopg
import pytest

from backend import Watched
from cluster import as_owner
from deaf_dns import NAMESPACES
from support import DRIVERS, Session, takes

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"


@pytest.fixture(scope="module")
def deaf_server():
    """Starts a cluster that can't resolve names; the folder of its socket."""
    admin = Session("postgres")
    bindir = admin.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
    data = admin.value("SELECT current_setting('data_directory')")
    admin.close()
    if not os.path.isdir(data):
        pytest.skip("the server runs elsewhere")
    owner = as_owner(data)
    probe = subprocess.run([*owner, *NAMESPACES, "true"], stderr=subprocess.PIPE, text=True)
    if probe.returncode != 0:
        pytest.skip("no namespaces: " + probe.stderr.strip())
    home = tempfile.mkdtemp(prefix="deaf")
    shutil.chown(home, os.stat(data).st_uid, os.stat(data).st_gid)
    # The owner may not be able to read the folder of this file.
    program = shutil.copy(pathlib.Path(__file__).with_name("deaf_dns.py"), home)
    resolv_conf = pathlib.Path(home, "resolv.conf")
    resolv_conf.write_text("nameserver 127.0.0.1\n")
    for path in (program, resolv_conf):
        os.chmod(path, 0o644)
    initdb = [bindir + "/initdb", "-D", home + "/data", "-A", "trust", "-U", "postgres", "--no-sync"]
    subprocess.run([*owner, *initdb], check=True, cwd=home, stdout=subprocess.DEVNULL)
    postgres = [bindir + "/postgres", "-D", home + "/data", "-k", home, "-h", "", "-p", "5432", "-F"]
    command = [*owner, *NAMESPACES, sys.executable, program, resolv_conf, *postgres]
    with open(home + "/log", "w") as log:
        server = subprocess.Popen(command, cwd=home, stderr=log)
    yield home
    server.send_signal(signal.SIGINT)  # fast shutdown
    server.wait(30)
    shutil.rmtree(home)


def connect(socket_folder):
    return Session("postgres", host=socket_folder, port=5432, user="postgres")


@pytest.fixture
def deaf(deaf_server):
    """A session of that server with a foreign table whose endpoint has a name."""
    end = time.monotonic() + 20
    while True:
        try:
            session = connect(deaf_server)
            break
        except psycopg.OperationalError:
            assert time.monotonic() < end, "the server didn't start"
            time.sleep(0.1)
    session.run("DROP EXTENSION IF EXISTS dynamo_fdw CASCADE; CREATE EXTENSION dynamo_fdw")
    session.server("p", "http://dynamodb.example:8000", create_remote_table="false")
    session.table("drivers", DRIVERS)
    yield session
    session.close()


def test_statement_timeout(deaf):
    deaf.run("SET statement_timeout = '300ms'")
    for _ in range(3):
        with takes(less_than=1.5, more_than=0.25):
            assert deaf.fail(SELECT).sqlstate == "57014"
    with takes(less_than=1):
        assert deaf.alive()


def test_connect_timeout(deaf):
    deaf.set_server(connect_timeout=1, total_max_retry_attempts=2)
    with takes(less_than=6, more_than=1):
        assert deaf.fail(SELECT).sqlstate == "08001"


def test_many_lookups(deaf):
    """Each lookup has a thread, which outlives the timeout of connecting: what they all hold is limited."""
    deaf.set_server(connect_timeout=1, total_max_retry_attempts=1)
    deaf.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD batch_size '1', ADD max_read_workers '100')")
    failed = [Watched(deaf, SELECT.replace("= 1", "= ANY (ARRAY(SELECT generate_series(1, 300)))")) for _ in range(5)]
    assert {statement.error.sqlstate for statement in failed} <= {"08001", "53000"}
    assert 100 < max(statement.most for statement in failed) < 340
    assert deaf.alive()


def test_terminate(deaf, deaf_server):
    deaf.run("SET statement_timeout = '300ms'")
    assert deaf.fail(SELECT).sqlstate == "57014"
    admin = connect(deaf_server)
    with takes(less_than=1.5):
        assert admin.value("SELECT pg_terminate_backend(%s, 5000)", [deaf.pid]) is True
    admin.close()
