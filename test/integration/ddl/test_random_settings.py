"""Random settings of tables: the remote tables and the foreign tables' options are as a model says, after each step.

The seed is fixed, so that a failure comes again; RANDOM_SETTINGS="SEED NUMBER" tries others.
"""

import os

import pytest

from random_settings import World
from support import ENDPOINT, MOTO_ENDPOINT

SEED, NUMBER = map(int, (os.environ.get("RANDOM_SETTINGS") or "1 2").split())
STEPS = 100  # of a sequence


@pytest.mark.parametrize("peer, endpoint", [("moto", MOTO_ENDPOINT), ("local", ENDPOINT)])
def test_random_settings(database, peer, endpoint):
    for seed in range(SEED, SEED + NUMBER):
        world = World(database, endpoint, peer, seed)
        try:
            for _ in range(STEPS):
                world.step()
        except BaseException:
            print("%s, seed %d:\n%s" % (peer, seed, "\n".join(world.log)))
            raise
        finally:
            world.close()
