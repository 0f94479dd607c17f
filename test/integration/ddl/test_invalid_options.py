"""Options that got into a catalog past the validator: SELECT says which one, DROP works and keeps the remote table."""

import pytest

from support import DRIVERS, ENDPOINT, REGION, option_list, remote_tables

# Option in the form of the catalog -> SQLSTATE of its use.
SERVER = {
    "batch_size=0": "22023",
    "max_read_workers=many": "22023",
    "consistent_reads=maybe": "22023",
    "connect_timeout=soon": "22023",
    "total_max_retry_attempts=": "22023",
    "retry_mode=legacy": "22023",
    "warmup_connections=later": "22023",
    "drop_remote_table=sometimes": "22023",
    "ca_bundle=relative": "22023",
    "entity_key_serialization_version=4": "22023",
    "table_name_template={view}": "22023",
    "ttl_attribute=event_ts": "22023",
    "use_fips_endpoint=perhaps": "22023",
    "tags=many": "22023",
    "future_option=1": "HV00D",
    "entity_key=true": "HV00D",
    "no_value_at_all": "HV00D",
    "batch_size": "22023",
}
TABLE = {
    "ttl=1 month": "22023",
    "ttl=": "22023",
    "ttl_attribute=values": "22023",
    "table_name=a/b": "22023",
    "create_remote_table=perhaps": "22023",
    "entityless=perhaps": "22023",
    "drop_remote_table=sometimes": "22023",
    "future_option=1": "HV00D",
}
USES = ["SELECT trips FROM drivers WHERE driver_id = 1", "INSERT INTO drivers VALUES (1, now(), 0, 0)",
        "EXPLAIN SELECT trips FROM drivers WHERE driver_id = 1"]  # fmt: skip


def smuggle(session, catalog, column, where, option):
    """A superuser edits a catalog."""
    more = "coalesce(%s, '{}') || ARRAY[%%s]" % column
    session.run("UPDATE %s SET %s = %s WHERE %s" % (catalog, column, more, where), [option])


def check_uses(session, option, sqlstate):
    for statement in USES:
        error = session.fail(statement)
        assert error.sqlstate == sqlstate, statement
        assert option.split("=")[0] in str(error)


def check_drop(session, project, proxy, drop):
    """It works at once, with a warning, and keeps the remote table."""
    proxy.forget()
    session.notices.clear()
    session.run("SET client_min_messages = warning; " + drop)
    assert any("drivers" in warning for warning in session.warnings())
    assert "DeleteTable" not in proxy.operations()
    assert remote_tables(project) == ["drivers"]


@pytest.mark.parametrize("option", SERVER)
def test_of_a_server(drivers, project, proxy, option):
    smuggle(drivers, "pg_foreign_server", "srvoptions", "srvname = 'feast'", option)
    check_uses(drivers, option, SERVER[option])
    check_drop(drivers, project, proxy, "DROP FOREIGN TABLE drivers")
    drivers.run("DROP SERVER feast CASCADE")


@pytest.mark.parametrize("option", TABLE)
def test_of_a_table(drivers, project, proxy, option):
    smuggle(drivers, "pg_foreign_table", "ftoptions", "ftrelid = 'drivers'::regclass", option)
    check_uses(drivers, option, TABLE[option])
    check_drop(drivers, project, proxy, "DROP FOREIGN TABLE drivers")


@pytest.mark.parametrize("option", ["session_token=two words", "role_arn=a role", "future_option=1"])
def test_of_a_user_mapping(drivers, project, proxy, option):
    smuggle(drivers, "pg_user_mapping", "umoptions", "umuser = current_user::regrole", option)
    for statement in USES[:2]:
        error = drivers.fail(statement)
        assert error.sqlstate in ("22023", "0A000", "HV00D")
        assert option.split("=")[0] in str(error)
    check_drop(drivers, project, proxy, "DROP FOREIGN TABLE drivers")


@pytest.mark.parametrize("key", ["access_key_id=AKIAHALF", "secret_access_key=half"])
def test_half_a_key_of_a_user_mapping(drivers, key):
    """Nobody else's keys sign in its place, though the server process's are lent."""
    options = "umoptions = ARRAY[%s, 'credentials_required=false']"
    drivers.run("UPDATE pg_user_mapping SET " + options + " WHERE umuser = current_user::regrole", [key])
    for statement in USES[:2]:
        error = drivers.fail(statement)
        assert error.sqlstate == "28000"
        assert "holds no credentials" in str(error)


@pytest.mark.parametrize("option", ["value_type=NUMBER", "future_option=1", "entity_key=perhaps", "name="])
def test_of_a_feature(drivers, project, option):
    """As with a bad type; what may be a key is an error for all."""
    smuggle(drivers, "pg_attribute", "attfdwoptions", "attrelid = 'drivers'::regclass AND attname = 'trips'", option)
    sqlstate = "HV00D" if option.startswith("future") else "22023"
    check_uses(drivers, option, sqlstate)
    if option.startswith("entity_key"):
        assert drivers.fail("SELECT conv_rate FROM drivers WHERE driver_id = 1").sqlstate == sqlstate
    else:
        drivers.run("INSERT INTO drivers VALUES (1, now(), 0.5)")
        assert drivers.run("SELECT conv_rate FROM drivers WHERE driver_id = 1") == [(0.5,)]
    drivers.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project) == []


@pytest.mark.parametrize("drop", ["DROP SERVER loose_server CASCADE", "DROP FOREIGN DATA WRAPPER loose CASCADE",
                                  "DROP EXTENSION dynamo_fdw CASCADE"])  # fmt: skip
def test_of_a_wrapper_without_validator(session, project, proxy, drop):
    """Whatever is set there; the wrapper gets its validator later."""
    options = {"region": REGION, "project": project, "endpoint_url": ENDPOINT}
    session.run("CREATE FOREIGN DATA WRAPPER loose HANDLER dynamo_fdw_handler")
    session.run("CREATE SERVER loose_server FOREIGN DATA WRAPPER loose OPTIONS (%s)" % option_list(options))
    session.mapping("loose_server")
    session.table("drivers", DRIVERS, server="loose_server")
    session.set_server("loose_server", batch_size="a lot")
    session.run("ALTER FOREIGN DATA WRAPPER loose VALIDATOR dynamo_fdw_validator")
    check_uses(session, "batch_size", "22023")
    assert session.fail("ALTER SERVER loose_server OPTIONS (ADD max_read_workers '5')").sqlstate == "22023"
    check_drop(session, project, proxy, drop)
    if "EXTENSION" in drop:
        session.run("CREATE EXTENSION dynamo_fdw")
    session.run("DROP FOREIGN DATA WRAPPER IF EXISTS loose CASCADE")


def test_an_option_for_superusers_is_that_without_a_validator(session, project, new_role):
    options = {"region": REGION, "project": project}
    session.run("CREATE FOREIGN DATA WRAPPER loose HANDLER dynamo_fdw_handler")
    session.run("CREATE SERVER loose_server FOREIGN DATA WRAPPER loose OPTIONS (%s)" % option_list(options))
    role = new_role("loose_server")
    session.run("ALTER SERVER loose_server OWNER TO %s; SET ROLE %s" % (role, role))
    assert session.fail("ALTER SERVER loose_server OPTIONS (ADD ca_bundle '/tmp/ca.pem')").sqlstate == "42501"
    mapping = "CREATE USER MAPPING FOR %s SERVER loose_server OPTIONS (%s)"
    for user in ("CURRENT_USER", "PUBLIC", "postgres"):
        for lent in ("credentials_required 'false'", "profile 'x'", "role_arn 'arn:aws:iam::123456789012:role/r'"):
            assert session.fail(mapping % (user, lent)).sqlstate == "42501"
        session.run(mapping % (user, "access_key_id 'a', secret_access_key 'b'"))
        alter = mapping.replace("CREATE", "ALTER") % (user, "ADD credentials_required 'false'")
        assert session.fail(alter).sqlstate == "42501"
    session.run("ALTER SERVER loose_server OPTIONS (ADD batch_size '5')")
    session.run("RESET ROLE; DROP FOREIGN DATA WRAPPER loose CASCADE")


def test_user_mappings_of_other_wrappers_are_none_of_ours(session, new_role):
    """Though their options may have the names of ours."""
    session.run("CREATE FOREIGN DATA WRAPPER foreign_one; CREATE SERVER elsewhere FOREIGN DATA WRAPPER foreign_one")
    role = new_role("elsewhere")
    session.run("SET ROLE %s" % role)
    session.run("CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (profile 'x', session_token 'y')")
    session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (ADD credentials_required 'false')")
    session.run("RESET ROLE; DROP FOREIGN DATA WRAPPER foreign_one CASCADE")
