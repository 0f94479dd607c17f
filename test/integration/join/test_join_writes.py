"""Lookup joins inside of statements that write, and statements that write inside of lookup joins."""

from joins import nodes
from support import DRIVERS, fill

SUM = "SELECT sum(d.trips) FROM generate_series(1, 3) g JOIN drivers d ON d.driver_id = g"
# Two rows; what is done between them is the test. See test_nested_statements.py.
INSERT_AROUND = (
    "INSERT INTO drivers SELECT i, now(), 0, CASE i WHEN 1 THEN 10 ELSE between_rows() END FROM generate_series(1, 2) i"
)


def between_rows(session, body):
    session.run("CREATE OR REPLACE FUNCTION between_rows() RETURNS int LANGUAGE plpgsql AS $$ BEGIN %s END $$" % body)


def test_a_join_reads_the_rows_so_far(drivers):
    between_rows(drivers, "RETURN (%s);" % SUM)
    assert nodes(drivers, SUM) == 1
    drivers.run(INSERT_AROUND)
    assert drivers.run("SELECT trips FROM drivers WHERE driver_id = 2") == [(10,)]


def test_a_join_of_several_views_reads_the_rows_so_far(drivers):
    drivers.table("riders", DRIVERS)
    fill(drivers, 3, "riders")
    query = (
        "SELECT sum(r.trips) + sum(d.trips) FROM generate_series(1, 3) g LEFT JOIN riders r ON r.driver_id = g"
        " LEFT JOIN drivers d ON d.driver_id = g"
    )
    between_rows(drivers, "RETURN (%s);" % query)
    drivers.run(INSERT_AROUND)
    assert drivers.run("SELECT trips FROM drivers WHERE driver_id = 2") == [(70,)]


def test_rows_written_from_a_join(drivers):
    fill(drivers, 60)
    drivers.table("copy", DRIVERS)
    query = (
        "INSERT INTO copy SELECT g, d.event_timestamp, d.conv_rate, d.trips + 1 FROM generate_series(1, 100) g"
        " JOIN drivers d ON d.driver_id = g"
    )
    assert nodes(drivers, query) == 1
    assert drivers.run(query) == 60
    assert drivers.run(
        "SELECT count(*), sum(trips) FROM copy WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 100)))"
    ) == [(60, sum(10 * i + 1 for i in range(1, 61)))]


def test_a_loop_over_a_join_writes(drivers):
    """Each row is written while a window of the join is in flight."""
    fill(drivers, 200)
    drivers.run(
        "DO $$ DECLARE row record; BEGIN"
        " FOR row IN SELECT g, d.trips FROM generate_series(1, 200) g JOIN drivers d ON d.driver_id = g LOOP"
        "  INSERT INTO drivers VALUES (row.g + 1000, now(), 0, row.trips + 1);"
        " END LOOP; END $$"
    )
    query = "SELECT count(*), sum(d.trips) FROM generate_series(1001, 1200) g JOIN drivers d ON d.driver_id = g"
    assert drivers.run(query) == [(200, sum(10 * i + 1 for i in range(1, 201)))]


def test_a_filter_that_writes_and_reads(drivers):
    """A function in a join filter runs statements of its own on the same connections."""
    fill(drivers, 40)
    drivers.run(
        "CREATE FUNCTION trips_of(id bigint) RETURNS int LANGUAGE plpgsql STABLE AS"
        " $$ BEGIN RETURN (SELECT d.trips FROM generate_series(id, id) g JOIN drivers d ON d.driver_id = g); END $$"
    )
    query = (
        "SELECT g, d.trips FROM generate_series(1, 40) g LEFT JOIN drivers d ON d.driver_id = g"
        " AND d.trips < trips_of(g % 20 + 2)"
    )
    assert nodes(drivers, query) == 1
    assert drivers.run(query) == [(g, 10 * g if 10 * g < 10 * (g % 20 + 2) else None) for g in range(1, 41)]
    drivers.run("DROP FUNCTION trips_of(bigint)")


def test_a_key_that_is_read(drivers):
    """A function in a key's expression does, too, while the window before is in flight."""
    fill(drivers, 40)
    drivers.run(
        "CREATE FUNCTION next_of(id bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS"
        " $$ BEGIN RETURN (SELECT d.trips / 10 + 1 FROM generate_series(id, id) g"
        " JOIN drivers d ON d.driver_id = g); END $$"
    )
    query = "SELECT g, d.trips FROM generate_series(1, 60) g LEFT JOIN drivers d ON d.driver_id = next_of(g)"
    assert nodes(drivers, query) == 1
    assert drivers.run(query) == [(g, 10 * (g + 1) if g < 40 else None) for g in range(1, 61)]
    drivers.run("DROP FUNCTION next_of(bigint)")
