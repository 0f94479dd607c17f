"""The programs that a benchmark runs; each measurement is a list of milliseconds, one for each round."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections import namedtuple

from item import VIEW, remote_table

HERE = pathlib.Path(__file__).parent
BUILD = HERE / "build"

# Transactions of a pgbench run that don't count: connections open, and the plan becomes a generic one after five.
WARMUP = 6
FLOOR_WARMUP = 3  # rounds of the floor that don't count


def run(command, **kwargs):
    """What the command prints; a failure shows its errors."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **kwargs)
    if done.returncode != 0:
        sys.exit("%s: %s" % (command[0], done.stderr))
    return done


# What came to a mock: requests; reads and writes among them that were no repetitions; items put, updated or deleted.
Counts = namedtuple("Counts", "requests reads writes written")


class Mock:
    """A DynamoDB with a fixed latency; with a folder that has cert.pem and key.pem, it speaks TLS."""

    def __init__(self, latency_ms, tls=None):
        command = [BUILD / "mock", "--latency-ms", str(latency_ms)]
        if tls:
            command += ["--cert", tls / "cert.pem", "--key", tls / "key.pem"]
        # It ends with its standard input, so with us in any case.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ca_bundle = tls / "cert.pem" if tls else None
        port = self.process.stdout.readline().strip()
        self.url = "%s://127.0.0.1:%s" % ("https" if tls else "http", port)

    def close(self):
        """What came, as Counts."""
        self.process.stdin.close()
        counts = self.process.stdout.read().split()
        self.process.wait()
        return Counts(*(int(count) for count in counts))


class Peers:
    """The process of peers.py."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, HERE / "peers.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def measure(self, client, mock, arguments, rounds):
        request = {"url": mock.url, "client": client, "arguments": arguments, "rounds": rounds}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        return json.loads(answer) if answer else sys.exit("%s failed" % client)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def certificate(folder):
    """Makes cert.pem and key.pem for 127.0.0.1; the folder, which a server of another user can read too."""
    folder.chmod(0o755)
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mock",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"])
    return folder


def floor(mock, entities, workers, rounds, do="read", warmup=FLOOR_WARMUP):
    """The milliseconds of each round, and the bytes of the answers' bodies in one."""
    command = [BUILD / "floor", "--url", mock.url, "--table", remote_table(VIEW), "--entities", entities,
               "--workers", workers, "--rounds", rounds, "--warmup", warmup, "--do", do]
    if mock.ca_bundle:
        command += ["--cacert", mock.ca_bundle]
    done = run(command)
    return [float(line) for line in done.stdout.split()], int(done.stderr.split()[0])


def ids_of(entities):
    """The array of the keys 1 to `entities`, as text."""
    return "{%s}" % ",".join(str(driver) for driver in range(1, entities + 1))


def pgbench(statement, rounds, entities=0, mode="prepared", settings="", warmup=WARMUP):
    """One session that runs the statement, in which `:ids` is an array of keys, with these settings (-c name=value)."""
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "read.sql"
        script.write_text(statement + ";\n")
        bindir = run([os.environ["PG_CONFIG"], "--bindir"]).stdout.strip()
        run([bindir + "/pgbench", "-n", "-M", mode, "-c", 1, "-t", rounds + warmup, "-f", script,
             "-D", "ids=" + ids_of(entities), "-l", "--log-prefix", folder + "/log"],
            env={**os.environ, "PGOPTIONS": settings})
        (log,) = pathlib.Path(folder).glob("log*")
        times = [int(line.split()[2]) / 1000 for line in log.read_text().splitlines()]
    assert len(times) == rounds + warmup, "pgbench lost transactions"
    return times[warmup:]
