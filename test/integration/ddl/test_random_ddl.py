"""Random CREATE, ALTER and DROP delete no table that they must not, and leave none behind that they must delete.

The seed is fixed, so that a failure comes again as far as time allows; RANDOM_DDL="SEED NUMBER" tries others.
"""

import os

from backend import descriptors
from random_ddl import World

SEED, NUMBER = map(int, (os.environ.get("RANDOM_DDL") or "1 150").split())
QUIET_EVERY = 30  # steps


def test_random_ddl():
    with open(os.environ["PG_SERVER_LOG"], errors="replace") as log:
        log.seek(0, os.SEEK_END)
        world = World(SEED)
        world.warm_up()
        try:
            before = max(descriptors(actor.session) for actor in world.actors)
            for number in range(1, NUMBER + 1):
                world.step()
                if number % QUIET_EVERY == 0:
                    world.quiet()
            world.quiet()
            assert world.model.made and world.model.deleted
            assert max(descriptors(actor.session) for actor in world.actors) <= before
        except BaseException:
            print("seed %d, step %d:\n%s" % (SEED, number, "\n".join(world.log[-150:])))
            raise
        finally:
            world.close()
        text = log.read()
    assert "PANIC" not in text and "was terminated by signal" not in text
