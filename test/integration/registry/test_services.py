"""Functions of feature services: requests, plans, arguments of every shape, rights, dumps of an imported schema."""

import os
import subprocess
import threading

import pytest

import golden_world
from faults import stall
from imported import functions, import_project, tables
from joins import READ, asked, plan
from support import ACCESS_KEY, SECRET_KEY, Session, option_list

SHIPMENT = "feast.shipment_v1(%s::bigint[], %s::text[], %s::text[], %s::text[], '{10}', '{true}')"
NOW = "feast.depot_now('{ZRH,BRN}')"


def shipment(rows=1):
    return SHIPMENT % ("array_fill(1, ARRAY[%d])" % rows, *["array_fill('ZRH'::text, ARRAY[%d])" % rows] * 3)


@pytest.fixture
def world(session, project, proxy, tmp_path):
    """Schema "feast", with the cookbook's functions; reads are counted from here on."""
    golden_world.make(session, project, proxy.url, tmp_path)
    session.run("CREATE SCHEMA feast")
    for function in golden_world.cookbook():
        session.run(function)
    import_project(session, "parcels", create_remote_table="true")
    golden_world.load_items(project)
    session.notices.clear()
    proxy.forget()
    return session


# requests and plans


def test_all_views_are_one_request(world, proxy):
    """As many as for one view: keys of three tables, of which one is asked by two names."""
    call = SHIPMENT % ("'{1,9,2}'", "'{ZRH,XXX,ZRH}'", "'{BRN,ZRH,\"\"}'", "'{ZRH,NONE,BRN}'")
    rows = world.run("SELECT * FROM " + call)
    assert len(rows) == 3
    (read,) = asked(proxy)
    # of depot_load '', BRN, ZRH and NONE, each once
    assert read == {"parcel_stats": 3, "parcel_at_depot": 3, "depot_load": 4}


@pytest.mark.parametrize("call, views", [
    ("feast.scored('{1}')", 2), (NOW, 2), (shipment(), 4), ("feast.pinned_and_latest('{1}')", 2),
    ('feast."Odd Name; drop"(\'{5}\')', 1),
])  # fmt: skip
def test_one_lookup_join(world, proxy, call, views):
    lines = plan(world, "SELECT * FROM " + call)
    assert sum("Lookup Join" in line for line in lines) == 1
    assert sum("Feature View:" in line for line in lines) == views, lines
    assert not any("Sort" in line for line in lines)
    world.run("SELECT * FROM " + call)
    assert proxy.count(READ) == 1


def test_explain_analyze(world):
    lines = [line for (line,) in world.run("EXPLAIN (ANALYZE, COSTS off) SELECT * FROM " + NOW)]
    assert any("Requests: 1" in line for line in lines) and any("Items Found: 2" in line for line in lines)


def test_features_that_nobody_selects(world, proxy):
    assert world.run("SELECT load_ratio FROM %s" % NOW) == [(2.5,), (float("inf"),)]
    (body,) = [read.json()["RequestItems"] for read in proxy.of(READ)]
    (load,) = [table for name, table in body.items() if name.endswith(".depot_load")]
    names = set(load["ExpressionAttributeNames"].values())
    assert {"queue_len", "open_docks"} <= names and "updated" not in names


def test_views_that_nobody_needs_are_not_asked(world, proxy):
    """Their joins go away, as the keys are unique."""
    assert world.run("SELECT queue_len FROM feast.labelled('{ZRH,BRN}')") == [(10,), (7,)]
    assert asked(proxy) == [{"depot_load": 2}]
    proxy.forget()
    assert world.run("SELECT depot_code FROM feast.labelled('{ZRH,BRN}')") == [("ZRH",), ("BRN",)]
    assert proxy.count(READ) == 0


# arguments


def test_no_rows(world, proxy):
    for arrays in ("'{}'", "NULL", "ARRAY[]::text[]"):
        assert world.run("SELECT * FROM feast.depot_now(%s)" % arrays) == []
    assert proxy.count(READ) == 0


def test_null_keys(world, proxy):
    """They find nothing; what has no key comes all the same."""
    rows = world.run("SELECT * FROM feast.depot_now('{NULL,ZRH,NULL}')")
    assert [row[:3:2] for row in rows] == [(None, None), ("ZRH", 4), (None, None)]
    assert [row[3:5] for row in rows] == [(12345, 0.25)] * 3


def test_arrays_of_different_lengths(world):
    rows = world.run("SELECT * FROM " + SHIPMENT % ("'{1}'", "'{ZRH,ZRH}'", "'{}'", "'{BRN,ZRH,BRN,NONE}'"))
    assert [row[:4] for row in rows] == [(1, "ZRH", None, "BRN"), (None, "ZRH", None, "ZRH"), (None, None, None, "BRN"),
                                         (None, None, None, "NONE")]  # fmt: skip
    names = [name for name, _ in functions(world)["shipment_v1"][1]]
    docks = names.index("destination__open_docks")
    assert [row[docks] for row in rows] == [0, 4, 0, None]
    assert [row[names.index("parcel_at_depot__scans")] for row in rows] == [2, None, None, None]


def test_arguments_by_name(world):
    assert world.run("SELECT load_ratio FROM feast.depot_now(depot_code => '{BRN}')") == [(float("inf"),)]
    rows = world.run("SELECT * FROM feast.fee_alias(km => '{2}', parcel_id => '{1}', express => '{false}')")
    assert rows == [(1, 2.0, False, 5.0, False, 1.5)]


def test_ten_thousand_rows(world, proxy):
    rows = world.run(
        "SELECT * FROM feast.depot_now(ARRAY(SELECT CASE i % 3 WHEN 0 THEN 'ZRH' WHEN 1 THEN 'BRN' ELSE 'no' || i END"
        " FROM generate_series(1, 10000) i))"
    )
    assert len(rows) == 10_000
    for number, row in enumerate(rows, start=1):
        code = ["ZRH", "BRN", "no%d" % number][number % 3]
        assert row[0] == code and row[2] == {"ZRH": 4, "BRN": 0}.get(code), number
    keys = sum(read.get("depot_load", 0) for read in asked(proxy))
    assert 3335 <= keys <= 3335 + 2 * 110  # the two that come often are asked for once a window


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan", "auto"])
def test_prepared(world, mode):
    world.run("SET plan_cache_mode = %s; PREPARE call(text[]) AS SELECT * FROM feast.depot_now($1)" % mode)
    for codes in ("{ZRH}", "{}", "{BRN,ZRH,BRN}", "{NULL}", "{%s}" % ",".join(["ZRH"] * 300)):
        number = 0 if codes == "{}" else codes.count(",") + 1
        rows = world.run("EXECUTE call('%s')" % codes)
        assert len(rows) == number and all(row[3] == 12345 for row in rows)


# in other queries


def test_in_a_view(world, proxy):
    world.run("CREATE VIEW feast.board AS SELECT depot_code, load_ratio FROM feast.depot_now('{ZRH,BRN}')")
    assert world.run("SELECT * FROM feast.board WHERE load_ratio < 10") == [("ZRH", 2.5)]
    assert proxy.count(READ) == 1


def test_lateral(world):
    rows = world.run(
        "SELECT c, s.open_docks FROM (VALUES ('ZRH'), ('NO'), ('BRN')) d(c), LATERAL feast.depot_now(ARRAY[d.c]) s"
    )
    assert rows == [("ZRH", 4), ("NO", None), ("BRN", 0)]


def test_joined_with_what_asks(world):
    world.run("CREATE TABLE feast.orders AS SELECT * FROM (VALUES (1, 'BRN'), (2, 'ZRH'), (3, 'ZRH')) o(id, depot)")
    rows = world.run(
        "SELECT o.id, s.queue_len FROM feast.orders o JOIN (SELECT depot_code, queue_len FROM feast.labelled("
        "ARRAY(SELECT DISTINCT depot FROM feast.orders))) s ON s.depot_code = o.depot ORDER BY 1"
    )
    assert rows == [(1, 7), (2, 10), (3, 10)]


def test_limit(world, proxy):
    """No more is asked than the first windows."""
    call = "feast.depot_now(ARRAY(SELECT 'no' || i FROM generate_series(1, 5000) i))"
    assert world.run("SELECT depot_code FROM %s WHERE open_docks IS NULL LIMIT 2" % call) == [("no1",), ("no2",)]
    assert world.run("SELECT open_docks FROM feast.depot_now('{ZRH,BRN,NO}') OFFSET 1 LIMIT 1") == [(0,)]


def test_cursor(world):
    world.run("BEGIN")
    world.run("DECLARE c CURSOR FOR SELECT depot_code, open_docks FROM feast.depot_now('{NO,ZRH,BRN}')")
    assert world.run("FETCH 2 FROM c") == [("NO", None), ("ZRH", 4)]
    assert world.run("FETCH ALL FROM c") == [("BRN", 0)]
    world.run("COMMIT")


def test_cancel(world, proxy):
    proxy.fault(stall, times=None, operation=READ)
    failed = []
    thread = threading.Thread(target=lambda: failed.append(world.fail("SELECT * FROM " + NOW)))
    thread.start()
    proxy.wait_for(READ)
    world.conn.cancel()
    thread.join(20)
    assert failed[0].sqlstate == "57014"
    proxy.heal()
    assert len(world.run("SELECT * FROM " + NOW)) == 2


# rights and changes


def test_another_role(world, new_role):
    role = new_role("feast")
    world.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (%s)" % (
        role, option_list({"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY})))  # fmt: skip
    world.run("GRANT USAGE ON SCHEMA feast TO %s; SET ROLE %s" % (role, role))
    assert world.fail("SELECT * FROM " + NOW).sqlstate == "42501"
    world.run("RESET ROLE; GRANT SELECT ON feast.depot_load, feast.network_totals TO %s; SET ROLE %s" % (role, role))
    assert len(world.run("SELECT * FROM " + NOW)) == 2
    world.run("RESET ROLE")


def test_renames_are_followed(world):
    before = world.run("SELECT * FROM " + NOW)
    world.run("ALTER FOREIGN TABLE feast.depot_load RENAME TO loads")
    world.run("ALTER FOREIGN TABLE feast.loads RENAME open_docks TO docks")
    world.run("ALTER FUNCTION feast.depot_ratio RENAME TO ratio")
    assert world.run("SELECT * FROM " + NOW) == before


def test_a_table_of_a_service_is_dropped_by_cascade_only(world):
    world.run("SET dynamo_fdw.remote_ddl = off")
    assert world.fail("DROP FOREIGN TABLE feast.depot_load").sqlstate == "2BP01"
    assert world.fail("DROP FUNCTION feast.depot_ratio").sqlstate == "2BP01"
    world.run("DROP FOREIGN TABLE feast.depot_load CASCADE")
    assert not {"depot_now", "shipment_v1", "labelled"} & set(functions(world)) and "pinned" in functions(world)


def test_drop_extension_takes_the_functions(world):
    """They depend on it as by ALTER FUNCTION … DEPENDS ON EXTENSION."""
    world.run("BEGIN; SET LOCAL dynamo_fdw.remote_ddl = off")
    world.run("DROP EXTENSION dynamo_fdw CASCADE")
    left = world.run("SELECT proname FROM pg_proc WHERE pronamespace = 'feast'::regnamespace ORDER BY 1")
    assert left == [("depot_ratio",), ("handling_fee",), ("heavy",)]
    world.run("ROLLBACK")


# dumps


@pytest.mark.parametrize("way", ["script", "archive"])
def test_a_dump_restores(world, database, way):
    bindir = world.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
    if not os.path.exists(os.path.join(bindir, "pg_dump")):
        pytest.skip("pg_dump is not here")
    before = tables(world), functions(world), world.run("SELECT * FROM " + NOW)

    def run(name, *args, **more):
        environment = {**os.environ, "PGOPTIONS": "-c dynamo_fdw.remote_ddl=off"}
        command = [os.path.join(bindir, name), *args]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, **more).stdout

    world.run("CREATE DATABASE restored")
    try:
        if way == "script":
            run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "restored", input=run("pg_dump", database))
        else:
            run("pg_restore", "--exit-on-error", "-d", "restored", input=run("pg_dump", "-Fc", database))
        restored = Session("restored")
        assert (tables(restored), functions(restored), restored.run("SELECT * FROM " + NOW)) == before
        restored.close()
    finally:
        world.run("DROP DATABASE restored WITH (FORCE)")
