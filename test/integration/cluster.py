"""PostgreSQL servers that a test starts itself: of the same installation and owner as the server under test."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import psycopg
import pytest

from support import Session

# How `stop` asks: smart waits for sessions, fast ends them, immediate doesn't even tidy up.
SMART, FAST, IMMEDIATE = signal.SIGTERM, signal.SIGINT, signal.SIGQUIT

# As steps.sh looks for in the log of the server under test.
CRASH = re.compile("PANIC:|terminated by signal|TRAP:|(reference|refcount) leak")


def as_owner(data):
    """What to put before a command so that root, too, can start PostgreSQL: as the owner of a data directory."""
    owner = os.stat(data)
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid", str(owner.st_uid), "--regid", str(owner.st_gid), "--clear-groups"]


def process_environment(wanted):
    """The test's environment (None), or that without what AWS's SDKs read, changed by `wanted`, where None unsets."""
    if wanted is None:
        return None
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {name: value for name, value in {**inherited, **wanted}.items() if value is not None}


class Cluster:
    """A data directory, made empty by `init` or as a standby by `copy`, and the server on it.

    `environment` decides the environment of the server process (see process_environment), and `within` is put before
    the command that starts it, to place it in another network.
    """

    def __init__(self):
        admin = Session("postgres")
        self.bindir = admin.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
        source = admin.value("SELECT current_setting('data_directory')")
        admin.close()
        if not os.path.isdir(source):
            pytest.skip("the server runs elsewhere")
        self.home = tempfile.mkdtemp(prefix="pg")
        if os.geteuid() == 0:
            shutil.chown(self.home, os.stat(source).st_uid, os.stat(source).st_gid)
        self.owner = as_owner(source)
        self.server = None
        self.environment = None
        self.within = []

    def program(self, name, *args):
        """Runs one of PostgreSQL's programs to its end."""
        command = [*self.owner, os.path.join(self.bindir, name), *args]
        subprocess.run(command, check=True, cwd=self.home, stdout=subprocess.DEVNULL)

    def init(self):
        self.program("initdb", "-D", self.home + "/data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")

    def copy(self):
        """A copy of the server under test, which will follow it."""
        self.program("pg_basebackup", "-D", self.home + "/data", "-c", "fast", "-R", "--no-sync")

    def start(self, *options, **settings):
        """Starts the server, with more options if need be, and waits until it takes sessions; its superuser is postgres."""
        settings = {"fsync": "off", "listen_addresses": "", "unix_socket_directories": self.home, **settings}
        options += tuple(word for name, value in settings.items() for word in ("-c", "%s=%s" % (name, value)))
        command = [self.bindir + "/postgres", "-D", self.home + "/data", "-p", "5432", *options]
        with open(self.home + "/log", "a") as log:
            self.server = subprocess.Popen(
                [*self.owner, *self.within, *command],
                cwd=self.home,
                stderr=log,
                env=process_environment(self.environment),
            )
        end = time.monotonic() + 30
        while True:
            try:
                return self.session().close()
            except psycopg.OperationalError:
                assert self.server.poll() is None and time.monotonic() < end, self.log()
                time.sleep(0.05)

    def session(self, database="postgres"):
        return Session(database, host=self.home, port=5432, user="postgres")

    def log(self):
        with open(self.home + "/log") as log:
            return log.read()

    def clear_log(self):
        os.truncate(self.home + "/log", 0)

    def signal(self, how):
        self.server.send_signal(how)

    def stop(self, how=FAST, seconds=30):
        """Stops the server; it must be gone in time."""
        if self.server is None:
            return
        self.signal(how)
        try:
            self.server.wait(seconds)
        finally:
            self.server.kill()
            self.server = None
        assert not CRASH.search(self.log()), self.log()

    def restart(self, environment=None, *options, **settings):
        """Stops the server, if it runs, and starts it in an environment, the one it had if none is given."""
        self.stop()
        if environment is not None:
            self.environment = environment
        self.start(*options, **settings)

    def remove(self):
        try:
            self.stop(IMMEDIATE)
        finally:
            shutil.rmtree(self.home)
