"""Fixtures: services that hand out credentials, DynamoDB that checks them, and a server process that uses them."""

import pytest

from checking_proxy import CheckingProxy
from cluster import Cluster
from key_service import KeyService
from keys import Keys
from namespace import Namespace, NoNamespace
from programs import MetadataMock, Moto
from support import ENDPOINT, drop_servers


@pytest.fixture
def keys():
    """All access keys that `checking` accepts."""
    return Keys()


@pytest.fixture
def service(keys):
    """STS, metadata service and container in one; what it issues is in `keys`."""
    service = KeyService(keys)
    yield service
    service.close()


@pytest.fixture
def checking(keys):
    """DynamoDB that refuses all but `keys`."""
    proxy = CheckingProxy(ENDPOINT, keys)
    yield proxy
    proxy.close()


@pytest.fixture
def metadata_mock(tmp_path, keys):
    """AWS's mock of the metadata service, version 2 only. Its key expired in 2020, and is one of `keys`."""
    mock = MetadataMock(str(tmp_path))
    keys.add(mock.key)
    yield mock
    mock.stop()


@pytest.fixture
def moto(tmp_path):
    """A moto of the test's own, which checks nothing until told to."""
    moto = Moto(str(tmp_path))
    yield moto
    moto.stop()


@pytest.fixture(scope="module")
def cluster_home():
    """A PostgreSQL cluster of the test module's own with the extension in database postgres; not started."""
    cluster = Cluster()
    try:
        cluster.init()
        cluster.start()
        session = cluster.session()
        session.run("CREATE EXTENSION dynamo_fdw")
        session.close()
        cluster.stop()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def cluster(cluster_home):
    """That cluster, not started: `cluster.restart({"AWS_...": ...})` starts it in an environment that has no AWS_*
    but these. Servers that the test made are dropped.
    """
    yield cluster_home
    if cluster_home.server:
        cluster_home.stop()
    cluster_home.within = []
    cluster_home.restart({})
    session = cluster_home.session()
    drop_servers(session)
    session.close()
    cluster_home.stop()


@pytest.fixture
def namespace(cluster_home):
    """A network with the real addresses of the metadata service and of containers; skips where there can't be one."""
    try:
        namespace = Namespace(cluster_home.owner)
    except NoNamespace as reason:
        pytest.skip("no user and network namespaces here: %s" % reason)
    yield namespace
    namespace.close()


@pytest.fixture
def inside_service(namespace, keys):
    """A KeyService at port 80 of all addresses of the namespace."""
    service = KeyService(keys, listener=namespace.listen(80))
    yield service
    service.close()


@pytest.fixture
def inside_checking(namespace, keys):
    """A CheckingProxy that listens in the namespace."""
    proxy = CheckingProxy(ENDPOINT, keys, listener=namespace.listen())
    yield proxy
    proxy.close()
