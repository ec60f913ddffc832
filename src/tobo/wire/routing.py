"""Which operation of which service a request asks for, and in which protocol it asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Literal
from urllib.parse import unquote

from tobo.kit.fault import Fault
from tobo.wire.models import description
from tobo.wire.request import Request
from tobo.wire.rest_routes import rest_routes

Protocol = Literal["json-1.0", "json-1.1", "rest-json", "rest-xml", "query", "smithy-rpc-v2-cbor"]

SIGNED: Mapping[str, tuple[str, ...]] = {
    "sagemaker": (
        "sagemaker",
        "sagemaker-runtime",
        "sagemaker-metrics",
        "sagemaker-edge",
        "tobo-edge",
        "sagemaker-a2i-runtime",
        "sagemaker-featurestore-runtime",
    ),
    "s3": ("s3",),
    "s3express": ("s3",),
    "sts": ("sts",),
    "iam": ("iam",),
    "logs": ("logs",),
    "monitoring": ("cloudwatch",),
    "application-autoscaling": ("application-autoscaling",),
    "ce": ("ce",),
    "budgets": ("budgets",),
    "events": ("events",),
    "secretsmanager": ("secretsmanager",),
    "sns": ("sns",),
    "cloudtrail": ("cloudtrail",),
    "iot": ("iot",),
    "cognito-idp": ("cognito-idp",),
    "tobo-labeling": ("tobo-labeling",),
    "tobo-reaper": ("tobo-reaper",),
    "tobo-market": ("tobo-market",),
}
"""Services by the name that their requests are signed for (the credential scope's service)."""

TARGETS: Mapping[str, str] = {
    "SageMaker": "sagemaker",
    "Logs_20140328": "logs",
    "GraniteServiceVersion20100801": "cloudwatch",
    "AnyScaleFrontendService": "application-autoscaling",
    "AWSInsightsIndexService": "ce",
    "AWSBudgetServiceGateway": "budgets",
    "AWSEvents": "events",
    "secretsmanager": "secretsmanager",
    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail",
    "CloudTrail_20131101": "cloudtrail",
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "ToboLabeling": "tobo-labeling",
    "ToboReaper": "tobo-reaper",
    "ToboMarket": "tobo-market",
}
"""Services by the prefix of X-Amz-Target, which is also the service name in a smithy-rpc-v2-cbor path."""

VERSIONS: Mapping[str, str] = {
    "2011-06-15": "sts",
    "2010-05-08": "iam",
    "2010-08-01": "cloudwatch",
    "2010-03-31": "sns",
}
"""Services of the query protocol by their API version."""

_CBOR_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)")
_REST_XML = frozenset({"s3"})
_QUERY = frozenset(VERSIONS.values())


@dataclass(frozen=True)
class Target:
    """What is asked for; `labels` are the decoded labels of the URI template by their wire name."""

    service: str
    operation: str
    protocol: Protocol
    labels: Mapping[str, str] = field(default_factory=dict)


class Unrouted(Fault):
    """A refusal before the operation is known; `protocol` is the one that the client will understand."""

    def __init__(self, protocol: Protocol, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message, status)
        self.protocol = protocol


def _unknown(protocol: Protocol, message: str) -> Unrouted:
    return Unrouted(protocol, "UnknownOperationException", message)


def route(request: Request, scope_service: str | None) -> Target:
    """The operation that `request` means; `scope_service` is the credential scope's service, None when unsigned.

    Raises Unrouted (a Fault, 400): UnknownOperationException where there is none, else what is wrong with the bytes.
    """
    services = SIGNED.get(scope_service) if scope_service is not None else ()
    if services is None:
        raise _unknown(_guess_protocol(request), f"Service '{scope_service}' is not served here.")
    if "s3" in services:
        return _rest(request, services)
    if "x-amz-target" in request.headers:
        return _json(request, services)
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return _cbor(request, services)
    form = _form(request)
    if form is not None:
        return _query(form, services)
    return _rest(request, services or ("s3",))


def _named(service: str | None, operation: str, protocol: Protocol, services: tuple[str, ...]) -> Target:
    """A target whose operation the request names; it must be of one of the `services` that it is signed for."""
    known = service is not None and (not services or service in services)
    if not known or service is None or operation not in description(service)["operations"]:
        place = service or (services[0] if services else "any service")
        raise _unknown(protocol, f"There is no operation '{operation}' in {place}.")
    return Target(service, operation, protocol)


def _json(request: Request, services: tuple[str, ...]) -> Target:
    prefix, _, operation = request.headers["x-amz-target"].rpartition(".")
    protocol: Protocol = "json-1.0" if "json-1.0" in request.headers.get("content-type", "") else "json-1.1"
    return _named(TARGETS.get(prefix), operation, protocol, services)


def _cbor(request: Request, services: tuple[str, ...]) -> Target:
    match = _CBOR_PATH.fullmatch(request.path)
    if match is None or request.method != "POST":
        raise _unknown("smithy-rpc-v2-cbor", f"'{request.path}' is not POST /service/X/operation/Y.")
    return _named(TARGETS.get(match[1]), match[2], "smithy-rpc-v2-cbor", services)


def _form(request: Request) -> Mapping[str, list[str]] | None:
    """The fields of a query-protocol request, Action among them, or None where it is no such request."""
    if "Action" in request.parameters:
        return request.parameters
    if request.method == "POST" and _has_form(request):
        try:
            return request.form if "Action" in request.form else None
        except Fault as fault:
            raise Unrouted("query", fault.code, fault.message, fault.status) from None
    return None


def _has_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _query(form: Mapping[str, list[str]], services: tuple[str, ...]) -> Target:
    service = services[0] if services else VERSIONS.get(form.get("Version", [""])[0])
    return _named(service if service in _QUERY else None, form["Action"][0], "query", services)


def _rest(request: Request, services: tuple[str, ...]) -> Target:
    protocol: Protocol = "rest-xml" if services[0] in _REST_XML else "rest-json"
    found = rest_routes(services).match(request)
    if found is None:
        raise _unknown(protocol, f"No operation answers to {request.method} {request.path}.")
    chosen, raw = found
    try:
        labels = {name: unquote(value, errors="strict") if "%" in value else value for name, value in raw.items()}
    except UnicodeDecodeError:
        raise Unrouted(protocol, "InvalidURI", f"The path '{request.path}' is not percent-encoded UTF-8.") from None
    return Target(chosen.service, chosen.operation, protocol, labels)


def _guess_protocol(request: Request) -> Protocol:
    """The protocol of a request to a service that we do not know, so that its client can read the refusal."""
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    if _has_form(request):
        return "query"
    return "json-1.1" if "x-amz-target" in request.headers else "rest-json"


def to_path_style(request: Request, host: str) -> Request:
    """The same S3 request with a virtual host's bucket moved into the path.

    `bucket.s3.<anything>` and `bucket.localhost` name a bucket; `s3.<anything>`, `localhost`, IP addresses and all
    other hosts do not.
    """
    bucket = _bucket_of(host)
    return request if bucket is None else replace(request, path=f"/{bucket}{request.path}")


def _bucket_of(host: str) -> str | None:
    name = re.sub(r":\d+$", "", host).lower().rstrip(".")
    if name.startswith(("s3.", "s3-", "[")) or _is_address(name):
        return None
    for mark in (".s3.", ".s3-"):
        at = name.rfind(mark)
        if at > 0:
            return name[:at]
    return name.removesuffix(".localhost") if name.endswith(".localhost") else None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
