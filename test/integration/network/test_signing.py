"""Signatures are those of botocore's signer, for all kinds of keys, tokens, regions and bodies."""

import random
from datetime import datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import faults
from support import ACCESS_KEY, DRIVERS, ENDPOINT, SECRET_KEY, option_list

RANDOM = random.Random(4711)
PRINTABLE = [chr(code) for code in range(33, 127)]


def text(alphabet, least, most):
    return "".join(RANDOM.choices(alphabet, k=RANDOM.randint(least, most)))


def signature(request, access_key, secret, token, region):
    """The Authorization header that botocore makes for a request as it was received."""
    signed = request.header("Authorization").split("SignedHeaders=")[1].split(",")[0].split(";")
    aws = AWSRequest("POST", "http://%s%s" % (request.header("Host"), request.path), data=request.body)
    for name, value in request.headers:
        if name.lower() in signed:
            aws.headers[name] = value
    aws.context["timestamp"] = request.header("X-Amz-Date")
    signer = SigV4Auth(Credentials(access_key, secret, token), "dynamodb", region)
    string_to_sign = signer.string_to_sign(aws, signer.canonical_request(aws))
    return "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=%s, Signature=%s" % (
        signer.scope(aws),
        ";".join(sorted(signed)),
        signer.signature(string_to_sign, aws),
    )


@pytest.mark.parametrize("seed", range(60))
def test_random_requests(session, project, proxy, seed):
    RANDOM.seed(seed)
    access_key = text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 16, 20)
    secret = text(PRINTABLE, 1, 60)
    token = text(PRINTABLE, 1, 1500) if seed % 3 else None
    region = RANDOM.choice(["us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-2", "local", "x"])
    session.server(project, proxy.url, mapping=False, region=region, create_remote_table="false")
    session.mapping(access_key=access_key, secret=secret, **({"session_token": token} if token else {}))
    session.table("drivers", DRIVERS)
    proxy.fault(faults.answer({"UnprocessedItems": {}}), times=None, operation="BatchWriteItem")
    proxy.fault(faults.answer({"Responses": {}, "UnprocessedKeys": {}}), times=None, operation="BatchGetItem")
    session.run("SELECT * FROM drivers WHERE driver_id = %s", [RANDOM.getrandbits(62)])
    session.run(
        "INSERT INTO drivers SELECT i, now(), random(), 1 FROM generate_series(1, %s) i", [RANDOM.randint(1, 40)]
    )
    assert proxy.count("BatchGetItem") == 1 and proxy.count("BatchWriteItem") >= 1
    for request in proxy.requests:
        assert request.header("X-Amz-Security-Token") == token
        assert request.header("Authorization") == signature(request, access_key, secret, token, region)
        signed = request.header("Authorization")
        for name in ("host", "x-amz-date", "x-amz-target") + (("x-amz-security-token",) if token else ()):
            assert name in signed


def test_new_keys_are_used_at_once(session, project, proxy):
    """The cached signing key and connection don't outlive the mapping."""
    session.server(project, proxy.url, create_remote_table="false")
    session.table("drivers", DRIVERS)
    proxy.fault(faults.answer({"Responses": {}, "UnprocessedKeys": {}}), times=None)
    query = "SELECT * FROM drivers WHERE driver_id = 1"
    session.run(query)
    for i in range(3):
        keys = {"access_key_id": "OTHER%d" % i, "secret_access_key": "secret%d" % i}
        session.run(
            "ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET %s)"
            % option_list(keys).replace(", ", ", SET ")
        )
        session.run(query)
        request = proxy.requests[-1]
        wanted = signature(request, keys["access_key_id"], keys["secret_access_key"], None, "us-west-2")
        assert request.header("Authorization") == wanted


@pytest.mark.parametrize("ahead", [3600, -3600])
def test_a_clock_that_is_wrong_is_corrected_once(session, project, proxy, ahead):
    session.server(project, proxy.url, create_remote_table="false")
    session.table("drivers", DRIVERS)
    proxy.fault(faults.skewed(ahead))
    proxy.fault(faults.answer({"Responses": {}, "UnprocessedKeys": {}}), times=2)
    for _ in range(2):
        session.run("SELECT * FROM drivers WHERE driver_id = 1")
    ours, theirs, later = [
        datetime.strptime(request.header("X-Amz-Date"), "%Y%m%dT%H%M%SZ").timestamp() for request in proxy.requests
    ]
    assert abs(theirs - ours - ahead) < 10
    assert abs(later - theirs) < 10
    proxy.fault(faults.skewed(-ahead), times=None)
    assert session.fail("SELECT * FROM drivers WHERE driver_id = 1").sqlstate == "28000"


def test_what_is_sent(session, project, proxy):
    session.server(project, proxy.url, create_remote_table="false")
    session.table("drivers", DRIVERS)
    proxy.fault(faults.answer({"Responses": {}, "UnprocessedKeys": {}}), times=None)
    session.run("SELECT * FROM drivers WHERE driver_id = 1")
    (request,) = proxy.requests
    assert (request.method, request.path) == ("POST", "/")
    assert request.header("Content-Type") == "application/x-amz-json-1.0"
    assert request.header("X-Amz-Target") == "DynamoDB_20120810.BatchGetItem"
    assert request.header("Expect") is None
    assert request.header("Host") == proxy.url.rpartition("/")[2]


def test_region_local_without_a_url(session, project):
    """The SDKs' name for DynamoDB Local at its default port; botocore signs so, and for "local" only by an endpoint_url."""
    try:
        proxy = faults.Proxy(ENDPOINT, port=8000)
    except OSError as error:
        pytest.skip("port 8000: %s" % error)
    try:
        proxy.fault(faults.answer({"Responses": {}, "UnprocessedKeys": {}}), times=None)
        options = {"region": "local", "project": project, "create_remote_table": "false"}
        session.run("CREATE SERVER feast FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (%s)" % option_list(options))
        session.mapping()
        session.table("drivers", DRIVERS)
        session.run("SELECT * FROM drivers WHERE driver_id = 1")
        (request,) = proxy.requests
        assert request.header("Host") == "localhost:8000"
        assert request.header("Authorization") == signature(request, ACCESS_KEY, SECRET_KEY, None, "us-east-1")
    finally:
        proxy.close()
