"""Runs inside a new network namespace as its root: prepares it, then makes sockets there for namespace.Namespace.

    namespace_inside.py FD

FD is a socket to that class: it gets "ready", and then a listening socket for each line with a port (0: any).
"""

import socket
import subprocess
import sys

# Metadata service, containers of ECS, Pod Identity of EKS; IPv6 as far as the kernel has it
ADDRESSES_4 = ("169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32")
ADDRESSES_6 = ("fd00:ec2::254/128", "fd00:ec2::23/128")


def prepare():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ADDRESSES_4:
        subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
    for address in ADDRESSES_6 if socket.has_dualstack_ipv6() else ():
        subprocess.run(["ip", "address", "add", address, "dev", "lo", "nodad"], check=True)


def listener(port):
    """Listens on all addresses."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)
    return socket.create_server(("", port), backlog=128)


def serve(control):
    """Ends when the other side closes the control socket."""
    for line in control.makefile():
        with listener(int(line)) as made:
            socket.send_fds(control, [b"socket"], [made.fileno()])


prepare()
with socket.socket(fileno=int(sys.argv[1])) as theirs:
    theirs.sendall(b"ready")
    serve(theirs)
