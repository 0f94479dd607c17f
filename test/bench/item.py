"""The item that the mock gives for every key (item.h), decoded."""

from datetime import datetime, timezone

PROJECT = "bench"
VIEW = "drivers"
SERVICE_VIEWS = ["view_%d" % number for number in range(1, 11)]  # of joins; their items are the same
REGION = "us-west-2"
ACCESS_KEY = "BENCH"
SECRET_KEY = "benchsecret"
BATCH = 100  # keys in a request

EVENT_TS = datetime(2026, 1, 1, 10, 20, 30, 123456, tzinfo=timezone.utc)

# name, Feast type, column type, value
FEATURES = [
    ("conv_rate", "Float32", "real", 0.5),
    ("acceptance_rate", "Float32", "real", 0.8125),
    ("avg_daily_trips", "Int32", "integer", 1234),
    ("lifetime_trips", "Int64", "bigint", 123456789),
    ("lifetime_earnings", "Float64", "double precision", 98765.4321),
    ("rating", "Float64", "double precision", 4.75),
    ("home_city", "String", "text", "Zurich, Switzerland"),
    ("vehicle_class", "String", "text", "comfort electric"),
    ("is_active", "Bool", "boolean", True),
    ("is_verified", "Bool", "boolean", False),
]
NAMES = [feature[0] for feature in FEATURES]
VALUES = [feature[3] for feature in FEATURES]


def remote_table(view):
    return PROJECT + "." + view
