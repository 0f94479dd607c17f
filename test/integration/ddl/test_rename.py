"""RENAME, by whatever spelling, changes neither the remote table that is meant nor a feature's name; ALTER says what it moves."""

import pytest

import faults
from support import DRIVERS, KEY, fill, make_remote, records, remote_tables

LONG = "n" * 63  # NAMEDATALEN - 1
NAMES = ["renamed", 'With "quotes"', "a.b%s%%d", "it's", "back\\slash", "öä", LONG]
ROW = (1, 10)


@pytest.fixture(params=["on", "off"])
def table(request, drivers):
    """drivers with a row; once with dynamo_fdw.remote_ddl off, when RENAME does the same."""
    fill(drivers, 1)
    drivers.run("SET dynamo_fdw.remote_ddl = %s" % request.param)
    return drivers


def quote(name):
    return '"%s"' % name.replace('"', '""')


def options(session, table):
    return session.value("SELECT ftoptions FROM pg_foreign_table WHERE ftrelid = '%s'::regclass" % table.replace("'", "''"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("alter", ["ALTER TABLE", "ALTER FOREIGN TABLE", "ALTER INDEX"])
def test_rename_pins_the_feature_view(table, proxy, project, alter, name):
    proxy.forget()
    table.run("%s drivers RENAME TO %s" % (alter, quote(name)))
    (warning,) = table.warnings()
    assert name in warning and "drivers" in warning
    assert proxy.operations() == []
    assert options(table, quote(name)) == ["feature_view=drivers"]
    assert table.run("SELECT driver_id, trips FROM %s WHERE driver_id = 1" % quote(name)) == [ROW]
    # Once it is pinned there is nothing to say.
    table.run("ALTER TABLE %s RENAME TO again" % quote(name))
    assert table.warnings() == []
    table.run("SET dynamo_fdw.remote_ddl = on")
    table.run("DROP FOREIGN TABLE again")
    assert remote_tables(project) == []


@pytest.mark.parametrize("alter", ["ALTER VIEW", "ALTER MATERIALIZED VIEW", "ALTER SEQUENCE", "ALTER TYPE"])
def test_other_spellings_are_refused_by_postgresql(table, alter):
    assert table.fail("%s drivers RENAME TO renamed" % alter).sqlstate == "42809"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("alter", ["ALTER TABLE drivers", "ALTER FOREIGN TABLE drivers", "ALTER TABLE IF EXISTS ONLY drivers"])
def test_rename_column_pins_the_name(table, proxy, alter, name):
    proxy.forget()
    table.run("%s RENAME COLUMN trips TO %s" % (alter, quote(name)))
    (warning,) = table.warnings()
    assert name in warning and "trips" in warning
    assert proxy.operations() == []
    assert table.run("SELECT driver_id, %s FROM drivers WHERE driver_id = 1" % quote(name).replace("%", "%%"), []) == [ROW]
    table.run("ALTER TABLE drivers RENAME COLUMN %s TO again" % quote(name))
    assert table.warnings() == []


def test_rename_of_a_column_with_an_odd_name(drivers):
    for name in NAMES:
        drivers.run("ALTER FOREIGN TABLE drivers ADD COLUMN %s integer" % quote(name))
    drivers.run("INSERT INTO drivers VALUES (1, now(), 0, 0, %s)" % ", ".join(map(str, range(len(NAMES)))))
    for i, name in enumerate(NAMES):
        drivers.run("ALTER FOREIGN TABLE drivers RENAME COLUMN %s TO c%d" % (quote(name), i))
    columns = ", ".join("c%d" % i for i in range(len(NAMES)))
    assert drivers.run("SELECT %s FROM drivers WHERE driver_id = 1" % columns) == [tuple(range(len(NAMES)))]


def test_rename_of_a_key_column(table):
    table.run("ALTER TABLE drivers RENAME COLUMN driver_id TO id")
    assert table.run("SELECT id, trips FROM drivers WHERE id = 1") == [ROW]


def test_the_event_timestamp_has_no_name_to_pin(table):
    table.run("ALTER TABLE drivers RENAME COLUMN event_timestamp TO t")
    assert table.warnings() == []
    assert table.value("SELECT t IS NOT NULL FROM drivers WHERE driver_id = 1")


def test_rename_column_of_a_partitioned_parent(table):
    table.run("CREATE TABLE parent (driver_id bigint, event_timestamp timestamptz, conv_rate real, trips integer)"
              " PARTITION BY LIST (driver_id)")
    table.run("ALTER TABLE parent ATTACH PARTITION drivers FOR VALUES IN (1)")
    table.run("ALTER TABLE parent RENAME COLUMN trips TO rides")
    assert "trips" in " ".join(table.warnings())
    assert table.run("SELECT driver_id, rides FROM parent WHERE driver_id = 1") == [ROW]
    table.run("DROP TABLE parent")


def test_rename_column_of_an_inherited_parent(table):
    table.run("CREATE TABLE parent (trips integer)")
    table.run("ALTER FOREIGN TABLE drivers INHERIT parent")
    table.run("ALTER TABLE parent RENAME COLUMN trips TO rides")
    assert "trips" in " ".join(table.warnings())
    assert table.run("SELECT driver_id, rides FROM drivers WHERE driver_id = 1") == [ROW]
    table.run("DROP TABLE parent CASCADE")


EVIL = "x'; DROP TABLE victim; --\"; DROP TABLE victim; --%s"


def test_names_are_no_sql(session, project, proxy):
    """Schema, table, column, server and role of a foreign table may be named anything."""
    session.run("CREATE TABLE IF NOT EXISTS victim (i integer)")
    session.run("CREATE SCHEMA %s" % quote(EVIL))
    session.server(project, proxy.url, name=quote(EVIL))
    session.run("GRANT USAGE ON FOREIGN SERVER %s TO PUBLIC" % quote(EVIL))
    table = "%s.%s" % (quote(EVIL), quote(EVIL))
    session.table(table, "%s bigint OPTIONS (entity_key 'true'), v integer" % quote(EVIL), server=quote(EVIL), feature_view="a")
    session.run("ALTER TABLE %s RENAME COLUMN %s TO %s" % (table, quote(EVIL), quote(EVIL + "2")))
    session.run("ALTER TABLE %s RENAME COLUMN v TO %s" % (table, quote(EVIL + "v")))
    session.run("INSERT INTO %s VALUES (1, 10)" % table)
    assert session.run("SELECT * FROM %s WHERE %s = 1" % (table, quote(EVIL + "2"))) == [ROW]
    session.run("ALTER FOREIGN TABLE %s OPTIONS (DROP feature_view, ADD table_name '%s.b')" % (table, project))
    session.run("ALTER FOREIGN TABLE %s RENAME TO plain" % table)
    session.run("ALTER FOREIGN TABLE %s.plain OPTIONS (DROP table_name)" % quote(EVIL))
    session.run("ALTER FOREIGN TABLE %s.plain RENAME TO %s" % (quote(EVIL), quote(EVIL)))
    assert "feature_view=plain" in options(session, table)
    assert len(session.run("SELECT * FROM dynamo_fdw_plan(%s)", [EVIL])) == 3
    session.run("SELECT dynamo_fdw_drop_table(%s)", [table])
    session.run("SELECT dynamo_fdw_create_table(%s)", [table])
    session.run("DROP SCHEMA %s CASCADE" % quote(EVIL))
    assert "plain" not in remote_tables(project)
    session.run("DROP TABLE victim")


def test_two_renames_in_one_transaction(table):
    table.run("BEGIN")
    table.run("ALTER TABLE drivers RENAME TO a")
    table.run("SAVEPOINT s")
    table.run("ALTER TABLE a RENAME COLUMN trips TO b")
    table.run("ROLLBACK TO s")
    table.run("ALTER TABLE a RENAME COLUMN trips TO c")
    table.run("COMMIT")
    assert table.run("SELECT driver_id, c FROM a WHERE driver_id = 1") == [ROW]


def test_renames_inside_a_function(table):
    table.run("DO $$ BEGIN ALTER TABLE drivers RENAME TO a; ALTER TABLE a RENAME COLUMN trips TO b; END $$")
    assert len(table.warnings()) == 2
    assert table.run("SELECT driver_id, b FROM a WHERE driver_id = 1") == [ROW]


def test_names_change_places(drivers, project):
    drivers.table("others", DRIVERS)
    fill(drivers, 1)
    drivers.run("BEGIN")
    drivers.run("ALTER TABLE drivers RENAME TO x")
    drivers.run("ALTER TABLE others RENAME TO drivers")
    drivers.run("ALTER TABLE x RENAME TO others")
    drivers.run("COMMIT")
    assert drivers.run("SELECT driver_id, trips FROM others WHERE driver_id = 1") == [ROW]
    assert drivers.run("SELECT * FROM drivers WHERE driver_id = 1") == []
    assert remote_tables(project) == ["drivers", "others"]


def test_a_table_whose_name_does_not_matter_is_not_pinned(session, project, proxy):
    session.server(project, proxy.url)
    session.table("a", DRIVERS, feature_view="x")
    session.table("b", DRIVERS, table_name=project + ".y")
    session.run("CREATE TABLE c (i integer)")
    proxy.forget()
    for name in "abc":
        session.run("ALTER TABLE %s RENAME TO %s2" % (name, name))
    session.run("ALTER TABLE c2 RENAME COLUMN i TO j")
    session.run("DROP TABLE c2")
    assert session.warnings() == []
    assert proxy.operations() == []
    assert options(session, "a2") == ["feature_view=x"]


@pytest.mark.parametrize("off", ["SET session_replication_role = replica", "ALTER EVENT TRIGGER dynamo_fdw_ddl_command_end DISABLE",
                                 "ALTER EVENT TRIGGER dynamo_fdw_ddl_command_start DISABLE;"
                                 "ALTER EVENT TRIGGER dynamo_fdw_ddl_command_end DISABLE"])
def test_renames_without_event_triggers(drivers, off):
    """Nothing can be pinned then, and nothing is kept for later."""
    try:
        drivers.run(off)
        for _ in range(100):
            drivers.run("ALTER TABLE drivers RENAME TO x")
            drivers.run("ALTER TABLE x RENAME COLUMN trips TO y")
            drivers.run("ALTER TABLE x RENAME COLUMN y TO trips")
            drivers.run("ALTER TABLE x RENAME TO drivers")
    finally:
        drivers.run("RESET session_replication_role")
        drivers.run("ALTER EVENT TRIGGER dynamo_fdw_ddl_command_start ENABLE")
        drivers.run("ALTER EVENT TRIGGER dynamo_fdw_ddl_command_end ENABLE")
    drivers.run("ALTER TABLE drivers RENAME TO z")
    assert len(drivers.warnings()) == 1


def test_a_rename_that_failed_is_forgotten(drivers):
    drivers.run("CREATE TABLE taken (i integer)")
    for _ in range(3):
        drivers.fail("ALTER TABLE drivers RENAME COLUMN trips TO conv_rate")
        drivers.fail("ALTER TABLE drivers RENAME TO taken")
        drivers.run("ALTER TABLE drivers ALTER COLUMN trips SET STATISTICS 1")
    assert drivers.warnings() == []
    drivers.run("DROP TABLE taken")


# ALTER


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER FOREIGN TABLE drivers OPTIONS (ADD batch_size '5')",
        "ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'drivers')",
        "ALTER FOREIGN TABLE drivers OPTIONS (ADD drop_remote_table 'never')",
        "ALTER FOREIGN TABLE drivers OPTIONS (ADD create_remote_table 'false')",
        "ALTER FOREIGN TABLE drivers ADD COLUMN x integer",
        "ALTER FOREIGN TABLE drivers DROP COLUMN trips",
        "ALTER FOREIGN TABLE drivers ALTER COLUMN trips OPTIONS (ADD name 'x')",
        "ALTER FOREIGN TABLE drivers OWNER TO CURRENT_USER",
        "ALTER SERVER feast OPTIONS (ADD batch_size '7')",
    ],
)
def test_alter_that_changes_nothing_remote_sends_nothing(drivers, proxy, statement):
    drivers.run(statement)
    assert proxy.operations() == []
    assert drivers.warnings() == []


def test_alter_to_a_table_that_is_made(drivers, project):
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'others')")
    warnings = " ".join(drivers.warnings())
    assert project + ".others" in warnings and project + ".drivers" in warnings
    assert remote_tables(project) == ["drivers", "others"]
    assert records(drivers) == [(project + ".drivers", "made"), (project + ".others", "made")]
    assert drivers.run("SELECT remote_table, record_state FROM dynamo_fdw_plan() WHERE foreign_table IS NULL") == [
        (project + ".drivers", "made")
    ]


def test_alter_to_a_table_that_is_there(drivers, project):
    make_remote(project + ".others")
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'others')")
    warnings = " ".join(drivers.warnings())
    assert "now means remote table" in warnings and "exists already" in warnings
    assert project + ".drivers" in warnings  # it has no foreign table any more


@pytest.mark.parametrize("how", ["SET dynamo_fdw.remote_ddl = off", "ALTER FOREIGN TABLE drivers OPTIONS (ADD create_remote_table 'false')"])
def test_alter_that_sends_nothing_says_what_is_left(drivers, project, proxy, how):
    drivers.run(how)
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'others')")
    (warning,) = drivers.warnings()
    assert project + ".drivers" in warning
    assert proxy.operations() == []


def test_alter_of_one_of_two_foreign_tables_leaves_nothing(drivers, project):
    drivers.table("more", DRIVERS, feature_view="drivers")
    drivers.warnings()
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'others')")
    assert "has no foreign table" not in " ".join(drivers.warnings())


@pytest.mark.parametrize("ddl", ["on", "off"])
def test_alter_server_says_which_tables_moved(drivers, project, proxy, ddl):
    drivers.table("fixed", DRIVERS, table_name=project + ".drivers")
    drivers.warnings()
    drivers.run("SET dynamo_fdw.remote_ddl = %s" % ddl)
    proxy.forget()
    drivers.run("ALTER SERVER feast OPTIONS (SET project '%s.x')" % project)
    (warning,) = drivers.warnings()
    assert "1 foreign table of server" in warning and project + ".x.drivers" in warning and "fixed" not in warning
    assert proxy.operations() == []
    assert remote_tables(project) == ["drivers"]


def test_alter_server_names_some_of_many(session, project):
    session.server(project)
    for i in range(5):
        session.table("t%d" % i, DRIVERS)
    session.run("ALTER SERVER feast OPTIONS (ADD table_name_template '{project}.x.{table_name}')")
    (warning,) = session.warnings()
    assert "5 foreign tables of server" in warning and "and so on" in warning


def test_alter_does_not_wait_for_a_table_that_is_not_to_be_made(session, project, proxy):
    session.server(project, proxy.url, create_remote_table="false")
    session.table("t", "id %s" % KEY)
    proxy.fault(faults.stall, times=None)
    session.run("ALTER FOREIGN TABLE t OPTIONS (ADD feature_view 'u')")
    assert proxy.operations() == []


# Event triggers of others that run commands of their own


@pytest.fixture(params=["", "BEGIN CREATE TABLE pg_temp.log (); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN END;"])
def nested(request, drivers):
    """Before our trigger at a command's end another one runs a command, and one that fails."""
    drivers.run(
        "CREATE FUNCTION first_of_all() RETURNS event_trigger LANGUAGE plpgsql AS"
        " $$ BEGIN CREATE TABLE IF NOT EXISTS pg_temp.seen (); %s END $$" % request.param
    )
    drivers.run(
        "CREATE EVENT TRIGGER aaa ON ddl_command_end WHEN TAG IN ('ALTER FOREIGN TABLE', 'ALTER SERVER')"
        " EXECUTE FUNCTION first_of_all()"
    )
    yield drivers
    drivers.run("DROP EVENT TRIGGER aaa; DROP FUNCTION first_of_all()")


def test_rename_beside_commands_of_another_event_trigger(nested):
    nested.run("ALTER FOREIGN TABLE drivers RENAME TO cars")
    nested.run("ALTER FOREIGN TABLE cars RENAME COLUMN trips TO rides")
    assert options(nested, "cars") == ["feature_view=drivers"]
    assert len(nested.warnings()) == 2


def test_alter_beside_commands_of_another_event_trigger(nested, project):
    nested.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'cars')")
    assert remote_tables(project) == ["cars", "drivers"]
    nested.warnings()
    nested.run("ALTER SERVER feast OPTIONS (SET project '%s.moved')" % project)
    assert "now means another remote table" in " ".join(nested.warnings())
