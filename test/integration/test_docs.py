"""What README, META.json and the control file say, against the code."""

import json
import pathlib
import re

from feast.value_type import ValueType

TOP = pathlib.Path(__file__).resolve().parents[2]
SOURCE = (TOP / "src/pg/table/option.c").read_text()
README = (TOP / "README.md").read_text()
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
    for oid, kind, key in re.findall(r"\{(\w+)OID, DYN_FEAST_(\w+), (true|false)\}", code):
        kinds, keys = found.setdefault(oid, ([], []))
        kinds.append(kind)
        if key == "true":
            keys.append(kind)
    assert sum(len(kinds) for kinds, _ in found.values()) == code.count("DYN_FEAST_")
    return found


def test_the_type_table_of_the_readme_is_that_of_the_code():
    assert readme_types() == code_types()
