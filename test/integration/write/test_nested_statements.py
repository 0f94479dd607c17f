"""Statements inside of an INSERT, of its triggers and functions: each comes after what was written so far."""

import faults
from support import DRIVERS

ROWS = "SELECT driver_id, trips FROM drivers WHERE driver_id IN (1, 2, 3)"
# Two rows; what is done between them, by a function, is the test.
INSERT_AROUND = (
    "INSERT INTO drivers SELECT i, now(), 0, CASE i WHEN 1 THEN 10 ELSE between_rows() END FROM generate_series(1, 2) i"
)


def between_rows(session, body, name="between_rows"):
    session.run(
        "CREATE OR REPLACE FUNCTION %s() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN %s END $$" % (name, body)
    )


def trigger(session, when, body):
    session.run("CREATE FUNCTION react() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s END $$" % body)
    session.run("CREATE TRIGGER react %s ON drivers FOR EACH ROW EXECUTE FUNCTION react()" % when)


def test_a_row_of_a_function_replaces_an_earlier_one(drivers):
    between_rows(drivers, "INSERT INTO drivers VALUES (1, now(), 0, 11); RETURN 20;")
    drivers.run(INSERT_AROUND)
    assert sorted(drivers.run(ROWS)) == [(1, 11), (2, 20)]


def test_a_later_row_replaces_that_of_a_function(drivers):
    between_rows(drivers, "INSERT INTO drivers VALUES (2, now(), 0, 11); RETURN 20;")
    drivers.run(INSERT_AROUND)
    assert sorted(drivers.run(ROWS)) == [(1, 10), (2, 20)]


def test_a_function_reads_the_rows_so_far(drivers):
    between_rows(drivers, "RETURN (SELECT sum(trips) FROM drivers WHERE driver_id IN (1, 2, 3));")
    drivers.run(INSERT_AROUND)
    assert sorted(drivers.run(ROWS)) == [(1, 10), (2, 10)]


def test_a_function_joins_the_rows_so_far(drivers):
    join = "SELECT sum(d.trips) FROM generate_series(1, 3) g JOIN drivers d ON d.driver_id = g"
    assert any("Lookup Join" in line for (line,) in drivers.run("EXPLAIN " + join))
    between_rows(drivers, "RETURN (%s);" % join)
    drivers.run(INSERT_AROUND)
    assert sorted(drivers.run(ROWS)) == [(1, 10), (2, 10)]


def test_a_before_trigger_reads_the_rows_so_far(drivers):
    trigger(
        drivers,
        "BEFORE INSERT",
        "NEW.trips = coalesce((SELECT trips FROM drivers WHERE driver_id = NEW.driver_id - 1), 0) + 1; RETURN NEW;",
    )
    drivers.run("INSERT INTO drivers SELECT i, now() FROM generate_series(1, 3) i")
    assert sorted(drivers.run(ROWS)) == [(1, 1), (2, 2), (3, 3)]


def test_through_another_foreign_table_of_the_same_remote_one(drivers, project):
    drivers.table("same", DRIVERS, table_name=project + ".drivers", create_remote_table="false")
    between_rows(drivers, "INSERT INTO same VALUES (1, now(), 0, 11); RETURN 20;")
    drivers.run(INSERT_AROUND)
    assert sorted(drivers.run(ROWS)) == [(1, 11), (2, 20)]


def test_two_levels_deep(drivers):
    between_rows(drivers, "INSERT INTO drivers VALUES (1, now(), 0, 12); RETURN 13;", name="innermost")
    between_rows(
        drivers,
        "INSERT INTO drivers SELECT i, now(), 0, CASE i WHEN 1 THEN 11 ELSE innermost() END"
        " FROM unnest(ARRAY[1, 3]) i; RETURN 20;",
    )
    drivers.run(INSERT_AROUND)
    assert sorted(drivers.run(ROWS)) == [(1, 12), (2, 20), (3, 13)]


def test_a_failure_that_the_inner_statement_meets_is_the_outer_ones(drivers, proxy):
    """The rows before it can't be written when the function reads the table, which it survives."""
    between_rows(
        drivers,
        "BEGIN PERFORM * FROM drivers WHERE driver_id = 1; EXCEPTION WHEN insufficient_privilege THEN NULL; END;"
        " RETURN 20;",
    )
    proxy.fault(faults.error("AccessDeniedException"), operation="BatchWriteItem")
    assert drivers.fail(INSERT_AROUND).sqlstate == "42501"
    assert proxy.count("BatchGetItem") == 0


def test_a_stable_function_does_not_send_rows_early(drivers, proxy):
    """It has the snapshot of the statement around it, which is older than its rows."""
    between_rows(drivers, "RETURN coalesce((SELECT sum(trips) FROM drivers WHERE driver_id = 1), 20);")
    drivers.run("ALTER FUNCTION between_rows STABLE")
    proxy.forget()
    drivers.run("INSERT INTO drivers SELECT i, now(), 0, between_rows() FROM generate_series(1, 25) i")
    assert proxy.count("BatchWriteItem") == 1
    assert drivers.run("SELECT DISTINCT trips FROM drivers WHERE driver_id IN (1, 2, 25)") == [(20,)]


def test_another_table_does_not_send_rows_early(drivers, proxy):
    drivers.table("others", DRIVERS)
    proxy.forget()
    between_rows(drivers, "RETURN coalesce((SELECT sum(trips) FROM others WHERE driver_id = 1), 20);")
    drivers.run("INSERT INTO drivers SELECT i, now(), 0, between_rows() FROM generate_series(1, 25) i")
    assert proxy.count("BatchWriteItem") == 1
    assert proxy.count("BatchGetItem") == 25
