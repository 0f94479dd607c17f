"""Endpoints that can't be connected to: an error in time, and the next statement tries again."""

from faults import Proxy
from support import DRIVERS, ENDPOINT, deaf_port, fill, takes

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"


def test_refused_connection(session, project):
    port = closed_port()
    session.server(project, "http://127.0.0.1:%d" % port, create_remote_table="false")
    session.table("drivers", DRIVERS)
    with takes(less_than=5):
        assert session.fail(SELECT).sqlstate == "08001"
        assert session.fail("INSERT INTO drivers VALUES (1, now(), 0, 0)").sqlstate == "08001"
    assert session.alive()


def test_connect_timeout(session, project):
    with deaf_port() as port:
        session.server(
            project,
            "http://127.0.0.1:%d" % port,
            create_remote_table="false",
            connect_timeout=1,
            total_max_retry_attempts=2,
        )
        session.table("drivers", DRIVERS)
        with takes(less_than=6, more_than=2):  # two attempts
            assert session.fail(SELECT).sqlstate == "08001"


def test_an_endpoint_whose_name_nobody_knows(session, project):
    session.server(project, "http://nobody.invalid:8000", create_remote_table="false", total_max_retry_attempts=1)
    session.table("drivers", DRIVERS)
    assert session.fail(SELECT).sqlstate == "08001"


def test_https_to_a_server_that_speaks_http(session, project, proxy):
    session.server(project, proxy.url.replace("http:", "https:"), create_remote_table="false", connect_timeout=1)
    session.table("drivers", DRIVERS)
    with takes(less_than=10):
        assert session.fail(SELECT).sqlstate in ("08001", "08006")


def test_an_endpoint_that_comes_back(drivers, project, proxy):
    fill(drivers, 1)
    proxy.close()
    assert drivers.fail(SELECT).sqlstate == "08001"
    again = Proxy(ENDPOINT, port=proxy.port)
    try:
        assert drivers.run(SELECT) == [(10,)]
    finally:
        again.close()


def closed_port():
    """A port of loopback that nothing listens on."""
    proxy = Proxy(ENDPOINT)
    proxy.close()
    return proxy.port
