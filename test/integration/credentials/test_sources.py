"""Each source of credentials, from the server process's environment to a row of DynamoDB."""

from dataclasses import replace
from datetime import datetime, timezone

import pytest
from botocore.credentials import InstanceMetadataProvider
from botocore.utils import InstanceMetadataFetcher

from key_service import ACCOUNT, ROLE, ROLE_ARN
from programs import ROLE as MOCK_ROLE
from support import REGION, make_remote
from world import (
    CREATE,
    INSERT,
    SELECT,
    assert_reads,
    assert_signs,
    connect,
    identity,
    make_mapping,
    section,
    shared_files,
    write_file,
)

OTHER_ROLE = "arn:aws:iam::%s:role/other" % ACCOUNT


def assert_identity(session, key, **expected):
    """dynamo_fdw_identity() tells of this key what is expected, and no more of it than it should."""
    seen = identity(session)._asdict()
    expires = key.expires and datetime.fromtimestamp(int(key.expires), timezone.utc)
    assert seen.pop("endpoint").startswith("http://127.0.0.1:")
    assert seen == {
        "profile": None,
        "role_arn": None,
        **expected,
        "access_key_id": key.access_key_id[-4:],
        "expires": expires,
        "region": REGION,
    }


# Static keys.


@pytest.mark.parametrize("session_key", [False, True])
def test_environment(cluster, project, checking, keys, session_key):
    key = keys.issue("environment", None) if session_key else keys.user()
    cluster.restart(key.environment())
    session = connect(cluster, project, checking.url)
    assert_signs(session, checking, key)
    assert_identity(session, key, source="environment")


def test_files(cluster, project, checking, keys):
    """Profiles by AWS_PROFILE, by the mapping, and the default; the credentials file comes first."""
    first, second, third = (keys.user("AKIATESTUSER0000000%d" % n, "USERSECRETnotlogged%d" % n) for n in range(1, 4))
    config = section("default", third) + section("profile both", third) + section("profile config", second)
    environment = shared_files(cluster, config, section("both", first))
    cluster.restart({**environment, "AWS_PROFILE": "both"})
    session = connect(cluster, project, checking.url)
    assert_signs(session, checking, first)
    assert_identity(session, first, source="credentials file", profile="both")
    session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (ADD profile 'config')")
    assert_signs(session, checking, second)
    assert_identity(session, second, source="config file", profile="config")
    session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET profile 'default')")
    assert_identity(session, third, source="config file", profile="default")


def test_a_profile_of_the_mapping_is_before_the_environment(cluster, project, checking, keys):
    own, other = keys.user(), keys.user("AKIATESTUSER00000002")
    cluster.restart({**other.environment(), **shared_files(cluster, credentials=section("mine", own))})
    session = connect(cluster, project, checking.url, {"profile": "mine"})
    assert_signs(session, checking, own)
    session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (DROP profile)")
    assert_signs(session, checking, other)


def test_without_a_home(cluster, project, checking, keys):
    """The user's home is then that of the system's list of users; here it has no keys, or nobody's of these tests."""
    key = keys.user()
    environment = shared_files(cluster, credentials=section("default", key))
    cluster.restart({**environment, "HOME": None})
    session = connect(cluster, project, checking.url)
    assert_signs(session, checking, key)
    session.close()
    cluster.restart({"HOME": None, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "nobody-has-this-one"})
    hidden = cluster.session().fail("SELECT * FROM dynamo_fdw_identity('feast')").diag.message_detail
    assert '/.aws/credentials and /' in hidden and cluster.home not in hidden


def test_files_of_home(cluster, project, checking, keys):
    key = keys.user()
    shared_files(cluster, credentials=section("default", key))
    cluster.restart({"HOME": cluster.home, "AWS_SHARED_CREDENTIALS_FILE": "~/aws/credentials"})
    session = connect(cluster, project, checking.url)
    assert identity(session).source == "credentials file"
    assert_signs(session, checking, key)


def test_session_based_auth(cluster, project, checking, keys):
    """As Feast's option: the chain, though the mapping has keys."""
    key, mapped = keys.user(), keys.user("AKIATESTUSER00000002")
    cluster.restart(key.environment())
    session = connect(cluster, project, checking.url, mapped.mapping(), session_based_auth="true")
    assert_signs(session, checking, key)
    session.run("ALTER SERVER feast OPTIONS (SET session_based_auth 'false')")
    assert_signs(session, checking, mapped)
    assert_identity(session, mapped, source="user mapping")


# STS.


def test_web_identity(cluster, project, checking, keys, service):
    """As EKS sets it up for a service account; its token changes every hour or so, and may end with a line break."""
    token_file = write_file(cluster, "token", "header.first.signature\n")
    cluster.restart(service.web_identity_environment(token_file))
    session = connect(cluster, project, checking.url)
    service.web_token = "header.first.signature"
    session.run(CREATE)
    assert_reads(session, checking, keys.issued()[0])
    assert_identity(session, keys.issued()[0], source="web identity", role_arn=ROLE_ARN)
    write_file(cluster, "token", "header.second.signature\r\n")
    service.web_token = "header.second.signature"
    keys.revoke()
    session.run(SELECT)
    assert_reads(session, checking, keys.issued()[1])
    forms = service.forms("AssumeRoleWithWebIdentity")
    assert [form["WebIdentityToken"] for form in forms] == ["header.first.signature", "header.second.signature"]
    assert {form["RoleSessionName"] for form in forms} == {"dynamo_fdw-%d" % session.pid}
    assert not any("DurationSeconds" in form for form in forms)
    assert service.of("AssumeRoleWithWebIdentity")[0].header("Authorization") is None


def test_web_identity_of_moto(cluster, project, moto):
    token_file = write_file(cluster, "token", "header.payload.signature")
    arn = moto.role("pod", "dynamodb:*")
    cluster.restart(
        {"AWS_WEB_IDENTITY_TOKEN_FILE": token_file, "AWS_ROLE_ARN": arn, "AWS_ENDPOINT_URL_STS": moto.url}
    )
    session = connect(cluster, project, moto.url)
    session.run(CREATE)
    moto.check_signatures()
    session.run(INSERT)
    assert session.run(SELECT) == [(1001, 7)]
    found = identity(session)
    assert (found.source, found.role_arn) == ("web identity", arn)
    assert found.expires > datetime.now(timezone.utc)


def test_role_of_moto(cluster, project, moto):
    """Signatures and session tokens that somebody else checks."""
    user, arn = moto.user("caller", "sts:AssumeRole"), moto.role("reader", "dynamodb:*")
    wrong = moto.assume(arn)
    config = section("profile reader", role_arn=arn, source_profile="caller")
    environment = shared_files(cluster, config, section("caller", user))
    cluster.restart({**environment, "AWS_PROFILE": "reader", "AWS_ENDPOINT_URL_STS": moto.url})
    session = connect(cluster, project, moto.url)
    session.run(CREATE)
    moto.check_signatures()
    session.run(INSERT)
    assert session.run(SELECT) == [(1001, 7)]
    assert identity(session)[:2] == ("role of a profile", "reader")
    for broken in (replace(wrong, secret="wrong"), replace(wrong, token="wrong")):
        session.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
        make_mapping(session, **broken.mapping())
        assert session.fail(SELECT)
    session.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
    make_mapping(session, **wrong.mapping())
    assert session.run(SELECT) == [(1001, 7)]


def test_roles_of_profiles(cluster, project, checking, keys, service, metadata_mock):
    """By a source profile, over another role, and over each source that has a name of its own."""
    user, variables = keys.user(), keys.user("AKIATESTUSER00000002")
    role = {"role_arn": ROLE_ARN}
    config = (
        section("profile one", **role, source_profile="user", external_id="x-1", role_session_name="told")
        + section("profile two", role_arn=OTHER_ROLE, source_profile="one", duration_seconds="900")
        + section("profile variables", **role, credential_source="Environment")
        + section("profile container", **role, credential_source="EcsContainer")
        + section("profile instance", **role, credential_source="Ec2InstanceMetadata")
    )
    environment = {
        **shared_files(cluster, config, section("user", user)),
        **variables.environment(),
        **service.container_environment(),
        **metadata_mock.environment(),
        "AWS_ENDPOINT_URL_STS": service.url,
    }
    cluster.restart(environment)
    session = connect(cluster, project, checking.url, {"profile": "instance"})
    make_remote(project + ".drivers")
    session.run("SET dynamo_fdw.remote_ddl = off")
    session.run(CREATE)
    expected = {
        "one": [user.access_key_id],
        "two": [user.access_key_id, None],
        "variables": [variables.access_key_id],
        "container": [None],
    }
    for profile, signing in expected.items():
        session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET profile '%s')" % profile)
        service.forget()
        keys_before = len(keys.issued())
        session.run(SELECT)
        new = keys.issued()[keys_before:]
        signing = [id or new[0].access_key_id for id in signing]
        assert service.signers() == signing, profile
        assert_reads(session, checking, new[-1])
        arn = OTHER_ROLE if profile == "two" else ROLE_ARN
        assert_identity(session, new[-1], source="role of a profile", profile=profile, role_arn=arn)
        if profile == "two":
            first, second = service.forms()
            assert (first["ExternalId"], first["RoleSessionName"]) == ("x-1", "told")
            assert (second["DurationSeconds"], second["RoleArn"]) == ("900", OTHER_ROLE)
            assert "ExternalId" not in second
    # STS takes no keys that have expired, as the mock's have
    session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET profile 'instance')")
    error = session.fail(SELECT)
    assert error.sqlstate == "28000" and "ExpiredToken" in error.diag.message_detail
    assert service.signers()[-1] == metadata_mock.key.access_key_id


def test_role_over_the_keys_of_a_mapping(cluster, project, checking, keys, service):
    """Everybody's own business: STS is asked with the user's own keys, not with the server process's."""
    user, process = keys.user(), keys.user("AKIATESTUSER00000002")
    cluster.restart({**process.environment(), "AWS_ENDPOINT_URL_STS": service.url})
    admin = connect(cluster, project, checking.url)
    make_remote(project + ".drivers")
    admin.run("SET dynamo_fdw.remote_ddl = off")
    admin.run(CREATE)
    admin.run("CREATE ROLE plain LOGIN; GRANT USAGE ON FOREIGN SERVER feast TO plain; GRANT ALL ON drivers TO plain")
    try:
        session = cluster.session()
        session.run("SET SESSION AUTHORIZATION plain")
        service.form = {"ExternalId": "x=1,2.3@4:5/6-7", "DurationSeconds": "1800"}
        make_mapping(
            session,
            **user.mapping(),
            role_arn=ROLE_ARN,
            external_id="x=1,2.3@4:5/6-7",
            role_session_name="plain@feast",
            duration_seconds=1800,
        )
        assert session.run(SELECT) == []
        (key,) = keys.issued()
        assert_reads(session, checking, key)
        assert service.signers() == [user.access_key_id]
        assert service.forms()[0]["RoleSessionName"] == "plain@feast"
        assert_identity(session, key, source="user mapping", role_arn=ROLE_ARN)
        # the server process's own are not his
        mapping = "ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (DROP access_key_id, DROP secret_access_key)"
        assert session.fail(mapping).sqlstate == "42501"
        session.close()
    finally:
        admin.run("DROP OWNED BY plain CASCADE; DROP ROLE plain")


def test_role_over_the_identity_of_the_server(cluster, project, checking, keys, service):
    """A superuser's; sts_endpoint_url wins over the environment's endpoint."""
    user = keys.user()
    cluster.restart({**user.environment(), "AWS_ENDPOINT_URL_STS": checking.url + "9"})
    session = connect(cluster, project, checking.url, {"role_arn": ROLE_ARN}, sts_endpoint_url=service.url)
    session.run(CREATE)
    assert_reads(session, checking, keys.issued()[0])
    assert service.signers() == [user.access_key_id]
    assert_identity(session, keys.issued()[0], source="environment", role_arn=ROLE_ARN)
    assert session.fail("ALTER SERVER feast OPTIONS (SET sts_endpoint_url 'ftp://here')")


@pytest.mark.parametrize(
    "option,field,value",
    [
        ("duration_seconds", "DurationSeconds", "1800"),
        ("external_id", "ExternalId", "of-role"),
        ("role_session_name", "RoleSessionName", "somebody"),
    ],
)
def test_a_role_that_changes_within_a_transaction(cluster, project, checking, keys, service, option, field, value):
    """What is made later is signed for the role as it is then."""
    cluster.restart({"AWS_ENDPOINT_URL_STS": service.url})
    session = connect(cluster, project, checking.url, {**keys.user().mapping(), "role_arn": ROLE_ARN})
    session.run("BEGIN")
    session.run(CREATE)
    session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (ADD %s '%s')" % (option, value))
    session.run(CREATE.replace("drivers", "riders"))
    session.run("ROLLBACK")
    before, after = service.forms()
    assert before.get(field) != value and after[field] == value


# Containers.


def test_container(cluster, project, checking, keys, service):
    """A full URI with a token in a file that is replaced, as EKS Pod Identity does."""
    token_file = write_file(cluster, "pod", "first-token\n")
    variables = {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token_file, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "none"}
    cluster.restart(service.container_environment(**variables))
    service.authorization = "first-token"
    session = connect(cluster, project, checking.url)
    session.run(CREATE)
    assert_reads(session, checking, keys.issued()[0])
    assert_identity(session, keys.issued()[0], source="container")
    write_file(cluster, "pod", "second-token")
    service.authorization = "second-token"
    keys.revoke()
    session.run(SELECT)
    assert_reads(session, checking, keys.issued()[1])
    assert [request.path for request in service.requests] == ["/v1/credentials"] * 2


def test_container_with_a_token_and_no_end(cluster, project, checking, keys, service):
    service.authorization = "Basic dG9rZW4="
    service.lifetime = None
    cluster.restart(service.container_environment(AWS_CONTAINER_AUTHORIZATION_TOKEN="Basic dG9rZW4="))
    session = connect(cluster, project, checking.url)
    session.run(CREATE)
    assert_reads(session, checking, keys.issued()[0])
    assert_identity(session, keys.issued()[0], source="container")


# The instance's metadata.


def test_metadata(cluster, project, checking, keys, service):
    cluster.restart({"AWS_EC2_METADATA_SERVICE_ENDPOINT": service.url + "/"})
    session = connect(cluster, project, checking.url)
    session.run(CREATE)
    assert_reads(session, checking, keys.issued()[0])
    assert_identity(session, keys.issued()[0], source="instance metadata")
    assert service.operations() == ["token", "role", "credentials"]
    assert keys.issued()[0].role == ROLE


def test_metadata_mock(cluster, project, checking, keys, metadata_mock):
    """AWS's own imitation wants version 2, and gives keys that have expired: they are used as long as they are taken."""
    cluster.restart(metadata_mock.environment())
    checking.takes_expired = True
    session = connect(cluster, project, checking.url)
    assert_signs(session, checking, metadata_mock.key)
    assert_identity(session, metadata_mock.key, source="instance metadata")
    session.run("SET dynamo_fdw.remote_ddl = off")
    session.run(CREATE)
    checking.takes_expired = False
    error = session.fail(SELECT)
    assert error.sqlstate == "28000" and "ExpiredToken" in error.diag.message_detail
    assert "instance metadata" in error.diag.message_hint
    assert MOCK_ROLE not in str(error)


def test_metadata_of_moto(cluster, project, moto):
    cluster.restart({"AWS_EC2_METADATA_SERVICE_ENDPOINT": moto.url})
    session = connect(cluster, project, moto.url)
    session.run(CREATE)
    session.run(INSERT)
    assert session.run(SELECT) == [(1001, 7)]
    config = {"ec2_metadata_service_endpoint": moto.url, "ec2_metadata_v1_disabled": True}
    botocore = InstanceMetadataProvider(InstanceMetadataFetcher(timeout=5, num_attempts=1, env={}, config=config)).load()
    found = identity(session)
    assert (found.source, found.access_key_id) == ("instance metadata", botocore.access_key[-4:])


# The real addresses.


@pytest.mark.parametrize(
    "source, environment",
    [
        ("instance metadata", {}),
        ("container", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x"}),
        ("container", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials"}),
    ],
    ids=["instance", "ecs", "eks"],
)
def test_real_address(cluster, project, namespace, inside_service, inside_checking, keys, source, environment):
    hosts = {"": "169.254.169.254", "/v2/credentials/x": "169.254.170.2"}
    cluster.within = namespace.within
    cluster.restart(environment)
    session = connect(cluster, project, inside_checking.url)
    session.run(CREATE)
    assert_reads(session, inside_checking, keys.issued()[0])
    assert_identity(session, keys.issued()[0], source=source)
    host = hosts.get(environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ""))
    if "AWS_CONTAINER_CREDENTIALS_FULL_URI" in environment:
        host = "169.254.170.23"
    assert {request.header("Host") for request in inside_service.requests} == {host}
