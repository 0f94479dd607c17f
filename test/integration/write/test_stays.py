"""What is written before an error or a ROLLBACK stays, and somebody says so, once."""

import re

import pytest

import faults
from support import fill, raw_items

WRITE = "BatchWriteItem"


def items(number, view="drivers", how="written"):
    return 'feature view "%s": %d %s %s' % (view, number, "item stays" if number == 1 else "items stay", how)


def stay(session):
    """The warnings of items that stay."""
    return [warning.partition(" Dynamo")[0] for warning in session.warnings() if re.search(" items? stays? ", warning)]


@pytest.fixture
def small(drivers):
    """Batches of ten, one after the other."""
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD batch_size '10', ADD max_write_workers '1')")
    drivers.run("ALTER FOREIGN TABLE drivers ALTER driver_id DROP NOT NULL")
    drivers.warnings()
    return drivers


INSERT = "INSERT INTO drivers SELECT %s, now(), 0, g FROM generate_series(1, 45) g"
BAD = INSERT % "nullif(g, 45)"


def test_a_bad_row(small, project):
    error = small.fail(BAD)
    assert error.sqlstate == "23502"
    stored = len(raw_items(project + ".drivers"))
    assert 20 <= stored <= 40
    assert " before that and stay" in error.diag.context
    assert stay(small) == []


def test_a_bad_row_of_copy(small, project):
    with pytest.raises(Exception) as raised, small.conn.cursor().copy("COPY drivers FROM STDIN") as copy:
        for i in range(45):
            copy.write_row((i if i < 44 else None, "2024-03-01", 0, i))
    assert raised.value.sqlstate == "23502" and "written before that and stay" in raised.value.diag.context
    assert stay(small) == []


def test_a_failed_request(small, proxy):
    proxy.fault(faults.right, 2, WRITE)
    proxy.fault(faults.error("ValidationException"), None, WRITE)
    error = small.fail(INSERT % "g")
    assert "20 items were written before that and stay so" in error.diag.context
    assert "not known" not in error.diag.context
    assert stay(small) == []


def test_a_cancel(small, proxy):
    proxy.fault(faults.right, 2, WRITE)
    proxy.fault(faults.stall, None, WRITE)
    small.run("SET statement_timeout = 500")
    error = small.fail(INSERT % "g")
    assert error.sqlstate == "57014"
    assert "20 items were written before that and stay so, of 10 in flight it is not known" in error.diag.context
    assert stay(small) == []


def test_an_error_of_another_node(small):
    error = small.fail(INSERT % "g + 0 / (45 - g)")
    assert error.sqlstate == "22012" and "items" not in (error.diag.context or "")
    (warning,) = stay(small)
    assert warning.startswith('feature view "drivers": ')


def test_an_error_in_a_function(small):
    """Its memory goes later than that of the client's statement."""
    small.run(
        "CREATE FUNCTION fails_too() RETURNS void LANGUAGE plpgsql AS $$ BEGIN %s; END $$" % (INSERT % "g + 0 / (45 - g)")
    )
    assert small.fail("SELECT fails_too()").sqlstate == "22012"
    assert len(stay(small)) == 1


def test_a_trigger(small):
    small.run(
        "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'by a trigger'; END $$;"
        "CREATE TRIGGER fails AFTER INSERT ON drivers EXECUTE FUNCTION fails()"
    )
    assert "by a trigger" in str(small.fail(INSERT % "g"))
    assert stay(small) == [items(45)]


def test_rollback(small):
    small.run("BEGIN")
    fill(small, 5)
    fill(small, 3)
    small.run("DELETE FROM drivers WHERE driver_id = 1")
    assert stay(small) == []
    small.run("ROLLBACK")
    assert stay(small) == [items(9, how="written or deleted")]
    fill(small, 4)
    small.run("BEGIN; DELETE FROM drivers WHERE driver_id IN (1, 2); ROLLBACK")
    assert stay(small) == [items(2, how="deleted")]
    small.run("BEGIN")
    fill(small, 5)
    small.run("COMMIT")
    fill(small, 5)
    assert stay(small) == []


def test_a_later_statement(small):
    small.run("BEGIN")
    fill(small, 5)
    small.fail("SELECT 1/0")
    assert stay(small) == [items(5)]
    small.run("ROLLBACK")
    assert stay(small) == []


def test_savepoints(small):
    small.run("BEGIN; SAVEPOINT a")
    fill(small, 5)
    small.run("SAVEPOINT b")
    fill(small, 3)
    small.run("ROLLBACK TO b")
    assert stay(small) == [items(3)]
    small.run("RELEASE a")
    fill(small, 1)
    small.run("ROLLBACK")
    assert stay(small) == [items(6)]


def test_an_error_in_a_savepoint(small):
    small.run("BEGIN; SAVEPOINT a")
    assert "written before that" in small.fail(BAD).diag.context
    assert stay(small) == []
    small.run("ROLLBACK TO a; COMMIT")
    assert stay(small) == []


BLOCK = "BEGIN %s EXCEPTION WHEN OTHERS THEN NULL; END;"


@pytest.mark.parametrize("statement", ["INSERT INTO drivers VALUES (1, now()); PERFORM 1/0;", BAD + ";"])
@pytest.mark.parametrize("times", [1, 200])
def test_what_a_block_swallows(small, statement, times):
    """One WARNING, however often."""
    small.run("DO $$ BEGIN FOR i IN 1 .. %d LOOP %s END LOOP; END $$" % (times, BLOCK % statement))
    (warning,) = stay(small)
    assert "1/0" not in statement or warning == items(times)
    assert stay(small) == []


def test_a_block_in_a_transaction(small):
    small.run("BEGIN; DO $$ BEGIN %s END $$" % (BLOCK % "INSERT INTO drivers VALUES (1, now()); PERFORM 1/0;"))
    small.run("COMMIT")
    assert stay(small) == [items(1)]


def test_a_block_that_ends_well(small):
    small.run("DO $$ BEGIN %s END $$" % (BLOCK % "INSERT INTO drivers VALUES (1, now());"))
    assert stay(small) == []
    small.fail("DO $$ BEGIN %s PERFORM 1/0; END $$" % (BLOCK % "INSERT INTO drivers VALUES (1, now());"))
    assert stay(small) == [items(1)]


def test_two_tables(small, project):
    small.table(
        "others",
        "id bigint OPTIONS (entity_key 'true'), n int",
        feature_view="Fahrer_übersicht",
        table_name=project + ".others",
    )
    small.warnings()
    small.run("BEGIN; INSERT INTO drivers VALUES (1, now()), (2, now()); INSERT INTO others VALUES (1, 1); ROLLBACK")
    assert sorted(stay(small)) == [items(1, "Fahrer_??bersicht"), items(2)]


def test_a_table_that_goes_with_them(small):
    small.run(
        "BEGIN; CREATE FOREIGN TABLE fresh (id bigint OPTIONS (entity_key 'true')) SERVER feast;"
        "INSERT INTO fresh VALUES (1); ROLLBACK"
    )
    assert stay(small) == []


@pytest.mark.parametrize("options", ["", ", create_remote_table 'false'"])
def test_a_new_table_over_what_was_there(small, options):
    small.run(
        "BEGIN; CREATE FOREIGN TABLE fresh (id bigint OPTIONS (entity_key 'true')) SERVER feast"
        " OPTIONS (feature_view 'drivers'%s); INSERT INTO fresh VALUES (77); ROLLBACK" % options
    )
    assert stay(small) == [items(1)]


def test_a_procedure_that_rolls_back(small):
    small.run(
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO drivers VALUES (1, now()); ROLLBACK;"
        " INSERT INTO drivers VALUES (2, now()); COMMIT; END $$"
    )
    small.run("CALL p()")
    assert stay(small) == [items(1)]
