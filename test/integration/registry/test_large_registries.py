"""Registries of a few megabytes that keep a session busy: it can always be cancelled."""

import pytest

from small_registry import field, on_demand, projection, registry, service, view
from support import takes

APPLY = "SELECT * FROM dynamo_fdw_apply('feast', 'feast', registry => %s)"
ON_DEMAND = "SELECT * FROM dynamo_fdw_on_demand('feast', registry => %s)"
MANY = 100000


def with_features(project, name, count):
    made = view(project, name, {})
    made.spec.features.extend(field("f%d" % n) for n in range(count))
    return made


def many_keys(project):
    keyed = view(project, "keyed", {"f": "INT64"}, {"k%d" % n: "INT64" for n in range(MANY)})
    return registry(project, keyed, service(project, "all", [projection(keyed)]))


def many_names_cut_alike(project):
    return registry(project, *[view(project, "a" * 70 + str(n), {"f": "INT64"}) for n in range(MANY // 5)])


def features_of_two_views(project):
    inputs = [projection(with_features(project, name, MANY)) for name in ("one", "two")]
    return registry(project, on_demand(project, "computed", inputs, {"out": "INT64"}))


@pytest.mark.parametrize(
    "sql, make", [(APPLY, many_keys), (APPLY, many_names_cut_alike), (ON_DEMAND, features_of_two_views)]
)
def test_cancel(feast, project, sql, make):
    data = make(project).SerializeToString()
    feast.run("SET statement_timeout = '1s'")
    with takes(less_than=30):
        error = feast.fail(sql, [data])
    assert error.sqlstate == "57014"


def test_too_large(feast):
    """Bytes that are given may not be more than a file may have."""
    large = "decode(repeat('00', 64 * 1024 * 1024 + 1), 'hex')"
    for call in ("dynamo_fdw_apply('feast', 'feast', registry => %s)", "dynamo_fdw_on_demand('feast', registry => %s)"):
        error = feast.fail("SELECT * FROM " + call % large)
        assert (error.sqlstate, error.diag.message_detail) == ("54000", "It is larger than 64 MB.")


def test_more_views_than_an_account_can_have_tables(feast, project):
    many = registry(project, *[view(project, "v%d" % n, {}) for n in range(10001)])
    assert feast.fail(APPLY, [many.SerializeToString()]).sqlstate == "54000"
