"""What a statement takes of the backend: CPU and memory.  Linux only, as dynamo_fdw is."""

import pathlib
from contextlib import closing

import psycopg


class Backend:
    """A session that runs a prepared statement, whose answers nobody decodes, as in pgbench."""

    def __init__(self, statement):
        self.conn = psycopg.connect(autocommit=True)
        self.proc = pathlib.Path("/proc/%d" % self.conn.info.backend_pid)
        self.conn.pgconn.prepare(b"read", statement.encode())

    def read(self, parameters, rows):
        result = self.conn.pgconn.exec_prepared(b"read", [parameter.encode() for parameter in parameters])
        assert result.ntuples == rows, result.error_message

    def cpu_ms(self):
        """CPU time so far, user's and kernel's."""
        return int((self.proc / "schedstat").read_text().split()[0]) / 1e6

    def peak_mb(self):
        """The most memory resident so far, shared memory that was touched included."""
        status = (self.proc / "status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def close(self):
        self.conn.close()


def cpu_ms(statement, parameters, rows, rounds, warmup=10):
    """Milliseconds of backend CPU for one run of the statement."""
    with closing(Backend(statement)) as backend:
        for _ in range(warmup):
            backend.read(parameters, rows)
        before = backend.cpu_ms()
        for _ in range(rounds):
            backend.read(parameters, rows)
        return (backend.cpu_ms() - before) / rounds


def peak_mb(statement, parameters, rows):
    """Peak memory in MB of a new session that runs the statement once."""
    with closing(Backend(statement)) as backend:
        backend.read(parameters, rows)
        return backend.peak_mb()
