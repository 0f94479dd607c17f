"""No secret and no token in the server's log, in messages, in EXPLAIN or in catalogs open to all."""

import os
import pathlib

import pytest

import faults
from support import DRIVERS, option_list

SECRET = "wJalrXUtnSECRETthatNobodyMaySee"
TOKEN = "FwoGZXIvTOKENthatNobodyMaySee"
SELECT = "SELECT * FROM drivers WHERE driver_id = 1"
INSERT = "INSERT INTO drivers VALUES (1, now(), 0.5, 5)"

QUIET = "SET log_statement = none; SET log_min_error_statement = panic; SET log_min_duration_statement = -1"


def texts(error):
    diag = error.diag
    return " ".join(filter(None, [str(error), diag.message_detail, diag.message_hint, diag.context]))


@pytest.fixture
def loud(session, project, proxy):
    """A session that logs and shows all it can, except statements (the server itself would log the mapping)."""
    session.run(QUIET)
    session.server(project, proxy.url, mapping=False, total_max_retry_attempts=2, connect_timeout=1, read_timeout=1)
    session.mapping(secret=SECRET, session_token=TOKEN)
    session.run("SET log_min_messages = debug5; SET client_min_messages = debug5; SET log_error_verbosity = verbose")
    session.run("SET debug_print_plan = on; SET debug_print_parse = on; SET debug_print_rewritten = on")
    return session


def test_no_secret_shows(loud, proxy):
    log = os.environ.get("PG_SERVER_LOG")
    start = os.path.getsize(log) if log else 0
    said = []
    loud.table("drivers", DRIVERS)
    loud.run(INSERT)
    loud.run(SELECT)
    said += loud.run("EXPLAIN (ANALYZE, VERBOSE) " + SELECT) + loud.run("EXPLAIN (ANALYZE, VERBOSE) " + INSERT)
    for fault in [
        faults.error("AccessDeniedException"),
        # DynamoDB tells what it signed itself, token included.
        faults.error("InvalidSignatureException", message="should have been 'POST x-amz-security-token:%s'" % TOKEN),
        faults.error("InternalServerError", 500),
        faults.html(200),
        faults.hang_up,
        faults.redirect,
        faults.stall,
    ]:
        proxy.fault(fault, times=None)
        said += [texts(loud.fail(SELECT)), texts(loud.fail(INSERT))]
        proxy.heal()
    proxy.fault(faults.error("InternalServerError", 500), times=None)
    loud.run("DROP FOREIGN TABLE drivers")
    loud.run("SELECT dynamo_fdw_delete_pending()")
    said += loud.run("SELECT p::text FROM dynamo_fdw_plan() p")
    said += loud.run("SELECT t::text FROM dynamo_fdw_record t")
    proxy.close()
    said += [texts(loud.fail("CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS))]
    said += loud.notices
    if log:
        with open(log, errors="replace") as file:
            file.seek(start)
            logged = file.read()
        assert "BatchGetItem" in logged or "drivers" in logged  # it is the right log
        said.append(logged)
    signatures = [request.header("Authorization").rpartition("=")[2] for request in proxy.requests]
    everything = repr(said)
    for secret in [SECRET, TOKEN, *signatures]:
        assert secret not in everything


def test_the_log_is_looked_at():
    if "PG_SERVER_LOG" not in os.environ:
        pytest.skip("PG_SERVER_LOG is not set")
    assert pathlib.Path(os.environ["PG_SERVER_LOG"]).exists()


@pytest.mark.parametrize("catalog", ["server", "table"])
def test_secrets_are_refused_where_all_can_read_them(session, project, catalog):
    session.run(QUIET)
    session.server(project)
    options = option_list({"secret_access_key": SECRET})
    if catalog == "server":
        error = session.fail("ALTER SERVER feast OPTIONS (ADD %s)" % options)
    else:
        error = session.fail("CREATE FOREIGN TABLE drivers (%s) SERVER feast OPTIONS (%s)" % (DRIVERS, options))
    assert error.sqlstate == "HV00D"
    assert SECRET not in texts(error)


def test_a_bad_option_of_a_mapping_does_not_show_its_value(session, project):
    session.server(project, mapping=False)
    options = option_list({"access_key_id": "A", "secret_access_key": SECRET, "session_tokne": TOKEN})
    error = session.fail("CREATE USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (%s)" % options)
    assert error.sqlstate == "HV00D"
    assert SECRET not in texts(error) and TOKEN not in texts(error)


def test_who_sees_the_keys_of_a_mapping(session, project, new_role):
    """As README says: its user, superusers, readers of all data; the server's owner those of PUBLIC's."""
    session.server(project, mapping=False)
    owner, user, reader, other = (new_role("feast") for _ in range(4))
    session.run("ALTER SERVER feast OWNER TO %s; GRANT pg_read_all_data TO %s" % (owner, reader))
    for name in ("PUBLIC", user):
        options = option_list({"access_key_id": name, "secret_access_key": SECRET})
        session.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (%s)" % (name, options))
    mine, public = "access_key_id=" + user, "access_key_id=PUBLIC"
    for role, expected in [(owner, {public}), (user, {mine}), (reader, {mine, public}), (other, set())]:
        session.run("SET ROLE %s" % role)
        options = session.run("SELECT unnest(umoptions) FROM pg_user_mappings")
        options += session.run(
            "SELECT option_name || '=' || option_value FROM information_schema.user_mapping_options"
            " WHERE option_value IS NOT NULL"
        )
        if role == reader:
            options += session.run("SELECT unnest(umoptions) FROM pg_user_mapping")
        else:
            assert session.fail("SELECT umoptions FROM pg_user_mapping").sqlstate == "42501"
        assert {option for (option,) in options if option.startswith("access_key_id=")} == expected
        session.run("RESET ROLE")
