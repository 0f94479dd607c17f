"""A feature service as a SQL function: rows of keys joined with one to ten feature views, in the order of the keys."""

import pytest

from joins import READ, asked, nodes, plan
from support import KEY, TIME

MOST = 10
CALLS = {
    "inlined": "fs({0}, {1})",
    "not inlined": "fs(ARRAY(SELECT unnest({0})), {1})",
}


@pytest.fixture
def views(drivers, proxy):
    """Views v0, v1, …, by turns of a number, of a text and of both, with rows for 1 to 30."""
    for i in range(MOST):
        keys = ["driver_id " + KEY, "city text OPTIONS (entity_key 'true')"]
        keys = [keys[:1], keys[1:], keys][i % 3]
        drivers.table("v%d" % i, ", ".join(keys) + ", ts %s, f integer, g text" % TIME)
        columns = ["n", "'c' || n", "n, 'c' || n"][i % 3]
        drivers.run("INSERT INTO v%d SELECT %s, now(), n * 100 + %d FROM generate_series(1, 30) n" % (i, columns, i))
    proxy.forget()
    yield drivers
    drivers.run("DROP FUNCTION IF EXISTS fs")


ON = ["v{0}.driver_id = k.a", "v{0}.city = k.b", "(v{0}.driver_id, v{0}.city) = (k.a, k.b)"]


def body(number, ids="$1", cities="$2"):
    """The query of a service of so many views."""
    joins = "".join(" LEFT JOIN v%d ON %s" % (i, ON[i % 3].format(i)) for i in range(number))
    features = ", ".join("v%d.f AS f%d" % (i, i) for i in range(number))
    return "SELECT k.n, %s FROM unnest(%s, %s) WITH ORDINALITY k(a, b, n)%s ORDER BY k.n" % (
        features, ids, cities, joins
    )  # fmt: skip


def make(session, number, how="STABLE"):
    columns = ", ".join("f%d integer" % i for i in range(number))
    session.run(
        "CREATE FUNCTION fs(bigint[], text[]) RETURNS TABLE (n bigint, %s) LANGUAGE sql %s BEGIN ATOMIC %s; END"
        % (columns, how, body(number))
    )


def arrays(ids):
    """The arguments for these numbers, as SQL."""
    cities = ",".join("c%d" % i for i in ids)
    return "'{%s}'::bigint[]" % ",".join(map(str, ids)), "'{%s}'::text[]" % cities


def expected(ids, number):
    return [
        (n, *(i * 100 + view if 1 <= i <= 30 else None for view in range(number))) for n, i in enumerate(ids, start=1)
    ]


@pytest.mark.parametrize("form", CALLS)
@pytest.mark.parametrize("number", range(1, MOST + 1))
def test_one_request_and_the_order_of_the_keys(views, proxy, form, number):
    make(views, number)
    ids = [7, 3, 99, 7, 1]
    call = CALLS[form].format(*arrays(ids))
    assert views.run("SELECT * FROM " + call) == expected(ids, number)
    assert asked(proxy) == [{"v%d" % i: 4 for i in range(number)}]
    if form == "inlined":
        assert nodes(views, "SELECT * FROM " + call) == 1
        assert not any("Sort" in line for line in plan(views, "SELECT * FROM " + call))


@pytest.mark.parametrize("number", range(1, MOST + 1))
def test_how_a_body_is_planned(views, proxy, number):
    """As the statement is that stands in it: one node, and nothing sorts."""
    query = body(number, *arrays([1, 2]))
    assert nodes(views, query) == 1
    assert not any("Sort" in line for line in plan(views, query))
    views.run("SET plan_cache_mode = force_generic_plan; PREPARE body(bigint[], text[]) AS " + body(number))
    assert nodes(views, "EXECUTE body(%s, %s)" % arrays([1, 2])) == 1


@pytest.mark.parametrize("how", ["VOLATILE", "STABLE STRICT", "STABLE SECURITY DEFINER", "STABLE SET work_mem = '1MB'"])
def test_functions_that_are_never_inlined(views, proxy, how):
    make(views, 3, how)
    for _ in range(7):  # past the first custom plans
        proxy.forget()
        assert views.run("SELECT * FROM fs(%s, %s)" % arrays([5, 2])) == expected([5, 2], 3)
        assert len(asked(proxy)) == 1


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan", "auto"])
def test_a_prepared_call(views, proxy, mode):
    make(views, 3)
    views.run("SET plan_cache_mode = %s; PREPARE service(bigint[], text[]) AS SELECT * FROM fs($1, $2)" % mode)
    for ids in ([1, 2], [], [30, 31], [4] * 300, list(range(1, 31))):
        assert views.run("EXECUTE service(%s, %s)" % arrays(ids)) == expected(ids, 3)


def test_a_call_for_each_row_of_a_table(views, proxy):
    make(views, 3)
    rows = views.run(
        "SELECT o, x.* FROM generate_series(1, 5) o, LATERAL fs(ARRAY[o, o + 1], ARRAY['c' || o, 'none']) x"
        " ORDER BY o, x.n"
    )
    assert len(rows) == 10
    assert [row[2:] for row in rows[::2]] == [(o * 100, o * 100 + 1, o * 100 + 2) for o in range(1, 6)]
    assert [row[2:] for row in rows[1::2]] == [((o + 1) * 100, None, None) for o in range(1, 6)]


def test_some_columns_and_some_rows(views, proxy):
    make(views, 10)
    call = CALLS["inlined"].format(*arrays([1, 2, 3, 4]))
    assert views.run("SELECT n, f1 FROM %s WHERE f0 > 200 ORDER BY n LIMIT 1" % call) == [(3, 301)]
    assert views.run("SELECT count(*) FROM %s" % call) == [(4,)]


def test_views_that_nobody_needs_are_not_asked(views, proxy):
    """The planner drops a LEFT JOIN whose columns nobody needs, as the key is unique."""
    make(views, 10)
    assert views.run("SELECT n, f4 FROM %s" % CALLS["inlined"].format(*arrays([1, 2]))) == [(1, 104), (2, 204)]
    assert [set(read) for read in asked(proxy)] == [{"v4"}]
    proxy.forget()
    assert views.run("SELECT n FROM %s" % CALLS["inlined"].format(*arrays([1, 2]))) == [(1,), (2,)]
    assert proxy.count(READ) == 0
