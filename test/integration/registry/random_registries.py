"""Random projects: all kinds of views and types, odd names, versions, aliases, services that collide."""

from feast.protos.feast.types.Value_pb2 import ValueType

from import_model import is_computed

LONG = "average_delivery_delay_in_minutes_over_the_last_thirty_calendar_days"
ODD = ["Rating", "rating", "order", "two words", 'quo"te', "it's", "ctid", "tableoid", "xmin", "xmin_",
       "event_timestamp", "feast_event_timestamp", "größe_" * 9 + "x", "größe_" * 9 + "y", LONG, LONG + "_p50",
       LONG + "_p95", "%d%s", "$$", "$1", "back\\slash", " leading", "trailing ", "日本", "a__b", "b__c", "v1", "k",
       "c1", "n", "o1", "__x"]  # fmt: skip
# DynamoDB's names have fewer letters.
ODD_VIEWS = ["Courier-Profile.2", "UPPER", "lower", "v_" + LONG, "v_" + LONG + "x", "a-b", "select", "1st", "a", "a__b",
             "pg_x"]  # fmt: skip
KINDS = ["feature_view"] * 5 + ["stream_feature_view"] * 2 + ["label_view"] + ["on_demand_feature_view"] * 2
KEYS = [("id", "INT64"), ("id", "INT64"), ("id", "INT32"), ("code", "STRING"), ("code", "STRING"), ("code", "BYTES"),
        ("at", "UNIX_TIMESTAMP"), ("User", "STRING"), ("event_timestamp", "INT64"), ("k" + LONG, "STRING"),
        ("ctid", "INT32")]  # fmt: skip


TAG_KEYS = ["team", "Team", "größe", "日本", "a/b", "cost center", "_.:/=+-@", "k" * 128, "ö" * 128, "0"]
TAG_VALUES = ["", "ml", "Zürich", " ", "a=b@c", "v" * 256, "é" * 256]
BAD_TAGS = [("aws:x", "1"), ("AWS:x", "1"), ("k" * 129, ""), ("v", "v" * 257), ("semi;colon", "1"), ("quote", 'a"b'),
            ("back\\slash", "1"), ("line", "a\nb"), ("", "no key"), ("it's", "1")]  # fmt: skip


class Generator:
    def __init__(self, rng, project):
        self.rng = rng
        self.project = project
        self.views = []

    def make(self):
        for number in range(self.rng.randint(1, 7)):
            self.views.append(self.view(number))
        services = [self.service(number) for number in range(self.rng.randint(1, 5))]
        return self.views, services

    def chance(self, percent):
        return self.rng.randrange(100) < percent

    def fields(self, most, prefix):
        names = [prefix + str(n) for n in range(3)] + ODD
        self.rng.shuffle(names)
        fields = []
        for name in names[: self.rng.randint(1, most)]:
            kind = self.rng.choice(ValueType.Enum.keys()) if self.chance(95) else self.rng.choice([99, 2**31 - 1])
            fields.append({"name": name, "value_type": kind})
            if self.chance(20):
                fields[-1]["description"] = self.rng.choice(["short", "it's a 'quote'\nof two lines", "größe"])
        return fields

    def keys(self):
        if self.chance(12):
            return [{"name": "__dummy_id", "value_type": "STRING"}]
        pairs = dict(self.rng.choice(KEYS) for _ in range(self.rng.randint(1, 3)))
        if self.chance(4):
            pairs["flag"] = "BOOL"
        return [{"name": name, "value_type": kind} for name, kind in pairs.items()]

    def tags(self):
        tags = {key: self.rng.choice(TAG_VALUES) for key in self.rng.sample(TAG_KEYS, self.rng.choice([0, 0, 1, 3]))}
        if self.chance(3):
            tags.update({"tag%d" % n: "" for n in range(self.rng.randint(45, 55))})
        if self.chance(10):
            key, value = self.rng.choice(BAD_TAGS)
            tags[key] = value
        return tags

    def view(self, number):
        kind = self.rng.choice(KINDS)
        if kind == "on_demand_feature_view" and not self.inputs():
            kind = "feature_view"
        odd = [name for name in ODD_VIEWS if name not in {view["name"] for view in self.views}]
        view = {
            "kind": kind,
            "project": self.project,
            "name": self.rng.choice(odd) if self.chance(40) else "view%d" % number,
            "join_keys": self.keys(),
            "description": self.rng.choice(["", "", "what 'is' known\nof it", "größe"]),
            "enabled": kind == "label_view" or self.chance(90),
            "ttl_seconds": self.rng.choice([0, 1, 3600, 0.5, 86400 * 10_000]),
            "online": self.chance(90),
            "version": None,
            "tags": self.tags(),
        }
        keys = {key["name"] for key in view["join_keys"]}
        view["features"] = [field for field in self.fields(9, "f") if field["name"] not in keys] or self.fields(
            1, "only"
        )
        if view["name"].startswith("view") and self.chance(5) and kind == "stream_feature_view":
            view["features"] += view["join_keys"]
        if kind == "label_view":
            view["ttl_seconds"] = 0
        elif self.chance(25):
            view["version"] = self.rng.randint(0, 3)
            view["history"] = {
                n: view["features"][: self.rng.randint(1, len(view["features"]))] for n in range(view["version"] or 0)
            }
            view["history"][view["version"]] = view["features"]
        if kind == "on_demand_feature_view":
            self.make_on_demand(view)
        elif self.chance(60):
            view["source"] = self.source(view)
        return view

    def inputs(self):
        return [view for view in self.views if not is_computed(view)]

    def make_on_demand(self, view):
        view["ttl_seconds"] = 0
        view["write_to_online_store"] = self.chance(30)
        if not view["write_to_online_store"]:
            view["join_keys"] = [{"name": "__dummy_id", "value_type": "STRING"}]
        view["sources"] = {}
        for input in self.rng.sample(self.inputs(), min(len(self.inputs()), self.rng.randint(1, 2))):
            names = [feature["name"] for feature in input["features"]]
            view["sources"][input["name"]] = {"view": input["name"], "features": self.some(names)}
        for number in range(self.rng.randint(0, 2)):
            view["sources"]["request%d" % number] = {"request": self.fields(3, "r")}

    def source(self, view):
        source = {"name": "s", "class": self.rng.choice(["", "PostgreSQLSource"]), "timestamp_field": "ts",
                  "created_timestamp_column": self.rng.choice(["", "created"]), "field_mapping": {},
                  "configuration": {"name": "s", "table": "lab.t", "query": ""}}  # fmt: skip
        if self.chance(30):
            source["configuration"].update(
                table="", query="SELECT * FROM lab.t WHERE x <> ')'" + self.rng.choice(["", ";", " -- c", " ;\n"])
            )
        for name in ["ts", *(field["name"] for field in view["join_keys"] + view["features"])]:
            if self.chance(20):
                source["field_mapping"][self.rng.choice(["c_", "b'_", "ä "]) + name] = name
        return source

    def some(self, names):
        return self.rng.sample(names, self.rng.randint(1, len(names)))

    def service(self, number):
        projections = []
        for view in [self.rng.choice(self.views) for _ in range(self.rng.randint(1, 4))]:
            projection = {"view": view["name"], "alias": None, "version": None, "join_key_map": {},
                          "features": self.some([feature["name"] for feature in view["features"]])}  # fmt: skip
            if self.chance(30):
                projection["alias"] = self.rng.choice(["origin", "destination", "Ä", LONG, "a"])
            if self.chance(30):
                keys = [key["name"] for key in view["join_keys"] if key["name"] != "__dummy_id"]
                projection["join_key_map"] = {key: self.rng.choice(["other", "id", "it's"]) for key in keys}
            if self.chance(15) and not is_computed(view):
                projection["version"] = self.rng.randint(0, 3)
            projections.append(projection)
        name = self.rng.choice(ODD) if self.chance(40) else "service"
        return {"project": self.project, "name": name + ("%d" % number), "projections": projections,
                "description": self.rng.choice(["", "for the 'model'"])}  # fmt: skip
