"""Large answers: 16 MB at most, DynamoDB leaves the other keys unprocessed."""

import pytest

MIB = 1024 * 1024
LETTERS = 390000
ITEMS = 100


@pytest.fixture
def large(drivers):
    drivers.set_server(read_timeout=60)
    drivers.table("large", "id bigint OPTIONS (entity_key 'true'), t text")
    drivers.run(
        "INSERT INTO large SELECT i, chr(64 + i %% 26) || repeat('x', %d) FROM generate_series(1, %d) i"
        % (LETTERS - 1, ITEMS)
    )
    return drivers


def peak(session):
    """The most memory the backend had since forget_peak; None where /proc doesn't tell."""
    try:
        with open("/proc/%d/status" % session.pid) as status:
            (line,) = [line for line in status if line.startswith("VmHWM")]
            return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return None


def forget_peak(session):
    try:
        with open("/proc/%d/clear_refs" % session.pid, "w") as file:
            file.write("5")
    except OSError:
        pytest.skip("/proc doesn't show the server's memory")


def test_pages_of_16_mb(large, proxy):
    large.run("ALTER FOREIGN TABLE large OPTIONS (ADD max_read_workers '1')")
    query = "SELECT id, t FROM large WHERE id = ANY (ARRAY(SELECT generate_series(1, 150)))"
    small = "SELECT count(*), sum(length(t)), count(DISTINCT left(t, 1)) FROM (%s) x" % query
    proxy.forget()
    forget_peak(large)
    before = peak(large)
    assert large.run(small) == [(ITEMS, ITEMS * LETTERS, 26)]
    # 100 keys are 39 MB: three pages; the 50 keys of the second request are not there.
    assert 3 <= proxy.count("BatchGetItem") <= 4
    assert peak(large) - before < 40 * MIB  # one page as JSON has 22, all three have 52


def test_a_large_answer(drivers):
    """More than a megabyte in one response."""
    drivers.table("big", "id bigint OPTIONS (entity_key 'true'), t text")
    drivers.run("INSERT INTO big SELECT i, repeat(chr(960), 10000) || i FROM generate_series(1, 100) i")
    rows = drivers.run(
        "SELECT id FROM big WHERE id = ANY (%s) AND t = repeat(chr(960), 10000) || id", [list(range(1, 101))]
    )
    assert len(rows) == 100
