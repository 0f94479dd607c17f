"""Random values of settings, as options: what random_settings.py makes statements of."""

import json

from settings_model import CAPACITIES

# moto never switches a stream on that was switched off
VIEWS = {"moto": ["KEYS_ONLY"], "local": ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "NONE"]}


class Values:
    """Needs `random` and `peer`, the name of the emulator."""

    def chance(self, of):
        return self.random.random() < of

    def tags(self):
        keys = self.random.sample("abcd", self.random.randrange(4))
        return {key: self.random.choice(["1", "2", ""]) for key in keys}

    def ceiling(self):
        # without a limit, DynamoDB Local forgets the other one, too
        return self.random.choice([5, 6, -1] if self.peer == "moto" else [5, 6])

    def capacity(self):
        """A billing mode and what goes with it; sometimes what does not."""
        mode = self.random.choice(list(CAPACITIES))
        names = CAPACITIES[mode if self.chance(0.95) else self.random.choice(list(CAPACITIES))]
        options = {"billing_mode": mode} if mode == "PROVISIONED" or self.chance(0.8) else {}
        if mode == "PROVISIONED" or self.chance(0.3):
            units = self.random.randrange(1, 4) if "read_capacity" in names else self.ceiling()
            options.update({name: str(units) for name in names})
        if self.chance(0.05) and options:
            options.pop(self.random.choice(list(options)))
        if self.peer == "local" and ("max_read_units" in options) != ("max_write_units" in options):
            return {}
        return options

    def settings(self, chance):
        """Options of settings, each with a chance."""
        found = {}
        values = {
            "tags": lambda: json.dumps(self.tags()),
            "deletion_protection": lambda: self.random.choice(["true", "false"]),
            "point_in_time_recovery": lambda: self.random.choice(["true", "false"]),
            "stream_view_type": lambda: self.random.choice(VIEWS[self.peer]),
        }
        if self.peer == "moto":
            values["table_class"] = lambda: self.random.choice(["STANDARD", "STANDARD_INFREQUENT_ACCESS"])
            values["sse_kms_key"] = lambda: self.random.choice(["AWS_OWNED", "alias/aws/dynamodb", "alias/mine"])
            values["warm_throughput"] = self.warmth
        for name, value in values.items():
            if self.chance(chance):
                found[name] = value()
        if self.chance(chance):
            found.update(self.capacity())
        return found

    def warmth(self):
        units = {"ReadUnitsPerSecond": [12000, 12500, 13000], "WriteUnitsPerSecond": [4000, 4500, 5000]}
        names = self.random.choice([["ReadUnitsPerSecond"], ["WriteUnitsPerSecond"], list(units), list(units)])
        return ",".join("%s=%d" % (name, self.random.choice(units[name])) for name in names)
