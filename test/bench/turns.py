"""Clients take turns, so that noise hits all alike."""

TURNS = 5  # everything is measured so often, one after the other
SLICE_MS = 600  # about so long each time
ENOUGH_MS = 10000  # a client that took longer so far misses its further turns


def rounds_in(ms, expected_ms, least, most):
    return max(least, min(most, round(ms / expected_ms)))


def in_turns(clients):
    """`clients`: name -> a function that measures some rounds. name -> the milliseconds of each round."""
    times = {name: [] for name in clients}
    for _ in range(TURNS):
        for name, measure in clients.items():
            if sum(times[name]) < ENOUGH_MS:
                times[name] += measure()
    return times
