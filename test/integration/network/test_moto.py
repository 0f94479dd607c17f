"""The same statements against moto, an emulator of DynamoDB that shares no code with DynamoDB Local."""

from support import DRIVERS, MOTO_ENDPOINT, dynamodb, fill, make_remote, remote_tables


def test_create_insert_select_drop(session, project):
    session.server(project, MOTO_ENDPOINT)
    session.table("drivers", DRIVERS)
    assert remote_tables(project, MOTO_ENDPOINT) == ["drivers"]
    fill(session, 60)
    rows = session.run("SELECT driver_id, conv_rate, trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(70))])
    assert sorted(rows) == [(i, i / 4, 10 * i) for i in range(1, 61)]
    session.run("INSERT INTO drivers VALUES (1, now(), NULL, 5)")
    assert session.run("SELECT conv_rate, trips FROM drivers WHERE driver_id = 1") == [(None, 5)]
    session.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project, MOTO_ENDPOINT) == []


def test_a_missing_table(session, project):
    session.server(project, MOTO_ENDPOINT, create_remote_table="false")
    session.table("drivers", DRIVERS)
    assert session.fail("SELECT * FROM drivers WHERE driver_id = 1").sqlstate == "HV00R"
    assert session.fail("INSERT INTO drivers VALUES (1, now(), 0, 0)").sqlstate == "HV00R"


def test_rollback_of_create_deletes(session, project):
    session.server(project, MOTO_ENDPOINT)
    session.run("BEGIN")
    session.table("drivers", DRIVERS)
    assert remote_tables(project, MOTO_ENDPOINT) == ["drivers"]
    session.run("ROLLBACK")
    assert remote_tables(project, MOTO_ENDPOINT) == []


def test_a_table_made_anew_by_somebody_else_is_kept(session, project):
    """moto has TableIds, DynamoDB Local only creation times."""
    session.server(project, MOTO_ENDPOINT)
    session.table("drivers", DRIVERS)
    dynamodb(MOTO_ENDPOINT).delete_table(TableName=project + ".drivers")
    make_remote(project + ".drivers", endpoint=MOTO_ENDPOINT)
    session.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project, MOTO_ENDPOINT) == ["drivers"]
