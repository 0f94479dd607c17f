"""A backend seen from outside: its memory and its descriptors."""

import os
from contextlib import suppress

import pytest

from support import Running


def context_bytes(session):
    """What PostgreSQL knows of: its own memory contexts."""
    return session.value("SELECT sum(total_bytes) FROM pg_backend_memory_contexts")


def process_bytes(session, field):
    """A number of /proc/PID/status; None where /proc doesn't tell."""
    try:
        with open("/proc/%d/status" % session.pid) as status:
            (line,) = [line for line in status if line.startswith(field)]
            return int(line.split()[1]) * 1024
    except OSError:
        return None


def resident_bytes(session):
    """What the backend really has; None where /proc doesn't tell."""
    return process_bytes(session, "RssAnon")


def peak_bytes(session):
    """The most address space that the backend ever had, touched or not."""
    peak = process_bytes(session, "VmPeak")
    if peak is None:
        pytest.skip("/proc doesn't show the server's memory")
    return peak


def grows(session, step, warm_up, rounds):
    """By how much (contexts, resident) `rounds` steps grow the backend after some of warming up."""
    for i in range(warm_up):
        step(i)
    before = context_bytes(session), resident_bytes(session)
    for i in range(rounds):
        step(i)
    after = context_bytes(session), resident_bytes(session)
    resident = after[1] - before[1] if before[1] and after[1] else 0
    return after[0] - before[0], resident


def assert_small(growth):
    """Warm, nothing grows at all; some room is left for what malloc does."""
    contexts, resident = growth
    assert contexts <= 16 * 1024
    assert resident <= 256 * 1024


def descriptors(session):
    """How many descriptors of the backend are of the network; files of tables come and go."""
    folder = "/proc/%d/fd/" % session.pid
    links = []
    try:
        for fd in os.listdir(folder):
            with suppress(FileNotFoundError):  # closed since
                links.append(os.readlink(folder + fd))
    except OSError:
        pytest.skip("/proc doesn't show the server's descriptors")
    return sum(link.startswith(("socket:", "anon_inode:")) for link in links)


class Watched(Running):
    """A statement that has run, and the most descriptors of the network that its backend had meanwhile."""

    def __init__(self, session, sql):
        super().__init__(session, sql)
        self.most = 0
        while self._thread.is_alive():
            self.most = max(self.most, descriptors(session))
            self._thread.join(0.002)
