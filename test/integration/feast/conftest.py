"""Fixtures: Feast repositories."""

import pytest

from feast_repo import Repo


@pytest.fixture
def feast(tmp_path, project, proxy):
    """A Feast repository of the same project (through the proxy, which answers for tags)."""
    return Repo(tmp_path, project, proxy.url)


@pytest.fixture
def feast_v2(tmp_path, project, proxy):
    """The same with the old serialization of entity keys."""
    return Repo(tmp_path, project, proxy.url, version=2)
