"""dynamo_fdw_registry(): registries in S3 and in files of the server, who may read them, and an S3 that misbehaves."""

import os
import pathlib
import secrets

import boto3
import pytest

import faults
from s3_proxy import S3Proxy, in_region, large, s3_error, signature_fits
from support import ACCESS_KEY, MOTO_ENDPOINT, REGION, SECRET_KEY, Running, option_list, takes

FORBIDDEN, NOT_THERE, BAD_VALUE, TOO_LARGE, NO_CREDENTIALS = "42501", "58P01", "22023", "54000", "28000"
LOST, NOT_SUPPORTED, REFUSED, THROTTLED, NONSENSE = "08006", "0A000", "HV000", "53400", "08P01"
REGISTRY = "SELECT dynamo_fdw_registry('feast')"
MIB = 1024 * 1024

KEYS = [
    "registry.db",
    "prod/feast/registry.db",
    "a b.db",
    "größe/ß.db",
    "a+b&c=d.db",
    "100%/%41%2F.db",
    "it's \"quoted\"/(1)*!,;:@$.db",
    "~tilde-_./x",
    "trailing/",
]


@pytest.fixture(scope="module")
def s3():
    """boto3's client for moto."""
    return boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=MOTO_ENDPOINT,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


@pytest.fixture(scope="module")
def bucket(s3):
    """A bucket with an object for each of KEYS, whose bytes are none of any encoding."""
    name = "feast-" + secrets.token_hex(4)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in KEYS:
        s3.put_object(Bucket=name, Key=key, Body=content(key))
    return name


def content(key):
    return b"\x00\xff\r\n" + key.encode()


@pytest.fixture
def proxy():
    proxy = S3Proxy(MOTO_ENDPOINT)
    yield proxy
    proxy.close()


@pytest.fixture
def feast(session, bucket, proxy):
    """A session with a server whose registry is behind the proxy; no retry takes a second."""
    session.server(
        "none", registry="s3://%s/registry.db" % bucket, registry_endpoint_url=proxy.url, connect_timeout=1, read_timeout=2
    )
    return session


def registry(session, uri=None, server="feast"):
    return session.value("SELECT dynamo_fdw_registry(%s, %s)", [server, uri])


def refusal(session, uri=None, server="feast"):
    """SQLSTATE and all words of a registry that can't be had."""
    error = session.fail("SELECT dynamo_fdw_registry(%s, %s)", [server, uri])
    diag = error.diag
    return error.sqlstate, " | ".join(filter(None, [diag.message_primary, diag.message_detail, diag.message_hint]))


# ---- objects ----


@pytest.mark.parametrize("key", KEYS)
def test_objects(feast, proxy, bucket, key):
    assert registry(feast, "s3://%s/%s" % (bucket, key)) == content(key)
    (request,) = proxy.gets()
    assert (request.method, request.body) == ("GET", b"")
    assert signature_fits(request, ACCESS_KEY, SECRET_KEY)


def test_the_servers_registry(feast, proxy, bucket, s3):
    assert registry(feast) == content("registry.db")
    assert proxy.gets()[0].path == "/%s/registry.db" % bucket
    assert registry(feast, "S3://%s//registry.db?versionId=1#x" % bucket.upper()) == content("registry.db")
    assert feast.value("SELECT dynamo_fdw_registry(NULL)") is None
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert registry(feast, "s3://%s/empty" % bucket) == b""
    # 20 MB, which come in many pieces
    body = os.urandom(MIB) * 20
    s3.put_object(Bucket=bucket, Key="large", Body=body)
    assert registry(feast, "s3://%s/large" % bucket) == body


def test_a_session_token_is_signed(feast, proxy):
    feast.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
    feast.mapping(session_token="tOkEn//==")
    registry(feast)
    assert proxy.gets()[0].header("X-Amz-Security-Token") == "tOkEn//=="
    assert signature_fits(proxy.gets()[0], ACCESS_KEY, SECRET_KEY, "tOkEn//==")


def test_what_is_not_there(feast, bucket):
    state, words = refusal(feast, "s3://%s/nowhere.db" % bucket)
    assert state == NOT_THERE
    assert words.startswith('GetObject of "s3://%s/nowhere.db" did not find the object | NoSuchKey' % bucket)
    state, words = refusal(feast, "s3://no-such-bucket-at-all/registry.db")
    assert state == NOT_THERE and "NoSuchBucket" in words


def test_region_of_the_registry(feast, proxy):
    feast.set_server(registry_region="eu-central-1")
    registry(feast)
    assert "/eu-central-1/s3/" in proxy.gets()[0].header("Authorization")
    feast.run("ALTER SERVER feast OPTIONS (DROP registry_region, SET region 'local')")
    registry(feast)
    assert "/us-east-1/s3/" in proxy.gets()[1].header("Authorization")


# ---- what options say ----


@pytest.mark.parametrize(
    "value, hint",
    [
        ("s3://bucket", "must name a key"),
        ("s3://bucket/", "must name a key"),
        ("s3:///key", "must name a bucket"),
        ("s3://a_b/key", "must name a bucket"),
        ("gs://bucket/key", "s3://bucket/key, or the absolute path"),
        ("hdfs://host/key", "s3://bucket/key, or the absolute path"),
        ("file:///registry.db", "s3://bucket/key, or the absolute path"),
        ("postgresql+psycopg://me:hunter2@host/feast", "registry_type 'sql'"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Signature=hunter2", "s3://bucket/key"),
        ("", "must not be empty"),
    ],
)
def test_registries_that_ddl_refuses(feast, value, hint):
    error = feast.fail("ALTER SERVER feast OPTIONS (SET registry '%s')" % value)
    assert error.sqlstate == BAD_VALUE and hint in error.diag.message_hint
    assert "hunter2" not in str(error)


def test_registries_that_are_refused_when_used(feast):
    assert refusal(feast, "registry.db")[0] == BAD_VALUE
    assert refusal(feast, "gs://bucket/key")[0] == BAD_VALUE
    assert refusal(feast, "")[0] == BAD_VALUE
    state, words = refusal(feast, "s3://us:hunter2@bucket/key")
    assert state == BAD_VALUE and "must name a bucket" in words
    feast.run("ALTER SERVER feast OPTIONS (SET registry 'feast_schema', ADD registry_type 'sql')")
    assert refusal(feast)[0] == NOT_SUPPORTED
    feast.run("ALTER SERVER feast OPTIONS (DROP registry, DROP registry_type)")
    state, words = refusal(feast)
    assert state == "HV002" and "s3://bucket/key" in words
    feast.run("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER other FOREIGN DATA WRAPPER w")
    assert refusal(feast, "s3://abc/key", "other")[0] == "42809"
    feast.run("DROP FOREIGN DATA WRAPPER w CASCADE")
    assert refusal(feast, "s3://abc/key", "nowhere")[0] == "42704"


# ---- an S3 that misbehaves ----


def test_denied(feast, proxy):
    proxy.fault(s3_error("AccessDenied", 403))
    state, words = refusal(feast)
    assert state == FORBIDDEN
    for part in ("AccessDenied: made up by the test", "S3REQUEST1", "s3:GetObject", "s3:ListBucket", "kms:Decrypt"):
        assert part in words
    proxy.fault(s3_error("", 403, body=False))
    assert refusal(feast)[0] == FORBIDDEN
    assert len(proxy.gets()) == 2


def test_another_region(feast, proxy):
    proxy.fault(in_region("eu-west-1"), times=None)
    assert registry(feast) == content("registry.db")
    assert len(proxy.gets()) == 2
    assert all(signature_fits(request, ACCESS_KEY, SECRET_KEY) for request in proxy.gets())


def test_a_bucket_that_is_always_elsewhere(feast, proxy):
    proxy.fault(s3_error("PermanentRedirect", 301, "eu-west-1"))
    proxy.fault(s3_error("PermanentRedirect", 301, "us-west-2"), times=None)
    state, words = refusal(feast)
    assert state == REFUSED and "registry_region" in words
    assert len(proxy.gets()) == 2
    for region in ("evil.com", "../../x", "x y"):
        proxy.heal()
        proxy.forget()
        proxy.fault(s3_error("PermanentRedirect", 307, region), times=None)
        assert refusal(feast)[0] == REFUSED and len(proxy.gets()) == 1
    proxy.heal()
    proxy.fault(faults.redirect, times=None)
    assert "a redirect, which is not followed" in refusal(feast)[1]


def test_failures_that_pass(feast, proxy):
    proxy.fault(s3_error("SlowDown", 503))
    proxy.fault(s3_error("InternalError", 500))
    proxy.fault(faults.cut)
    assert registry(feast) == content("registry.db")
    assert len(proxy.gets()) == 4


def test_failures_that_stay(feast, proxy):
    feast.set_server(total_max_retry_attempts=2)
    for fault, want, part in [
        (s3_error("SlowDown", 503), THROTTLED, "total_max_retry_attempts"),
        (s3_error("InternalError", 500), LOST, "InternalError"),
        (faults.cut, NONSENSE, "registry_endpoint_url"),
        (faults.hang_up, LOST, "Gave up after 2 attempts"),
        (faults.html(400), NONSENSE, "HTTP 400"),
        (faults.html(418), NONSENSE, "HTTP 418"),
    ]:
        proxy.forget()
        proxy.fault(fault, times=None)
        state, words = refusal(feast)
        assert (state, len(proxy.gets())) == (want, 2) and part in words
        proxy.heal()
    assert registry(feast) == content("registry.db")


def test_the_clock_of_the_service(feast, proxy):
    def skewed(exchange):
        exchange.date_time_string = lambda timestamp=None: "Fri, 01 Mar 2030 12:00:00 GMT"
        s3_error("RequestTimeTooSkewed", 403)(exchange)
        del exchange.date_time_string

    proxy.fault(skewed)
    assert registry(feast) == content("registry.db")
    assert proxy.gets()[1].header("X-Amz-Date").startswith("20300301T1200")
    proxy.fault(s3_error("SignatureDoesNotMatch", 403, message="we have 'AWS4-HMAC-SHA256 x'"))
    state, words = refusal(feast)
    assert state == NO_CREDENTIALS and "AWS4" not in words


@pytest.mark.parametrize("chunked", [False, True])
def test_large_objects(feast, proxy, chunked):
    feast.run("ALTER SERVER feast OPTIONS (SET read_timeout '60')")
    proxy.fault(large(64 * MIB, chunked))
    assert feast.value("SELECT length(dynamo_fdw_registry('feast'))") == 64 * MIB
    proxy.forget()
    proxy.fault(large(70 * MIB, chunked), times=None)
    state, words = refusal(feast)
    assert state == TOO_LARGE and "larger than 64 MB" in words
    assert len(proxy.gets()) == 1
    assert feast.alive()


def test_silence_and_cancel(feast, proxy, other):
    feast.set_server(total_max_retry_attempts=1)
    proxy.fault(faults.stall, times=None)
    state, words = refusal(feast)
    assert state == LOST and "read_timeout" in words
    feast.run("ALTER SERVER feast OPTIONS (SET read_timeout '60')")
    proxy.forget()
    running = Running(feast, REGISTRY)
    proxy.wait_for("GetObject")
    with takes(less_than=1):
        other.run("SELECT pg_cancel_backend(%s)", [feast.pid])
        running.join()
    assert running.error.sqlstate == "57014"
    proxy.heal()
    assert registry(feast) == content("registry.db")


def descriptors(session):
    """How many of a backend's descriptors are no files: sockets and epoll sets."""
    folder = pathlib.Path("/proc/%d/fd" % session.pid)
    return sum(not os.readlink(entry).startswith("/") for entry in folder.iterdir())


def test_errors_leave_nothing_behind(feast, proxy):
    registry(feast)
    before = descriptors(feast)
    proxy.fault(s3_error("NoSuchKey", 404), times=None)
    feast.run(
        """DO $$ BEGIN FOR i IN 1..30 LOOP
             BEGIN PERFORM dynamo_fdw_registry('feast'); EXCEPTION WHEN undefined_file THEN END;
           END LOOP; END $$"""
    )
    assert len(proxy.gets()) == 31
    feast.set_server(total_max_retry_attempts=1)
    proxy.heal()
    proxy.fault(faults.stall, times=None)
    feast.run("BEGIN; SAVEPOINT s; SET LOCAL statement_timeout = '100ms'")
    feast.fail(REGISTRY)
    feast.run("ROLLBACK TO s")
    assert descriptors(feast) == before
    assert proxy.open_connections() <= 1  # the proxy may not have seen the end of the last one yet
    feast.run("ROLLBACK")


def test_two_sessions(feast, proxy, other):
    proxy.latency = 0.2
    running = [Running(session, REGISTRY) for session in (feast, other)]
    assert [one.join().rows for one in running] == [[(content("registry.db"),)]] * 2
    assert proxy.most_in_flight("GetObject") == 2


def test_no_secret_shows(feast, proxy):
    secret, token = "sEcReTthatNobodyMaySee000", "tOkEnThatNobodyMaySee000"
    feast.run("SET log_statement = none; SET log_min_error_statement = panic")
    feast.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
    feast.mapping(secret=secret, session_token=token)
    log = os.environ.get("PG_SERVER_LOG")
    start = os.path.getsize(log) if log else 0
    feast.run("SET log_min_messages = debug5; SET client_min_messages = debug5")
    said = [str(registry(feast))]
    for fault in [
        s3_error("InvalidToken", 400, message="the token is bad: " + token),
        s3_error("SignatureDoesNotMatch", 403, message="x-amz-security-token:%s" % token),
        s3_error("AccessDenied", 403),
        faults.html(400),
        faults.redirect,
        faults.hang_up,
    ]:
        proxy.fault(fault, times=None)
        said.append(refusal(feast)[1])
        proxy.heal()
    said += map(str, feast.notices)
    if log:
        said.append(pathlib.Path(log).read_bytes()[start:].decode("utf-8", "replace"))
    assert any("GetObject, attempt 1: HTTP 200" in text for text in said)
    signatures = [request.header("Authorization").rpartition("=")[2] for request in proxy.gets()]
    for word in [secret, token, "AWS4-HMAC", *signatures]:
        assert not any(word in text for text in said), word


# ---- who may ----


def test_usage_and_whose_keys(feast, proxy, new_role):
    role = new_role("feast")
    feast.run("SET ROLE " + role)
    assert refusal(feast)[0] == NO_CREDENTIALS  # no user mapping
    feast.run("RESET ROLE")
    feast.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id 'OTHERKEY', secret_access_key 'x')" % role)
    feast.run("SET ROLE " + role)
    assert registry(feast) == content("registry.db")
    assert signature_fits(proxy.gets()[-1], "OTHERKEY", "x")
    feast.run("RESET ROLE; REVOKE USAGE ON FOREIGN SERVER feast FROM %s; SET ROLE %s" % (role, role))
    state, words = refusal(feast)
    assert state == FORBIDDEN and "foreign server" in words


def test_credentials_of_the_process_need_tls(feast):
    feast.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
    feast.run("CREATE USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (credentials_required 'false')")
    feast.run("ALTER SERVER feast OPTIONS (SET registry_endpoint_url 'http://10.255.255.1')")
    state, words = refusal(feast)
    assert state == NO_CREDENTIALS and "plain http" in words


def test_lent_credentials_read_the_servers_registry_only(feast, bucket, new_role):
    """Who uses the server process's role for DynamoDB may not read the backups that it may read."""
    role = new_role("feast")
    feast.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (credentials_required 'false')" % role)
    feast.run("ALTER SERVER feast OPTIONS (SET registry_endpoint_url 'http://10.255.255.1')")
    feast.run("SET ROLE " + role)
    for uri in ("s3://%s/a b.db" % bucket, "s3://%s/registry.db?" % bucket, "s3://backups/base.tar"):
        state, words = refusal(feast, uri)
        assert state == FORBIDDEN and "may not be used for this object" in words, uri
    # the server's own is asked for, if only it were by TLS
    state, words = refusal(feast)
    assert state == NO_CREDENTIALS and "plain http" in words


def test_link_local_addresses(feast):
    feast.run("ALTER SERVER feast OPTIONS (SET registry_endpoint_url 'http://169.254.169.254')")
    state, words = refusal(feast)
    assert state == FORBIDDEN and "link-local" in words


def test_servers_of_plain_users(feast, proxy, bucket, new_role):
    role = new_role("feast")
    options = {"region": "xx-nowhere-1", "registry": "s3://%s/registry.db" % bucket, "connect_timeout": 1}
    options["total_max_retry_attempts"] = 1
    feast.run("GRANT USAGE ON FOREIGN DATA WRAPPER dynamo_fdw TO " + role)
    feast.run("SET dynamo_fdw.allowed_endpoints = ''; SET ROLE " + role)
    feast.run("CREATE SERVER mine FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (%s)" % option_list(options))
    feast.mapping("mine")
    # S3's own, which this machine can't reach: it got as far as that
    assert refusal(feast, server="mine")[0] == "08001"
    feast.run("ALTER SERVER mine OPTIONS (ADD registry_endpoint_url '%s')" % proxy.url)
    state, words = refusal(feast, server="mine")
    assert state == FORBIDDEN and "allowed_endpoints" in words
    for url in (
        "https://dynamodb.us-west-2.amazonaws.com",
        "https://s3.us-west-2.amazonaws.com.evil.invalid",
        "https://s3.us-west-2.amazonaws.com:8443",
        "http://s3.us-west-2.amazonaws.com",
    ):
        feast.run("ALTER SERVER mine OPTIONS (SET registry_endpoint_url '%s')" % url)
        assert refusal(feast, server="mine")[0] == FORBIDDEN, url
    # a name of S3's opens nothing for DynamoDB
    feast.run("ALTER SERVER mine OPTIONS (ADD endpoint_url 'https://dynamodb.s3.us-west-2.amazonaws.com')")
    feast.run("RESET ROLE")
    assert feast.fail("SELECT * FROM dynamo_fdw_identity('mine')").sqlstate in (FORBIDDEN, NO_CREDENTIALS)
    feast.run("ALTER SERVER mine OPTIONS (SET registry_endpoint_url '%s')" % proxy.url)
    feast.run("SET dynamo_fdw.allowed_endpoints = '127.0.0.1'; SET ROLE " + role)
    assert registry(feast, server="mine") == content("registry.db")
    feast.run("RESET ROLE; RESET dynamo_fdw.allowed_endpoints; DROP SERVER mine CASCADE")
    feast.run("REVOKE USAGE ON FOREIGN DATA WRAPPER dynamo_fdw FROM " + role)


# ---- files ----


@pytest.fixture
def folder(tmp_path):
    """A folder that the server process can read."""
    for path in (tmp_path, *tmp_path.parents):
        if os.stat(path).st_uid == os.getuid():
            path.chmod(0o755)
    return tmp_path


def test_files(feast, proxy, folder):
    path = folder / "größe registry.db"
    path.write_bytes(content("file"))
    assert registry(feast, str(path)) == content("file")
    feast.run("ALTER SERVER feast OPTIONS (SET registry '%s')" % path)
    assert registry(feast) == content("file")
    (folder / "link").symlink_to(path)
    assert registry(feast, str(folder / "link")) == content("file")
    path.write_bytes(b"")
    assert registry(feast) == b""
    path.write_bytes(b"r" * (64 * MIB))
    assert feast.value("SELECT length(dynamo_fdw_registry('feast'))") == 64 * MIB
    path.write_bytes(b"r" * (64 * MIB + 1))
    state, words = refusal(feast)
    assert state == TOO_LARGE and "64 MB" in words
    assert proxy.requests == []


def test_files_that_are_none(feast, folder):
    assert refusal(feast, str(folder / "nowhere"))[0] == NOT_THERE
    assert refusal(feast, str(folder))[0] == "42809"
    os.mkfifo(folder / "fifo")
    with takes(less_than=5):
        assert refusal(feast, str(folder / "fifo"))[0] == "42809"
        assert refusal(feast, "/dev/zero")[0] == "42809"


def test_who_may_read_files(feast, folder, new_role):
    path = folder / "registry.db"
    path.write_bytes(b"bytes")
    feast.run("ALTER SERVER feast OPTIONS (SET registry '%s')" % path)
    role = new_role("feast")
    feast.run("SET ROLE " + role)
    for uri in (None, str(path), str(folder / "nowhere")):
        state, words = refusal(feast, uri)
        assert state == FORBIDDEN and "pg_read_server_files" in words
    feast.run("RESET ROLE; GRANT pg_read_server_files TO %s; SET ROLE %s" % (role, role))
    assert registry(feast) == b"bytes"  # without a user mapping
    feast.run("RESET ROLE; REVOKE pg_read_server_files FROM %s; SET ROLE %s" % (role, role))
    assert refusal(feast)[0] == FORBIDDEN


# ---- what is made of it ----

REGISTRIES = pathlib.Path(__file__).resolve().parents[2] / "data"


def test_import_from_s3(feast, s3, bucket, folder):
    """A registry of S3 and the same in a file give the same tables."""
    data = (REGISTRIES / "registry" / "registry.db").read_bytes()
    s3.put_object(Bucket=bucket, Key="prod/registry.db", Body=data)
    (folder / "registry.db").write_bytes(data)
    feast.run("SET dynamo_fdw.remote_ddl = off")
    tables = []
    for registry in ("s3://%s/prod/registry.db" % bucket, folder / "registry.db"):
        feast.run("ALTER SERVER feast OPTIONS (SET registry '%s')" % registry)
        feast.run("DROP SCHEMA IF EXISTS f CASCADE; CREATE SCHEMA f")
        feast.run('IMPORT FOREIGN SCHEMA rides FROM SERVER feast INTO f')
        tables.append(
            feast.run(
                """SELECT relname, attname, atttypid::regtype::text, attfdwoptions FROM pg_class JOIN pg_attribute
                   ON attrelid = pg_class.oid WHERE relnamespace = 'f'::regnamespace AND attnum > 0 ORDER BY 1, attnum"""
            )
        )
    assert tables[0] == tables[1] != []
    feast.run("DROP SCHEMA f CASCADE")
