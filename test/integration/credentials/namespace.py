"""A network of its own, in which the addresses of AWS's credential services are this machine's.

What listens there are sockets made by a process inside (namespace_inside.py), which hands them to the test: a socket
stays in the network it was made in, whoever reads it. So servers in the test process answer on both sides, and a
PostgreSQL inside is reached through its Unix-domain socket, which knows no networks.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

INSIDE = Path(__file__).parent / "namespace_inside.py"


class NoNamespace(Exception):
    """This machine does not let us make one; says why."""


class Namespace:
    """`within` goes before a command that shall run inside, as the same user as the namespace's (see cluster.Cluster).

    `owner` goes before all commands, if they must not run as the test's user.
    """

    def __init__(self, owner=()):
        self._control, theirs = socket.socketpair()
        self._control.settimeout(30)
        self._holder = subprocess.Popen(
            [*owner, "unshare", "--user", "--map-root-user", "--net", sys.executable, str(INSIDE), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        self._check(self._control.recv(16) == b"ready")
        status = dict(line.split(":", 1) for line in Path("/proc/%d/status" % self._holder.pid).read_text().splitlines())
        user, group = (status[name].split()[0] for name in ("Uid", "Gid"))
        self.within = [
            *["nsenter", "--user", "--net", "--preserve-credentials", "--target", str(self._holder.pid)],
            *["unshare", "--user", "--map-user", user, "--map-group", group],
        ]

    def _check(self, ready):
        if not ready:
            self._control.close()
            raise NoNamespace(self._holder.communicate(timeout=30)[1].strip())

    def listen(self, port=0, host="0.0.0.0"):
        """A socket that listens inside."""
        self._control.sendall(b"%s %d\n" % (host.encode(), port))
        _, fds, _, _ = socket.recv_fds(self._control, 16, 1)
        assert fds, self._holder.communicate(timeout=30)[1]
        return socket.socket(fileno=fds[0])

    def close(self):
        """Ends the process inside; the network goes with the last process and socket in it."""
        self._control.close()
        self._holder.wait(30)
        self._holder.stderr.close()
