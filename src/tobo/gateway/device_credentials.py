"""GET /role-aliases/<alias>/credentials: temporary credentials for a device, by its certificate instead of a signature.

Request and answer are those of AWS IoT Core's credential provider (AWS IoT Developer Guide, "Authorizing direct calls to
AWS services using AWS IoT Core credential provider").
"""

import hashlib
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import orjson

from tobo.gateway.authentication import Head
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.resources.things.credentials import device_credentials
from tobo.wire.response import Response

_PATH = re.compile(r"/role-aliases/([^/]+)/credentials")
THING = "x-amzn-iot-thingname"


def asked_alias(head: Head) -> str | None:
    """The role alias that a request wants credentials of; None where it is another one, such as S3's of that bucket."""
    if head.method != "GET" or "authorization" in head.headers or head.query:
        return None
    match = _PATH.fullmatch(head.path)
    return unquote(match[1]) if match else None


def answer_credentials(
    context: Context, alias: str, headers: Mapping[str, str], extensions: Mapping[str, Any]
) -> Response:
    """200 with the credentials, or 403 with a message."""
    chain = extensions.get("tls", {}).get("client_cert_chain") or ()
    shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(chain[0])).hexdigest() if chain else None
    try:
        found = device_credentials(context, shown, headers.get(THING, ""), alias)
    except Fault as fault:
        return _json(fault.status, {"message": fault.message})
    expires = datetime.fromtimestamp(int(found["Expiration"]), UTC)
    told = {
        "accessKeyId": found["AccessKeyId"],
        "secretAccessKey": found["SecretAccessKey"],
        "sessionToken": found["SessionToken"],
        "expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return _json(200, {"credentials": told})


def _json(status: int, content: Mapping[str, Any]) -> Response:
    body = orjson.dumps(content)
    return Response(status, [("content-type", "application/json"), ("content-length", str(len(body)))], body)
