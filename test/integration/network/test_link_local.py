"""Link-local addresses and the machine's metadata service: nothing is sent there, and nothing is tried again."""

import pytest

from support import DRIVERS, takes

METADATA = [
    "http://169.254.169.254",
    "http://169.254.170.2:8080",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://[::ffff:169.254.169.254]:8000",
    "http://[fe80::1]",
    "http://[fd00:ec2::254]",
    "https://[64:ff9b::a9fe:a9fe]",
]
STATEMENTS = ["SELECT trips FROM drivers WHERE driver_id = 1", "INSERT INTO drivers VALUES (1, now(), 0, 0)"]


@pytest.mark.parametrize("url", METADATA)
def test_no_connection(session, project, url):
    session.server(project, url, create_remote_table="false", connect_timeout=60)
    session.table("drivers", DRIVERS)
    for statement in STATEMENTS:
        with takes(less_than=10):
            check_refusal(session.fail(statement), url)
    assert session.value("SELECT sum(requests) FROM dynamo_fdw_stats") == len(STATEMENTS)
    assert session.value("SELECT sum(retries) + sum(connections_opened) FROM dynamo_fdw_stats") == 0
    assert session.alive()


def test_no_table_is_made_there(session, project):
    session.server(project, METADATA[0], connect_timeout=60)
    with pytest.raises(Exception) as raised, takes(less_than=10):
        session.table("drivers", DRIVERS)
    check_refusal(raised.value, METADATA[0])


def check_refusal(error, url):
    assert error.sqlstate == "42501"
    assert "not allowed to reach the endpoint" in error.diag.message_primary
    assert url in error.diag.message_detail
    assert "attempts" not in error.diag.message_detail
