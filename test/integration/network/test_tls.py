"""TLS: the certificate is verified, against the roots that ca_bundle adds."""

import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

import pytest

from support import DRIVERS, ENDPOINT, fill


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


@pytest.fixture(scope="module")
def certificate():
    """A folder that the server can read, with cert.pem and key.pem for localhost."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tls"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, stderr=subprocess.DEVNULL,
    )
    os.chmod(folder, 0o755)
    os.chmod(folder / "cert.pem", 0o644)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def tls_port(certificate):
    """The port of a TLS server that passes everything on to DynamoDB Local."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    target = urllib.parse.urlsplit(ENDPOINT)

    def serve(client):
        try:
            client = context.wrap_socket(client, server_side=True)
        except (OSError, ssl.SSLError):
            return
        upstream = socket.create_connection((target.hostname, target.port))
        threading.Thread(target=pump, args=(upstream, client), daemon=True).start()
        pump(client, upstream)

    def accept():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def test_with_ca_bundle(session, project, certificate, tls_port):
    session.server(project, "https://localhost:%d" % tls_port, ca_bundle=str(certificate / "cert.pem"))
    session.table("drivers", DRIVERS)
    fill(session, 500)
    assert session.value("SELECT count(*) FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 900)))") == 500


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_not_verified(session, project, certificate, tls_port, host):
    """An unknown root, and a name that the certificate isn't for."""
    options = {} if host == "localhost" else {"ca_bundle": str(certificate / "cert.pem")}
    session.server(project, "https://%s:%d" % (host, tls_port), total_max_retry_attempts=1, **options)
    session.table("drivers", DRIVERS, create_remote_table="false")
    error = session.fail("SELECT trips FROM drivers WHERE driver_id = 1")
    assert error.sqlstate == "08001"
    assert "certificate" in error.diag.message_detail or "SSL" in error.diag.message_detail


def test_sts_is_verified_against_the_same_roots(session, project, certificate, tls_port):
    """What is behind it here is no STS, and answers that."""
    session.server(project, sts_endpoint_url="https://localhost:%d" % tls_port, mapping=False)
    session.mapping(role_arn="arn:aws:iam::123456789012:role/reader")
    session.run("SET dynamo_fdw.remote_ddl = off")
    session.table("drivers", DRIVERS)
    read = "SELECT trips FROM drivers WHERE driver_id = 1"
    assert "HTTP" not in session.fail(read).diag.message_detail
    session.set_server(ca_bundle=str(certificate / "cert.pem"))
    assert "answered with HTTP" in session.fail(read).diag.message_detail


def test_slow_rows_cost_no_attempt(session, project, certificate, tls_port):
    """The handshake stands still while the next row is made, for longer than connecting may take."""
    session.server(project, "https://localhost:%d" % tls_port, ca_bundle=str(certificate / "cert.pem"))
    session.table("drivers", DRIVERS)
    session.set_server(connect_timeout=0.3, read_timeout=0.3, total_max_retry_attempts=1, batch_size=1)
    session.run("INSERT INTO drivers SELECT i, now(), 0, i FROM generate_series(1, 3) i, LATERAL pg_sleep(0.6 + 0 * i)")
    assert session.value("SELECT count(*) FROM drivers WHERE driver_id IN (1, 2, 3)") == 3


def seconds_late(session, milliseconds):
    """By how much a statement that opens many connections exceeds its timeout."""
    session.run("ALTER SERVER feast OPTIONS (SET batch_size '1')")  # closes those that are there
    session.run("SET statement_timeout = %d" % milliseconds)
    start = time.monotonic()
    error = session.fail("SELECT FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 1000)))")
    took = time.monotonic() - start
    session.run("SET statement_timeout = 0")
    assert error.sqlstate == "57014"
    return took - milliseconds / 1000


def test_statement_timeout_amid_many_handshakes(session, project, certificate, tls_port):
    """Each takes some milliseconds of computing, many are due at once. The best of some tries counts: machines are noisy."""
    session.server(project, "https://localhost:%d" % tls_port, ca_bundle=str(certificate / "cert.pem"))
    session.table("drivers", DRIVERS)
    session.set_server(batch_size=1, max_read_workers=100)
    for milliseconds in range(20, 100, 20):
        late = []
        while not late or min(late) >= 0.15 and len(late) < 5:
            late.append(seconds_late(session, milliseconds))
        assert min(late) < 0.15, late
