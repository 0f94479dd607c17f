"""What INSERT wrote comes back: names, texts and times of all kinds, and many columns."""

from support import DRIVER_1001, KEY, TIME, raw_items

NAMES = ["MixedCase", "with.dot", 'qu"ote', "apo'strophe", "back\\slash", "new\nline", "Zürich ✓", "values", "#x", ":y"]


def test_feature_names_of_all_kinds(session, project):
    session.server(project)
    columns = ", ".join('"%s" integer' % name.replace('"', '""') for name in NAMES)
    session.table('"My.Drivers"', "driver_id %s, event_timestamp %s, %s" % (KEY, TIME, columns))
    row = list(range(len(NAMES)))
    marks = ", ".join(["%s"] * len(row))
    session.run('INSERT INTO "My.Drivers" VALUES (1, now(), %s)' % marks, row)
    assert session.run('SELECT * FROM "My.Drivers" WHERE driver_id = 1')[0][2:] == tuple(row)
    (item,) = raw_items(project + ".My.Drivers").values()
    assert sorted(item["values"]["M"]) == sorted(NAMES)


def test_the_name_option_names_the_feature(session, project):
    session.server(project)
    session.table(
        "renamed",
        "id bigint OPTIONS (entity_key 'true', name 'driver_id') NOT NULL, \"T\" integer OPTIONS (name 'it''s \"so\"')",
        feature_view="My.View",
    )
    session.run("INSERT INTO renamed VALUES (1001, 5)")
    assert session.run("SELECT * FROM renamed WHERE id = 1001") == [(1001, 5)]
    assert list(raw_items(project + ".My.View")) == [DRIVER_1001]
    assert list(raw_items(project + ".My.View")[DRIVER_1001]["values"]["M"]) == ['it\'s "so"']


def test_values_of_all_kinds_come_back(session, project):
    session.server(project)
    session.table("texts", "id text OPTIONS (entity_key 'true'), t text, b bytea")
    texts = ["", "'", '"', "\\", "\n\t\r\b", "\x01\x1f\x7f", "Zürich ✓ 𝄞", "\u2028", "{}", "x" * 10000]
    for text in texts:
        session.run("INSERT INTO texts VALUES (%s, %s, convert_to(%s, 'UTF8'))", [text, text, text])
    rows = session.run("SELECT id, t, b FROM texts WHERE id = ANY (%s)", [texts])
    assert sorted(rows) == sorted((text, text, text.encode()) for text in texts)


def test_whole_seconds_of_a_time_key(session, project):
    session.server(project)
    session.table("hours", "at timestamptz OPTIONS (entity_key 'true'), n integer")
    session.run("INSERT INTO hours VALUES ('2024-03-01 10:00:00+00', 1)")
    assert session.value("SELECT n FROM hours WHERE at = '2024-03-01 12:00:00+02'") == 1
    assert session.run("SELECT n FROM hours WHERE at = '2024-03-01 10:00:00.5+00'") == []
    assert session.fail("INSERT INTO hours VALUES ('2024-03-01 10:00:00.5+00', 1)").sqlstate == "22008"


def test_many_columns(session, project):
    session.server(project)
    columns = ", ".join("f%d integer" % i for i in range(300))
    session.table("wide", "id bigint OPTIONS (entity_key 'true'), %s" % columns)
    session.run("INSERT INTO wide SELECT %s" % ", ".join(map(str, range(301))))
    assert session.run("SELECT * FROM wide WHERE id = 0") == [tuple(range(301))]
    session.run("INSERT INTO wide (id, f7) SELECT i, i FROM generate_series(1, 100) i")
    assert (
        session.value("SELECT sum(f7) FROM wide WHERE id BETWEEN 1 AND 100 AND id = ANY (%s)", [list(range(101))])
        == 5050
    )
