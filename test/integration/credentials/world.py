"""What the tests of sources share: a server in a cluster of the test's own, a table behind it, and who signs for it."""

import shutil
import threading
import time
from collections import namedtuple
from contextlib import contextmanager
from pathlib import Path

from faults import held
from support import DRIVERS, option_list

SELECT = "SELECT driver_id, trips FROM drivers WHERE driver_id = 1001"
INSERT = "INSERT INTO drivers VALUES (1001, now(), 0.5, 7)"
CREATE = "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS
DROP = "DROP FOREIGN TABLE drivers"

Identity = namedtuple("Identity", "source profile access_key_id role_arn expires endpoint region")


def make_mapping(session, server="feast", user="CURRENT_USER", **options):
    """CREATE USER MAPPING, without keys unless they are among the options."""
    with_options = "OPTIONS (%s)" % option_list(options) if options else ""
    session.run("CREATE USER MAPPING FOR %s SERVER %s %s" % (user, server, with_options))


def connect(cluster, project, endpoint, mapping=None, **options):
    """A superuser's session with a server and a mapping; no table yet."""
    session = cluster.session()
    session.server(project, endpoint, mapping=False, **options)
    make_mapping(session, **(mapping or {}))
    return session


def connect_without_table(cluster, mapping=None):
    """A session with a foreign table, over a table that nobody will be asked for: there are no keys."""
    session = connect(cluster, "nowhere", "http://127.0.0.1:9", mapping)
    session.run("SET dynamo_fdw.remote_ddl = off")
    session.run(CREATE)
    return session


def refusal(session):
    """Detail and hint of a statement that finds no keys."""
    error = session.fail(SELECT)
    assert error.sqlstate == "28000"
    return error.diag.message_detail, error.diag.message_hint or ""


def identity(session, server="feast"):
    """What dynamo_fdw_identity() says of a server."""
    return Identity(*session.run("SELECT * FROM dynamo_fdw_identity(%s)", [server])[0])


def shared_files(cluster, config="", credentials=""):
    """AWS's shared files in a folder of the cluster, and the environment that names them."""
    folder = Path(cluster.home) / "aws"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "config").write_text(config)
    (folder / "credentials").write_text(credentials)
    return {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials")}


def section(name, key=None, **settings):
    """A section of a shared file; `key` (keys.Key) gives it static keys."""
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), key.mapping().values())) if key else {}
    lines = ["%s = %s\n" % setting for setting in {**keys, **settings}.items()]
    return "[%s]\n%s\n" % (name, "".join(lines))


def write_file(cluster, name, text):
    """A file that the server process can read; its path."""
    path = Path(cluster.home) / name
    path.write_text(text)
    return str(path)


def assert_signs(session, proxy, key):
    """A table is made, written and read, and dropped, by requests that one key signs."""
    proxy.forget()
    proxy.refused.clear()
    session.run(CREATE)
    session.run(INSERT)
    assert session.run(SELECT) == [(1001, 7)]
    session.run(DROP)
    assert set(proxy.used()) == {key.access_key_id}
    assert not proxy.refused and session.warnings() == []


def assert_reads(session, proxy, key):
    """A row is read that is not there, by requests that one key signs."""
    proxy.forget()
    proxy.refused.clear()
    session.run(SELECT)
    assert set(proxy.used()) == {key.access_key_id}
    assert not proxy.refused and session.warnings() == []


@contextmanager
def held_back(proxy, operation=None):
    """Within it, requests stay without an answer; they get the right one at its end."""
    release = threading.Event()
    proxy.fault(held(release), times=None, operation=operation)
    try:
        yield
    finally:
        proxy.heal()
        release.set()


def wait_until(condition, what, seconds=60, pause=0.02):
    """Asks again and again; the condition's first value that is true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "not within %s s: %s" % (seconds, what)
        time.sleep(pause)


def wait_for_expiry(keys, source=None):
    """Until all keys that were issued have expired."""
    wait_until(lambda: all(key.expired() for key in keys.issued(source)), "the keys have expired")


def texts(error):
    """All that a user sees of an error."""
    diag = error.diag
    parts = (str(error), diag.message_primary, diag.message_detail, diag.message_hint, diag.context)
    return " ".join(part for part in parts if part)


def sentence(error):
    """Detail and hint of an error."""
    return "%s | %s" % (error.diag.message_detail, error.diag.message_hint)
