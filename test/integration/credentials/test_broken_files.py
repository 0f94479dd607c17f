"""What is missing, broken or not supported is told by its name, its file and its line, and never by its value."""

import os
from pathlib import Path

import pytest

from key_service import ROLE_ARN
from keys import Key
from world import connect_without_table, refusal, section, shared_files

SECRET = "SECRETofaFileNotToBeShown"
BROKEN = Key("AKIABROKEN0000000001", SECRET)
ROLE = "role_arn = %s\n" % ROLE_ARN


@pytest.fixture(scope="module")
def file_cluster(cluster_home):
    """A server process that has but the shared files, which each test writes anew, and a metadata service that is not there."""
    nowhere = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9", "HOME": cluster_home.home}
    cluster_home.restart({**shared_files(cluster_home), **nowhere})
    yield cluster_home
    cluster_home.stop()


@pytest.fixture
def refused(file_cluster):
    """Writes the files, and has the error of a statement that finds no keys there."""
    sessions = []

    def refused(config="", credentials="", profile=None):
        shared_files(file_cluster, config, credentials)
        sessions.append(connect_without_table(file_cluster, {"profile": profile} if profile else {}))
        return refused_now(sessions[-1])

    yield refused
    for session in sessions:
        session.run("DROP SERVER IF EXISTS feast CASCADE")
        session.close()


def refused_now(session):
    detail, hint = refusal(session)
    assert SECRET not in detail + hint
    return detail, hint


def test_nothing_found(refused, file_cluster):
    detail, hint = refused()
    assert detail == "no credentials were found."
    folder = file_cluster.home + "/aws/"
    for place in [
        "environment: no AWS_ACCESS_KEY_ID",
        "web identity: no AWS_WEB_IDENTITY_TOKEN_FILE",
        'credentials file: no keys of profile "default" in %scredentials' % folder,
        'config file: no keys of profile "default" in %sconfig' % folder,
        "container: no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI",
        "instance metadata: 127.0.0.1:9: ",
    ]:
        assert place in hint


@pytest.mark.parametrize(
    "config, credentials, words",
    [
        ("", "[default]\naws_access_key_id = A\n", ["credentials, line 1", "secret access key is missing"]),
        ("# first\n\n[default]\naws_access_key_id = A\n", "", ["config, line 3", "secret access key is missing"]),
        ("[default]\n%s\n" % SECRET, "", ["config, line 2"]),
        ("", "[default\naws_secret_access_key = %s\n" % SECRET, ["credentials, line 1"]),
        ("", "aws_secret_access_key = %s\n" % SECRET, ["credentials, line 1"]),
        ("[default]\n" + ROLE, "", ["config, line 1", "neither"]),
        ("[default]\n" + ROLE + "source_profile = gone\n", "", ["config, line 1", "source_profile", "does not exist"]),
        ("[default]\n" + ROLE + "source_profile = default\n", "", ["config, line 1", "loop"]),
        ("[default]\n" + ROLE + "credential_source = Elsewhere\n", "", ["config, line 1", "credential_source"]),
        ("[default]\n" + ROLE + "credential_source = EcsContainer\n", "", ["config, line 1", "no credentials"]),
        ("[default]\n" + ROLE + "mfa_serial = x\nsource_profile = u\n", section("u", BROKEN), ["config, line 1", "mfa_serial"]),
        ("[default]\nrole_arn = none\nsource_profile = u\n", section("u", BROKEN), ["config, line 1", "role_arn"]),
        ("[default]\n" + ROLE + "web_identity_token_file = /nowhere/token\n", "", ["/nowhere/token", "no such file"]),
    ],
    ids=range(13),
)
def test_files(refused, config, credentials, words):
    detail, _ = refused(config, credentials)
    assert all(word in detail for word in words), detail


@pytest.mark.parametrize(
    "setting, words",
    [
        ("sso_session = x", "single sign-on (SSO) is not supported"),
        ("sso_start_url = https://x", "single sign-on (SSO) is not supported"),
        ("login_session = x", "a login session is not supported"),
        ("credential_process = /bin/touch %s", "a credential process is not supported"),
    ],
)
def test_what_is_not_supported(refused, file_cluster, setting, words):
    """Refused by name, with what there is instead; nothing is run."""
    ran = Path(file_cluster.home) / "ran"
    detail, hint = refused("[default]\n" + setting.replace("%s", str(ran)) + "\n")
    assert words in detail and setting.split()[0] in detail and "config, line 1" in detail
    assert "role_arn" in hint and "read anew" in hint
    assert not ran.exists()


def test_a_profile_of_the_mapping_does_not_become_the_instance(refused):
    detail, _ = refused("[profile empty]\nregion = us-east-1\n", "", profile="empty")
    assert 'profile "empty"' in detail and "holds no credentials" in detail and "config, line 1" in detail


def test_a_profile_of_the_mapping_that_does_not_exist(refused):
    assert 'profile "gone" is in neither of the files' in refused(profile="gone")[0]


@pytest.mark.parametrize("kind", ["pipe", "directory", "large", "closed", "binary"])
def test_files_that_are_none(file_cluster, refused, kind):
    """Whatever stands at the place of a file: an error, at once."""
    if kind == "closed" and file_cluster.owner:
        pytest.skip("another user's file is needed")
    refused()  # makes the session, and the files
    path = Path(file_cluster.home) / "aws" / "credentials"
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "closed":
        path.write_text(section("default", BROKEN))
        path.chmod(0)
    elif kind == "large":
        path.write_text("#\n" * (600 << 10))
    else:
        path.write_bytes(b"\x00\xff[default]\n" + SECRET.encode())
    session = file_cluster.session()
    detail, _ = refused_now(session)
    session.close()
    assert str(path) in detail
