"""Copies of a database own nothing and make nothing twice: templates, dumps, subscribers, standbys, upgrades."""

import os
import subprocess
import time

import pytest

import faults
from cluster import Cluster
from support import DRIVERS, Session, fill, records, remote_tables

CREATE = "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS
DROP = "DROP FOREIGN TABLE drivers"
OFF = "-c dynamo_fdw.remote_ddl=off"


@pytest.fixture
def made(session, project, proxy):
    """A session whose foreign table "drivers" made its remote table."""
    session.server(project, proxy.url)
    session.run(CREATE)
    fill(session, 1)
    proxy.forget()
    return session


def keeps_everything(session, project, proxy):
    """A DROP in a copy, which owns nothing."""
    assert session.value("SELECT trips FROM drivers WHERE driver_id = 1") == 10
    assert session.value("SELECT on_drop FROM dynamo_fdw_plan()") == "keep: CREATE FOREIGN TABLE did not make it here"
    session.run(DROP)
    assert session.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert "DeleteTable" not in proxy.operations()
    assert remote_tables(project) == ["drivers"]


# Copies within the cluster


@pytest.fixture
def admin():
    session = Session("postgres")
    yield session
    session.close()


@pytest.fixture
def clone(made, admin, database):
    """CREATE DATABASE … TEMPLATE of the database with the record, made while nobody uses that."""
    made.close()
    admin.run("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '%s'" % database)
    admin.run("CREATE DATABASE cloned TEMPLATE %s" % database)
    session = Session("cloned")
    yield session
    session.close()
    admin.run("DROP DATABASE cloned WITH (FORCE)")


def test_a_clone_owns_nothing(clone, project, proxy):
    assert len(records(clone)) == 1  # a row of the other database
    keeps_everything(clone, project, proxy)


def test_always_in_a_clone_asks_for_no_record(clone, database, project):
    """The operator said so on the foreign table; the clone's settings count for the clone."""
    clone.run("ALTER SERVER feast OPTIONS (ADD drop_remote_table 'never')")
    clone.run(DROP)
    assert remote_tables(project) == ["drivers"]


def test_a_clone_can_claim(clone, project):
    record = clone.value("SELECT dynamo_fdw_claim('drivers')")
    assert clone.value("SELECT record FROM dynamo_fdw_plan() WHERE record_state = 'made'") == record
    clone.run(DROP)
    assert remote_tables(project) == []


def test_a_table_of_two_databases(clone, made, database, project):
    """'Used' means in the database that deletes: the maker's last DROP takes the table from the other."""
    maker = Session(database)
    maker.run(DROP)
    maker.close()
    assert remote_tables(project) == []
    assert clone.fail("SELECT * FROM drivers WHERE driver_id = 1").sqlstate == "HV00R"


# Dumps


def run_program(bindir, name, *args, **env):
    subprocess.run([os.path.join(bindir, name), *args], check=True, env={**os.environ, **env})


@pytest.mark.parametrize("options, asked", [(OFF, set()), ("", {"DescribeTable"})])
def test_a_restore_into_another_cluster(made, database, initialized, project, proxy, tmp_path, options, asked):
    """It makes nothing twice and owns nothing, with remote_ddl off or on: the tables are there."""
    dump = str(tmp_path / "dump")
    run_program(initialized.bindir, "pg_dump", "-Fc", "-f", dump, database)
    initialized.start()
    try:
        admin = initialized.session()
        admin.run("CREATE DATABASE restored")
        proxy.forget()
        run_program(
            initialized.bindir, "pg_restore", "-h", initialized.home, "-p", "5432", "-U", "postgres", "-d", "restored",
            "--exit-on-error", dump, PGOPTIONS=options,
        )
        assert set(proxy.operations()) == asked
        restored = initialized.session("restored")
        assert records(restored) == []
        keeps_everything(restored, project, proxy)
        restored.close()
        admin.run("DROP DATABASE restored")
        admin.close()
    finally:
        initialized.stop()


def test_records_are_in_no_dump(made, initialized, database):
    text = subprocess.run(
        [os.path.join(initialized.bindir, "pg_dump"), database], check=True, capture_output=True, text=True
    ).stdout
    assert "CREATE EXTENSION" in text and "dynamo_fdw_record" not in text


# What doesn't count as DDL of a user


@pytest.mark.parametrize("statement", [DROP, "CREATE FOREIGN TABLE others (%s) SERVER feast" % DRIVERS,
                                       "ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'x')",
                                       "DROP SERVER feast CASCADE"])
@pytest.mark.parametrize("how", ["replica", "disabled"])
def test_replication_role_and_disabled_triggers_do_nothing(made, project, proxy, how, statement):
    """A disabled trigger makes nothing; DROP is seen by a hook where the library is loaded already."""
    if how == "replica":
        made.run("SET session_replication_role = replica")
    else:
        made.run("ALTER EVENT TRIGGER dynamo_fdw_ddl_command_end DISABLE")
    try:
        made.run(statement)
    finally:
        made.run("RESET session_replication_role")
        made.run("ALTER EVENT TRIGGER dynamo_fdw_ddl_command_end ENABLE")
    if how == "replica":
        assert proxy.operations() == []
        assert remote_tables(project) == ["drivers"]
    else:
        assert "CreateTable" not in proxy.operations()


def test_a_new_session_with_disabled_triggers_keeps_everything(made, database, project, proxy):
    """The library isn't even loaded when the DROP begins."""
    for name in ("start", "end"):
        made.run("ALTER EVENT TRIGGER dynamo_fdw_ddl_command_%s DISABLE" % name)
    try:
        other = Session(database)
        other.run(DROP)
        other.close()
    finally:
        for name in ("start", "end"):
            made.run("ALTER EVENT TRIGGER dynamo_fdw_ddl_command_%s ENABLE" % name)
    assert "DeleteTable" not in proxy.operations()
    assert remote_tables(project) == ["drivers"]


# Logical replication


@pytest.fixture
def pair():
    """A publisher and a subscriber, each a cluster of its own."""
    clusters = []
    try:
        for _ in range(2):
            clusters.append(Cluster())
            clusters[-1].init()
            clusters[-1].start(wal_level="logical")
        yield clusters
    finally:
        for cluster in clusters:
            cluster.remove()


def wait_until(session, query, value):
    end = time.monotonic() + 60
    while session.value(query) != value:
        assert time.monotonic() < end, query
        time.sleep(0.05)


def test_a_subscription_to_all_tables_goes_on(pair, project, proxy):
    publisher, subscriber = pair
    source, target = publisher.session(), subscriber.session()
    for session in (source, target):
        session.run("CREATE EXTENSION dynamo_fdw; CREATE TABLE ordinary (i integer PRIMARY KEY)")
        session.server(project, proxy.url)
    source.run(CREATE)
    source.run("CREATE PUBLICATION everything FOR ALL TABLES")
    target.run("SET dynamo_fdw.remote_ddl = off")
    target.run(CREATE)
    target.run("SET dynamo_fdw.remote_ddl = on")
    target.run(
        "CREATE SUBSCRIPTION everything CONNECTION 'host=%s port=5432 user=postgres dbname=postgres'"
        " PUBLICATION everything" % publisher.home
    )
    count = "SELECT count(*) FROM dynamo_fdw_record"
    wait_until(target, count, 1)
    # Inserts, updates and deletes of records, and what comes after them, arrive.
    source.table("others", DRIVERS)
    wait_until(target, count, 2)
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    source.run("DROP FOREIGN TABLE others")
    wait_until(target, count + " WHERE state = 'pending'", 1)
    assert source.value("SELECT dynamo_fdw_delete_pending()") == 1
    wait_until(target, count, 1)
    source.run("INSERT INTO ordinary VALUES (1)")
    wait_until(target, "SELECT count(*) FROM ordinary", 1)
    # The subscriber has rows, and owns nothing.
    fill(source, 1)
    proxy.forget()
    keeps_everything(target, project, proxy)
    source.run(DROP)
    assert remote_tables(project) == []
    target.run("DROP SUBSCRIPTION everything")
    for session in (source, target):
        session.close()


# Upgrades


def test_claim_after_the_system_identifier_changed(made, project, proxy):
    made.run("SET session_replication_role = replica")
    made.run("UPDATE dynamo_fdw_record SET system_identifier = 1, server = 1")
    made.run("SET session_replication_role = origin")
    assert made.value("SELECT on_drop FROM dynamo_fdw_plan()") == "keep: CREATE FOREIGN TABLE did not make it here"
    record = made.value("SELECT dynamo_fdw_claim('drivers')")
    assert made.run(
        "SELECT r.id, r.server = s.oid, r.system_identifier = c.system_identifier, r.state"
        " FROM dynamo_fdw_record r, pg_foreign_server s, pg_control_system() c"
    ) == [(record, True, True, "made")]
    made.run(DROP)
    assert remote_tables(project) == []


def test_a_record_of_another_cluster_resolves_no_server(made, project, proxy):
    """Its server's OID may be another server's here."""
    made.run("SET session_replication_role = replica")
    made.run("UPDATE dynamo_fdw_record SET system_identifier = 1, state = 'pending'")
    made.run("SET session_replication_role = origin")
    made.run("SET dynamo_fdw.remote_ddl = off; DROP FOREIGN TABLE drivers; SET dynamo_fdw.remote_ddl = on")
    assert made.value("SELECT dynamo_fdw_delete_pending()") == 0
    made.table("others", DRIVERS)
    assert "DeleteTable" not in proxy.operations()
    assert remote_tables(project) == ["drivers", "others"]
    made.run("SET session_replication_role = replica; DELETE FROM dynamo_fdw_record; RESET session_replication_role")


def test_a_server_in_binary_upgrade_mode_makes_and_deletes_nothing(initialized, project, proxy):
    """As pg_upgrade starts it (-b); there CREATE needs OIDs, which ALTER doesn't."""
    initialized.start()
    admin = initialized.session()
    admin.run("CREATE DATABASE upgrading")
    admin.close()
    session = initialized.session("upgrading")
    session.run("CREATE EXTENSION dynamo_fdw")
    session.server(project, proxy.url)
    session.run(CREATE)
    session.table("others", DRIVERS)
    session.close()
    initialized.stop()
    proxy.forget()
    initialized.start("-b")
    session = initialized.session("upgrading")
    session.run("ALTER FOREIGN TABLE others OPTIONS (ADD feature_view 'more')")
    session.run(DROP)
    session.close()
    assert proxy.operations() == []
    assert remote_tables(project) == ["drivers", "others"]
    initialized.stop()


def test_pg_upgrade(initialized, project, proxy):
    """It makes and deletes nothing; the records arrive, and own nothing until they are claimed."""
    new = Cluster()
    try:
        initialized.start()
        old = initialized.session()
        old.run("DROP DATABASE IF EXISTS upgrading")
        old.run("CREATE EXTENSION dynamo_fdw")
        old.server(project, proxy.url)
        old.run(CREATE)
        fill(old, 1)
        old.close()
        initialized.stop()
        new.init()
        proxy.forget()
        new.program(
            "pg_upgrade", "-b", new.bindir, "-B", new.bindir, "-d", initialized.home + "/data", "-D", new.home + "/data",
            "-U", "postgres", "-s", new.home,
        )
        assert proxy.operations() == []
        new.start()
        upgraded = new.session()
        assert records(upgraded) == [(project + ".drivers", "made")]
        assert upgraded.value("SELECT on_drop FROM dynamo_fdw_plan()").startswith("keep")
        upgraded.run("SELECT dynamo_fdw_claim('drivers')")
        upgraded.run(DROP)
        upgraded.close()
        assert remote_tables(project) == []
    finally:
        new.remove()
