"""More identities in one statement than there are descriptors for fetches of their keys."""

from key_service import ROLE_ARN
from support import DRIVERS, fill
from world import make_mapping

SERVERS = 30  # each needs four descriptors for its fetch, and a session may have 16
READ = "SELECT trips FROM drivers%d WHERE driver_id IN (1, 2, 3)"


def test_each_fetch_has_its_turn(cluster, project, checking, keys, service):
    cluster.environment = {**keys.user().environment(), "AWS_ENDPOINT_URL_STS": service.url}
    cluster.restart(max_files_per_process=64)
    session = cluster.session()
    for i in range(SERVERS):
        session.server(project, checking.url, name="feast%d" % i, mapping=False)
        make_mapping(session, server="feast%d" % i, role_arn=ROLE_ARN + str(i))
        session.table("drivers%d" % i, DRIVERS, "feast%d" % i, table_name="%s.drivers" % project)
        session.run("SET dynamo_fdw.remote_ddl = off")
    fill(session, 3, "drivers0")
    session.close()
    session = cluster.session()
    rows = session.run(" UNION ALL ".join(READ % i for i in range(SERVERS)))
    assert sorted(rows) == sorted([(10,), (20,), (30,)] * SERVERS)
    assert len({form["RoleArn"] for form in service.forms()}) == SERVERS and not checking.refused
    session.close()
