"""What README, META.json and the control file say, against the code."""

import json
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
SOURCE = (TOP / "src/pg/table/option.c").read_text()
README = (TOP / "README.md").read_text()
PLACES = {"S": "server", "T": "table", "U": "user mapping", "C": "column"}


def options_in_source():
    """Name -> (places, default, supported) of the option table."""
    rows = re.findall(r'^\t\{"(\w+)", ([STUC |]+), \w+, (NULL|"[^"]*"), .*?([^,]+)\},$', SOURCE, re.M)
    assert len(rows) > 30
    return {
        name: ({PLACES[p] for p in places.split(" | ")}, default.strip('"'), "LATER" not in flags)
        for name, places, default, flags in rows
    }


def options_in_readme():
    """Name -> (places, default) of the table under "## Options"."""
    section = README.split("## Options")[1].split("\n## ")[0]
    found = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            names = re.findall(r"`(\w+)`", cells[0])
            defaults = cells[2].replace("`", "").split(", ")
            for name, default in zip(names, defaults * len(names) if len(defaults) == 1 else defaults):
                found[name] = (set(cells[1].split(", ")), default)
    return found, section


def test_every_option_is_documented():
    documented, section = options_in_readme()
    source = options_in_source()
    assert set(documented) <= set(source)
    for name, (places, default, supported) in source.items():
        if name in documented:
            assert documented[name][0] == places, name
            if default != "NULL":
                assert documented[name][1] == default, name
        else:
            assert not supported, f"{name} is not in the README's table"
            assert f"`{name}`" in section, f"{name} is not in the README"


def test_versions_agree():
    control = re.search(r"default_version = '([\d.]+)'", (TOP / "dynamo_fdw.control").read_text())[1]
    meta = json.loads((TOP / "META.json").read_text())
    changelog = re.search(r"^## ([\d.]+)", (TOP / "CHANGELOG.md").read_text(), re.M)[1]
    assert (TOP / f"sql/dynamo_fdw--{control}.sql").exists()
    assert changelog == control
    assert meta["version"] == control + ".0" == meta["provides"]["dynamo_fdw"]["version"]
