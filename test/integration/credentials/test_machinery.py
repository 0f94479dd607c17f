"""The services that the tests here use behave as botocore, whose users meet the real ones, expects them to."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import ContainerProvider, InstanceMetadataProvider
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, MetadataRetrievalError
from botocore.parsers import ResponseParserError
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher

from cluster import process_environment
from faults import MIB, answer, cut, hang_up, redirect, stall
from key_service import (
    ROLE,
    ROLE_ARN,
    endless,
    metadata_failure,
    padded,
    status,
    sts_error,
    version_1_only,
    with_doctype,
    with_value,
    without,
)
from keys import Key
from support import DRIVERS, REGION

ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=1)


def client(service, url, key=None):
    """A boto3 client that asks once."""
    key = key or Key("none", "none")
    return boto3.client(service, region_name=REGION, endpoint_url=url, config=ONCE, **key.boto3())


def from_metadata(url, version_1=False):
    """What botocore gets from a metadata service."""
    config = {"ec2_metadata_service_endpoint": url, "ec2_metadata_v1_disabled": not version_1}
    return InstanceMetadataProvider(InstanceMetadataFetcher(timeout=1, num_attempts=1, env={}, config=config)).load()


def from_container(environment):
    return ContainerProvider(environ=environment, fetcher=ContainerMetadataFetcher(sleep=lambda _: None)).load()


def assume(service, key, **more):
    sts = client("sts", service.url, key)
    return sts.assume_role(RoleArn=ROLE_ARN, RoleSessionName="test", **more)["Credentials"]


def code_of(call, *args, **more):
    with pytest.raises(ClientError) as failure:
        call(*args, **more)
    return failure.value.response["Error"]["Code"]


def same(credentials, key):
    frozen = credentials.get_frozen_credentials()
    return tuple(frozen)[:3] == (key.access_key_id, key.secret, key.token)


def test_metadata_mock(metadata_mock):
    assert same(from_metadata(metadata_mock.url), metadata_mock.key)
    assert metadata_mock.key.expired()


def test_metadata_of_key_service(service):
    found = from_metadata(service.url)
    (key,) = service.keys.issued("imds")
    assert found.method == "iam-role" and same(found, key)
    assert service.operations() == ["token", "role", "credentials"]
    service.role = None
    assert from_metadata(service.url) is None
    service.role = ROLE
    service.fault(metadata_failure("AssumeRoleUnauthorizedAccess"), operation="credentials")
    assert from_metadata(service.url) is None
    service.fault(version_1_only)
    with pytest.raises(MetadataRetrievalError, match="IMDSv1 has been disabled"):
        from_metadata(service.url)


def test_metadata_wants_its_token(service):
    """As AWS does where version 1 is switched off."""
    service.fault(status(403), operation="token")  # which botocore takes for version 1
    assert from_metadata(service.url, version_1=True) is None
    assert service.operations() == ["token", "role"]


def test_container(service):
    environment = service.container_environment(AWS_CONTAINER_AUTHORIZATION_TOKEN="secret of the pod")
    service.authorization = "secret of the pod"
    found = from_container(environment)
    assert same(found, service.keys.issued("container")[0])
    service.authorization = "another"
    with pytest.raises(CredentialRetrievalError, match="authorization token is wrong"):
        from_container(environment)


def test_container_without_expiration(service):
    service.lifetime = None
    with pytest.raises(KeyError, match="Expiration"):  # botocore wants one
        from_container(service.container_environment())
    assert service.keys.issued("container")[0].expires is None


def test_assume_role(service):
    user = service.keys.user()
    first = assume(service, user, DurationSeconds=900)
    assert service.keys.find(first["AccessKeyId"]).token == first["SessionToken"]
    assert abs(first["Expiration"].timestamp() - time.time() - 3600) < 60
    second = assume(service, service.keys.find(first["AccessKeyId"]))  # a role over a role
    assert service.signers() == [user.access_key_id, first["AccessKeyId"]]
    assert second["AccessKeyId"] != first["AccessKeyId"]
    assert service.forms()[0]["DurationSeconds"] == "900"


def test_assume_role_refused(service):
    user = service.keys.user()
    service.form = {"ExternalId": "right"}
    assert assume(service, user, ExternalId="right")
    assert code_of(assume, service, user) == "AccessDenied"
    assert code_of(assume, service, service.keys.issue("x", -1), ExternalId="right") == "ExpiredToken"
    assert code_of(assume, service, Key(user.access_key_id, "other"), ExternalId="right") == "SignatureDoesNotMatch"
    assert code_of(assume, service, Key("AKIASTRANGER00000001", "other"), ExternalId="right") == "InvalidClientTokenId"
    service.fault(sts_error("RegionDisabledException", 403))
    assert code_of(assume, service, user, ExternalId="right") == "RegionDisabledException"


def test_web_identity(service):
    service.web_token = "header.payload.signature"
    sts = client("sts", service.url)

    def ask(token):
        return sts.assume_role_with_web_identity(RoleArn=ROLE_ARN, RoleSessionName="test", WebIdentityToken=token)

    found = ask("header.payload.signature")
    assert service.keys.find(found["Credentials"]["AccessKeyId"]).role == ROLE
    assert found["AssumedRoleUser"]["Arn"].endswith(":assumed-role/%s/test" % ROLE)
    assert code_of(ask, "other") == "InvalidIdentityToken"


def test_misbehaviour(service):
    """Faults reach the client as what they are called."""
    user = service.keys.user()
    service.fault(with_value("SecretAccessKey", "with&#13;&#10;break"), operation="AssumeRole")
    assert assume(service, user)["SecretAccessKey"] == "with\r\nbreak"
    service.fault(without("SessionToken"), operation="AssumeRole")
    assert "SessionToken" not in assume(service, user)
    service.fault(with_doctype)
    assert assume(service, user)["SecretAccessKey"] == "lol" * 8
    service.fault(padded(65 * 1024))
    assert assume(service, user)
    for fault in (stall, cut, hang_up, answer(b"<a><b></a>"), redirect):
        service.fault(fault)
        with pytest.raises((BotoCoreError, ClientError, ResponseParserError)):
            assume(service, user)
    service.fault(with_value("Token", '"with\\r\\nbreak"'), operation="container")
    found = from_container(service.container_environment())
    assert found.get_frozen_credentials().token == "with\r\nbreak"
    service.fault(without("SecretAccessKey"), operation="container")
    with pytest.raises(KeyError):
        from_container(service.container_environment())
    service.fault(without("Expiration"), operation="credentials")
    assert from_metadata(service.url) is None


def test_endless_answer(service):
    service.fault(endless)
    with urllib.request.urlopen(service.url + "/v1/credentials", timeout=30) as reply:
        assert len(reply.read(MIB)) == MIB


def test_checking_proxy(checking, keys):
    """One account behind all keys; each is checked as AWS does."""
    user, session = keys.user(), keys.issue("imds", 60)
    name = "checked_" + session.access_key_id.lower() + str(time.time_ns())
    client("dynamodb", checking.url, user).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    seen = client("dynamodb", checking.url, session)
    assert seen.describe_table(TableName=name)
    keys.revoke()
    assert code_of(seen.describe_table, TableName=name) == "ExpiredTokenException"
    wrong_token = replace(keys.issue("imds", 60), token="other")
    assert code_of(client("dynamodb", checking.url, wrong_token).list_tables) == "UnrecognizedClientException"
    old = keys.issue("imds", -1)
    assert code_of(client("dynamodb", checking.url, old).list_tables) == "ExpiredTokenException"
    checking.takes_expired = True
    assert client("dynamodb", checking.url, old).list_tables()
    wrong_secret = replace(user, secret="other")
    assert code_of(client("dynamodb", checking.url, wrong_secret).list_tables) == "InvalidSignatureException"
    assert checking.used()[:2] == [user.access_key_id, session.access_key_id]
    assert [code for _, code in checking.refused][-1] == "InvalidSignatureException"
    client("dynamodb", checking.url, user).delete_table(TableName=name)


def test_moto_checks_sessions(moto):
    user = moto.user("caller", "sts:AssumeRole")
    session = moto.assume(moto.role("reader", "dynamodb:ListTables"), user)
    moto.check_signatures()
    assert moto.client("dynamodb", session).list_tables()["TableNames"] == []
    with pytest.raises(ClientError):
        moto.client("dynamodb", replace(session, token="other")).list_tables()
    with pytest.raises(ClientError):
        moto.client("dynamodb", replace(session, secret="other")).list_tables()
    # the refusal is XML, in which boto3 finds no code of DynamoDB's
    assert code_of(moto.client("dynamodb", session).describe_table, TableName="none") == "403"


def found_inside(namespace, **environment):
    """Source and access key id of what botocore finds by itself in a namespace."""
    program = "from botocore.session import Session; c = Session().get_credentials(); print(c.method, c.access_key)"
    return subprocess.run(
        [*namespace.within, sys.executable, "-c", program],
        env={**process_environment({}), **environment},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
        text=True,
    ).stdout.split()


def test_real_addresses(namespace, inside_service, keys):
    assert found_inside(namespace) == ["iam-role", keys.issued("imds")[0].access_key_id]
    relative = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x"}
    assert found_inside(namespace, **relative) == ["container-role", keys.issued("container")[0].access_key_id]
    pod = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials"}
    assert found_inside(namespace, **pod) == ["container-role", keys.issued("container")[1].access_key_id]
    assert [request.header("Host") for request in inside_service.requests if request.method == "GET"] == [
        *["169.254.169.254"] * 2,
        "169.254.170.2",
        "169.254.170.23",
    ]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_real_address_of_ipv6(namespace, inside_service, keys):
    found = found_inside(namespace, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE="ipv6")
    assert found == ["iam-role", keys.issued("imds")[0].access_key_id]


def test_environment_of_a_cluster(cluster):
    """Only what the test gives to the server process, though this process has keys for Feast."""
    assert "AWS_ACCESS_KEY_ID" in os.environ
    cluster.restart({"AWS_PROFILE": "one", "HOME": None})
    environment = Path("/proc/%d/environ" % cluster.server.pid).read_text().split("\0")
    assert "AWS_PROFILE=one" in environment and not [line for line in environment if line.startswith("HOME=")]
    assert len([line for line in environment if line.startswith("AWS_")]) == 1


def test_server_inside(cluster, namespace, inside_checking, keys):
    """A PostgreSQL in the namespace: we reach it by its socket, it reaches DynamoDB by ours."""
    cluster.within = namespace.within
    cluster.restart({})
    session = cluster.session()
    session.server("inside_project", inside_checking.url, mapping=False)
    user = keys.user()
    session.mapping(access_key=user.access_key_id, secret=user.secret)
    session.table("drivers", DRIVERS)
    assert session.run("SELECT * FROM drivers WHERE driver_id = 1001") == []
    assert set(inside_checking.used()) == {user.access_key_id} and not inside_checking.refused
    session.run("DROP FOREIGN TABLE drivers")
    session.close()
