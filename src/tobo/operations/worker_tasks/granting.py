"""Granting: the addresses at which a worker's browser reads an object for a while, without a key of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.context import Call
from tobo.operations.presigning import Key, presigned_path

SECONDS = 3600
"""For which an address works."""


@dataclass
class Grants:
    """Addresses with the rights of a role, which is taken on when the first one is asked for."""

    call: Call
    role: str
    policy: str = ""
    _key: list[Key] = field(default_factory=list)

    def address(self, uri: S3Uri) -> str:
        """Under the name that the server has itself. Raises the Faults of AssumeRole."""
        settings = self.call.context.settings
        host = settings.reached(settings.port)
        return f"http://{host}{self.link(uri, host)}"

    def link(self, uri: S3Uri, host: str) -> str:
        """Path and query, for a browser that calls the server `host`. Raises the Faults of AssumeRole."""
        key, now = self._taken_on(), self.call.context.clock.now()
        return presigned_path(key, "GET", host, path_of(uri), self.call.space.region, now, SECONDS, {})

    def _taken_on(self) -> Key:
        if not self._key:
            more = {"Policy": self.policy} if self.policy else {}
            asked = {"RoleArn": self.role, "RoleSessionName": "RenderUiTemplate", **more}
            given = self.call.context.as_house(self.call.space, "sts", "AssumeRole", **asked)["Credentials"]
            self._key.append(Key(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]))
        return self._key[0]


def granter(call: Call, role: str) -> Callable[[str], str]:
    """`grant_read_access`: only what the caller itself may read, too. Raises Fault AccessDenied, ValidationException."""
    grants = Grants(call, role)

    def grant(text: str) -> str:
        uri = object_of(text)
        if not call.principal.allows("s3:GetObject", f"arn:aws:s3:::{uri.bucket}/{uri.key}"):
            raise Fault("AccessDenied", f"grant_read_access: {call.principal.arn} may not read '{text[:200]}'.", 403)
        return grants.address(uri)

    return grant


def one_object(call: Call, role: str, uri: S3Uri) -> str:
    """The address of one object of the house's own, with a key that is good for nothing else."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{uri.bucket}/{uri.key}"}
    policy = orjson.dumps({"Version": "2012-10-17", "Statement": [statement]}).decode()
    return Grants(call, role, policy).address(uri)


def object_of(text: str) -> S3Uri:
    """What a template gives to grant_read_access. Raises Fault ValidationException."""
    if not text.startswith("s3://"):
        raise Fault(
            "ValidationException", f"grant_read_access: '{text[:200]}' is not an S3 address; s3://bucket/key is."
        )
    uri = parse_s3_uri(text, "grant_read_access")
    if not uri.key:
        raise Fault("ValidationException", f"grant_read_access: '{text[:200]}' names no object; add its key.")
    return uri


def path_of(uri: S3Uri) -> str:
    return f"/{quote(uri.bucket, safe='')}/{quote(uri.key, safe='-_.~' if _is_odd(uri.key) else '/-_.~')}"


def _is_odd(key: str) -> bool:
    """A browser would resolve such segments (WHATWG URL, 4.4)."""
    return any(segment in ("", ".", "..") for segment in key.split("/"))
