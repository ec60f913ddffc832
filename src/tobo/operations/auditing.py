"""Auditing: what of an operation goes into the audit log. Form: CloudTrail User Guide, "CloudTrail record contents".

Every operation that is not a pure read is recorded, and whatever policy refuses; data events (objects, log lines, metric
points, invocations, heartbeats) only where TOBO_AUDIT_DATA=1.
"""

import inspect
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import orjson

from tobo.kit.fault import Fault
from tobo.telemetry.trail import Trail
from tobo.wire.body import Body
from tobo.wire.models import service_model

if TYPE_CHECKING:
    from tobo.operations.context import Call

Class = Literal["read", "write", "data"]

HOUSE = "sagemaker.amazonaws.com"
"""Who asks when one operation needs another: the house, for the caller or for itself."""

SIGN_IN = "signin.amazonaws.com"

GLOBAL = frozenset({"iam", "sts"})
"""Services without a region: their events are seen from every one."""

MOST_PARAMETERS = 64 << 10
"""Bytes of JSON that an event keeps of a request; CloudTrail leaves larger ones out, too."""

BLANKED = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""CloudTrail's own words."""

_READS = re.compile(
    r"(Admin(?=Get|List)|Render|List|Describe|Get|Head|Search|Query|Lookup|BatchGet|Filter|Select|Simulate|StartLiveTail)"
)
_DATA = frozenset(
    {
        *(("s3", name) for name in ("GetObject", "PutObject", "CopyObject", "UploadPart", "UploadPartCopy")),
        *(("s3", name) for name in ("CreateMultipartUpload", "CompleteMultipartUpload")),
        *(("logs", name) for name in ("PutLogEvents", "CreateLogStream")),
        ("cloudwatch", "PutMetricData"),
        *(("tobo-labeling", name) for name in ("ClaimTasks", "KeepTask", "ReleaseTasks", "AnswerTask")),
        ("sagemaker-metrics", "BatchPutMetrics"),
        ("sagemaker-edge", "SendHeartbeat"),
        ("tobo-edge", "SendLiveView"),
        ("sagemaker-runtime", "InvokeEndpoint"),
        ("sagemaker-runtime", "InvokeEndpointAsync"),
        ("sagemaker-runtime", "InvokeEndpointWithResponseStream"),
    }
)
_HANDED_OUT = frozenset(
    {("sts", "GetSessionToken"), ("secretsmanager", "GetSecretValue"), ("secretsmanager", "BatchGetSecretValue")}
)
_SECRET = re.compile(
    r"^(?!secret_?(id|arn|idlist)$).*"  # which name a secret, and are none
    r"(secret|passw|private_?key|credential|api_?key|(session|security|access|auth|hf|^)_?token$|^session$)",
    re.I,
)
_NAMED = re.compile(r"(.*)(Name|Arn|Bucket|^Key|Names)$")
_DENIED = ("AccessDenied", "AccessDeniedException")


@cache
def class_of(service: str, name: str) -> Class:
    """What hands out a key or a secret is recorded although it is called Get."""
    if (service, name) in _DATA:
        return "data"
    return "read" if _READS.match(name) and (service, name) not in _HANDED_OUT else "write"


def audited(
    trail: Trail, call: "Call", service: str, name: str, asked: Mapping[str, Any], serve: Callable[[], Any]
) -> Any:
    """What `serve` gives or raises, once it is written down."""
    kind = class_of(service, name)
    kept = kind == "write" or (kind == "data" and call.context.settings.audit_data)
    try:
        given = serve()
    except Fault as fault:
        if kept or fault.code in _DENIED:
            _note(trail, call, service, name, asked, fault)
        raise
    except Exception:
        if kept:
            _note(trail, call, service, name, asked, Fault("InternalFailure", "It failed inside tobo.", 500))
        raise
    if not kept:
        return given
    if inspect.isawaitable(given):
        return _awaited(trail, call, service, name, asked, given)
    _note(trail, call, service, name, asked, None)
    return given


async def _awaited(
    trail: Trail, call: "Call", service: str, name: str, asked: Mapping[str, Any], given: Awaitable[Any]
) -> Any:
    try:
        found = await given
    except Fault as fault:
        _note(trail, call, service, name, asked, fault)
        raise
    except Exception:
        _note(trail, call, service, name, asked, Fault("InternalFailure", "It failed inside tobo.", 500))
        raise
    _note(trail, call, service, name, asked, None)
    return found


def _note(trail: Trail, call: "Call", service: str, name: str, asked: Mapping[str, Any], fault: Fault | None) -> None:
    now = call.now
    event: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": identity(call),
        "eventTime": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": source_of(service),
        "eventName": name,
        "awsRegion": "us-east-1" if service in GLOBAL else call.space.region,
        "sourceIPAddress": call.source or HOUSE,
        "userAgent": call.agent or HOUSE,
        "requestParameters": parameters(asked),
        "responseElements": None,
        "requestID": call.request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": class_of(service, name) == "read" or service == "sts" or name.startswith(("Get", "Invoke")),
        "resources": resources_of(service, asked),
        "eventType": "AwsApiCall",
        "managementEvent": class_of(service, name) != "data",
        "recipientAccountId": call.space.account,
        "eventCategory": "Data" if class_of(service, name) == "data" else "Management",
    }
    if fault is not None:
        event["errorCode"], event["errorMessage"] = fault.code, fault.message[:1024]
    trail.append(now, {"at": now, "event": event})


def note_sign_in(call: "Call", refusal: Fault | None, by: str) -> None:
    """A sign-in to the console as CloudTrail has it: ConsoleLogin, never with what was typed.

    A principal without an ARN is nobody that is known. `by` is "link" or "access key".
    Source: CloudTrail User Guide, "AWS Management Console sign-in events".
    """
    nobody = {"type": "IAMUser", "accountId": call.principal.account, "userName": BLANKED}
    trail = call.context.trail
    if trail is None:
        return
    event: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": identity(call) if call.principal.arn else nobody,
        "eventTime": f"{datetime.fromtimestamp(call.now, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": SIGN_IN,
        "eventName": "ConsoleLogin",
        "awsRegion": "us-east-1",
        "sourceIPAddress": call.source,
        "userAgent": call.agent,
        "requestParameters": None,
        "responseElements": {"ConsoleLogin": "Failure" if refusal else "Success"},
        "additionalEventData": {"MFAUsed": "No", "SignInBy": by},
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "resources": [],
        "eventType": "AwsConsoleSignIn",
        "managementEvent": True,
        "recipientAccountId": call.principal.account,
        "eventCategory": "Management",
    }
    if refusal is not None:
        event["errorCode"], event["errorMessage"] = refusal.code, refusal.message[:1024]
    trail.append(call.now, {"at": call.now, "event": event})


def identity(call: "Call") -> dict[str, Any]:
    """CloudTrail's userIdentity: Root, IAMUser, AssumedRole, or AWSService for the house's own calls."""
    principal = call.principal
    if principal.arn == HOUSE:
        return {"type": "AWSService", "accountId": principal.account, "invokedBy": HOUSE}
    resource = principal.arn.rsplit(":", 1)[-1]
    kind = {"root": "Root", "user": "IAMUser"}.get(resource.split("/", 1)[0], "AssumedRole")
    found = {
        "type": kind,
        "principalId": principal.user_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": principal.access_key_id,
        "userName": resource.rsplit("/", 1)[-1],
    }
    return {**found, "invokedBy": HOUSE} if call.within else found


@cache
def source_of(service: str) -> str:
    """sagemaker-runtime -> sagemaker.amazonaws.com: the name that its requests are signed for."""
    return f"{service_model(service).signing_name}.amazonaws.com"


def parameters(asked: Mapping[str, Any]) -> Any:
    """The request without its secrets and bytes; what is too large is told by its size."""
    found = {_small(name): _shown(name, value) for name, value in asked.items() if not _is_bytes(value)}
    size = len(orjson.dumps(found))
    return found if size <= MOST_PARAMETERS else {"omitted": f"{size} bytes"}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _shown(str(key), each) for key, each in value.items() if not _is_bytes(each)}
    if isinstance(value, list | tuple):
        return [_shown(name, each) for each in value if not _is_bytes(each)]
    if isinstance(value, str):
        return BLANKED if _SECRET.search(name) else value.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else str(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _is_bytes(value: Any) -> bool:
    return isinstance(value, bytes | bytearray | Body)


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]


def resources_of(service: str, asked: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the request names: TrainingJobName x -> AWS::SageMaker::TrainingJob, x."""
    found = []
    for member, value in asked.items():
        if matched := _NAMED.match(member):
            kind = f"AWS::{_vendor(service)}::{matched[1] or matched[2]}"
            names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
            found += [{"type": kind, "name": each[:512]} for each in names if isinstance(each, str)]
    return found[:20]


@cache
def _vendor(service: str) -> str:
    return re.sub(r"[^A-Za-z0-9]|Runtime|Edge|Metrics", "", service_model(service).service_id)
