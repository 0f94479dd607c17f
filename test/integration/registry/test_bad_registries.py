"""Registries that are none, that are damaged, and that hold what SQL or DynamoDB can't have."""

import json
import os
import random

import pytest

from imported import REGISTRY2, functions, import_project, import_sql, put_registry, tables
from joins import READ, nodes, plan
from registry_protos import registry_proto, store_as_tables, view_proto
from support import ACCESS_KEY, ENDPOINT, SECRET_KEY, Session, option_list

GOOD = (REGISTRY2 / "registry.db").read_bytes()
FLIPS = int(os.environ.get("RANDOM_FLIPS") or 60)  # damaged copies that test_flipped_bits makes


def view(name, keys=(("id", "INT64"),), features=(("f", "INT64"),), kind="feature_view", **more):
    def fields(pairs):
        return [{"name": name, "value_type": kind} for name, kind in pairs]

    return {"kind": kind, "project": "p", "name": name, "join_keys": fields(keys), "features": fields(features),
            "online": True, "description": "", **more}  # fmt: skip


def service(name, *projections):
    made = [{"alias": None, "version": None, "join_key_map": {}, **one} for one in projections]
    return {"project": "p", "name": name, "projections": made, "description": ""}


def take(view, *features, **more):
    return {"view": view["name"], "features": features or [f["name"] for f in view["features"]], **more}


@pytest.fixture
def place(session, project, tmp_path):
    """Makes a server over a registry: bytes, or views and services."""

    def make(views=(), services=(), data=None, endpoint=ENDPOINT, **options):
        if data is None:
            data = registry_proto("p", views, services).SerializeToString()
        session.run("DROP SERVER IF EXISTS feast CASCADE")
        template = project + ".{table_name}"
        session.server("p", endpoint, registry=put_registry(tmp_path, data), table_name_template=template, **options)
        session.run("CREATE SCHEMA IF NOT EXISTS feast")
        session.notices.clear()

    return make


def assert_nothing_made(session):
    assert session.alive() and tables(session) == {}
    assert session.value("SELECT count(*) FROM pg_proc WHERE pronamespace = to_regnamespace('feast')") == 0


def refused(session, project="p", **options):
    """The error of an IMPORT, which has made nothing."""
    error = session.fail(import_sql(project, **options))
    assert_nothing_made(session)
    return error


# places


def test_no_registry_at_all(session):
    session.server("p")
    session.run("CREATE SCHEMA feast")
    error = refused(session)
    assert error.sqlstate == "HV002" and "ALTER SERVER feast" in error.diag.message_hint


@pytest.mark.parametrize("name, code", [("none.db", "58P01"), ("", None), ("none/registry.db", "58P01")])
def test_no_file_at_the_place(session, tmp_path, name, code):
    session.server("p", registry=str(tmp_path / name))
    session.run("CREATE SCHEMA feast")
    assert code in (None, refused(session).sqlstate)


def test_who_may_not_read_files(session, new_role, place):
    place([view("v")])
    role = new_role("feast")
    session.run("GRANT ALL ON SCHEMA feast TO %s; SET ROLE %s" % (role, role))
    error = session.fail(import_sql("p"))
    session.run("RESET ROLE")
    assert error.sqlstate == "42501"
    assert_nothing_made(session)


# bytes


@pytest.mark.parametrize("data", [b"", b"\0", b"{}", b"SQLite format 3\0", b"\x1a\x01", b"\xff" * 100, b"\n" * 10_000,
                                  b"\x0a\xff\xff\xff\xff\x0f"], ids=lambda data: repr(data[:8]))  # fmt: skip
def test_what_is_no_registry(session, place, data):
    place(data=data)
    error = refused(session)
    assert error.sqlstate == "HV004" and "cannot be read" in str(error), error


def test_truncated(session, place):
    rng = random.Random(1)
    for length in rng.sample(range(1, len(GOOD)), 25):
        place(data=GOOD[:length])
        error = session.fail(import_sql("parcels"))
        assert error.sqlstate in ("HV004", "HV00Q"), (length, error)
        assert_nothing_made(session)


def test_flipped_bits(session, place):
    """Either an error or an import, and never a half of one."""
    rng = random.Random(2)
    for number in range(FLIPS):
        data = bytearray(GOOD)
        for _ in range(rng.randint(1, 20)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        place(data=bytes(data), enable_online_feature_view_versioning="true")
        session.run("BEGIN")
        try:
            session.run(import_sql("parcels"))
        except Exception as error:
            assert getattr(error, "sqlstate", None) in ("HV004", "HV00Q", "42701", "HV00D", "22023"), (number, error)
        assert session.run("ROLLBACK") is not None
        assert_nothing_made(session)


def test_random_bytes(session, place):
    rng = random.Random(3)
    for _ in range(20):
        place(data=rng.randbytes(rng.randint(1, 3000)))
        assert refused(session).sqlstate == "HV004"


# projects


@pytest.mark.parametrize("name", ["q", "", "P", "p ", "x" * 70, 'p"; drop'])
def test_a_project_that_is_not_there(session, place, name):
    place([view("v")])
    error = session.fail('IMPORT FOREIGN SCHEMA "%s" FROM SERVER feast INTO feast' % (name.replace('"', '""') or " "))
    assert error.sqlstate == "HV00Q" and '"p"' in error.diag.message_hint
    assert_nothing_made(session)


def test_a_registry_without_projects(session, place):
    place(data=b"\x1a\x011")
    assert refused(session).sqlstate == "HV00Q"


def test_a_schema_where_the_role_may_not_create(session, new_role, place):
    place()
    session.run("CREATE SCHEMA there; SET search_path = there")
    store_as_tables(session, "of_feast", registry_proto("p", [view("v")], []))
    role = new_role("feast")
    session.run("ALTER SERVER feast OPTIONS (SET registry 'of_feast', ADD registry_type 'sql')")
    session.run("GRANT USAGE ON SCHEMA feast, of_feast TO %s; GRANT SELECT ON ALL TABLES IN SCHEMA of_feast TO %s"
                % (role, role))  # fmt: skip
    session.run("SET ROLE " + role)
    assert session.fail(import_sql("p")).sqlstate == "42501"
    session.run("RESET ROLE")
    assert_nothing_made(session)


# names and sizes


@pytest.mark.parametrize("name", ["two words", "größe", 'quo"te', "$$", "new\nline", "x" * 256, "a"])
def test_a_view_whose_name_dynamodb_cannot_have(session, place, name):
    """It is left out, and the others are there."""
    place([view("good"), view(name)], [service("s", take(view(name)))])
    import_project(session, "p")
    warned = session.warnings()
    if name == "a":
        assert set(tables(session)) == {"good", "a"} and not warned
    else:
        assert set(tables(session)) == {"good"} and functions(session) == {}
        assert len(warned) == 1 and "DynamoDB table name" in warned[0], warned


@pytest.mark.parametrize("name", [b"nul\0", b"\xff", b""], ids=repr)
@pytest.mark.parametrize("where", ["view", "key", "feature", "service"])
def test_a_name_that_is_no_text(session, place, where, name):
    """Protobuf's own code refuses such a text, so it is put into the bytes: of the same length, or empty from the start."""
    mark = "q7q7" if name else ""
    names = {"view": "v", "key": "id", "feature": "f", "service": "s", where: mark}
    one = view(names["view"], [(names["key"], "INT64")], [(names["feature"], "INT64")])
    data = registry_proto("p", [one], [service(names["service"], take(one))]).SerializeToString()
    place(data=data.replace(mark.encode(), name.ljust(4, b"x")) if name else data)
    assert refused(session).sqlstate == "HV004"


def test_names_that_end_texts(session, place):
    names = ["$$", "it's", 'quo"te', "\\", "%s%n", "$1", "--", "/*", ";", "new\nline", "\t", "\x1b[31m", "E'", 'U&"x"']
    keys = [("k" + name, "INT64") for name in names]
    one = view("v", keys, [(name, "INT64") for name in names], description="$$ it's\n\x1b[31m")
    place([one], [service(name, take(one)) for name in names])
    import_project(session, "p", create_remote_table="true")
    assert set(functions(session)) == set(names)
    columns, _, comment = tables(session)["v"]
    assert [column.name for column in columns if "managed" in column.options] == names and comment == one["description"]
    session.run("INSERT INTO feast.v VALUES (%s)" % ", ".join(["1"] * len(keys) + ["now()"] + ["2"] * len(names)))
    for name in names:
        quoted = name.replace("%", "%%").replace('"', '""')
        rows = session.run('SELECT * FROM feast."%s"(%s)' % (quoted, ", ".join(["'{1,NULL}'"] * len(keys))), [])
        assert rows == [(1,) * len(keys) + (2,) * len(names), (None,) * (2 * len(names))]


def test_a_hundred_arguments_and_one_more(session, place):
    views = [view("v%d" % n, [("k%d_%d" % (n, key), "INT64") for key in range(20)]) for n in range(5)]
    more = view("more", [("one_more", "INT64")])
    place([*views, more], [service("fits", *map(take, views)), service("too_many", *map(take, [*views, more]))])
    import_project(session, "p")
    assert list(functions(session)) == ["fits"]
    notice = session.notices[-1]
    assert notice[0] == "NOTICE" and notice[1].endswith(': "too_many"') and "101 arguments" in notice[2]


def test_a_service_of_thirty_views(session, place, proxy):
    """More joins than PostgreSQL would reorder are still one round, whatever is planned."""
    views = [view("v%d" % n, features=[("f%d" % n, "INT64")]) for n in range(30)]
    place(views, [service("s", *map(take, views))], endpoint=proxy.url)
    import_project(session, "p", create_remote_table="true")
    for n in range(30):
        session.run("INSERT INTO feast.v%d VALUES (1, now(), %d)" % (n, n))
    proxy.forget()
    assert session.run("SELECT * FROM feast.s('{1,2}')") == [(1, *range(30)), (2, *[None] * 30)]
    assert proxy.count(READ) <= 4


def test_a_view_of_too_many_columns(session, place):
    def features(number):
        return [("f%d" % n, "INT64") for n in range(number)]

    wide = view("wide", features=features(1700))
    widest = view("widest", features=features(1598))
    half = view("half", [("other", "INT64")], [("g%d" % n, "INT64") for n in range(70)])
    last = view("last", [("id", "INT64")], [("h%d" % n, "INT64") for n in range(64)])
    place([wide, widest, half, last], [service("a", take(wide)), service("b", take(widest), take(half)),
                                       service("c", take(widest), take(last))])  # fmt: skip
    import_project(session, "p", create_remote_table="true")
    assert set(tables(session)) == {"widest", "half", "last"}
    assert list(functions(session)) == ["c"]
    texts = {severity: "%s %s" % (message, detail) for severity, message, detail in session.notices}
    assert "1702 columns" in texts["WARNING"]
    assert '"a", "b"' in texts["NOTICE"] and "1670 columns" in texts["NOTICE"]
    row = session.run("SELECT * FROM feast.c('{1}')")
    assert row == [(1,) + (None,) * 1662]


def test_two_features_of_one_name(session, place):
    """Feast does not make such; the first is taken."""
    one = view("v", features=[("f", "INT64"), ("g", "STRING"), ("f", "STRING")])
    place([one], [service("s", take(one, "f", "g"))])
    import_project(session, "p")
    assert [column.name for column in tables(session)["v"][0]] == ["id", "event_timestamp", "f", "g"]
    assert len(session.warnings()) == 1


def test_two_keys_of_one_name(session, place):
    place([view("v", [("id", "INT64"), ("id", "STRING")])])
    assert refused(session).sqlstate == "HV004"


def test_a_key_without_a_type_that_can_be_one(session, place):
    place([view("v", [("id", "BOOL")]), view("good"), view("w", [("id", 99)])])
    import_project(session, "p")
    assert list(tables(session)) == ["good"]
    assert len(session.warnings()) == 2


def test_views_without_keys(session, place):
    """As a Feast wrote them that had no entity_columns."""
    place([view("v", [], entities=["driver"]), view("good")])
    import_project(session, "p")
    assert list(tables(session)) == ["good"]
    assert "entity_columns" in session.warnings()[0]


@pytest.fixture
def latin1(session, database):
    session.run("CREATE DATABASE in_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    yield Session("in_latin1")
    session.run("DROP DATABASE in_latin1 WITH (FORCE)")


@pytest.mark.parametrize("name, there", [("größe", True), ("日本", False)])
def test_a_database_of_another_encoding(latin1, project, tmp_path, name, there):
    one = view("v", features=[(name, "INT64")], description=name)
    data = registry_proto("p", [one], [service(name, take(one))]).SerializeToString()
    latin1.run("CREATE EXTENSION dynamo_fdw; CREATE SCHEMA feast")
    latin1.server("p", registry=put_registry(tmp_path, data), table_name_template=project + ".{table_name}")
    if not there:
        assert refused(latin1).sqlstate == "22P05"
        return
    import_project(latin1, "p", create_remote_table="true")
    latin1.run("INSERT INTO feast.v VALUES (1, now(), 2)")
    assert latin1.run('SELECT "größe" FROM feast."größe"(\'{1}\')') == [(2,)]
    assert tables(latin1)["v"][2] == name
    latin1.run("SET dynamo_fdw.remote_ddl = off; DROP SERVER feast CASCADE")


def test_descriptions_that_the_encoding_does_not_have(latin1, project, tmp_path):
    """They stop nothing where no comments are asked for."""
    one = view("v", description="a → b")
    data = registry_proto("p", [one], [{**service("s", take(one)), "description": "日本"}]).SerializeToString()
    latin1.run("CREATE EXTENSION dynamo_fdw; CREATE SCHEMA feast")
    latin1.server("p", registry=put_registry(tmp_path, data), table_name_template=project + ".{table_name}")
    assert refused(latin1).sqlstate == "22P05"
    import_project(latin1, "p", import_comments="false", create_remote_table="true")
    assert list(tables(latin1)) == ["v"] and list(functions(latin1)) == ["s"]
    latin1.run("SET dynamo_fdw.remote_ddl = off; DROP SERVER feast CASCADE")


# tags


@pytest.mark.parametrize(
    "tags, why",
    [
        ({"good": "1", "aws:x": "1"}, "aws:"),
        ({"Aws:x": "1"}, "aws:"),
        ({"k" * 129: "1"}, "128 characters"),
        ({"": "1"}, "128 characters"),
        ({"k": "ö" * 257}, "256 characters"),
        ({"k;": "1"}, "letters"),
        ({"k": "'"}, "letters"),
        ({"k%d" % n: "" for n in range(51)}, "at most 50"),
        ({"k%d" % n: "" for n in range(50)}, "with the server's it would have 51"),
    ],
)
def test_tags_that_aws_would_not_take(session, place, tags, why):
    """The view has its table all the same."""
    place([view("v", tags=tags), view("w", tags={"of_server": "no"})], tags='{"of_server": "yes"}')
    import_project(session, "p", create_remote_table="true")
    assert "tags" not in tables(session)["v"][1]
    assert tables(session)["w"][1]["tags"] == '{"of_server": "no"}'
    ((_, message, detail),) = [notice for notice in session.notices if notice[0] == "WARNING"]
    assert message == 'the tags of feature view "v" are left out'
    assert why in detail


def test_tags_without_measure(session, place):
    """They are not copied over and over, to say that they are too long: a registry has up to 64 MB."""
    place([view("v", tags={"k": "v" * (50 << 20)})])
    import_project(session, "p")
    assert "tags" not in tables(session)["v"][1]
    assert ("WARNING", 'the tags of feature view "v" are left out') in [notice[:2] for notice in session.notices]
    with open("/proc/%d/status" % session.pid) as status:
        (most,) = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
    assert most < 250 * 1024  # kB


def test_tags_that_aws_takes(session, place):
    tags = {"ö" * 128: "ü" * 256, "_.:/=+-@ 0": "", "日本": "🙂", **{"k%d" % n: "" for n in range(47)}}
    place([view("v", tags=tags)])
    import_project(session, "p")
    assert json.loads(tables(session)["v"][1]["tags"]) == tags
    assert session.warnings() == []


@pytest.mark.parametrize("tag, there", [("größe", True), ("日本", False)])
def test_tags_in_a_database_of_another_encoding(latin1, tmp_path, tag, there):
    data = registry_proto("p", [view("v", tags={"k": tag, tag: "x"})], []).SerializeToString()
    latin1.run("CREATE EXTENSION dynamo_fdw; CREATE SCHEMA feast")
    latin1.server("p", registry=put_registry(tmp_path, data))
    latin1.notices.clear()
    import_project(latin1, "p")
    assert tables(latin1)["v"][1].get("tags") == ('{"größe": "x", "k": "größe"}' if there else None)
    warned = [detail for severity, _, detail in latin1.notices if severity == "WARNING"]
    assert warned == ([] if there else ["They have a character that encoding LATIN1 does not have."])


# services


def test_services_that_cannot_be(session, place):
    one, text = view("v"), view("w", [("id", "STRING")])
    place(
        [one, text, view("off", online=False)],
        [
            service("unknown", {"view": "nowhere", "features": ["f"]}),
            service("types", take(one), take(text)),
            service("left_out", take(view("off"))),
            service("version", take(one, version=1)),
            service("nothing"),
            service("no_column", take(one, "missing")),
            service("good", take(one)),
        ],
    )
    import_project(session, "p")
    assert list(functions(session)) == ["good"]
    message, detail = session.notices[-1][1:]
    assert message.count('"') == 12
    for word in ["nowhere", "bigint and text", 'feature view "off"', "enable_online_feature_view_versioning"]:
        assert word in detail
    assert detail.count("\n") == 5


def test_keys_among_the_features(session, place):
    """A stream view lists its keys as features, and so does a service over it: they are no columns that lack."""
    dummy = view("totals", [("__dummy_id", "STRING")], [("__dummy_id", "STRING"), ("f", "INT64")], "stream_feature_view")
    keyed = view("v", features=[("id", "INT64"), ("g", "INT64")], kind="stream_feature_view")
    place([dummy, keyed], [service("s", take(dummy), take(keyed))])
    import_project(session, "p")
    assert [name for name, _ in functions(session)["s"][1]] == ["id", "f", "g"]
    assert not any("left out" in message for _, message, _ in session.notices)


def test_a_version_that_the_registry_does_not_have(session, place):
    one = view("v", version=2)
    place([one], [service("s", take(one, version=1)), service("now", take(one, version=2))],
          enable_online_feature_view_versioning="true")  # fmt: skip
    import_project(session, "p")
    assert list(functions(session)) == ["now"] and "no version 1" in session.notices[-1][2]


def test_a_version_without_versioning(session, place):
    """The number counts for nothing: the view is as it is now, whether or not the history has its beginning."""
    one = view("v", features=[("f", "INT64"), ("new", "STRING")], version=2)
    place([one], [service("s", take(one))])
    import_project(session, "p")
    assert [name for name, _ in functions(session)["s"][1]] == ["id", "f", "new"]


def test_a_function_that_is_somebody_elses(session, place):
    one = view("v")
    place([one], [service("s", take(one)), service("t", take(one))])
    session.run("CREATE FUNCTION feast.s(bigint[]) RETURNS integer LANGUAGE sql RETURN 7")
    import_project(session, "p")
    assert session.value("SELECT feast.s('{1}')") == 7
    assert list(functions(session)) == ["t"]
    assert any(detail and "was not made for it" in detail for _, _, detail in session.notices)


COMPUTED = view("computed", [("__dummy_id", "STRING")], [("out", "DOUBLE")], "on_demand_feature_view",
                write_to_online_store=False, sources={"v": {"view": "v", "features": ["f"]},
                         "r": {"request": [{"name": "km", "value_type": "DOUBLE"},
                                           {"name": "tags", "value_type": "STRING_LIST"}]}})  # fmt: skip

# Functions called as the on-demand view, and whether one stands for it.
STAND_INS = {
    "(f bigint, km float8) RETURNS float8 LANGUAGE sql RETURN f * km": True,
    "(f bigint, tags jsonb) RETURNS float8 LANGUAGE sql RETURN f + jsonb_array_length(tags)": True,
    "(v__f bigint, id bigint) RETURNS float8 LANGUAGE sql RETURN v__f + id": True,
    "(f numeric, OUT \"out\" float8, OUT more text) LANGUAGE sql RETURN ROW(f::float8, 'x'::text)": True,
    "() RETURNS float8 LANGUAGE sql RETURN 1": True,
    "(f bigint) RETURNS public.score LANGUAGE sql RETURN f": True,
    "(f bigint) RETURNS public.scores LANGUAGE sql RETURN ROW(f, 'x')::public.scores": True,
    "(f bigint) RETURNS public.whole LANGUAGE sql RETURN ROW(f, 'x')::public.scores::public.whole": True,
    "(f anyelement) RETURNS float8 LANGUAGE sql AS 'SELECT 1.0::float8'": True,
    "(f text) RETURNS float8 LANGUAGE sql RETURN 1": False,
    "(f bigint, tags text[]) RETURNS float8 LANGUAGE sql RETURN 1": False,
    "(bigint) RETURNS float8 LANGUAGE sql RETURN 1": False,
    "(f bigint, other text) RETURNS float8 LANGUAGE sql RETURN 1": False,
    "(f bigint, OUT other float8, OUT more text) LANGUAGE sql RETURN (1, 'x')": False,
    "(f bigint) RETURNS SETOF float8 LANGUAGE sql RETURN 1": False,
    "(VARIADIC f bigint[]) RETURNS float8 LANGUAGE sql RETURN 1": False,
    "(f bigint) RETURNS void LANGUAGE sql RETURN": False,
    "(f bigint) RETURNS record LANGUAGE sql AS 'SELECT 1, 2'": False,
}


@pytest.mark.parametrize("function", STAND_INS)
def test_functions_for_an_on_demand_view(session, place, function):
    one = view("v")
    place([one, COMPUTED], [service("s", take(one), take(COMPUTED))])
    session.run("DROP DOMAIN IF EXISTS score CASCADE; CREATE DOMAIN score AS numeric(10, 2)")
    session.run("DROP TYPE IF EXISTS scores CASCADE; CREATE TYPE scores AS (out score, note varchar(7));"
                " CREATE DOMAIN whole AS scores")  # fmt: skip
    if "void" not in function:
        session.run("CREATE FUNCTION feast.computed" + function.replace("LANGUAGE sql", "LANGUAGE sql STABLE"))
    import_project(session, "p", create_remote_table="true")
    (made,) = functions(session).values()
    assert made[0] == [("id", "bigint"), ("km", "double precision"), ("tags", "jsonb")]
    stands = [name for name, _ in made[1]][-1] == "out"
    assert stands == STAND_INS[function], session.notices
    assert stands != any("left out of feature services" in message for _, message, _ in session.notices)
    session.run("INSERT INTO feast.v VALUES (1, now(), 3)")
    call = "SELECT * FROM feast.s('{1,2}', '{2.5,1}', ARRAY['[1,2]', NULL]::jsonb[])"
    assert nodes(session, call) == 1 and not any("Sort" in line for line in plan(session, call))
    rows = session.run(call)
    assert [row[:2] for row in rows] == [(1, 2.5), (2, 1.0)] and [row[3] for row in rows] == [3, None]


def test_the_skeleton_can_be_filled_in(session, place):
    """It runs as it is, and then the function stands for the view."""
    features = COMPUTED["features"] + [{"name": "it's", "value_type": "STRING_LIST"}]
    two = {**COMPUTED, "name": 'two "outputs"', "features": features}
    one = view("v")
    hints = []
    session.conn.add_notice_handler(lambda diag: hints.append(diag.message_hint))
    place([one, COMPUTED, two], [service("s", take(one), take(COMPUTED), take(two))])
    import_project(session, "p", create_remote_table="true")
    skeletons = [hint.split("\n", 1)[1] for hint in hints if hint and "CREATE FUNCTION" in hint]
    assert len(skeletons) == 2
    session.run("DROP FOREIGN TABLE feast.v CASCADE")
    for skeleton in skeletons:
        session.run(skeleton)
    session.notices.clear()
    import_project(session, "p", create_remote_table="true")
    assert not any("left out" in message for _, message, _ in session.notices)
    assert [name for name, _ in functions(session)["s"][1]][-3:] == [
        "computed__out", 'two "outputs"__out', 'two "outputs"__it\'s']  # fmt: skip
    session.run("SELECT * FROM feast.s('{1}', '{1}', '{null}')")


# tables of a SQL registry


@pytest.fixture
def as_tables(session, place):
    """A registry of one view and one service in tables that a test may damage."""
    place(registry_type="sql")
    session.run("ALTER SERVER feast OPTIONS (SET registry 'of_feast')")
    one = view("v")
    store_as_tables(session, "of_feast", registry_proto("p", [one], [service("s", take(one))]))
    session.notices.clear()
    return session


def test_the_tables_are_fine(as_tables):
    as_tables.run(import_sql("p"))
    assert list(tables(as_tables)) == ["v"] and list(functions(as_tables)) == ["s"]


DAMAGE = {
    "DROP SCHEMA of_feast CASCADE": "42P01",
    "DROP TABLE of_feast.feature_views": "42P01",
    "DROP TABLE of_feast.feature_services": "42P01",
    "ALTER TABLE of_feast.feature_views RENAME feature_view_proto TO other": "42703",
    "ALTER TABLE of_feast.feature_views RENAME project_id TO other": "42703",
    "UPDATE of_feast.feature_views SET feature_view_proto = NULL": "22004",
    "UPDATE of_feast.feature_views SET feature_view_name = NULL": "22004",
    "UPDATE of_feast.projects SET project_id = NULL": "22004",
    "UPDATE of_feast.feature_views SET feature_view_proto = '\\xffff'": "HV004",
    "UPDATE of_feast.feature_services SET feature_service_proto = '\\x0a00'": "HV004",
    "ALTER TABLE of_feast.feature_views ALTER feature_view_proto TYPE integer USING 1": "42804",
    "ALTER TABLE of_feast.feature_views ALTER feature_view_proto TYPE text USING 'x'": "42804",
    "ALTER TABLE of_feast.feature_views ALTER feature_view_proto TYPE bytea[] USING '{}'": "42804",
    "ALTER TABLE of_feast.feature_views ALTER project_id TYPE bytea USING 'p'": "42883",
    "INSERT INTO of_feast.feature_view_version_history VALUES ('p', 'v', NULL, 'feature_view', '\\x')": "22004",
    "INSERT INTO of_feast.feature_view_version_history VALUES ('p', 'v', 1, NULL, '\\x')": "22004",
    "INSERT INTO of_feast.feature_view_version_history VALUES ('p', 'v', 1, 'feature_view', '\\xff')": "HV004",
    "ALTER TABLE of_feast.feature_view_version_history ALTER version_number TYPE text;"
    " INSERT INTO of_feast.feature_view_version_history VALUES ('p', 'v', 'x', 'feature_view', '\\x')": "22P02",
    "DROP TABLE of_feast.feature_views; CREATE VIEW of_feast.feature_views AS SELECT 'p' AS project_id,"
    " 'v' AS feature_view_name, '\\x'::bytea AS feature_view_proto WHERE 1 / 0 = 1": "22012",
    "DROP TABLE of_feast.feature_views; CREATE SEQUENCE of_feast.feature_views": "42703",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_tables(as_tables, damage):
    as_tables.run(damage)
    error = as_tables.fail(import_sql("p"))
    assert error.sqlstate == DAMAGE[damage], error
    assert_nothing_made(as_tables)


def test_tables_of_an_older_feast(as_tables):
    as_tables.run("DROP TABLE of_feast.label_views, of_feast.projects, of_feast.feature_view_version_history")
    as_tables.run("INSERT INTO of_feast.feature_services VALUES ('q', 'other', '\\x')")
    as_tables.run(import_sql("p"))
    assert list(tables(as_tables)) == ["v"]


def test_a_domain_over_bytea(as_tables):
    as_tables.run("CREATE DOMAIN of_feast.blob AS bytea; ALTER TABLE of_feast.feature_views"
                  " ALTER feature_view_proto TYPE of_feast.blob")  # fmt: skip
    as_tables.run(import_sql("p"))
    assert list(tables(as_tables)) == ["v"]


def test_a_negative_version_in_the_history(as_tables):
    """It is a record of the past all the same, and no second view."""
    as_tables.run("INSERT INTO of_feast.feature_view_version_history"
                  " SELECT 'p', 'v', -1, 'feature_view', feature_view_proto FROM of_feast.feature_views")  # fmt: skip
    as_tables.run(import_sql("p"))
    assert list(tables(as_tables)) == ["v"]


def test_large_objects_of_many_rows(as_tables):
    """More rows than are fetched at once, some of them compressed and stored apart."""
    views = [view("v%d" % n, features=[("f%d" % f, "INT64") for f in range(250)]) for n in range(60)]
    as_tables.run("DROP SCHEMA of_feast CASCADE")
    store_as_tables(as_tables, "of_feast", registry_proto("p", views, []))
    as_tables.run(import_sql("p"))
    assert len(tables(as_tables)) == 60


def test_tables_of_more_than_a_file_may_have(as_tables):
    """No row is large, but all together are."""
    one = view("v0", description="x" * 2**20)
    as_tables.run("DROP SCHEMA of_feast CASCADE")
    store_as_tables(as_tables, "of_feast", registry_proto("p", [one], []))
    as_tables.run(
        "INSERT INTO of_feast.feature_views (feature_view_name, project_id, feature_view_proto)"
        " SELECT 'w' || n, project_id, feature_view_proto FROM of_feast.feature_views, generate_series(1, 64) n"
    )
    error = as_tables.fail(import_sql("p"))
    assert error.sqlstate == "54000" and "64 MB" in error.diag.message_detail


def test_comments_go_on_what_was_imported(as_tables, importer):
    """Another role has a table over the same DynamoDB table, and an earlier name."""
    as_tables.run(
        'CREATE FOREIGN TABLE feast."0" (driver_id bigint OPTIONS (entity_key \'true\')) SERVER feast'
        " OPTIONS (project 'p', feature_view 'v', managed 'true', create_remote_table 'false')"
    )
    as_tables.run("GRANT SELECT ON ALL TABLES IN SCHEMA of_feast TO " + importer)
    described = view_proto(view("v", description="of drivers")).SerializeToString()
    as_tables.run("UPDATE of_feast.feature_views SET feature_view_proto = %s", [described])
    as_tables.run("SET ROLE " + importer)
    as_tables.run(import_sql("p"))
    as_tables.run("RESET ROLE")
    assert as_tables.value("SELECT obj_description('feast.v'::regclass)") == "of drivers"


@pytest.fixture
def importer(as_tables, new_role):
    """The same for a role that may import, but not read the registry."""
    role = new_role("feast")
    as_tables.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (%s)" % (
        role, option_list({"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY})))  # fmt: skip
    as_tables.run("GRANT ALL ON SCHEMA feast TO %s; GRANT USAGE ON SCHEMA of_feast TO %s" % (role, role))
    return role


def test_tables_are_read_by_the_caller(as_tables, importer):
    as_tables.run("SET ROLE " + importer)
    assert as_tables.fail(import_sql("p")).sqlstate == "42501"
    as_tables.run("RESET ROLE; GRANT SELECT ON ALL TABLES IN SCHEMA of_feast TO %s; SET ROLE %s" % (importer, importer))
    as_tables.run(import_sql("p"))
    as_tables.run("RESET ROLE")
    owners = as_tables.run(
        "SELECT relowner::regrole::text FROM pg_class WHERE relnamespace = 'feast'::regnamespace"
        " UNION SELECT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'feast'::regnamespace"
    )
    assert owners == [(importer,)]


def test_a_view_with_side_effects_has_the_callers_rights(as_tables, importer):
    as_tables.run(
        "CREATE TABLE of_feast.log (who name); GRANT ALL ON of_feast.log TO %s;"
        " CREATE FUNCTION of_feast.effect(bytea) RETURNS bytea LANGUAGE plpgsql AS $$"
        " BEGIN INSERT INTO of_feast.log VALUES (current_user); CREATE ROLE intruder SUPERUSER; RETURN $1; END $$;"
        " ALTER TABLE of_feast.feature_views RENAME TO data;"
        " CREATE VIEW of_feast.feature_views AS SELECT project_id, feature_view_name,"
        " of_feast.effect(feature_view_proto) AS feature_view_proto FROM of_feast.data;"
        " GRANT SELECT ON ALL TABLES IN SCHEMA of_feast TO %s; SET ROLE %s" % (importer, importer, importer)
    )
    assert as_tables.fail(import_sql("p")).sqlstate == "42501"
    as_tables.run("RESET ROLE")
    assert as_tables.value("SELECT count(*) FROM pg_roles WHERE rolname = 'intruder'") == 0
    assert_nothing_made(as_tables)


def test_rows_that_a_policy_hides(as_tables, importer):
    as_tables.run("GRANT SELECT ON ALL TABLES IN SCHEMA of_feast TO %s; ALTER TABLE of_feast.feature_views"
                  " ENABLE ROW LEVEL SECURITY; SET ROLE %s" % (importer, importer))  # fmt: skip
    as_tables.run(import_sql("p"))
    as_tables.run("RESET ROLE")
    assert tables(as_tables) == {}


def test_operators_of_the_search_path(as_tables):
    """What the caller's search_path has does not stand in for what is PostgreSQL's."""
    as_tables.run(
        "CREATE SCHEMA there; CREATE FUNCTION there.no(bigint, bigint) RETURNS boolean LANGUAGE sql RETURN false;"
        " CREATE OPERATOR there.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = there.no);"
        " SET search_path = there, pg_catalog"
    )
    as_tables.run(import_sql("p", create_remote_table="true"))
    as_tables.run("RESET search_path; INSERT INTO feast.v VALUES (1, now(), 5)")
    assert as_tables.run("SELECT * FROM feast.s('{1}')") == [(1, 5)]


def test_the_project_column_counts(as_tables):
    """What the bytes say is often empty."""
    other = registry_proto("elsewhere", [{**view("w"), "project": ""}], [])
    as_tables.run("INSERT INTO of_feast.feature_views VALUES ('p', 'w', %s)",
                  [other.feature_views[0].SerializeToString()])  # fmt: skip
    as_tables.run(import_sql("p"))
    assert set(tables(as_tables)) == {"v", "w"}
