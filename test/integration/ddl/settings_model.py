"""A model of what foreign tables' options make of DynamoDB tables: what random_settings.py compares with.

A remote table is a dict of what DynamoDB shows of it (shown_by); a foreign table is its options.  A transaction
has its own foreign tables, and notes of what its commit is to change.
"""

import copy
import itertools
import json
from dataclasses import dataclass, field

OPTIONS = """
SELECT option_name, option_value
FROM pg_options_to_table((SELECT ftoptions FROM pg_foreign_table WHERE ftrelid = %s::regclass))
"""
BITS = {
    "tags": "tags",
    "deletion_protection": "protection",
    "billing_mode": "capacity",
    "read_capacity": "capacity",
    "write_capacity": "capacity",
    "max_read_units": "capacity",
    "max_write_units": "capacity",
    "table_class": "class",
    "warm_throughput": "warmth",
    "sse_kms_key": "encryption",
    "point_in_time_recovery": "recovery",
    "stream_view_type": "stream",
}
CAPACITIES = {"PROVISIONED": ("read_capacity", "write_capacity"), "PAY_PER_REQUEST": ("max_read_units", "max_write_units")}

# The settings that an emulator knows, and shows.
KNOWN = {
    "moto": {"tags", "protection", "capacity", "warmth", "recovery", "stream"},
    "local": {"protection", "capacity", "ceilings", "stream"},
}
NEW = {
    "tags": {}, "protection": False, "capacity": ("PAY_PER_REQUEST",), "ceilings": (None, None), "warmth": (12000, 4000),
    "recovery": False, "stream": "NONE",
}  # fmt: skip


def contradicts(options):
    """Is a capacity not one of the billing mode that the same options say?"""
    unfit = {"PROVISIONED": "PAY_PER_REQUEST", "PAY_PER_REQUEST": "PROVISIONED"}.get(options.get("billing_mode"))
    return unfit is not None and any(name in options for name in CAPACITIES[unfit])


def warm_throughput(text):
    units = dict(part.split("=") for part in text.split(","))
    return tuple(int(units.get(name, 0)) for name in ("ReadUnitsPerSecond", "WriteUnitsPerSecond"))


def wanted_capacity(found, server, table):
    """Adds what options want of capacities; false: they contradict each other, or don't suffice."""
    both = {**server, **table}
    mode = both.get("billing_mode", "PAY_PER_REQUEST")
    unfit = CAPACITIES["PAY_PER_REQUEST" if mode == "PROVISIONED" else "PROVISIONED"]
    units = tuple(int(both[name]) if name in both else None for name in CAPACITIES[mode])
    if any(name in table for name in unfit) or (mode == "PROVISIONED" and None in units):
        return False
    if mode == "PROVISIONED":
        found["capacity"] = (mode, *units)
    elif "billing_mode" in both or units != (None, None):
        found["capacity"] = (mode,)
        found["ceilings"] = units
    return True


def wanted(server, table):
    """What options want, by setting; None: no table can have that."""
    both = {**server, **table}
    found = {}
    if not wanted_capacity(found, server, table):
        return None
    if "tags" in both:
        found["tags"] = {**json.loads(server.get("tags", "{}")), **json.loads(table.get("tags", "{}"))}
        if len(found["tags"]) > 50:
            return None
    for option, setting in (("deletion_protection", "protection"), ("point_in_time_recovery", "recovery")):
        if option in both:
            found[setting] = both[option] == "true"
    if "stream_view_type" in both:
        found["stream"] = both["stream_view_type"]
    if "warm_throughput" in both:
        found["warmth"] = warm_throughput(both["warm_throughput"])
    return found


@dataclass(eq=False)
class Remote:
    """A remote table that is there."""

    maker: str = None  # the role whose CREATE made it, by a record; None: somebody else
    owed: bool = False  # its maker dropped it while others use it
    undone: bool = False  # ROLLBACK TO undid its CREATE; it goes with the transaction unless it is made again
    shown: dict = field(default_factory=lambda: copy.deepcopy(NEW))


def update(shown, peer, **new):
    """An UpdateTable.  DynamoDB Local forgets what it does not name of protection and ceilings."""
    if peer == "local":
        shown.update(protection=False, ceilings=(None, None))
    if new.get("capacity", ("",))[0] == "PROVISIONED":
        new["ceilings"] = (None, None)
    shown.update(new)


def ceilings_after(shown, asked, peer):
    """One of which nothing is said stays; DynamoDB Local shows none where one is without a limit."""
    found = tuple(old if new is None else new for new, old in zip(asked, shown))
    found = tuple(None if units == -1 else units for units in found)
    return (None, None) if peer == "local" and None in found else found


def apply_tags(shown, want, old_tags, ours):
    gone = {key for key, value in old_tags.items() if shown.get(key) == value and key not in want}
    shown.update(want)
    for key in gone if ours else ():
        del shown[key]


def apply_capacity(shown, want, peer):
    asked = want.get("ceilings", (None, None))
    differ = [new for new, old in zip(asked, shown["ceilings"]) if new is not None and new != (-1 if old is None else old)]
    if shown["capacity"] == want["capacity"] and not differ:
        return
    before = shown["ceilings"] if shown["capacity"] == want["capacity"] else (None, None)
    update(shown, peer, capacity=want["capacity"], ceilings=ceilings_after(before, asked, peer))


def apply(shown, want, bits, old_tags, ours, peer):
    """Changes what is shown to what is wanted of the settings, as a commit does."""
    bits = {bit for bit in bits if bit in want and bit in KNOWN[peer]} | ({"tags"} & bits & KNOWN[peer])
    if "tags" in bits:
        apply_tags(shown["tags"], want.get("tags", {}), old_tags, ours)
    if "recovery" in bits:
        shown["recovery"] = want["recovery"]
    if "capacity" in bits:
        apply_capacity(shown, want, peer)
    if "stream" in bits and shown["stream"] != want["stream"]:
        update(shown, peer, stream=want["stream"])
    if "warmth" in bits and any(new > old for new, old in zip(want["warmth"], shown["warmth"])):
        # never less than it has; moto forgets what is not said anew
        update(shown, peer, warmth=tuple(new and max(new, old) for new, old in zip(want["warmth"], shown["warmth"])))
    if "protection" in bits and shown["protection"] != want["protection"]:
        update(shown, peer, protection=want["protection"])


def made(want, role, peer):
    """A table that CreateTable makes; protection and recovery come with the commit."""
    remote = Remote(maker=role)
    shown = remote.shown
    shown.update({setting: want[setting] for setting in ("capacity", "stream") if setting in want})
    shown["ceilings"] = ceilings_after((None, None), want.get("ceilings", (None, None)), peer)
    if "tags" in KNOWN[peer]:
        shown["tags"] = dict(want.get("tags", {}))
    # moto shows the capacities of a provisioned table
    shown["warmth"] = want.get("warmth") or shown["capacity"][1:] or shown["warmth"]
    return remote


uids = itertools.count()


@dataclass
class Table:
    """A foreign table."""

    name: str
    options: dict
    uid: int = field(default_factory=lambda: next(uids))

    @property
    def remote(self):
        return self.options["table_name"]

    def changes_remote(self):
        return self.options.get("create_remote_table") != "false"


@dataclass
class Note:
    """What a commit is to change of a foreign table's remote table."""

    uid: int
    bits: set
    old_tags: dict


@dataclass
class Part:
    """What a transaction has done by a savepoint, or by now."""

    tables: dict
    notes: list = field(default_factory=list)
    made: list = field(default_factory=list)  # Remotes

    def copy(self):
        return Part({name: copy.deepcopy(table) for name, table in self.tables.items()}, list(self.notes), list(self.made))


def old_tags_of(notes, uid):
    """The tags that a foreign table's options said before the transaction changed them."""
    found = [note.old_tags for note in notes if note.uid == uid and note.old_tags is not None]
    return found[0] if found else {}


def changes_of(part, server):
    """(table, wanted, bits, old tags) of each remote table that a commit changes; None: it fails."""
    found = []
    for table in part.tables.values():
        bits = set().union(*(note.bits for note in part.notes if note.uid == table.uid))
        if not bits or not table.changes_remote():
            continue
        want = wanted(server, table.options)
        if want is None:
            return None
        bits &= {*want, "tags"}
        if bits:
            found.append((table, want, bits, old_tags_of(part.notes, table.uid)))
    return found


# ---- what DynamoDB shows ----


def capacity_shown(table):
    if table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST":
        return ("PAY_PER_REQUEST",)
    units = table["ProvisionedThroughput"]
    return ("PROVISIONED", units["ReadCapacityUnits"], units["WriteCapacityUnits"])


def tags_shown(client, arn):
    """moto lists a tag that was changed twice: what comes later is so now."""
    pages = client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def recovery_shown(client, name):
    found = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return found["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def shown_by(client, name, peer):
    """What is to be compared of a remote table; None: it is not there."""
    try:
        table = client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        return None
    stream = table.get("StreamSpecification", {})
    ceilings = table.get("OnDemandThroughput", {})
    warmth = table.get("WarmThroughput", {})
    found = {
        "protection": table.get("DeletionProtectionEnabled", False),
        "capacity": capacity_shown(table),
        "ceilings": (ceilings.get("MaxReadRequestUnits"), ceilings.get("MaxWriteRequestUnits")),
        "warmth": (warmth.get("ReadUnitsPerSecond", 0), warmth.get("WriteUnitsPerSecond", 0)),
        "stream": stream.get("StreamViewType", "NONE") if stream.get("StreamEnabled") else "NONE",
    }
    if peer == "moto":
        found["tags"] = tags_shown(client, table["TableArn"])
        found["recovery"] = recovery_shown(client, name)
    return {setting: found[setting] for setting in KNOWN[peer]}
