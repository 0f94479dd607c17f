"""Credential services that others wrote, each a process of its own: moto and AWS's amazon-ec2-metadata-mock."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import boto3

from keys import Key
from support import REGION

ROLE = "metadata-role"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Program:
    """A server on a free port; `url` is where it is."""

    def __init__(self, command, log, environment=None):
        """In `command`, @port@ stands for the port."""
        self.log = log
        for _ in range(3):  # somebody else may take the port meanwhile
            port = free_port()
            self.url = "http://127.0.0.1:%d" % port
            with open(log, "a") as output:
                self._process = subprocess.Popen(
                    [word.replace("@port@", str(port)) for word in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **(environment or {})},
                )
            if self._listens(port):
                return
            self.stop()
        raise AssertionError(open(log).read())

    def _listens(self, port, seconds=60):
        end = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
                return self._process.poll() is None
            except OSError:
                time.sleep(0.05)
        return False

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait()


class MetadataMock(Program):
    """AWS's imitation of an instance's metadata service, version 2 only; `key` is what it gives to everybody."""

    def __init__(self, folder, expires=None):
        """The key expires at a time.time(), or has expired in 2020."""
        self.key = Key("ASIAMETADATAMOCK0001", "MOCKsecret/+0001", "MOCKtoken/+=0001", expires or 1.58e9, "imds", ROLE)
        config = os.path.join(folder, "metadata-mock.json")
        with open(config, "w") as file:
            json.dump({"metadata": self._settings()}, file)
        program = os.environ["EC2_METADATA_MOCK"]
        super().__init__(
            [program, "--imdsv2", "--hostname", "127.0.0.1", "--port", "@port@", "--config-file", config],
            os.path.join(folder, "metadata-mock.log"),
        )

    def _settings(self):
        path = "/latest/meta-data/iam/security-credentials"
        answer = {
            "Code": "Success",
            "LastUpdated": "2020-01-01T00:00:00Z",
            "Type": "AWS-HMAC",
            "AccessKeyId": self.key.access_key_id,
            "SecretAccessKey": self.key.secret,
            "Token": self.key.token,
            "Expiration": self.key.expiration(),
        }
        return {
            "paths": {"iam-security-credentials": path + "/" + ROLE},
            "values": {"iam-security-credentials-role": ROLE, "iam-security-credentials": answer},
        }

    def environment(self):
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}


class Moto(Program):
    """STS, IAM, DynamoDB and a metadata service in one. It checks nothing before `check_signatures` is called.

    Make users, roles and what is signed by a user's own keys before that: moto can't check them all.
    """

    def __init__(self, folder):
        super().__init__(
            [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "@port@"],
            os.path.join(folder, "moto.log"),
        )

    def client(self, service, key=None):
        """A boto3 client; by default as one whom nothing is refused before signatures are checked."""
        key = key or Key("AKIASETUP00000000001", "setup")
        return boto3.client(service, region_name=REGION, endpoint_url=self.url, **key.boto3())

    def user(self, name, *actions):
        """A new user who may do `actions` ("dynamodb:*"); his key."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="allowed", PolicyDocument=policy(actions))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return Key(made["AccessKeyId"], made["SecretAccessKey"])

    def role(self, name, *actions):
        """A new role that may do `actions` and be assumed by anybody; its ARN."""
        iam = self.client("iam")
        trust = policy(["sts:AssumeRole"], Principal={"AWS": "*"}, Resource=None)
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=policy(actions))
        return arn

    def assume(self, arn, key=None):
        """The key of a session of a role."""
        answer = self.client("sts", key).assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        names = (answer[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        return Key(*names, answer["Expiration"].timestamp(), "AssumeRole", arn)

    def check_signatures(self, after=0):
        """From the request after the next `after` on, signatures, tokens and policies count."""
        headers = {"Content-Type": "text/plain"}
        request = urllib.request.Request(self.url + "/moto-api/reset-auth", b"%d" % after, headers)
        urllib.request.urlopen(request, timeout=30).close()


def policy(actions, **more):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}
    statement = {name: value for name, value in statement.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
