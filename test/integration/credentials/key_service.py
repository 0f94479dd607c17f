"""One server on one port that hands out credentials as STS, an instance's metadata service and a container's do.

It is a faults.Proxy without anything behind it: requests are recorded, and the faults of faults.py and those below
answer in its place. The operations by which requests are counted and faults told apart:

    AssumeRole, AssumeRoleWithWebIdentity   STS (POST /)
    token, role, credentials                IMDSv2 (/latest/...): session token, the role's name, its keys
    container                               any other GET
"""

import json
import re
import time
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from faults import Exchange, Proxy, answer, right
from keys import Keys, signed_by

ACCOUNT = "123456789012"
ROLE = "fdw-role"
ROLE_ARN = "arn:aws:iam::%s:role/%s" % (ACCOUNT, ROLE)

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
METADATA = "/latest/meta-data/iam/security-credentials/"


class KeyExchange(Exchange):
    """A request to one of the services; `forward` is the right answer to it."""

    def operation(self, body):
        path = urlsplit(self.path).path
        if self.command == "POST":
            return form_of(body).get("Action", "")
        if path == "/latest/api/token":
            return "token"
        if path.startswith(METADATA):
            return "role" if path == METADATA else "credentials"
        return "container"

    def do_PUT(self):
        self.do_POST()

    def do_GET(self):
        self.do_POST()

    def forward(self, body=None):
        status, content_type, text = self.proxy.answer_to(self.asked)
        return status, {"Content-Type": content_type}, text.encode()


class KeyService(Proxy):
    """`keys` has what it issued. Attributes that tests set:

    lifetime       seconds until what it issues expires, whatever duration STS was asked for; below 0: it has expired;
                   None: never (a container's)
    role           of the instance; None: it has none
    authorization  what a container's request must bring; None: nothing
    form           the fields that STS requires, as {"ExternalId": "x"}; others are refused by AccessDenied
    web_token      the only one that STS accepts; None: any
    """

    handler = KeyExchange

    def __init__(self, keys=None, lifetime=3600, listener=None):
        self.keys = Keys() if keys is None else keys
        self.lifetime = lifetime
        self.role = ROLE
        self.authorization = None
        self.form = {}
        self.web_token = None
        self._tokens = {}
        super().__init__("", listener=listener)

    # Environments of a process that finds its credentials here.

    def metadata_environment(self):
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}

    def container_environment(self, **more):
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.url + "/v1/credentials", **more}

    def web_identity_environment(self, token_file, role=ROLE_ARN):
        return {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file),
            "AWS_ROLE_ARN": role,
            "AWS_ENDPOINT_URL_STS": self.url,
        }

    def forms(self, operation="AssumeRole"):
        """The fields of each request to STS so far."""
        return [form_of(request.body) for request in self.of(operation)]

    def forget_tokens(self):
        """Session tokens of the metadata service that were given out are refused from now on."""
        self._tokens = {}

    # The right answers, each as (status, content type, text).

    def answer_to(self, request):
        answers = {"token": self.token, "role": self.role_name, "credentials": self.credentials}
        if request.method == "POST":
            return self.sts(request)
        return answers.get(request.operation, self.container)(request)

    def token(self, request):
        """IMDSv2's: a TTL of 1 to 21600 s is a must, and no proxy may stand between."""
        ttl = request.header("x-aws-ec2-metadata-token-ttl-seconds") or ""
        if request.method != "PUT" or not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
            return plain(400, "Bad Request")
        if request.header("X-Forwarded-For") is not None:
            return plain(403, "Forbidden")
        token = "METADATAtoken%08d==" % (len(self._tokens) + 1)
        self._tokens[token] = time.monotonic() + int(ttl)
        return plain(200, token)

    def refuses_metadata(self, request):
        ends = self._tokens.get(request.header("x-aws-ec2-metadata-token"))
        return request.method != "GET" or ends is None or time.monotonic() >= ends

    def role_name(self, request):
        if self.refuses_metadata(request):
            return plain(401, "Unauthorized")
        return plain(200, self.role) if self.role else plain(404, "Not Found")

    def credentials(self, request):
        if self.refuses_metadata(request):
            return plain(401, "Unauthorized")
        if request.path != METADATA + str(self.role):
            return plain(404, "Not Found")
        key = self.keys.issue("imds", self.lifetime, self.role)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return 200, "text/plain", json.dumps(
            {"Code": "Success", "LastUpdated": now, "Type": "AWS-HMAC", **json_of(key)}, indent=2
        )

    def container(self, request):
        if request.method != "GET":
            return 405, "application/json", '{"message": "method not allowed"}'
        if self.authorization is not None and request.header("Authorization") != self.authorization:
            return 400, "application/json", '{"code": "AccessDenied", "message": "the authorization token is wrong"}'
        key = self.keys.issue("container", self.lifetime, ROLE)
        return 200, "application/json", json.dumps({"RoleArn": ROLE_ARN, **json_of(key)})

    def sts(self, request):
        form = form_of(request.body)
        refused = self.sts_refusal(request, form)
        if refused:
            return sts_error_text(*refused)
        role = form["RoleArn"].rpartition("/")[2]
        key = self.keys.issue(form["Action"], self.lifetime or 3600, role)
        return 200, "text/xml", sts_answer(form, key, role)

    def sts_refusal(self, request, form):
        """(code, message, status), None if there is nothing to refuse."""
        needed = {"AssumeRole": (), "AssumeRoleWithWebIdentity": ("WebIdentityToken",)}.get(form.get("Action"))
        if needed is None or form.get("Version") != "2011-06-15" or request.method != "POST":
            return "InvalidAction", "Could not find the operation", 400
        for name in ("RoleArn", "RoleSessionName", *needed):
            if not form.get(name):
                return "ValidationError", "Value null at '%s' failed to satisfy constraint" % name, 400
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", form["RoleSessionName"]):
            return "ValidationError", "Value at 'roleSessionName' failed to satisfy constraint", 400
        if not 900 <= int(form.get("DurationSeconds", 3600)) <= 43200:
            return "ValidationError", "Value at 'durationSeconds' failed to satisfy constraint", 400
        if any(form.get(name) != value for name, value in self.form.items()):
            return "AccessDenied", "not authorized to perform: sts:%(Action)s on resource: %(RoleArn)s" % form, 403
        if needed:
            wrong = self.web_token is not None and form["WebIdentityToken"] != self.web_token
            return ("InvalidIdentityToken", "The token is not valid", 400) if wrong else None
        return self.signature_refusal(request)

    def signature_refusal(self, request):
        """STS has codes of its own for what a signature lacks."""
        codes = {
            "MissingAuthenticationTokenException": "MissingAuthenticationToken",
            "UnrecognizedClientException": "InvalidClientTokenId",
            "ExpiredTokenException": "ExpiredToken",
            "InvalidSignatureException": "SignatureDoesNotMatch",
        }
        refusal = self.keys.refusal(request, "sts")
        return refusal and (codes[refusal[0]], refusal[1], 403)

    def signers(self):
        """The access key ids that AssumeRole was signed with, in order."""
        return [signed_by(request) for request in self.of("AssumeRole")]


def form_of(body):
    """The fields of a form; the first value of each."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def plain(status, text):
    return status, "text/plain", text


def json_of(key):
    expiration = {"Expiration": key.expiration()} if key.expires is not None else {}
    return {"AccessKeyId": key.access_key_id, "SecretAccessKey": key.secret, "Token": key.token, **expiration}


def sts_answer(form, key, role):
    """STS's XML, with white space and line breaks where it has them."""
    action, session = form["Action"], form["RoleSessionName"]
    subject = "<SubjectFromWebIdentityToken>subject</SubjectFromWebIdentityToken>\n" if "Web" in action else ""
    return (
        '<%(action)sResponse xmlns="%(namespace)s">\n  <%(action)sResult>\n    %(subject)s'
        "<AssumedRoleUser>\n      <AssumedRoleId>AROATEST:%(session)s</AssumedRoleId>\n"
        "      <Arn>arn:aws:sts::%(account)s:assumed-role/%(role)s/%(session)s</Arn>\n    </AssumedRoleUser>\n"
        "    <Credentials>\n      <AccessKeyId>%(id)s</AccessKeyId>\n"
        "      <SecretAccessKey>%(secret)s</SecretAccessKey>\n      <SessionToken>%(token)s</SessionToken>\n"
        "      <Expiration>%(expiration)s</Expiration>\n    </Credentials>\n  </%(action)sResult>\n"
        "  <ResponseMetadata>\n    <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>\n"
        "  </ResponseMetadata>\n</%(action)sResponse>\n"
    ) % {
        "action": action,
        "namespace": NAMESPACE,
        "subject": subject,
        "session": escape(session),
        "account": ACCOUNT,
        "role": escape(role),
        "id": key.access_key_id,
        "secret": escape(key.secret),
        "token": escape(key.token),
        "expiration": key.expiration(),
    }


def sts_error_text(code, message, status):
    return status, "text/xml", (
        '<ErrorResponse xmlns="%s">\n  <Error>\n    <Type>Sender</Type>\n    <Code>%s</Code>\n'
        "    <Message>%s</Message>\n  </Error>\n  <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>\n"
        "</ErrorResponse>\n"
    ) % (NAMESPACE, escape(code), escape(message))


# Faults of these services, besides those of faults.py.


def changed(change):
    """The right answer after change(bytes)."""

    def act(exchange):
        status, headers, body = exchange.forward()
        exchange.send(status, change(body), headers["Content-Type"])

    return act


def with_value(field, value):
    """The right answer but for the value of a field: text as it shall stand in XML or JSON (with its quotes)."""

    def change(body):
        body = re.sub(rb"(<%b>)[^<]*(</%b>)" % ((field.encode(),) * 2), lambda m: m[1] + value.encode() + m[2], body)
        return re.sub(rb'("%b": )("[^"]*"|null)' % field.encode(), lambda m: m[1] + value.encode(), body)

    return changed(change)


def without(field):
    """The right answer without a field."""

    def change(body):
        body = re.sub(rb"<%b>[^<]*</%b>" % ((field.encode(),) * 2), b"", body)
        return re.sub(rb'"%b": "[^"]*",?\s*' % field.encode(), b"", body).replace(b", }", b"}")

    return changed(change)


def padded(size):
    """The right answer, made `size` bytes long by blanks at its end."""
    return changed(lambda body: body + b" " * (size - len(body)))


def with_doctype(exchange):
    """STS's answer with entities of its own, one of which is the secret."""
    status, headers, body = exchange.forward()
    definitions = b'<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY s "&b;&b;">]>\n'
    body = re.sub(rb"(<SecretAccessKey>)[^<]*", rb"\1&s;", body)
    exchange.send(status, definitions + body, headers["Content-Type"])


def endless(exchange):
    """A body that does not end before the client hangs up."""
    exchange.mark_answered()
    exchange.send_response(200)
    exchange.send_header("Content-Type", "text/plain")
    exchange.send_header("Connection", "close")
    exchange.end_headers()
    exchange.close_connection = True
    while not exchange.proxy.stopping.is_set():
        exchange.wfile.write(b"x" * 4096)


def status(code):
    return answer({"message": "made up by the test"}, code)


def sts_error(code, status=400, message="made up by the test"):
    def act(exchange):
        number, content_type, text = sts_error_text(code, message, status)
        exchange.send(number, text.encode(), content_type)

    return act


def metadata_failure(code):
    """What IMDS says when a role can't be assumed: status 200, but no keys."""
    return answer({"Code": code, "Message": "made up by the test", "LastUpdated": "2024-01-01T00:00:00Z"})


def version_1_only(exchange):
    """Refuses to give a session token; all else is right."""
    (status(403) if exchange.asked.operation == "token" else right)(exchange)
