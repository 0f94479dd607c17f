"""An ALTER of settings that meets faults or is interrupted: all of it is done, or what is done is told."""

import copy
import time

import faults
from settings_model import BITS, OPTIONS, apply, contradicts, shown_by, wanted
from support import Running

WORDS = {
    "tags": "tags", "protection": "deletion_protection", "capacity": "billing_mode", "warmth": "warm_throughput",
    "recovery": "point_in_time_recovery", "stream": "stream_view_type",
}  # fmt: skip
OPERATIONS = [
    "DescribeTable", "ListTagsOfResource", "TagResource", "UntagResource", "UpdateContinuousBackups", "UpdateTable",
    "UpdateTable", "UpdateTable", None,
]  # fmt: skip
FAULTS = {
    "denied": faults.error("AccessDeniedException"),
    "in use": faults.error("ResourceInUseException"),
    "limit": faults.error("LimitExceededException"),
    "rejected": faults.error("ValidationException"),
    "throttled": faults.error("ThrottlingException"),
    "500": faults.error("InternalServerError", 500),
    "lose": faults.lose,
    "cut": faults.cut,
    "hang up": faults.hang_up,
    "updating": faults.in_status("UPDATING"),
}


def trouble(world, actor):
    """An ALTER of several settings meets faults, or is interrupted."""
    table = world.known(actor)
    remote = table and world.remotes.get(table.remote)
    if actor.open or actor.off or remote is None or world.peer != "moto" or world.is_busy(actor):
        return
    actions = world.actions(table.options)
    after, expected = world.altered(table.options, actions)
    want = wanted(world.server, after)
    if not actions or expected or contradicts(after) or want is None or not table.changes_remote():
        return
    old = (wanted(world.server, table.options) or {}).get("tags", {})
    shown = copy.deepcopy(remote.shown)
    bits = {BITS[name] for _, name, _ in actions}
    apply(shown, want, bits, old, remote.maker == actor.role, world.peer)
    sql = "ALTER FOREIGN TABLE %s OPTIONS (%s)" % (table.name, world.action_list(actions))
    error, gone = run_in_trouble(world, actor, sql)
    if gone:
        error = dict(world.admin.run(OPTIONS, [table.name])) != after
    if not error:
        actor.tables[table.name].options = after
    judge_trouble(world, actor, table.remote, shown, error, gone)
    actor.forget()


def run_in_trouble(world, actor, sql):
    """Its error, and whether the session is gone."""
    how = world.random.choice(["fault"] * 4 + ["cancel", "cancel", "terminate"])
    if how == "fault":
        name = world.random.choice(sorted(FAULTS))
        operation = world.random.choice(OPERATIONS)
        times = world.random.choice([1, 1, 2, 3])
        world.log.append("- %s x %d of %s" % (name, times, operation))
        world.proxy.fault(FAULTS[name], times, operation)
    else:
        world.proxy.latency = world.random.uniform(0, 0.06)
    world.log.append("%s %s, %s" % (actor.letter, sql, how))
    actor.session.notices.clear()
    running = Running(actor.session, sql)
    if how != "fault":
        time.sleep(world.random.uniform(0, 5 * world.proxy.latency + 0.03))
        world.admin.run("SELECT pg_%s_backend(%s)" % (how, actor.session.pid))
    error = running.join().error
    world.log.append("  %s" % error)
    world.log.extend("  %s %s %s" % notice for notice in actor.session.notices)
    settle(world)
    return error, how == "terminate" and reconnect(world, actor)


def settle(world):
    """Faults are healed, and what is under way has arrived."""
    world.proxy.heal()
    world.proxy.latency = 0.0
    end = time.monotonic() + 10
    while any(request.answered is None for request in list(world.proxy.requests)):
        assert time.monotonic() < end
        time.sleep(0.01)


def reconnect(world, actor):
    pid = actor.session.pid
    world.admin.run("SELECT pg_terminate_backend(%s, 10000)" % pid)
    actor.session.close()
    actor.connect()
    return True


def judge_trouble(world, actor, name, after, error, gone):
    """All is done, or what is done is told."""
    warnings = " ".join(actor.session.warnings())
    before = world.remotes[name].shown
    found = shown_by(world.client, name, world.peer)
    world.remotes[name].shown = {**before, **found}
    half = {"tags": {**before["tags"], **after["tags"]}, "stream": "NONE"}
    for setting in found:
        states = [before[setting], after[setting], half.get(setting)]
        assert found[setting] in states, "%s: %s" % (setting, found)
        if not error and setting == "tags" and "All else is done without" in warnings:
            continue
        assert error or found[setting] == after[setting], "not done: %s, %s" % (setting, found)
        told = gone or not error or found[setting] == before[setting] or WORDS[setting] in warnings
        assert told, "not told: %s, %s" % (setting, warnings)
