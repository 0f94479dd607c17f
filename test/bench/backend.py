"""What a read takes of the backend: CPU and memory.  Linux only, as dynamo_fdw is."""

import pathlib

import psycopg


class Backend:
    """A session whose answers nobody decodes, as in pgbench."""

    def __init__(self, table):
        self.conn = psycopg.connect(autocommit=True)
        self.proc = pathlib.Path("/proc/%d" % self.conn.info.backend_pid)
        statement = "SELECT * FROM %s WHERE driver_id = ANY ($1)" % table
        self.conn.pgconn.prepare(b"read", statement.encode())

    def read(self, entities):
        ids = "{%s}" % ",".join(str(driver) for driver in range(1, entities + 1))
        result = self.conn.pgconn.exec_prepared(b"read", [ids.encode()])
        assert result.ntuples == entities, result.error_message

    def cpu_ms(self):
        """CPU time so far, user's and kernel's."""
        return int((self.proc / "schedstat").read_text().split()[0]) / 1e6

    def peak_mb(self):
        """The most memory resident so far, shared memory that was touched included."""
        status = (self.proc / "status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def close(self):
        self.conn.close()


def cpu_per_1000(table, entities, rounds, warmup=10):
    """Milliseconds of backend CPU for each 1,000 entities."""
    backend = Backend(table)
    for _ in range(warmup):
        backend.read(entities)
    before = backend.cpu_ms()
    for _ in range(rounds):
        backend.read(entities)
    used = backend.cpu_ms() - before
    backend.close()
    return used / rounds / entities * 1000


def peak_of(table, entities):
    """Peak memory in MB after a read of one entity, and after one of `entities`."""
    backend = Backend(table)
    backend.read(1)
    small = backend.peak_mb()
    backend.read(entities)
    large = backend.peak_mb()
    backend.close()
    return small, large
