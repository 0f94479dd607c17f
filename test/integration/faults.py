"""A reverse proxy in front of DynamoDB Local that misbehaves on request.

It runs in threads of the test process.  Every request is recorded, so that a
test can count requests, connections and how many were in flight at once.  A
fault is a function that gets the Exchange (one request waiting for its
answer) and answers it in its own, usually wrong, way.
"""

import http.client
import http.server
import json
import select
import socket
import struct
import threading
import time
import zlib
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import urlsplit

MIB = 1024 * 1024

# DynamoDB Local has no tags, but Feast asks for them: these are answered here.
TAG_ANSWERS = {
    "ListTagsOfResource": b'{"Tags":[]}',
    "TagResource": b"{}",
    "UntagResource": b"{}",
}


@dataclass
class Request:
    """What came in, and when."""

    operation: str  # "BatchGetItem"
    method: str
    path: str
    headers: list  # (name, value) in the order sent
    body: bytes
    connection: int  # 1 is the first one opened
    arrived: float
    answered: float = None  # None while in flight
    abandoned: float = None  # when the client hung up on a stalled answer

    def header(self, name):
        """The header's value, None where it was not sent."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    def json(self):
        return json.loads(self.body)


class Exchange(http.server.BaseHTTPRequestHandler):
    """One client connection; `asked` is the request being answered."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.proxy = self.server.proxy
        self.upstream = None
        self.number = self.proxy.opened(self.connection)
        self.used = False

    def finish(self):
        if self.upstream:
            self.upstream.close()
        self.proxy.closed(self.connection)
        super().finish()

    def log_message(self, *args):
        """Says nothing: the requests are in the record."""

    def do_POST(self):
        if self.used and self.proxy.resets():
            self.reset()
            return
        self.used = True
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = list(self.headers.items())
        self.asked = Request(
            self.operation(body), self.command, self.path, headers, body, self.number, time.monotonic()
        )
        action = self.proxy.arrived(self.asked)
        try:
            action(self)
        except OSError:  # the client gave up, or the proxy is being closed
            self.close_connection = True
        finally:
            self.mark_answered()

    do_GET = do_POST  # connections that are warmed up

    def operation(self, body):
        return self.headers.get("X-Amz-Target", "").rpartition(".")[2]

    def reset(self):
        """Hangs up as one that has long forgotten the connection, without reading the request."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def mark_answered(self):
        if self.asked.answered is None:
            self.asked.answered = time.monotonic()

    def forward(self, body=None):
        """Asks DynamoDB; (status, headers, body) of its answer."""
        record = self.asked
        if self.upstream is None:
            self.upstream = http.client.HTTPConnection(self.proxy.upstream)
        skip = ("host", "connection", "content-length", "accept-encoding")
        headers = {name: value for name, value in record.headers if name.lower() not in skip}
        self.upstream.request(record.method, record.path, record.body if body is None else body, headers)
        answer = self.upstream.getresponse()
        return answer.status, answer.headers, answer.read()

    def send(self, status, body, content_type="application/x-amz-json-1.0", crc=None, headers=(), length=None):
        """Sends an answer after the proxy's latency; `crc` and `length` only when they shall be wrong."""
        rest = self.asked.arrived + self.proxy.latency - time.monotonic()
        if rest > 0:
            time.sleep(rest)
        self.mark_answered()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("x-amz-crc32", str(zlib.crc32(body) if crc is None else crc))
        self.send_header("x-amzn-RequestId", "REQUEST%d" % id(self.asked))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, status, data):
        self.send(status, json.dumps(data).encode())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, where, handler):
        """`where` is an address, or a socket that listens already."""
        given = isinstance(where, socket.socket)
        super().__init__(where.getsockname() if given else where, handler, bind_and_activate=not given)
        if given:
            self.socket.close()
            self.socket = where
            self.server_address = where.getsockname()

    def handle_error(self, request, client_address):
        """A connection that breaks is what tests want; no traceback."""


class Proxy:
    """`url` is the endpoint to use; `requests` is everything that was asked.

    It listens on a port of its own, or on a socket that is given to it.
    """

    handler = Exchange

    def __init__(self, endpoint, latency=0.0, port=0, listener=None):
        self.upstream = urlsplit(endpoint).netloc
        self.latency = latency
        self.connections = 0
        self.requests = []
        self.stopping = threading.Event()
        self._faults = []
        self._resets = 0
        self._sockets = set()
        self._lock = threading.Lock()
        self._server = Server(listener or ("127.0.0.1", port), self.handler)
        self._server.proxy = self
        self.port = self._server.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def fault(self, action, times=1, operation=None):
        """Answers the next `times` requests (None: all) of `operation` (None: any) by `action`."""
        with self._lock:
            self._faults.append([action, times, operation])

    def heal(self):
        """Forgets all faults not yet used up."""
        with self._lock:
            self._faults.clear()

    def forget(self):
        """Starts counting anew; connections that are open stay open."""
        with self._lock:
            self.requests = []
            self.connections = 0

    def close(self):
        """From now on connections are refused; open ones are cut."""
        self.stopping.set()
        if self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._thread = None
        self.hang_up_all()

    def hang_up_all(self):
        """Cuts the open connections; new ones are welcome."""
        with self._lock:
            for sock in self._sockets:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:  # already gone
                    pass

    def open_connections(self):
        with self._lock:
            return len(self._sockets)

    def reset_reused(self, times=1):
        """Resets the next `times` connections that are used again, instead of reading the request."""
        with self._lock:
            self._resets = times

    def of(self, operation):
        """The requests of one operation so far."""
        with self._lock:
            return [request for request in self.requests if request.operation == operation]

    def count(self, operation):
        return len(self.of(operation))

    def operations(self):
        """The names of all operations so far, in order of arrival."""
        with self._lock:
            return [request.operation for request in self.requests]

    def most_in_flight(self, operation):
        """The most requests of one operation that waited for an answer at the same time."""
        events = []
        for request in self.of(operation):
            events.append((request.arrived, 1))
            events.append((request.answered or float("inf"), -1))
        most = now = 0
        for _, step in sorted(events):
            now += step
            most = max(most, now)
        return most

    def wait_for(self, operation, number=1, seconds=10):
        """Waits until `number` requests of an operation have arrived."""
        end = time.monotonic() + seconds
        while self.count(operation) < number:
            assert time.monotonic() < end, "no %s arrived in %s s" % (operation, seconds)
            time.sleep(0.005)

    # Called by Exchange.

    def opened(self, sock):
        with self._lock:
            self._sockets.add(sock)
            self.connections += 1
            return self.connections

    def closed(self, sock):
        with self._lock:
            self._sockets.discard(sock)

    def resets(self):
        with self._lock:
            if self._resets == 0:
                return False
            self._resets -= 1
            return True

    def arrived(self, request):
        """Records a request; what shall answer it."""
        with self._lock:
            self.requests.append(request)
            action = self.next_fault(request.operation)
        return action or self.usual(request)

    def next_fault(self, wanted):
        """The fault that is in line for an operation, if any; it is used up by this."""
        for fault in self._faults:
            action, times, operation = fault
            if operation not in (None, wanted):
                continue
            if times is not None:
                fault[1] -= 1
                if fault[1] == 0:
                    self._faults.remove(fault)
            return action
        return None

    def usual(self, request):
        """What answers a request if no fault does."""
        return tags if request.operation in TAG_ANSWERS else right


class PlainProxy(Proxy):
    """One that answers for tags, too, as whoever is behind it does."""

    def usual(self, request):
        return right


# Actions: what a request is answered with.


def right(exchange):
    status, headers, body = exchange.forward()
    exchange.send(status, body, headers.get("Content-Type", "application/x-amz-json-1.0"))


def tags(exchange):
    exchange.send(200, TAG_ANSWERS[exchange.asked.operation])


def error(code, status=400, message="made up by the test", **headers):
    """An error as DynamoDB sends it; keyword arguments are further headers (`_` for `-`)."""
    extra = [(name.replace("_", "-"), value) for name, value in headers.items()]

    def act(exchange):
        body = {"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": message}
        exchange.send(status, json.dumps(body).encode(), headers=extra)

    return act


def skewed(seconds):
    """Refuses the signature, from a service whose clock is ahead by `seconds`."""
    date = formatdate(time.time() + seconds, usegmt=True)

    def act(exchange):
        exchange.date_time_string = lambda timestamp=None: date  # what the Date header says
        error("InvalidSignatureException", message="Signature not yet current")(exchange)
        del exchange.date_time_string

    return act


def answer(data, status=200):
    """A fixed answer: JSON data, or bytes as they are."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return lambda exchange: exchange.send(status, body)


def html(status):
    page = b"<html><head><title>Bad gateway</title></head><body>nginx</body></html>"
    return lambda exchange: exchange.send(status, page, content_type="text/html")


def redirect(exchange):
    exchange.send(302, b"", headers=[("Location", exchange.proxy.url + "/elsewhere")])


def stall(exchange):
    """Never answers; ends when the client hangs up or the proxy is closed."""
    sock = exchange.connection
    while not exchange.proxy.stopping.is_set():
        if select.select([sock], [], [], 0.02)[0] and not sock.recv(1, socket.MSG_PEEK):
            exchange.asked.abandoned = time.monotonic()
            break
    exchange.close_connection = True


def late(seconds):
    """The right answer, but DynamoDB gets the request only after `seconds`."""

    def act(exchange):
        exchange.proxy.stopping.wait(seconds)
        right(exchange)

    return act


def held(release):
    """The right answer once the threading.Event `release` is set."""

    def act(exchange):
        release.wait(60)
        right(exchange)

    return act


def hang_up(exchange):
    """Closes the connection before a byte of the answer."""
    exchange.close_connection = True


def lose(exchange):
    """DynamoDB does what was asked, but the answer gets lost."""
    exchange.forward()
    exchange.close_connection = True


def in_status(word):
    """The right answer, except that a table which is ACTIVE is said to be in another status."""

    def act(exchange):
        status, _, body = exchange.forward()
        exchange.send(status, body.replace(b'"ACTIVE"', b'"%s"' % word.encode()))

    return act


creating = in_status("CREATING")


def allowing(*operations):
    """The right answer to these operations, as an IAM policy that allows nothing else."""

    def act(exchange):
        (right if exchange.asked.operation in operations else error("AccessDeniedException"))(exchange)

    return act


def cut(exchange):
    """Closes the connection after half of the body."""
    status, _, body = exchange.forward()
    exchange.send(status, body[: len(body) // 2], crc=zlib.crc32(body), length=len(body))
    exchange.close_connection = True


def truncated(exchange):
    """Half of the JSON, but with a length and a checksum that fit."""
    status, _, body = exchange.forward()
    exchange.send(status, body[: len(body) // 2])


def wrong_crc(exchange):
    status, _, body = exchange.forward()
    exchange.send(status, body, crc=zlib.crc32(body) ^ 1)


def trickle(seconds):
    """The right answer, spread over `seconds`."""

    def act(exchange):
        status, _, body = exchange.forward()
        exchange.send(status, b"", crc=zlib.crc32(body), length=len(body))
        end = time.monotonic() + seconds
        for at in range(len(body)):
            left = end - time.monotonic()
            if exchange.proxy.stopping.wait(max(left, 0) / (len(body) - at)):
                return
            exchange.wfile.write(body[at : at + 1])

    return act


def huge(chunked):
    """A valid answer of 65 MiB (no items, but many blanks), its length announced or not."""
    start = b'{"Responses": {}, "UnprocessedKeys": {}'

    def act(exchange):
        exchange.mark_answered()
        exchange.send_response(200)
        exchange.send_header("Content-Type", "application/x-amz-json-1.0")
        if chunked:
            exchange.send_header("Transfer-Encoding", "chunked")
        else:
            exchange.send_header("Content-Length", str(len(start) + 65 * MIB + 1))
        exchange.end_headers()
        exchange.close_connection = True
        for block in [start] + [b" " * MIB] * 65 + [b"}"]:
            exchange.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
        if chunked:
            exchange.wfile.write(b"0\r\n\r\n")

    return act


def unprocessed(done):
    """Lets DynamoDB do the first `done` keys or puts and hands the rest back."""

    def act(exchange):
        todo, rest = {}, {}
        for table, request in exchange.asked.json()["RequestItems"].items():
            if isinstance(request, dict):  # BatchGetItem: the keys among other members
                todo[table] = dict(request, Keys=request["Keys"][:done])
                rest[table] = dict(request, Keys=request["Keys"][done:])
            else:
                todo[table], rest[table] = request[:done], request[done:]
        reads = exchange.asked.operation == "BatchGetItem"
        data = {"Responses": {table: [] for table in todo}} if reads else {}
        if done > 0:
            data = json.loads(exchange.forward(json.dumps({"RequestItems": todo}).encode())[2])
        data["UnprocessedKeys" if reads else "UnprocessedItems"] = {
            table: request for table, request in rest.items() if (request["Keys"] if reads else request)
        }
        exchange.send_json(200, data)

    return act


def raw(make, close=True):
    """The bytes that make(right body) gives, block by block, whatever HTTP they are."""

    def act(exchange):
        body = exchange.forward()[2]
        exchange.mark_answered()
        exchange.close_connection = close
        for block in make(body):
            exchange.wfile.write(block)

    return act


def reset(exchange):
    """Breaks the connection off by RST, instead of ending it."""
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.close_connection = True
    exchange.connection.close()
