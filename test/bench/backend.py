"""What a statement takes of the backend: CPU and memory.  Linux only, as dynamo_fdw is."""

import pathlib
import time
from contextlib import ExitStack, closing

import psycopg


class Backend:
    """A session that runs a prepared statement, whose answers nobody decodes, as in pgbench."""

    def __init__(self, statement):
        self.conn = psycopg.connect(autocommit=True)
        self.proc = pathlib.Path("/proc/%d" % self.conn.info.backend_pid)
        self.conn.pgconn.prepare(b"statement", statement.encode())

    def run(self, parameters, rows):
        result = self.conn.pgconn.exec_prepared(b"statement", [parameter.encode() for parameter in parameters])
        assert result.command_tuples == rows, result.error_message

    def start(self):
        """Sends the statement, which has no parameters."""
        self.conn.pgconn.send_query_prepared(b"statement", None)
        self.conn.pgconn.flush()

    def finish(self, rows):
        """Waits for what was started."""
        result = self.conn.pgconn.get_result()
        assert result.command_tuples == rows, result.error_message
        assert self.conn.pgconn.get_result() is None

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
            backend.run(parameters, rows)
        before = backend.cpu_ms()
        for _ in range(rounds):
            backend.run(parameters, rows)
        return (backend.cpu_ms() - before) / rounds


def peak_mb(statement, parameters, rows):
    """Peak memory in MB of a new session that runs the statement once."""
    with closing(Backend(statement)) as backend:
        backend.run(parameters, rows)
        return backend.peak_mb()


def together_ms(statements, rows, rounds, warmup=1):
    """Milliseconds of each round in which each statement runs in a session of its own, side by side."""
    times = []
    with ExitStack() as stack:
        backends = [stack.enter_context(closing(Backend(statement))) for statement in statements]
        for _ in range(warmup + rounds):
            started = time.perf_counter()
            for backend in backends:
                backend.start()
            for backend in backends:
                backend.finish(rows)
            times.append((time.perf_counter() - started) * 1000)
    return times[warmup:]
