"""Access keys as AWS sees them: who issued which, when each expires, and whether a signature fits."""

import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

CREDENTIAL = re.compile(r"Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")
SIGNED_HEADERS = re.compile(r"SignedHeaders=([^,\s]+)")
SIGNATURE = re.compile(r"Signature=([0-9a-f]{64})")


@dataclass
class Key:
    """One access key; `token` is None for a key of a user, `expires` (a time.time()) where it does not expire."""

    access_key_id: str
    secret: str
    token: str = None
    expires: float = None
    source: str = "static"  # what issued it: "imds", "container", "AssumeRole", ...
    role: str = None
    revoked: bool = False

    def expired(self):
        return self.revoked or (self.expires is not None and time.time() >= self.expires)

    def expiration(self):
        """As services write it; None where it does not expire."""
        if self.expires is None:
            return None
        return datetime.fromtimestamp(self.expires, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def environment(self):
        """The variables that give it to a process."""
        token = {"AWS_SESSION_TOKEN": self.token} if self.token else {}
        return {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret, **token}

    def boto3(self):
        """The options that give it to boto3."""
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        return dict(zip(names, (self.access_key_id, self.secret, self.token)))

    def mapping(self):
        """The options that give it to a user mapping."""
        token = {"session_token": self.token} if self.token else {}
        return {"access_key_id": self.access_key_id, "secret_access_key": self.secret, **token}


class Keys:
    """All keys that are known, in the order in which they were issued.

    The number of an issued key is at the end of its id, its secret and its token, so that a test sees rotation and can
    look for each of them in a log.
    """

    def __init__(self):
        self._keys = {}
        self._lock = threading.Lock()

    def add(self, key):
        with self._lock:
            self._keys[key.access_key_id] = key
        return key

    def user(self, access_key_id="AKIATESTUSER00000001", secret="USERSECRETofthetestsnottobelogged00000001"):
        """A key of a user, which does not expire."""
        return self.add(Key(access_key_id, secret))

    def issue(self, source, lifetime, role=None):
        """A new session key that expires in `lifetime` seconds (None: never; below 0: it has already)."""
        with self._lock:
            number = "%08d" % (len(self._keys) + 1)
            expires = None if lifetime is None else time.time() + lifetime
            names = (text + number for text in ("ASIATESTKEYS", "ISSUEDsecret/+", "ISSUEDtoken/+="))
            key = Key(*names, expires, source, role)
            self._keys[key.access_key_id] = key
        return key

    def find(self, access_key_id):
        with self._lock:
            return self._keys.get(access_key_id)

    def issued(self, source=None):
        """The session keys so far, of all sources or of one."""
        with self._lock:
            keys = list(self._keys.values())
        return [key for key in keys if key.source != "static" and source in (None, key.source)]

    def revoke(self, source=None):
        """Makes the session keys that have been issued expire now, without anybody being told."""
        for key in self.issued(source):
            key.revoked = True

    def secrets(self):
        """What must not be in any log."""
        with self._lock:
            return [text for key in self._keys.values() for text in (key.secret, key.token) if text]

    def refusal(self, request, service, expired_too=False):
        """Why AWS refuses a request (faults.Request), as (code, message); None if it does not.

        `expired_too` lets expired keys pass, as AWS does while a metadata service has no new ones.
        """
        match = CREDENTIAL.search(request.header("Authorization") or "")
        if match is None:
            return "MissingAuthenticationTokenException", "Missing Authentication Token"
        key = self.find(match[1])
        if key is None or (request.header("X-Amz-Security-Token") or "") != (key.token or ""):
            return "UnrecognizedClientException", "The security token included in the request is invalid."
        if key.expired() and (key.revoked or not expired_too):
            return "ExpiredTokenException", "The security token included in the request is expired"
        if match[4] != service or not signature_fits(request, key, match[3], service):
            return "InvalidSignatureException", "The request signature we calculated does not match yours."
        return None


def signed_by(request):
    """The access key id in a request (faults.Request); None if it is not signed."""
    match = CREDENTIAL.search(request.header("Authorization") or "")
    return match and match[1]


def signature_fits(request, key, region, service):
    """Whether botocore signs a request as it is signed."""
    authorization = request.header("Authorization")
    names, signature = SIGNED_HEADERS.search(authorization), SIGNATURE.search(authorization)
    if names is None or signature is None or request.header("X-Amz-Date") is None:
        return False
    headers = {name: request.header(name) or "" for name in names[1].split(";")}
    if not {"host", "x-amz-date"} <= set(headers) or (key.token and "x-amz-security-token" not in headers):
        return False
    url = "http://" + headers["host"] + urlsplit(request.path).path
    again = AWSRequest(request.method, url, data=request.body, headers=headers)
    again.context["timestamp"] = request.header("X-Amz-Date")
    signer = SigV4Auth(Credentials(key.access_key_id, key.secret), service, region)
    return signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again) == signature[1]
