"""What README, the pages of doc/, META.json and the control file say, against the code."""

import json
import pathlib
import re

import pytest
from feast.value_type import ValueType

from support import Session

TOP = pathlib.Path(__file__).resolve().parents[2]
SOURCE = (TOP / "src/pg/table/option.c").read_text()
README = (TOP / "README.md").read_text()
AWS = (TOP / "doc/aws.md").read_text()
PAGES = [TOP / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "src/README.md")]
PAGES += [TOP / "test/bench/README.md", *sorted((TOP / "doc").glob("*.md"))]
PLACES = {"S": "server", "T": "table", "U": "user mapping", "C": "column"}


def options_in_source():
    """Name -> (places, default, flags) of the option table."""
    rows = re.findall(r'^\tOPT\w*\("(\w+)", ([STUC |]+), (.*)\),$', SOURCE, re.M)
    assert len(rows) > 30
    found = {}
    for name, places, rest in rows:
        default = re.search(r'"([^"]*)"', rest)
        flags = {flag for flag in ("LATER", "SUPERUSER") if flag in rest}
        found[name] = ({PLACES[place] for place in places.split(" | ")}, default and default[1], flags)
    return found


def options_in_readme():
    """Name -> (places, default, meaning) of the table under "## Options"."""
    section = README.split("## Options")[1].split("\n## ")[0]
    found = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            names = re.findall(r"`(\w+)`", cells[0])
            defaults = cells[2].replace("`", "").split(", ")
            for name, default in zip(names, defaults * len(names) if len(defaults) == 1 else defaults):
                found[name] = (set(cells[1].split(", ")), default, cells[3])
    return found, section


def test_every_option_is_documented():
    documented, section = options_in_readme()
    source = options_in_source()
    assert set(documented) <= set(source)
    for name, (places, default, flags) in source.items():
        if name in documented:
            assert documented[name][0] == places, name
            assert default is None or documented[name][1] == default, name
            assert ("superuser only" in documented[name][2]) == ("SUPERUSER" in flags), name
        else:
            assert "LATER" in flags, f"{name} is not in the README's table"
            assert f"`{name}`" in section, f"{name} is not in the README"


def test_versions_agree():
    control = re.search(r"default_version = '([\d.]+)'", (TOP / "dynamo_fdw.control").read_text())[1]
    meta = json.loads((TOP / "META.json").read_text())
    changelog = re.search(r"^## ([\d.]+)", (TOP / "CHANGELOG.md").read_text(), re.M)[1]
    source = re.search(r'DYNAMO_FDW_VERSION "([\d.]+)"', (TOP / "src/pg/util/fdw.h").read_text())[1]
    assert meta["provides"]["dynamo_fdw"]["file"] == f"sql/dynamo_fdw--{control}.sql"
    assert changelog == source == control
    assert meta["version"] == control + ".0" == meta["provides"]["dynamo_fdw"]["version"]


def test_meta_json_is_what_pgxn_takes():
    """The fields that its specification (version 1.0.0) requires, and the forms of those that we use."""
    meta = json.loads((TOP / "META.json").read_text())
    required = {"name", "version", "abstract", "maintainer", "license", "provides", "meta-spec"}
    optional = {"description", "generated_by", "no_index", "prereqs", "release_status", "tags"}
    assert required <= set(meta) <= required | optional
    assert meta["meta-spec"]["version"] == "1.0.0"
    assert meta["release_status"] in ("stable", "testing", "unstable")
    versions = [meta["version"]]
    for extension in meta["provides"].values():
        assert (TOP / extension["file"]).exists() and (TOP / extension["docfile"]).exists()
        versions.append(extension["version"])
    for phase, relations in meta["prereqs"].items():
        assert phase in ("configure", "build", "test", "runtime", "develop")
        versions += relations["requires"].values()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
    for folder in meta["no_index"]["directory"]:
        assert (TOP / folder).is_dir()


# Types of the table of README, as type_map.c names them.
OIDS = {
    "boolean": "BOOL", "smallint": "INT2", "integer": "INT4", "bigint": "INT8", "real": "FLOAT4",
    "double precision": "FLOAT8", "numeric": "NUMERIC", "text, varchar": "TEXT", "an enum": "ANYENUM",
    "bytea": "BYTEA", "timestamptz": "TIMESTAMPTZ", "timestamp": "TIMESTAMP", "date": "DATE", "uuid": "UUID",
    "json, jsonb": "JSONB",
}  # fmt: skip


def value_types(cell):
    return [word for word in re.findall(r"\w+", cell) if word in ValueType.__members__]


def readme_types():
    """SQL type: (Feast types, the default first; those that can be a key)."""
    section = README.split("\n## Types\n")[1].split("\n## ")[0]
    table = section.strip().split("\n\n")[0].splitlines()[2:]
    found = {}
    for line in table:
        sql, default, others, key = (cell.strip() for cell in line.strip("|").split("|"))
        kinds = [*value_types(default), *value_types(others)]
        keys = kinds if key == "yes" else value_types(key)
        for name in [sql] if sql in OIDS else sql.split(", "):
            found[OIDS[name]] = (kinds, keys)
    return found


def code_types():
    code = (TOP / "src/pg/table/type_map.c").read_text().split("mappings[] = {")[1].split("};")[0]
    found = {}
    for oid, kind, key in re.findall(r"\{(\w+)OID, DYN_FEAST_(\w+), (true|false), (?:true|false)\}", code):
        kinds, keys = found.setdefault(oid, ([], []))
        kinds.append(kind)
        if key == "true":
            keys.append(kind)
    assert sum(len(kinds) for kinds, _ in found.values()) == code.count("DYN_FEAST_")
    return found


def test_the_type_table_of_the_readme_is_that_of_the_code():
    assert readme_types() == code_types()


def settings_in_source():
    """Name -> (default, who may set it)."""
    source = (TOP / "src/pg/util/guc.c").read_text()
    rows = re.findall(r'"(dynamo_fdw\.\w+)",.*?&\w+, ([^,]+), .*?(PGC_\w+)', source, re.S)
    words = {'""': "none", "true": "on", "false": "off"}
    who = {"PGC_SUSET": "superuser", "PGC_USERSET": "everybody"}
    return {name: (words.get(default, default), who[context]) for name, default, context in rows}


def test_every_setting_is_documented():
    rows = re.findall(r"^\| `(dynamo_fdw\.\w+)` \| (\S+) \| (\w+) \|", README, re.M)
    assert {name: (default, who) for name, default, who in rows} == settings_in_source()


def without_code(text):
    """A page without its blocks of code."""
    return re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.M | re.S)


def anchors(page):
    """What can stand behind the # of a link to a page, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.*)$", without_code(page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def blocks(language):
    """The blocks of code of doc/aws.md in a language."""
    return re.findall(r"^```%s\n(.*?)^```$" % language, AWS, re.M | re.S)


@pytest.fixture(scope="module")
def empty_database():
    """A new database without the extension; its name."""
    name = "dynamo_fdw_test_docs_empty"
    admin = Session("postgres")
    admin.run("DROP DATABASE IF EXISTS %s WITH (FORCE)" % name)
    admin.run("CREATE DATABASE %s" % name)
    yield name
    admin.run("DROP DATABASE %s WITH (FORCE)" % name)
    admin.close()


@pytest.mark.parametrize("block", blocks("sql"))
def test_statements_of_the_page_about_aws_run(empty_database, block):
    session = Session(empty_database)
    session.run("BEGIN")
    if "CREATE EXTENSION" not in block:
        session.run("CREATE EXTENSION dynamo_fdw")
    session.run(block)
    session.run("ROLLBACK")
    session.close()


def test_policies_of_the_page_about_aws_are_json():
    assert len(blocks("json")) > 4
    for block in blocks("json"):
        assert json.loads(block)["Version"] == "2012-10-17"


def test_iam_actions_are_those_that_are_sent():
    sent = re.findall(r'DynamoDB_20120810\.(\w+)"', (TOP / "src/core/ddb_op.c").read_text())
    assert set(re.findall(r"dynamodb:([A-Z]\w+)", AWS)) == set(sent)


def test_variables_are_those_that_are_read():
    code = "".join(path.read_text() for path in (TOP / "src/core").glob("key_*.c"))
    section = AWS.split("\nThese variables are read: ")[1].split("; besides ")[0]
    assert set(re.findall(r"AWS_\w+", section)) == set(re.findall(r'"(AWS_[A-Z0-9_]+)"', code))


def test_refused_settings_are_those_of_the_code():
    code = (TOP / "src/core/key_plan.c").read_text() + (TOP / "src/core/key_roles.c").read_text()
    section = AWS.split("\n## What is refused\n")[1].split("\n## ")[0]
    refused = re.findall(r"names\[\] = \{(.*), NULL\};", code)
    assert len(refused) == 3 and 'setting_of(profile, "mfa_serial")' in code
    documented = [name for row in re.findall(r"^\| (`.*?) \|", section, re.M) for name in re.findall(r"`(\w+)`", row)]
    assert documented == [*re.findall(r"\w+", " ".join(refused)), "mfa_serial"]


def messages_of_aws():
    """Each message of the table of errors, "…" for what differs."""
    section = AWS.split("\n## Troubleshooting\n")[1]
    cells = re.findall(r"^\| (.*?) \| ", section, re.M)[2:]
    return [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


# What stands in a message for one of printf's conversions.
VARIABLE = (
    r"…|AccessDenied|SignatureDoesNotMatch|AssumeRole\w*|Permission denied|there is no such file|credentials file"
    r"|\b10(?= s;)"
)


def test_messages_of_the_page_about_aws_are_those_of_the_code():
    literal = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
    code = "".join(path.read_text() for path in (TOP / "src").rglob("*.c"))
    texts = [text.replace('\\"', '"') for text in literal.findall(code)]
    assert len(messages_of_aws()) > 20
    for message in messages_of_aws():
        if re.fullmatch(r"\w{5}|[A-Z]\w+", message):  # codes of SQL and AWS
            continue
        wanted = r"%[.\d]*\w".join(re.escape(part) for part in re.split(VARIABLE, message))
        assert any(re.search(wanted, text) for text in texts), message


def test_every_source_file_is_on_the_map():
    parts = (TOP / "src/README.md").read_text().split("\n## The parts\n")[1].split("\n## ")[0]
    named = set(re.findall(r"`(?:\w+/)?(\w+)`", parts))
    assert {path.stem for path in (TOP / "src").rglob("*.c")} <= named
