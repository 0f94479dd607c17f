"""HTTP as others speak it, and what is none: right rows or a clear error, with bounded memory."""

import gzip
import itertools
import zlib

import pytest

import faults
from backend import resident_bytes
from support import fill, takes

READ = "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 300)))"
ROWS = [(i, 10 * i) for i in range(1, 301)]
ONE = "SELECT trips FROM drivers WHERE driver_id = 1"
INSERT = "INSERT INTO drivers SELECT i, '2024-03-01 10:20:30+00', i / 4.0, i * 10 FROM generate_series(1, 300) i"

MIB = 1024 * 1024


@pytest.fixture
def filled(drivers, proxy):
    """drivers 1 to 300, in one attempt a request."""
    fill(drivers, 300)
    drivers.set_server(total_max_retry_attempts=1, read_timeout=30)
    proxy.forget()
    return drivers


def head(*lines, status="HTTP/1.1 200 OK"):
    return "\r\n".join([status, *lines, "", ""]).encode("latin-1")


def length(body):
    return "Content-Length: %d" % len(body)


def chunks(body, size):
    for at in range(0, len(body), size):
        block = body[at : at + size]
        yield b"%x;ext=1\r\n%s\r\n" % (len(block), block)
    yield b"0\r\nX-Trailer: x\r\n\r\n"


# Unusual, but HTTP: (the answer's blocks, is the connection closed after it?).
GOOD = {
    "HTTP/1.0": (lambda body: [head(status="HTTP/1.0 200 OK"), body], True),
    "neither length nor chunks": (lambda body: [head("Connection: close"), body], True),
    "connection: close": (lambda body: [head("Connection: close", length(body)), body], True),
    "chunks": (lambda body: [head("Transfer-Encoding: chunked"), *chunks(body, 4096)], False),
    "small chunks": (lambda body: [head("Transfer-Encoding: chunked"), *chunks(body, 7)], False),
    "interim answers": (
        lambda body: [
            head(status="HTTP/1.1 100 Continue"), head("A: b", status="HTTP/1.1 103 x"), head(length(body)), body],
        False,
    ),
    "no reason phrase, odd headers": (
        lambda body: [
            head("content-LENGTH:%d" % len(body), "X: a", " folded", "x-amz-crc32:  %d  " % zlib.crc32(body), "Empty:",
                 status="HTTP/1.1 200"), body],
        False,
    ),
    "gzip claimed, not done": (lambda body: [head("Content-Encoding: gzip", length(body)), body], False),
    "many headers": (lambda body: [head(*["X-%d: y" % i for i in range(500)], length(body)), body], False),
    "headers of nonsense": (
        lambda body: [
            head("x-amz-retry-after: nan", "Date: never", "Retry-After: -1", "x-amzn-RequestId: %s" % ("x" * 999),
                 length(body)), body],
        False,
    ),
}


@pytest.mark.parametrize("form", GOOD)
def test_http_of_another_form(filled, proxy, form):
    make, close = GOOD[form]
    proxy.fault(faults.raw(make, close), times=None)
    for _ in range(2):
        assert sorted(filled.run(READ)) == ROWS
        filled.run(INSERT)
    proxy.heal()
    assert filled.run(ONE) == [(10,)]


def test_connections_are_kept_where_they_may_be(filled, proxy):
    proxy.latency = 0.02  # so that no request can have the connection of another one of its statement
    for _ in range(5):
        filled.run(READ)
    assert proxy.connections <= 3
    make, close = GOOD["connection: close"]
    proxy.fault(faults.raw(make, close), times=None)
    proxy.forget()
    for _ in range(5):
        filled.run(READ)
    assert proxy.connections >= 12


PAGE = b"<html><body>Log in first</body></html>"


def garbage(size):
    return bytes(i * 7 % 256 for i in range(size))


def endless(start, block):
    return itertools.chain([start], itertools.repeat(block))


# Wrong for good. How libcurl calls it differs between its versions.
BAD = {
    "no HTTP": lambda body: [b"SSH-2.0-OpenSSH_9.2\r\n"],
    "bytes of any kind": lambda body: [garbage(4096)],
    "a body that is compressed": lambda body: [head("Content-Encoding: gzip"), gzip.compress(body)],
    "a checksum that is no number": lambda body: [head("x-amz-crc32: abc", length(body)), body],
    "a negative length": lambda body: [head("Content-Length: -5"), body],
    "a chunk that overflows": lambda body: [head("Transfer-Encoding: chunked"), b"fffffffffffffffff\r\n", body],
    "a chunk without a size": lambda body: [head("Transfer-Encoding: chunked"), b"size\r\n", body],
    "chunks that end too early": lambda body: [head("Transfer-Encoding: chunked"), b"%x\r\n" % len(body), body[:-9]],
    "an unknown transfer encoding": lambda body: [head("Transfer-Encoding: br", length(body)), body],
    "half of the head": lambda body: [b"HTTP/1.1 200 OK\r\nContent-Len"],
    "only the head": lambda body: [head(length(body))],
    "headers without end": lambda body: endless(b"HTTP/1.1 200 OK\r\n", b"X: %s\r\n" % (b"y" * 9000)),
    "interim answers without end": lambda body: endless(b"", head("X: y", status="HTTP/1.1 100 Continue") * 100),
    "a body without end": lambda body: endless(head(), b" " * MIB),
    "chunks without end": lambda body: endless(head("Transfer-Encoding: chunked"), b"100000\r\n%s\r\n" % (b" " * MIB)),
    "204": lambda body: [head(status="HTTP/1.1 204 No Content")],
    "304": lambda body: [head(status="HTTP/1.1 304 Not Modified")],
    "302 with a page": lambda body: [head("Location: /", length(PAGE), status="HTTP/1.1 302 Found"), PAGE],
    "401 with a page": lambda body: [head("WWW-Authenticate: Basic", length(PAGE), status="HTTP/1.1 401 x"), PAGE],
    "407 with a page": lambda body: [head("Proxy-Authenticate: Basic", length(PAGE), status="HTTP/1.1 407 x"), PAGE],
    "101": lambda body: [head("Upgrade: h2c", "Connection: Upgrade", status="HTTP/1.1 101 Switching Protocols")],
    "999": lambda body: [head(length(body), status="HTTP/1.1 999 What"), body],
}
SQLSTATES = {
    "302 with a page": "HV000",
    "304": "HV000",
    # These have caps of our own.
    "headers without end": "08P01",
    "interim answers without end": "08P01",
    "a body without end": "08P01",
    "chunks without end": "08P01",
}


@pytest.mark.parametrize("form", BAD)
def test_what_is_no_answer(filled, proxy, form):
    wanted = [SQLSTATES[form]] if form in SQLSTATES else ["08P01", "08006"]
    assert sorted(filled.run(READ)) == ROWS
    before = resident_bytes(filled)
    proxy.fault(faults.raw(BAD[form]), times=None)
    for statement in (ONE, "INSERT INTO drivers VALUES (1, now(), 0, 0)"):
        with takes(less_than=20):
            assert filled.fail(statement).sqlstate in wanted
    proxy.heal()
    filled.run(INSERT)
    assert sorted(filled.run(READ)) == ROWS
    after = resident_bytes(filled)
    if before and after:
        assert after - before < 8 * MIB


@pytest.mark.parametrize("statement", [ONE, INSERT], ids=["read", "write"])
def test_a_reset(filled, proxy, statement):
    """On a new connection and on one in use."""
    for _ in range(2):
        proxy.fault(faults.reset, times=None)
        assert filled.fail(statement).sqlstate == "08006"
        proxy.heal()
        filled.run(statement)
    filled.run("ALTER SERVER feast OPTIONS (SET total_max_retry_attempts '2')")
    proxy.fault(faults.reset)
    filled.run(statement)
    assert sorted(filled.run(READ)) == ROWS
