"""Databases whose encoding isn't UTF-8: texts are converted, and what has no place in the encoding is an error."""

import json

import pytest
from feast.protos.feast.types import Value_pb2 as types
from feast.protos.feast.types.Value_pb2 import Value

from golden import decoded, entity_id
from support import Session, dynamodb, raw_items

COLUMNS = """
    k text OPTIONS (entity_key 'true'), t text, a varchar[], e label, j json, m json OPTIONS (value_type 'MAP'),
    mb jsonb OPTIONS (value_type 'MAP'), l jsonb OPTIONS (value_type 'JSON_LIST')
"""

# Encoding, a text that it has, one that it hasn't.
CASES = [("LATIN1", "Zürich", "東京"), ("EUC_JP", "東京", "✓"), ("SQL_ASCII", "東京 ✓", None)]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case[0])
def encoded(request):
    """A session in a database of an encoding; the two texts."""
    encoding, text, foreign = request.param
    name = "dynamo_fdw_" + encoding.lower()
    admin = Session("postgres")
    admin.run("DROP DATABASE IF EXISTS %s WITH (FORCE)" % name)
    admin.run("CREATE DATABASE %s ENCODING '%s' LOCALE 'C' TEMPLATE template0" % (name, encoding))
    session = Session(name)
    session.run("SET client_encoding = 'UTF8'")
    session.run("CREATE EXTENSION dynamo_fdw")
    session.run("CREATE TYPE label AS ENUM ('%s')" % text)
    yield session, text, foreign
    session.close()
    admin.run("DROP DATABASE %s WITH (FORCE)" % name)
    admin.close()


@pytest.fixture
def case(encoded, project):
    """The same with a table, one of whose features has a name that isn't ASCII either."""
    session, text, _ = encoded
    session.server(project)
    session.table("texts", '%s, "%s" text' % (COLUMNS, text))
    yield encoded
    session.run("SET dynamo_fdw.remote_ddl = off")
    session.run("DROP SERVER feast CASCADE")
    session.run("RESET dynamo_fdw.remote_ddl")


def put(project, **features):
    values = {"M": {name: {"B": value} for name, value in features.items()}}
    dynamodb().put_item(TableName=project + ".texts", Item={"entity_id": {"S": entity_id("k", "x")}, "values": values})


def test_texts_are_stored_in_utf_8(case, project):
    session, text, _ = case
    form = json.dumps({text: [text]}, ensure_ascii=False)
    row = [text, text, [text], text, json.dumps(text, ensure_ascii=False), form, form, "[%s]" % form, text]
    session.run("INSERT INTO texts VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", row)
    ((entity, item),) = raw_items(project + ".texts").items()
    assert entity == entity_id("k", text)
    stored = {name: decoded(value["B"]) for name, value in item["values"]["M"].items()}
    assert stored["t"].string_val == stored["e"].string_val == stored[text].string_val == text
    assert stored["a"].string_list_val.val == [text]
    assert stored["j"].json_val == json.dumps(text, ensure_ascii=False)
    for name in ("m", "mb"):
        assert stored[name].map_val.val[text].string_list_val.val == [text]
    assert stored["l"].json_list_val.val == [form]
    shown = session.run("SELECT * FROM texts WHERE k = %s", [text])
    assert shown == [(text, text, [text], text, text, {text: [text]}, {text: [text]}, [{text: [text]}], text)]


def test_texts_of_another_encoding(case, project):
    session, _, foreign = case
    if foreign is None:  # SQL_ASCII takes all of UTF-8, but nothing else
        assert session.fail("INSERT INTO texts (k, t) VALUES ('y', E'\\xff')").sqlstate == "22021"
        foreign, sqlstate = "a\0", "22021"
    else:
        sqlstate = "22P05"
    text = Value(string_val=foreign)
    texts = Value(string_list_val=types.StringList(val=["a", foreign]))
    jsons = Value(json_list_val=types.StringList(val=["1", '"%s"' % foreign]))
    stored = {"t": text, "a": texts, "e": text, "j": Value(json_val=foreign), "l": jsons}
    put(project, **{name: value.SerializeToString() for name, value in stored.items()})
    for column in stored:
        error = session.fail("SELECT %s FROM texts WHERE k = 'x'" % column)
        assert error.sqlstate == sqlstate
        assert 'column "%s" of feature view "texts", entity key: k = x' % column in error.diag.context


def test_bytes_that_are_no_text(case, project):
    session, _, _ = case
    put(project, t=b"\x12\x02\xfc\xff", m=b"\xa2\x01\x05\x0a\x03\x0a\x01\xfc")
    for column in "tm":
        assert session.fail("SELECT %s FROM texts WHERE k = 'x'" % column).sqlstate == "HV004"
