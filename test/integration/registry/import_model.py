"""What IMPORT FOREIGN SCHEMA must make of a project, by the rules of the README and not by the code.

Views and services are dicts as in ../../data/registry2/views.json and services.json; a view has its number of now in
"version".  Of versions that are not the one of now, a view has {number: features} in "history".
"""

import json
import re
from dataclasses import dataclass, field

SCALARS = {
    "BOOL": "boolean", "INT32": "integer", "INT64": "bigint", "FLOAT": "real", "DOUBLE": "double precision",
    "STRING": "text", "BYTES": "bytea", "UNIX_TIMESTAMP": "timestamp with time zone", "DECIMAL": "numeric",
    "UUID": "uuid", "TIME_UUID": "uuid",
}  # fmt: skip
MADE_OF_JSON = "JSON JSON_LIST MAP MAP_LIST STRUCT STRUCT_LIST VALUE_LIST VALUE_SET SCALAR_MAP".split()
TYPES = {
    **SCALARS,
    **{kind + "_LIST": column + "[]" for kind, column in SCALARS.items()},
    **{kind + "_SET": column + "[]" for kind, column in SCALARS.items()},
    **dict.fromkeys(MADE_OF_JSON, "jsonb"),
    "ZONED_TIMESTAMP": "timestamp with time zone",
}
# Those that a column of the type does not have by itself.
ASKED_FOR = {kind for kind in TYPES if kind.endswith("_SET")} | set(MADE_OF_JSON) - {"JSON"}
ASKED_FOR |= {"TIME_UUID", "TIME_UUID_LIST", "ZONED_TIMESTAMP"}
KEY_TYPES = ["INT32", "INT64", "STRING", "BYTES", "UNIX_TIMESTAMP"]
SYSTEM_COLUMNS = {"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"}

MOST_COLUMNS = 1600
MOST_ARGUMENTS = 100
MOST_RESULTS = 1663  # of 1,664 one is for the order
LONGEST_NAME = 63
MOST_TAGS = 50
# What AWS takes, of ASCII; and lengths in characters.
TAG_KEY, TAG_VALUE = ("[A-Za-z0-9 _.:/=+@\\x80-\\U0010ffff-]{%s}" % length for length in ("1,128", "0,256"))


def clip(name, limit=LONGEST_NAME):
    """As the parser does, at a letter's start."""
    return name.encode()[:limit].decode(errors="ignore")


class Names:
    """SQL names of one scope."""

    def __init__(self):
        self.taken = set()

    def take(self, name):
        result = clip(name)
        number = 2
        while result in self.taken:
            suffix = "_%d" % number
            result = clip(name, LONGEST_NAME - len(suffix)) + suffix
            number += 1
        self.taken.add(result)
        return result

    def column(self, name):
        return self.take(name + "_" if name in SYSTEM_COLUMNS else name)


def can_be_tags(tags):
    return len(tags) <= MOST_TAGS and all(
        re.fullmatch(TAG_KEY, key) and re.fullmatch(TAG_VALUE, value) and not key.lower().startswith("aws:")
        for key, value in tags.items()
    )


@dataclass
class Column:
    name: str
    type: str
    options: dict
    not_null: bool = False
    comment: str = None


@dataclass
class Table:
    columns: list
    options: dict
    comment: str
    view: dict
    keys: dict  # Feast's name to Column
    features: dict
    event_time: str


@dataclass
class Function:
    arguments: list  # (name, type of one value)
    results: list  # (name, type)
    comment: str
    feast: list  # of each result: feature or argument, and its view
    sources: list  # of each result: ("argument", n), ("column", table, column, {key column: argument}), ("call", view)


@dataclass
class Asked:
    """Options of the server and of IMPORT."""

    versioning: bool = False
    disabled: bool = False
    comments: bool = True
    services: bool = True
    ttl: bool = False
    create: bool = False
    full: bool = False
    times: bool = False
    wanted: object = None  # LIMIT TO and EXCEPT: a function of the SQL name
    server_project: str = None
    server_tags: dict = field(default_factory=dict)
    computed: dict = field(default_factory=dict)  # on-demand views that a function stands for: {feature: type}


def is_computed(view):
    return view["kind"] == "on_demand_feature_view" and not view["write_to_online_store"]


def is_online(view):
    return view["write_to_online_store"] if view["kind"] == "on_demand_feature_view" else view["online"]


def is_entityless(view):
    return [key["name"] for key in view["join_keys"]] == ["__dummy_id"]


def seconds(number):
    return "%.0f seconds" % number if number == int(number) else "%.6f seconds" % number


def by_bytes(name):
    return name.encode()


class Project:
    """The objects of one project in a schema: `tables` and `functions` by SQL name, `left_out` (names of views)."""

    def __init__(self, name, views, services, asked):
        self.name = name
        self.asked = asked
        self.views = {}
        for view in views:
            if view["project"] == name:
                self.views.setdefault(view["name"], view)
        self.services = [service for service in services if service["project"] == name]
        self.tables = {}
        self.by_version = {}
        self.not_served = []
        self.warned = []
        self.table_names = Names()
        for view in sorted(self.views.values(), key=lambda view: by_bytes(view["name"])):
            self.add_view(view)
        for service in self.services:
            for projection in service["projections"]:
                self.add_version(projection)
        self.functions = {}
        self.without_function = []
        self.full_names = []
        self.incomplete = []  # services that lack a feature whose column was left out
        self.without_views = []
        if asked.services:
            self.add_functions()

    # tables

    def number(self, view):
        return view.get("version") or 0 if self.asked.versioning else 0

    def add_view(self, view):
        if is_computed(view):
            return
        name = self.table_names.take(view["name"])
        if self.asked.wanted and not self.asked.wanted(name):
            return
        if not is_online(view) or (not view.get("enabled", True) and not self.asked.disabled):
            self.not_served.append(view["name"])
        else:
            self.add_table(view, self.number(view), name, view["features"])

    def add_version(self, projection):
        view = self.views.get(projection["view"])
        number = projection["version"]
        if view is None or number is None or not self.asked.versioning or number == self.number(view):
            return
        if not is_online(view) or (not view.get("enabled", True) and not self.asked.disabled):
            return
        name = "%s@v%d" % (view["name"], number)
        if number not in view.get("history", {}) or clip(name) in self.table_names.taken:
            return
        name = self.table_names.take(name)
        if not self.asked.wanted or self.asked.wanted(name):
            self.add_table(view, number, name, view["history"][number])

    def add_table(self, view, number, name, features):
        keys = [] if is_entityless(view) else view["join_keys"]
        join_keys = {key["name"] for key in view["join_keys"]}
        features = [feature for feature in features if feature["name"] not in join_keys]
        if view["kind"] == "stream_feature_view":
            features = sorted(features, key=lambda feature: by_bytes(feature["name"]))
        if len(keys) + len(features) + 1 > MOST_COLUMNS or not all(key["value_type"] in KEY_TYPES for key in keys):
            self.warned.append(view["name"])
            return
        names = Names()
        source = view.get("source") if view["kind"] != "on_demand_feature_view" else None
        mapping = source["field_mapping"] if source and source["class"] == "PostgreSQLSource" else {}
        table = Table([], {}, view["description"] or None, view, {}, {}, None)
        for key in keys:
            table.keys[key["name"]] = self.column(key, names, mapping, True)
        for feature in features:
            if feature["value_type"] in TYPES:
                table.features[feature["name"]] = self.column(feature, names, mapping, False)
            else:
                self.warned.append(feature["name"])
        time = names.take("feast_event_timestamp" if "event_timestamp" in names.taken else "event_timestamp")
        table.event_time = time
        table.columns = [*table.keys.values(), Column(time, SCALARS["UNIX_TIMESTAMP"], {"event_timestamp": "true"})]
        table.columns += table.features.values()
        table.options = self.table_options(view, number, name)
        self.tables[name] = table
        self.by_version[view["name"], number] = name

    def column(self, field, names, mapping, is_key):
        name = field["name"]
        sql_name = names.column(name)
        options = {"entity_key": "true"} if is_key else {"managed": "true"}
        if sql_name != name:
            options["name"] = name
        if field["value_type"] in ASKED_FOR:
            options["value_type"] = field["value_type"]
        sources = sorted((source for source, feast in mapping.items() if feast == name), key=by_bytes)
        if sources and sources[-1] != name:
            options["source_column"] = sources[-1]
        return Column(sql_name, TYPES[field["value_type"]], options, is_key, field.get("description") or None)

    def table_options(self, view, number, name):
        options = {"managed": "true"}
        if self.asked.server_project != view["project"]:
            options["project"] = view["project"]
        feast = view["name"] + ("_v%d" % number if number else "")
        if feast != name:
            options["feature_view"] = feast
        if is_entityless(view):
            options["entityless"] = "true"
        if self.asked.ttl and view.get("ttl_seconds"):
            options["ttl"] = seconds(view["ttl_seconds"])
        if not self.asked.create:
            options["create_remote_table"] = "false"
        return {**options, **self.source_options(view), **self.tags_option(view)}

    def tags_option(self, view):
        tags = view.get("tags")
        if not tags:
            return {}
        if not can_be_tags({**self.asked.server_tags, **tags}):
            self.warned.append(view["name"])
            return {}
        return {"tags": json.dumps(tags, sort_keys=True, ensure_ascii=False)}

    def source_options(self, view):
        source = view.get("source")
        if not source or source["class"] != "PostgreSQLSource" or view["kind"] == "on_demand_feature_view":
            return {}
        made = source["configuration"]
        if not made["table"] and not made["query"]:
            return {}

        def column(name):
            sources = sorted((one for one, feast in source["field_mapping"].items() if feast == name), key=by_bytes)
            return sources[-1] if sources else name

        options = {"batch_source": made["table"] or "(%s\n)" % made["query"].rstrip(" \t\r\n;")}
        if view.get("ttl_seconds"):
            options["source_ttl"] = seconds(view["ttl_seconds"])
        for name in ("timestamp_field", "created_timestamp_column"):
            if source[name]:
                options[name] = column(source[name])
        return options

    # feature services

    def add_functions(self):
        names = Names()
        for service in sorted(self.services, key=lambda service: by_bytes(service["name"])):
            name = names.take(service["name"])
            function = self.function(service)
            if function:
                self.functions[name] = function
            else:
                self.without_function.append(service["name"])

    def function(self, service):
        """None where the service can't be one."""
        arguments = {}
        for projection in service["projections"]:
            if not self.add_keys(arguments, projection):
                return None
        for projection in service["projections"]:
            view = self.views[projection["view"]]
            if is_computed(view):
                for one in request_data(view):
                    type = TYPES.get(one["value_type"])
                    if type and not add(arguments, one["name"], "jsonb" if type.endswith("[]") else type):
                        return None
        outputs = [(name, None, type, ("argument", n)) for n, (name, type) in enumerate(arguments.items())]
        for projection in service["projections"]:
            found = self.results(projection, arguments)
            if found is None:
                return None
            outputs += found
        if len(arguments) > MOST_ARGUMENTS or len(outputs) > MOST_RESULTS or len(outputs) == len(arguments):
            return None
        short = [name for name, *_ in outputs if len(name.encode()) <= LONGEST_NAME]
        if self.lacks_column(service):
            self.incomplete.append(service["name"])
        full = self.asked.full or len(set(short)) < len(short)
        if full and not self.asked.full:
            self.full_names.append(service["name"])
        names = Names()
        results = []
        for name, owner, type, _ in outputs:
            results.append((names.take("%s__%s" % (owner, name) if full and owner else name), type))
        of_arguments = [(results[n][0], type) for n, type in enumerate(arguments.values())]
        feast = [(name, owner) for name, owner, *_ in outputs]
        return Function(of_arguments, results, service["description"] or None, feast, [output[3] for output in outputs])

    def lacks_column(self, service):
        for projection in service["projections"]:
            view = self.views[projection["view"]]
            if not is_computed(view):
                number = self.number(view) if projection["version"] is None else projection["version"]
                table = self.tables[self.by_version[view["name"], number]]
                if not set(projection["features"]) <= {*table.features, *(key["name"] for key in view["join_keys"])}:
                    return True
        return False

    def add_keys(self, arguments, projection):
        view = self.views.get(projection["view"])
        if view is None:
            return False
        if is_computed(view):
            for input in inputs(view):
                if input["view"] not in self.views:
                    return False
                if not is_computed(self.views[input["view"]]) and not self.add_keys(arguments, input):
                    return False
            return True
        for key in [] if is_entityless(view) else view["join_keys"]:
            if key["value_type"] in KEY_TYPES:
                name = projection["join_key_map"].get(key["name"], key["name"])
                if not add(arguments, name, TYPES[key["value_type"]]):
                    return False
        return True

    def results(self, projection, arguments):
        view = self.views[projection["view"]]
        owner = projection["alias"] or projection["view"]
        if projection["version"] is not None:
            owner += "@v%d" % projection["version"]
        if is_computed(view):
            types = self.asked.computed.get(view["name"])
            if types is None:
                self.without_views.append(view["name"])
                return []
            return [(name, owner, types[name], ("call", view["name"], name)) for name in projection["features"]]
        number = projection["version"]
        if number is not None and not self.asked.versioning:
            return None
        name = self.by_version.get((view["name"], self.number(view) if number is None else number))
        if name is None:
            return None
        table = self.tables[name]
        keys = {
            column.name: list(arguments).index(projection["join_key_map"].get(key, key))
            for key, column in table.keys.items()
        }
        found = []
        for feature in projection["features"]:
            if feature in table.features:
                column = table.features[feature]
                found.append((feature, owner, column.type, ("column", name, column.name, keys)))
        if self.asked.times:
            time = ("column", name, table.event_time, keys)
            found.append((owner + "__event_timestamp", None, SCALARS["UNIX_TIMESTAMP"], time))
        return found


def add(arguments, name, type):
    """False: it is there with a type that can't be compared with this one."""
    there = arguments.setdefault(name, type)
    if {there, type} == {"integer", "bigint"}:
        arguments[name] = "bigint"
        return True
    return there == type


def inputs(view):
    """Projections of an on-demand view's sources, by the sources' names."""
    return [
        {"alias": None, "version": None, "join_key_map": {}, **source}
        for _, source in sorted(view["sources"].items(), key=lambda pair: by_bytes(pair[0]))
        if "view" in source
    ]


def request_data(view):
    """Fields of request data; of two of one name the later."""
    fields = []
    for _, source in sorted(view["sources"].items(), key=lambda pair: by_bytes(pair[0])):
        for one in source.get("request", []):
            fields = [other for other in fields if other["name"] != one["name"]] + [one]
    return fields
