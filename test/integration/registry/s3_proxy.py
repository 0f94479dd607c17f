"""S3, which is moto, behind a proxy that misbehaves on request (faults.py), and a check of its requests' signatures."""

import re
from xml.sax.saxutils import escape

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from faults import MIB, Exchange, Proxy

XML = "application/xml"


class S3Exchange(Exchange):
    """A request to S3."""

    def operation(self, body):
        return "GetObject" if self.command == "GET" else self.command

    def send(self, status, body, content_type="application/xml", **rest):
        """A body of S3 has no checksum of DynamoDB's; one that is wrong is none of ours."""
        super().send(status, body, content_type, **{**rest, "crc": 0})


class S3Proxy(Proxy):
    handler = S3Exchange

    def gets(self):
        return self.of("GetObject")


# Actions.


def s3_error(code, status, region=None, message="made up by the test", body=True):
    """An error of S3; with `region` its header names one, and a Location another host."""
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>%s</Message>' % (code, escape(message))
    text += "<Endpoint>elsewhere.invalid</Endpoint><RequestId>TX1</RequestId><HostId>h==</HostId></Error>"
    headers = [("x-amz-request-id", "S3REQUEST1")]
    if region:
        headers += [("x-amz-bucket-region", region), ("Location", "http://elsewhere.invalid/")]

    def act(exchange):
        exchange.send(status, text.encode() if body else b"", headers=headers)

    return act


def in_region(region):
    """The right answer if the request is signed for this region; else S3 says that the bucket is there."""

    def act(exchange):
        if "/%s/s3/aws4_request" % region in exchange.asked.header("Authorization"):
            status, headers, body = exchange.forward()
            exchange.send(status, body)
        else:
            s3_error("PermanentRedirect", 301, region)(exchange)

    return act


def large(size, chunked):
    """An object of `size` bytes, its length announced or not."""

    def act(exchange):
        exchange.mark_answered()
        exchange.send_response(200)
        exchange.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(size))))
        exchange.end_headers()
        exchange.close_connection = True
        for start in range(0, size, MIB):
            block = b"r" * min(MIB, size - start)
            exchange.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
        if chunked:
            exchange.wfile.write(b"0\r\n\r\n")

    return act


def signature_fits(request, key, secret, token=None):
    """Is the request signed as botocore signs it?"""
    authorization = request.header("Authorization")
    scope = re.search(r"Credential=([^/]+)/\d{8}/([^/]+)/s3/aws4_request", authorization)
    names = re.search(r"SignedHeaders=([^,]+)", authorization)[1].split(";")
    signed = {name: request.header(name) for name in names}
    asked = AWSRequest(request.method, "http://%s%s" % (request.header("Host"), request.path), headers=signed)
    asked.context["timestamp"] = request.header("X-Amz-Date")
    signer = S3SigV4Auth(Credentials(key, secret, token), "s3", scope[2])
    signer._modify_request_before_signing = lambda request: None  # the headers are those that were sent
    text = signer.string_to_sign(asked, signer.canonical_request(asked))
    assert set(names) >= {"host", "x-amz-content-sha256", "x-amz-date"}
    return scope[1] == key and authorization.endswith("Signature=" + signer.signature(text, asked))
