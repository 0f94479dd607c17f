"""Every golden call of get_online_features, through the functions of the feature services."""

import pytest

import golden_world
from golden import exactly, load
from golden_world import value_of
from import_model import Asked, Project, clip
from imported import golden_services, golden_views

CALLS = load("registry2/calls.json")
COMPUTED = {"handling_fee": {"fee": "double precision"}, "heavy": {"is_heavy": "boolean"},
            "depot_ratio": {"load_ratio": "double precision"}}  # fmt: skip

# Where Feast raises and we answer: the call whose columns we have to give, or none that the golden data has.
OURS = {
    0: 1,  # colliding short names: full ones
    2: None,  # request data is missing: NULL
    10: 11,
    12: None,  # a service takes the version of now
    19: None,  # a stored view that lists its key
    24: None,  # one view plain and by an alias
    28: None,  # no precomputed vectors
    31: None,  # a NULL key
}
NO_FUNCTION = ["frozen", "archived"]


@pytest.fixture(params=["computed", "not computed"])
def world(request, session, project, proxy, tmp_path):
    golden_world.make(session, project, proxy.url, tmp_path)
    session.run("CREATE SCHEMA feast; CREATE SCHEMA long_names")
    if request.param == "computed":
        for function in golden_world.cookbook():
            session.run(function)
            session.run(function.replace("feast.", "long_names."))
    golden_world.import_short_and_full(session, project)
    session.notices.clear()
    return session, request.param == "computed"


def model(full, computed):
    asked = Asked(versioning=True, full=full, computed=COMPUTED if computed else {}, server_project="parcels")
    return Project("parcels", golden_views("file"), golden_services(), asked)


def call(session, schema, name, function, rows):
    """Calls a service with entity rows; columns by position."""
    arrays = ["%s::" + type + "[]" for _, type in function.arguments]
    values = [[row.get(argument) for row in rows] for argument, _ in function.arguments]
    marks = ", ".join(arrays)
    got = session.run('SELECT * FROM "%s"."%s"(%s)' % (schema, name, marks), values)
    assert len(got) == len(rows)
    return list(zip(*got))


def values_of(column):
    return [value_of(column["member"][0] if column["member"] else None, value) for value in column["values"]]


def golden_rows(golden):
    return list(zip(*map(values_of, golden["columns"])))


def expected_column(call, name, owner, full):
    """The golden values of a feature, None where Feast left it out."""
    feast = "%s__%s" % (owner, name) if full else name
    for column in reversed(call["columns"]):  # behind a key of the same name
        if column["name"] == feast:
            return values_of(column)
    assert feast in call["missing"], feast
    return None


def fee(row):
    weights = {1: 1.5}
    if row.get("km") is None or row["parcel_id"] not in weights:
        return None
    return weights[row["parcel_id"]] * 2 + row["km"] * (3 if row["express"] else 1)


def entity_rows(golden):
    """With the join key in place of the entity's name, which Feast takes, too."""
    rows = [dict(row) for row in golden["entity_rows"]]
    for row in rows:
        if "lane" in row:
            row["lane_no"] = row.pop("lane")
    return rows


def service_calls(full):
    return [number for number, one in enumerate(CALLS) if one.get("service") and one["full_feature_names"] == full]


def check(session, computed, number, full):
    golden = CALLS[number]
    schema = "long_names" if full else "feast"
    functions = model(full, computed)
    name = clip(golden["service"])
    if golden["service"] in NO_FUNCTION:
        assert name not in functions.functions
        return
    function = functions.functions[name]
    rows = entity_rows(golden)
    columns = call(session, schema, name, function, rows)
    keys = len(function.arguments)
    for (argument, _), column in zip(function.arguments, columns):
        assert list(column) == [row.get(argument) for row in rows]
    if "error" in golden:
        golden = CALLS[OURS[number]] if OURS[number] else {"columns": None}
        full = True
    if golden["columns"] is None or number == 3:
        return columns[keys:]
    for column, (name, owner) in list(zip(columns, function.feast))[keys:]:
        # 5 is 1 with the row's names in another order, by which Feast takes the wrong key of two
        of = CALLS[1] if number == 5 and owner in ("origin", "destination") else golden
        wanted = expected_column(of, name, owner, full)
        if wanted is None and name == "fee" and golden["service"] == "shipment_v1":
            wanted = [fee(row) for row in rows]
        elif wanted is None:
            (row,) = rows
            wanted = [{"fee": 33.0, "is_heavy": False}[name]]
        assert exactly(list(column)) == exactly(wanted), (number, name)
    return columns[keys:]


@pytest.mark.parametrize("full", [False, True])
def test_golden_calls(world, full):
    session, computed = world
    for number in service_calls(full):
        check(session, computed, number, full)


def test_where_we_answer_and_feast_does_not(world):
    session, computed = world

    def rows(sql):
        return session.run("SELECT * FROM " + sql)

    # 2: km is missing
    function = model(True, computed).functions["shipment_v1"]
    columns = call(session, "long_names", "shipment_v1", function, CALLS[2]["entity_rows"])
    names = [name for name, _ in function.results]
    wanted = call(session, "long_names", "shipment_v1", function, CALLS[1]["entity_rows"])
    for name, column, whole in zip(names, columns, wanted):
        assert column == ((None,) * 3 if name in ("km", "handling_fee__fee") else whole), name
    # 3: a mapped key is missing, and the key's own name is not taken for it
    columns = dict(zip(names, call(session, "long_names", "shipment_v1", function, CALLS[3]["entity_rows"])))
    for name, column in columns.items():
        if name.startswith("origin"):
            assert column == (None,) * 3
        elif name.startswith(("parcel_", "destination__")):
            assert column == wanted[names.index(name)]
    # 12, 13: as the call by references, which reads the version of now
    gps = rows("feast.courier_by_string('{7,8}')")
    assert gps == golden_rows(CALLS[13])
    live = rows("feast.courier_live('{7,8}')")
    assert [row[:4] for row in live] == gps and live[0][4:] == (4.5, "a b", "XL") and live[1][4:] == (None,) * 3
    assert rows("feast.scored_keyed('{1}')") == [(1, None)]
    # 24: two keys of one table
    assert rows("feast.same_key_twice('{ZRH,BRN}', '{BRN,ZRH}')") == [("ZRH", "BRN", 4, 7), ("BRN", "ZRH", 0, 10)]
    assert rows("feast.ready_vectors('{ZRH}')") == [("ZRH", 4)]
    assert rows("feast.\"Odd Name; drop\"('{NULL,5}')") == [(None, None), (5, 61.5)]


def test_calls_without_a_service(world):
    """References, as joins."""
    session, _ = world
    for golden, sql in [
        (CALLS[13], 'SELECT k.*, lat, lon, speed FROM unnest(ARRAY[7, 8]) k("courierId")'
                    ' LEFT JOIN feast.courier_gps USING ("courierId")'),
        (CALLS[32], "SELECT in_transit FROM feast.network_totals"),
        (CALLS[33], "SELECT parcel_id, depot_code, priority, scans FROM (VALUES (1, 'ZRH')) k(parcel_id, depot_code)"
                    " LEFT JOIN feast.parcel_stats USING (parcel_id)"
                    " LEFT JOIN feast.parcel_at_depot USING (parcel_id, depot_code)"),
    ]:  # fmt: skip
        assert session.run(sql) == golden_rows(golden)


def test_every_call_is_here():
    asked = set(service_calls(False)) | set(service_calls(True))
    assert asked | {13, 32, 33} == set(range(len(CALLS))) and len(CALLS) == 34
    errors = {number for number in asked if "error" in CALLS[number]}
    assert errors == set(OURS) | {n for n in asked if CALLS[n]["service"] in NO_FUNCTION}


def test_event_times(session, project, proxy, tmp_path):
    """With the option each view's event time is there, which tells an empty value from a missing row."""
    golden_world.make(session, project, proxy.url, tmp_path, include_event_timestamps="true")
    session.run("CREATE SCHEMA feast; CREATE SCHEMA long_names")
    golden_world.import_short_and_full(session, project)
    compared = 0
    functions = Project("parcels", golden_views("file"), golden_services(),
                        Asked(versioning=True, full=True, times=True)).functions  # fmt: skip
    for golden in CALLS:
        if not golden.get("service") or "error" in golden or not golden["full_feature_names"]:
            continue
        function = functions[golden["service"]]
        columns = call(session, "long_names", golden["service"], function, entity_rows(golden))
        results = dict(zip([name for name, _ in function.results], columns))
        for column in golden["columns"]:
            owner, separator, _ = column["name"].partition("__")
            if separator and owner + "__event_timestamp" in results and golden not in (CALLS[3], CALLS[5]):
                times = [None if time.startswith("1970") else value_of("unix_timestamp_val", time)
                         for time in column["event_timestamps"]]  # fmt: skip
                assert list(results[owner + "__event_timestamp"]) == times, column["name"]
                compared += 1
    assert compared > 20
