"""An environment of the server process that is broken is told by the variable, and never by its value."""

import pytest

from key_service import ROLE_ARN
from world import connect, connect_without_table, refusal, write_file

SECRET = "SECRETofaVariableNotToBeShown"


def test_nothing_there(cluster):
    home = cluster.home + "/nowhere"
    cluster.restart({"HOME": home, "AWS_EC2_METADATA_DISABLED": "TRUE"})
    session = connect(cluster, "broken", "http://127.0.0.1:9")
    error = session.fail("SELECT * FROM dynamo_fdw_identity('feast')")
    assert "credentials file: no %s/.aws/credentials" % home in error.diag.message_hint
    assert "config file: no %s/.aws/config" % home in error.diag.message_hint
    assert "instance metadata: switched off by AWS_EC2_METADATA_DISABLED" in error.diag.message_hint


@pytest.mark.parametrize(
    "environment, words",
    [
        ({"AWS_ACCESS_KEY_ID": "A"}, ["environment", "secret access key is missing", "AWS_ACCESS_KEY_ID"]),
        ({"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": SECRET + "\n"}, ["environment", "secret access key"]),
        ({"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z"},
         ["environment", "expired"]),
        ({"AWS_PROFILE": "typo"}, ['profile "typo" is in neither of the files', "/.aws/credentials", "/.aws/config"]),
        ({"AWS_PROFILE": "typo", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": SECRET}, ['profile "typo"']),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token"}, ["web identity", "AWS_ROLE_ARN"]),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token", "AWS_ROLE_ARN": ROLE_ARN}, ["/nowhere/token", "no such file"]),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/keys"}, ["container", "not at example.com"]),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.169.254/x"}, ["container", "169.254.169.254"]),
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "no-slash"}, ["container", "must begin with"]),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN": SECRET + "\r\nX: y"},
         ["line break"]),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv5"}, ["instance metadata", "neither IPv4 nor IPv6"]),
        ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "nonsense"}, ["instance metadata", "AWS_EC2_METADATA_SERVICE_ENDPOINT"]),
        ({"AWS_CONFIG_FILE": "/dev/zero"}, ["config file /dev/zero", "not a regular file"]),
    ],
    ids=range(14),
)
def test_variables(cluster, environment, words):
    """What is configured and broken ends the search."""
    cluster.restart({"HOME": cluster.home + "/nowhere", **environment})
    session = connect_without_table(cluster)
    detail, hint = refusal(session)
    assert all(word in detail for word in words), detail
    assert SECRET not in detail + hint


def test_token_files(cluster, service):
    """They are one token, and no more."""
    service.lifetime = 3600
    token = write_file(cluster, "token", "x")
    cluster.restart({"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": ROLE_ARN, "AWS_ENDPOINT_URL_STS": service.url})
    session = connect_without_table(cluster)
    for text in ("", "\n", SECRET + "\nX: y", SECRET * 1000):
        write_file(cluster, "token", text)
        other = cluster.session()
        detail, hint = refusal(other)
        assert SECRET not in detail + hint
        assert "token file %s" % token in detail
        other.close()
    assert service.requests == []


def test_plain_http_to_sts(cluster, keys):
    """Secrets go to STS: without TLS to this machine alone."""
    cluster.restart({**keys.user().environment(), "AWS_ENDPOINT_URL_STS": "http://192.0.2.1"})
    session = connect(cluster, "broken", "http://127.0.0.1:9", {"role_arn": ROLE_ARN})
    error = session.fail("SELECT * FROM dynamo_fdw_identity('feast')")
    assert error.sqlstate == "28000" and "plain http" in error.diag.message_detail
