"""Proxies of the server process's environment: who is asked through one, and who never."""

import pytest

from faults import Exchange, Proxy
from key_service import ROLE_ARN
from world import CREATE, SELECT, connect, make_mapping

NOT_HERE = "http://dynamodb.us-west-2.example.invalid"
STS = "https://sts.example.invalid"


class LoggingExchange(Exchange):
    """Refuses, after it has written down what was asked of it."""

    def do_CONNECT(self):
        self.do_POST()

    def do_PUT(self):
        self.do_POST()

    def do_GET(self):
        self.do_POST()

    def operation(self, body):
        return self.path

    def forward(self, body=None):
        return 403, {"Content-Type": "text/plain"}, b"the proxy says no"


class LoggingProxy(Proxy):
    handler = LoggingExchange

    def variables(self):
        """Those that libcurl and the SDKs read; none of the hosts that are asked is excepted."""
        names = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        return {**dict.fromkeys(names, self.url), "NO_PROXY": None, "no_proxy": None}


@pytest.fixture
def logging_proxy():
    proxy = LoggingProxy("")
    yield proxy
    proxy.close()


def reading_fails(session):
    session.run("SET dynamo_fdw.remote_ddl = off")
    session.run(CREATE)
    return session.fail(SELECT)


@pytest.mark.parametrize("source", ["metadata", "container"])
def test_credential_services_are_asked_without(cluster, project, checking, service, keys, logging_proxy, source):
    environments = {"metadata": service.metadata_environment(), "container": service.container_environment()}
    cluster.restart({**environments[source], **logging_proxy.variables()})
    session = connect(cluster, project, checking.url)
    session.run(CREATE)
    session.run(SELECT)
    assert len(keys.issued()) == 1 and logging_proxy.requests == []


def test_real_addresses_are_asked_without(cluster, project, namespace, inside_service, inside_checking, keys):
    """Nobody listens at the proxy's port, so whoever asked there would fail."""
    cluster.within = namespace.within
    cluster.restart({"http_proxy": "http://127.0.0.1:9", "NO_PROXY": None, "no_proxy": None})
    session = connect(cluster, project, inside_checking.url)
    session.run(CREATE)
    assert len(keys.issued("imds")) == 1


def test_a_superusers_server(cluster, project, keys, logging_proxy):
    cluster.restart(logging_proxy.variables())
    session = connect(cluster, project, NOT_HERE, keys.user().mapping(), total_max_retry_attempts=1)
    assert reading_fails(session)
    assert [path.split("/")[2] for path in logging_proxy.operations()] == [NOT_HERE.split("/")[2]]


def test_sts_of_a_superusers_server(cluster, project, keys, logging_proxy):
    cluster.restart({**logging_proxy.variables(), **keys.user().environment()})
    session = connect(cluster, project, "http://127.0.0.1:9", {"role_arn": ROLE_ARN}, sts_endpoint_url=STS)
    assert reading_fails(session).sqlstate == "28000"
    assert set(logging_proxy.operations()) == {"sts.example.invalid:443"}


@pytest.mark.parametrize(
    "option,host",
    [("use_fips_endpoint", "sts-fips.us-west-2.amazonaws.com"), ("use_dualstack_endpoint", "sts.us-west-2.api.aws")],
)
def test_sts_is_of_the_servers_kind_of_endpoint(cluster, project, keys, logging_proxy, option, host):
    cluster.restart({**logging_proxy.variables(), **keys.user().environment()})
    session = connect(cluster, project, "http://127.0.0.1:9", {"role_arn": ROLE_ARN}, **{option: "true"})
    assert reading_fails(session).sqlstate == "28000"
    assert set(logging_proxy.operations()) == {host + ":443"}


def test_a_server_that_no_superuser_owns(cluster, project, keys, logging_proxy):
    """Behind a proxy nobody would see which address is asked."""
    cluster.restart({**logging_proxy.variables(), "AWS_ENDPOINT_URL_STS": STS}, **{"dynamo_fdw.allowed_endpoints": "*"})
    admin = connect(cluster, project, NOT_HERE, keys.user().mapping(), total_max_retry_attempts=1, connect_timeout=5)
    admin.run("CREATE ROLE plain")
    try:
        admin.run("GRANT USAGE ON FOREIGN DATA WRAPPER dynamo_fdw TO plain; ALTER SERVER feast OWNER TO plain")
        assert reading_fails(admin)
        options = {**keys.user().mapping(), "role_arn": ROLE_ARN}
        admin.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
        make_mapping(admin, **options)
        assert admin.fail(SELECT).sqlstate == "28000"
        assert logging_proxy.requests == []
    finally:
        admin.run("SET dynamo_fdw.remote_ddl = off; DROP OWNED BY plain CASCADE; DROP ROLE plain")
