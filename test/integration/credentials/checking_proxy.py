"""DynamoDB that checks who asks: a proxy in front of DynamoDB Local, which accepts every key."""

from dataclasses import replace

from faults import Exchange, Proxy, error
from keys import CREDENTIAL, signed_by
from support import ACCESS_KEY


class CheckingExchange(Exchange):
    def forward(self, body=None):
        """DynamoDB Local has tables for each access key: there, all of them are one."""
        authorization = CREDENTIAL.sub(self.rename, self.asked.header("Authorization") or "")
        original = self.asked
        headers = [
            (name, authorization if name.lower() == "authorization" else value)
            for name, value in original.headers
            if name.lower() != "x-amz-security-token"
        ]
        self.asked = replace(original, headers=headers)  # the original is in the record
        try:
            return super().forward(body)
        finally:
            self.asked = original

    @staticmethod
    def rename(match):
        return match[0].replace(match[1], ACCESS_KEY, 1)


class CheckingProxy(Proxy):
    """Answers requests that are signed by one of `keys` (keys.Keys) as DynamoDB does, and refuses the others.

    `takes_expired` lets it take keys that have expired; those that were revoked it never takes.
    """

    handler = CheckingExchange

    def __init__(self, endpoint, keys, **options):
        self.keys = keys
        self.takes_expired = False
        self.refused = []  # (access key id, code), in order
        super().__init__(endpoint, **options)

    def usual(self, request):
        refusal = self.keys.refusal(request, "dynamodb", self.takes_expired)
        if refusal is None:
            return super().usual(request)
        self.refused.append((signed_by(request), refusal[0]))
        return error(refusal[0], message=refusal[1])

    def used(self, operation=None):
        """The access key ids of the requests so far, in order."""
        with self._lock:
            requests = list(self.requests)
        return [signed_by(request) for request in requests if operation in (None, request.operation)]
