"""How many requests credentials cost: those of their service once a session, and none for statements after that."""

import pytest

from key_service import ROLE_ARN
from support import DRIVERS
from world import CREATE, DROP, INSERT, SELECT, connect, identity, make_mapping

METADATA = ["token", "role", "credentials"]


@pytest.fixture(params=["metadata", "container", "role"])
def costs(request, cluster, keys, service):
    """A server process with one source; (what a fetch asks the service, the options of a mapping)."""
    if request.param == "metadata":
        cluster.restart(service.metadata_environment())
        return METADATA, {}
    if request.param == "container":
        cluster.restart(service.container_environment())
        return ["container"], {}
    cluster.restart({**keys.user().environment(), "AWS_ENDPOINT_URL_STS": service.url})
    return ["AssumeRole"], {"role_arn": ROLE_ARN}


def test_a_session_asks_once(cluster, project, checking, service, costs):
    """DDL, reads, writes and the view of the identity share what was fetched, and so does a second server."""
    asked, mapping = costs
    session = connect(cluster, project, checking.url, mapping)
    assert service.operations() == []
    session.run(CREATE)
    assert service.operations() == asked
    for _ in range(3):
        session.run(INSERT)
        session.run(SELECT)
    identity(session)
    session.server(project, checking.url, name="second", mapping=False, batch_size=7)
    make_mapping(session, "second", **mapping)
    session.table("others", DRIVERS, server="second")
    session.run("SELECT * FROM others WHERE driver_id = 1")
    assert session.run("SELECT source FROM dynamo_fdw_identity('second')") == [(identity(session).source,)]
    session.run("ALTER SERVER feast OPTIONS (ADD batch_size '5')")
    session.run(SELECT)
    session.run("DROP FOREIGN TABLE others")
    session.run(DROP)
    assert service.operations() == asked


def test_each_session_asks_for_itself(cluster, project, checking, service, keys, costs):
    asked, mapping = costs
    first = connect(cluster, project, checking.url, mapping)
    first.run(CREATE)
    second = cluster.session()
    second.run(SELECT)
    first.run(SELECT)
    assert service.operations() == asked * 2
    assert set(checking.used()) == {key.access_key_id for key in keys.issued()}
    second.close()


def test_another_identity_is_fetched_for_itself(cluster, project, checking, service, keys):
    """By another session name it is another session of the role, and CloudTrail shows which."""
    cluster.restart({**keys.user().environment(), "AWS_ENDPOINT_URL_STS": service.url})
    session = connect(cluster, project, checking.url, {"role_arn": ROLE_ARN, "role_session_name": "first"})
    session.run(CREATE)
    session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET role_session_name 'second')")
    session.run(SELECT)
    session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET role_session_name 'first')")
    session.run(SELECT)
    assert [form["RoleSessionName"] for form in service.forms()] == ["first", "second"]


def test_nothing_is_asked_without_need(cluster, project, checking, service, keys):
    """Keys of the mapping need no source; planning and definitions without a remote table need no keys."""
    cluster.restart(service.metadata_environment())
    session = connect(cluster, project, checking.url, keys.user().mapping())
    session.run(CREATE)
    session.run(SELECT)
    session.run(DROP)
    session.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
    make_mapping(session)
    session.run("SET dynamo_fdw.remote_ddl = off")
    session.run(CREATE)
    session.run("EXPLAIN " + SELECT)
    session.run("EXPLAIN " + INSERT)
    session.run(DROP)
    assert service.operations() == []


def test_a_token_of_the_metadata_service_that_has_ended(cluster, project, checking, service, keys):
    """A 401 costs a new token, and one more try."""
    cluster.restart(service.metadata_environment())
    session = connect(cluster, project, checking.url)

    def forget(exchange):
        service.forget_tokens()
        exchange.send(401, b"")

    service.fault(forget, operation="role")
    session.run(CREATE)
    assert service.operations() == ["token", "role", *METADATA]
