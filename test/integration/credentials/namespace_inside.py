"""Runs inside a new network namespace as its root: prepares it, then makes sockets there for namespace.Namespace.

    namespace_inside.py FD       of the socket to it, which gets "ready" and then a socket for each line "HOST PORT"
"""

import socket
import subprocess
import sys

# Metadata service, containers of ECS, Pod Identity of EKS; IPv6 as far as the kernel has it
ADDRESSES = ("169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32")
ADDRESSES_6 = ("fd00:ec2::254/128", "fd00:ec2::23/128")


def prepare():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ADDRESSES:
        subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
    for address in ADDRESSES_6 if socket.has_ipv6 else ():
        subprocess.run(["ip", "-6", "address", "add", address, "dev", "lo", "nodad"], stderr=subprocess.DEVNULL)


def listener(host, port):
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, int(port)))
    made.listen(128)
    return made


def serve(control):
    """Ends when the other side closes the control socket."""
    for line in control.makefile():
        with listener(*line.split()) as made:
            socket.send_fds(control, [b"socket"], [made.fileno()])


prepare()
with socket.socket(fileno=int(sys.argv[1])) as theirs:
    theirs.sendall(b"ready")
    serve(theirs)
