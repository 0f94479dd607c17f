"""A network of its own, in which the addresses of AWS's credential services are this machine's.

What listens there are sockets made by a process inside (namespace_inside.py), which hands them to the test: a socket
stays in the network it was made in, whoever reads it. So servers in the test process answer on both sides, and a
PostgreSQL inside is reached through its Unix-domain socket, which knows no networks.
"""

import socket
import subprocess
import sys
from pathlib import Path

INSIDE = Path(__file__).parent / "namespace_inside.py"


NEW = ["unshare", "--user", "--map-root-user", "--net"]


class NoNamespace(Exception):
    """The kernel, or a container around us, forbids them; says why."""


class Namespace:
    """`within` goes before a command that shall run inside, as the user it runs as outside (see cluster.Cluster).

    `owner` goes before our own commands, to run them as another user than the test's.
    """

    def __init__(self, owner=()):
        probe = subprocess.run([*owner, *NEW, "ip", "link", "set", "lo", "up"], stderr=subprocess.PIPE, text=True)
        if probe.returncode != 0:
            raise NoNamespace(probe.stderr.strip())
        self._control, theirs = socket.socketpair()
        self._control.settimeout(60)
        with theirs:
            self._holder = subprocess.Popen(
                [*owner, *NEW, sys.executable, str(INSIDE), str(theirs.fileno())], pass_fds=[theirs.fileno()]
            )
        assert self._control.recv(16) == b"ready"
        outside = Path("/proc/%d" % self._holder.pid).stat()
        # PostgreSQL refuses to be root, which the user is in the namespace: a second one turns that back.
        self.within = [
            *["nsenter", "--user", "--net", "--preserve-credentials", "--target", str(self._holder.pid)],
            *["unshare", "--user", "--map-user", str(outside.st_uid), "--map-group", str(outside.st_gid)],
        ]

    def listen(self, port=0):
        """A socket that listens on all addresses inside."""
        self._control.sendall(b"%d\n" % port)
        _, fds, _, _ = socket.recv_fds(self._control, 16, 1)
        assert fds, "the process inside has ended"
        return socket.socket(fileno=fds[0])

    def close(self):
        """Ends the process inside; the network goes with the last process and socket in it."""
        self._control.close()
        self._holder.wait(60)
