"""Deletions that are owed: whose work they are, how long they may take, and that drops in bulk fit in."""

import threading

import pytest

import faults
from support import ACCESS_KEY, DRIVERS, Running, Session, dynamodb, make_remote, records, remote_tables, takes

DENIED = faults.error("AccessDeniedException")
CREATE = "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS


@pytest.fixture
def local(session, project, proxy):
    session.server(project, proxy.url)
    return session


@pytest.fixture
def silent(local, project, second_proxy):
    """A server of its own whose endpoint stopped to answer; a deletion of the session's user is owed there."""
    local.server(project + ".s", second_proxy.url, name="silent")
    local.table("silent_table", DRIVERS, server="silent")
    second_proxy.fault(DENIED, operation="DeleteTable")
    local.run("DROP FOREIGN TABLE silent_table")
    second_proxy.heal()
    second_proxy.fault(faults.stall, times=None)
    second_proxy.forget()
    local.warnings()
    yield second_proxy
    for table in remote_tables(project + ".s"):
        dynamodb().delete_table(TableName=project + ".s." + table)


@pytest.fixture
def role(silent, local, new_role):
    role = new_role("feast")
    local.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id '%s', secret_access_key 's')" % (role, ACCESS_KEY))
    return role


def test_nobody_does_another_users_work(local, silent, role):
    local.run("SET ROLE %s" % role)
    local.run(CREATE)
    assert silent.operations() == []
    assert local.warnings() == []
    local.run("DROP FOREIGN TABLE drivers")
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1
    assert silent.operations() == []


def test_a_silent_endpoint_is_asked_once_and_briefly(local, silent):
    with takes(less_than=20):  # 2 s in all
        local.run(CREATE)
    assert silent.count("DescribeTable") == 1
    assert local.warnings() == []
    # Then it is left alone for a while.
    local.table("others", DRIVERS)
    local.table("more", DRIVERS)
    assert silent.count("DescribeTable") == 1


def test_by_hand_a_silent_endpoint_is_asked_each_time(local, silent, project):
    local.run(CREATE)
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert project + ".s.silent_table" in " ".join(local.warnings())
    assert silent.count("DescribeTable") == 2
    silent.heal()
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1


def test_a_silent_endpoint_does_not_hold_up_the_others(local, silent, project, proxy):
    local.table("here", DRIVERS)
    proxy.fault(DENIED, operation="DeleteTable")
    local.run("DROP FOREIGN TABLE here")
    local.run(CREATE)
    assert remote_tables(project + ".s") == ["silent_table"]
    assert "here" not in remote_tables(project)


def test_many_silent_records_take_one_budget(local, silent, project):
    silent.heal()
    for i in range(8):
        local.table("s%d" % i, DRIVERS, server="silent")
    silent.fault(faults.error("InternalServerError", 500), times=None)
    local.run("ALTER SERVER silent OPTIONS (ADD total_max_retry_attempts '1')")
    local.run("DROP FOREIGN TABLE s0, s1, s2, s3, s4, s5, s6, s7")
    silent.heal()
    silent.fault(faults.stall, times=None)
    with takes(less_than=20):
        local.run(CREATE)
    assert [state for _, state in records(local)].count("pending") >= 8


def test_two_sessions_at_one_pending_record(local, database, project, proxy):
    """Rows are read under the lock: the second finds nothing left to do, and no error."""
    local.run(CREATE)
    proxy.fault(DENIED, operation="DeleteTable")
    local.run("DROP FOREIGN TABLE drivers")
    proxy.fault(faults.late(0.5), operation="DeleteTable")
    others = [Session(database) for _ in range(4)]
    running = [Running(other, "SELECT dynamo_fdw_delete_pending()") for other in others]
    done = [one.join() for one in running]
    assert [one.error for one in done] == [None] * 4
    assert sum(one.rows[0][0] for one in done) == 1
    for other in others:
        other.close()
    assert records(local) == []


def test_forget_and_delete_at_once(local, database, project, proxy):
    local.run(CREATE)
    proxy.fault(DENIED, operation="DeleteTable")
    local.run("DROP FOREIGN TABLE drivers")
    record = local.value("SELECT id FROM dynamo_fdw_record")
    proxy.fault(faults.late(0.5), operation="DeleteTable")
    proxy.forget()
    other = Session(database)
    delete = Running(other, "SELECT dynamo_fdw_delete_pending()")
    proxy.wait_for("DeleteTable")
    error = local.fail("SELECT dynamo_fdw_forget(%s)", [record])
    assert error.sqlstate == "42704"
    assert delete.join().rows == [(1,)]
    other.close()


# In bulk

MANY = 80  # more than the 64 names that a transaction locks one by one


def make_many(session, project, n=MANY):
    session.run(
        "DO $$ BEGIN FOR i IN 1..%d LOOP EXECUTE format("
        "'CREATE FOREIGN TABLE many.t%%s (id bigint OPTIONS (entity_key ''true'')) SERVER feast', i); END LOOP; END $$" % n
    )


LOCKS = (
    "SELECT count(*), bool_and(database = 0), string_agg(DISTINCT mode, ' ' ORDER BY mode)"
    " FROM pg_locks WHERE locktype = 'advisory' AND pid = %s AND objsubid IN (222, 223)"
)


def settle(session):
    """On a slow machine a COMMIT leaves some to be deleted later; each call does some more."""
    while session.value("SELECT count(*) FROM dynamo_fdw_record WHERE state <> 'made'"):
        session.run("SELECT dynamo_fdw_delete_pending()")


@pytest.fixture
def many(local, project):
    local.run("DROP SCHEMA IF EXISTS many CASCADE; CREATE SCHEMA many")
    make_many(local, project)
    assert len(remote_tables(project)) == MANY
    return local


def test_a_commit_of_many_drops(many, other, project, proxy):
    """Beside as many that stay; one lock on all names takes the place of many."""
    many.run(
        "DO $$ BEGIN FOR i IN 1..%d LOOP EXECUTE format('CREATE FOREIGN TABLE other%%s (id bigint"
        " OPTIONS (entity_key ''true'')) SERVER feast OPTIONS (feature_view ''x%%s'')', i, i); END LOOP; END $$" % MANY
    )
    release = threading.Event()
    proxy.fault(faults.held(release), operation="DescribeTable")
    proxy.forget()
    running = Running(many, "DROP SCHEMA many CASCADE")
    proxy.wait_for("DescribeTable", seconds=60)
    number, cluster_wide, modes = other.run(LOCKS, [many.pid])[0]
    release.set()
    assert (number <= 64, cluster_wide) == (True, True)
    assert "ExclusiveLock" in modes
    assert running.join().error is None
    settle(many)
    assert len(remote_tables(project)) == len(records(many)) == MANY


def test_only_what_may_be_deleted_is_locked(local, other, project, proxy):
    """Names without a record need no lock."""
    for i in range(5):
        make_remote("%s.there%d" % (project, i))
        local.table("there%d" % i, DRIVERS)
    for i in range(3):
        local.table("made%d" % i, DRIVERS)
    release = threading.Event()
    proxy.fault(faults.held(release), operation="DescribeTable")
    proxy.forget()
    running = Running(local, "DROP SERVER feast CASCADE")
    proxy.wait_for("DescribeTable")
    assert other.run(LOCKS, [local.pid]) == [(3 + 1, True, "ExclusiveLock ShareLock")]
    release.set()
    assert running.join().error is None
    assert proxy.count("DescribeTable") == 3


def test_a_lock_on_all_names_waits_for_those_who_have_one(many, database, project, proxy):
    other = Session(database)
    other.run("BEGIN")
    other.table("mine", DRIVERS)
    running = Running(many, "DROP SCHEMA many CASCADE")
    blocked = Session(database)
    while not blocked.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s", [many.pid]):
        assert running.error is None
    other.run("ROLLBACK")
    assert running.join().error is None
    settle(blocked)
    assert remote_tables(project) == []
    blocked.close()
    other.close()


def test_a_cancel_before_the_commit_of_many_acts_at_once(many, project, proxy):
    proxy.fault(faults.stall, times=None, operation="DescribeTable")
    proxy.forget()
    running = Running(many, "DROP SCHEMA many CASCADE")
    proxy.wait_for("DescribeTable")
    with takes(less_than=10):
        many.conn.cancel()
        running.join()
    assert running.error.sqlstate == "57014"
    assert len(remote_tables(project)) == MANY
    assert "DeleteTable" not in proxy.operations()
