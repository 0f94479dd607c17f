"""Runs a program that finds only a DNS server that never answers: deaf_dns.py RESOLV_CONF PROGRAM...

RESOLV_CONF names 127.0.0.1 as nameserver.  Meant to be run in namespaces of its own (see NAMESPACES): in there
even an unprivileged user may replace /etc/resolv.conf and take port 53.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys

NAMESPACES = ["unshare", "--user", "--map-current-user", "--keep-caps", "--net", "--mount"]

MS_BIND = 4096
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def main():
    resolv_conf, *program = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(resolv_conf.encode(), b"/etc/resolv.conf", None, MS_BIND, None) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
    nameserver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    nameserver.bind(("127.0.0.1", 53))
    nameserver.set_inheritable(True)  # stays open, unread, as long as the program runs
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
