"""No secret, token or signature in the server's log at its loudest, in what users see, or in the process's environment."""

import re
from pathlib import Path

import pytest

import faults
from key_service import ROLE_ARN, status, sts_error
from world import CREATE, DROP, INSERT, SELECT, connect, identity, section, shared_files, texts, write_file

WEB_TOKENS = ["eyJhbGciOiJSUzI1NiJ9.WEBTOKENnotToBeLogged1.c2ln", "eyJhbGciOiJSUzI1NiJ9.WEBTOKENnotToBeLogged2.c2ln"]
POD_TOKEN = "PODTOKENnotToBeLogged"

# All that PostgreSQL can say of itself, but for statements: those would show a mapping's keys by the server itself.
LOUD = {
    "log_min_messages": "debug5",
    "client_min_messages": "debug5",
    "log_min_error_statement": "debug5",
    "log_error_verbosity": "verbose",
    "debug_print_plan": "on",
    "debug_print_parse": "on",
    "debug_print_rewritten": "on",
}

SOURCES = ["environment", "file", "web identity", "role", "container", "metadata", "mapping"]


@pytest.fixture
def sources(cluster, keys, service):
    """The environment and the options of the mapping of each source."""
    user = keys.user()
    session_key = keys.issue("environment", None)
    service.web_token = None
    sts = {"AWS_ENDPOINT_URL_STS": service.url}
    pod = {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": write_file(cluster, "pod", POD_TOKEN + "\n")}
    web = write_file(cluster, "web", WEB_TOKENS[0] + "\n")
    return {
        "environment": (session_key.environment(), {}),
        "file": (shared_files(cluster, credentials=section("default", session_key)), {}),
        "web identity": (service.web_identity_environment(web), {}),
        "role": ({**user.environment(), **sts}, {"role_arn": ROLE_ARN, "external_id": "external-1"}),
        "container": (service.container_environment(**pod), {}),
        "metadata": (service.metadata_environment(), {}),
        "mapping": (sts, {**session_key.mapping(), "role_arn": ROLE_ARN}),
    }


def be_loud(session):
    for name, value in LOUD.items():
        session.run("SET %s = '%s'" % (name, value))
    return session


def environment_of(session):
    """As the kernel shows it to the process's owner: what a setenv that reuses its place would change."""
    return Path("/proc/%d/environ" % session.pid).read_bytes()


def secrets_of(checking, keys, service):
    requests = checking.requests + service.requests
    signatures = [re.search("Signature=(.*)", request.header("Authorization") or "") for request in requests]
    metadata = [request.header("x-aws-ec2-metadata-token") for request in service.requests]
    return {
        *keys.secrets(),
        *WEB_TOKENS,
        POD_TOKEN,
        *(signature[1] for signature in signatures if signature),
        *(token for token in metadata if token),
    }


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_shows(cluster, project, checking, keys, service, sources, source):
    environment, mapping = sources[source]
    said = []
    cluster.restart(environment)
    quiet = cluster.session()
    quiet.run("ALTER SYSTEM SET log_statement = none")  # the default, here for who changes it
    quiet.close()
    session = connect(cluster, project, checking.url, mapping, total_max_retry_attempts=2)
    before = environment_of(session)
    cluster.clear_log()
    be_loud(session)
    session.run(CREATE)
    said += [session.run(INSERT), session.run(SELECT), identity(session)]
    said += session.run("EXPLAIN (ANALYZE, VERBOSE) " + SELECT) + session.run("EXPLAIN (VERBOSE) " + INSERT)
    token = keys.issued()[-1].token if keys.issued() else WEB_TOKENS[0]
    for fault in [
        # DynamoDB tells what it signed itself, token included
        faults.error("InvalidSignatureException", message="should have been 'POST x-amz-security-token:%s'" % token),
        faults.error("AccessDeniedException"),
        faults.error("ExpiredTokenException"),
        faults.hang_up,
    ]:
        checking.fault(fault, times=None)
        said.append(texts(session.fail(SELECT)))
        checking.heal()
    write_file(cluster, "web", WEB_TOKENS[1])
    for fault in [status(403), sts_error("AccessDenied", 403), faults.truncated, faults.redirect]:
        service.fault(fault, times=None)
        fresh = be_loud(cluster.session())  # has to ask, if it is a source that is asked
        asked = len(service.requests)
        said.append(texts(fresh.fail(SELECT)) if source not in ("environment", "file") else fresh.run(SELECT))
        assert len(service.requests) > asked or source in ("environment", "file")
        said.append(fresh.notices)
        fresh.close()
        service.heal()
    said.append(session.notices)
    said += session.run("SELECT d::text FROM dynamo_fdw_record d")
    after = environment_of(session)
    session.run("SET dynamo_fdw.remote_ddl = off; " + DROP)
    session.close()
    logged = cluster.log()
    assert "BatchGetItem" in logged and "28000" in logged and "DEBUG" in logged
    everything = repr(said) + logged
    assert not [secret for secret in secrets_of(checking, keys, service) if secret in everything]
    assert before == after
