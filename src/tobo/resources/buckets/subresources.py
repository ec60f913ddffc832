"""A bucket's sub-resources: configurations that clients put, get back and delete.

Versioning is never enabled. Policy, encryption, lifecycle, CORS, public access block, ownership controls, website and
notification are kept as they were put and given back; tobo itself does not act on them: rights come from IAM policies,
nothing is public, nothing expires.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import asked_bucket, bucket_arn
from tobo.resources.buckets.settings import change_bucket


@dataclass(frozen=True)
class SubResource:
    """One configuration: Put<put>, Get<put>, Delete<delete> of it.

    `member` is Put's member that holds it; `wrapped` tells whether Get answers it under that member too, or answers its
    members. `missing` is the code of the 404 where there is none; None: an empty answer instead.
    """

    put: str
    member: str
    missing: str | None
    wrapped: bool = False
    delete: str | None = None
    get_action: str | None = None
    put_action: str | None = None


SUB_RESOURCES = (
    SubResource(
        "BucketEncryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
        wrapped=True,
        delete="BucketEncryption",
        get_action="s3:GetEncryptionConfiguration",
        put_action="s3:PutEncryptionConfiguration",
    ),
    SubResource(
        "BucketCors",
        "CORSConfiguration",
        "NoSuchCORSConfiguration",
        delete="BucketCors",
        get_action="s3:GetBucketCORS",
        put_action="s3:PutBucketCORS",
    ),
    SubResource(
        "BucketLifecycleConfiguration",
        "LifecycleConfiguration",
        "NoSuchLifecycleConfiguration",
        delete="BucketLifecycle",
        get_action="s3:GetLifecycleConfiguration",
        put_action="s3:PutLifecycleConfiguration",
    ),
    SubResource(
        "PublicAccessBlock",
        "PublicAccessBlockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        wrapped=True,
        delete="PublicAccessBlock",
        get_action="s3:GetBucketPublicAccessBlock",
        put_action="s3:PutBucketPublicAccessBlock",
    ),
    SubResource(
        "BucketOwnershipControls",
        "OwnershipControls",
        "OwnershipControlsNotFoundError",
        wrapped=True,
        delete="BucketOwnershipControls",
    ),
    SubResource("BucketWebsite", "WebsiteConfiguration", "NoSuchWebsiteConfiguration", delete="BucketWebsite"),
    SubResource(
        "BucketNotificationConfiguration",
        "NotificationConfiguration",
        None,
        get_action="s3:GetBucketNotification",
        put_action="s3:PutBucketNotification",
    ),
)

ALWAYS: dict[str, dict[str, Any]] = {
    "GetBucketRequestPayment": {"Payer": "BucketOwner"},
    "GetBucketLogging": {},
    "GetBucketAccelerateConfiguration": {},
}
"""What infrastructure tools read of every bucket, and what is always so here."""

NEVER = {
    "GetBucketReplication": ("ReplicationConfigurationNotFoundError", "s3:GetReplicationConfiguration"),
    "GetObjectLockConfiguration": ("ObjectLockConfigurationNotFoundError", "s3:GetBucketObjectLockConfiguration"),
}
"""What they read too, and what no bucket has here."""


@operation("s3", "GetBucketVersioning", resource=bucket_arn)
def get_bucket_versioning(call: Call, asked: Asked) -> dict[str, Any]:
    status = asked_bucket(call, asked).settings.get("BucketVersioning")
    return {"Status": status} if status else {}


@operation("s3", "PutBucketVersioning", resource=bucket_arn)
def put_bucket_versioning(call: Call, asked: Asked) -> dict[str, Any]:
    asked_bucket(call, asked)
    status = asked["VersioningConfiguration"].get("Status")
    if status == "Enabled":
        raise Fault(
            "NotImplemented",
            f"Versioning of bucket '{asked['Bucket']}' cannot be Enabled: tobo keeps one version of each object.",
        )
    _set(call, asked, "BucketVersioning", status)
    return {}


@operation("s3", "PutBucketPolicy", resource=bucket_arn)
def put_bucket_policy(call: Call, asked: Asked) -> dict[str, Any]:
    try:
        document = orjson.loads(asked["Policy"])
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or "Statement" not in document:
        raise Fault("MalformedPolicy", "The policy is not a JSON object with a Statement.")
    _set(call, asked, "BucketPolicy", asked["Policy"])
    return {}


@operation("s3", "GetBucketPolicy", resource=bucket_arn)
def get_bucket_policy(call: Call, asked: Asked) -> dict[str, Any]:
    return {"Policy": _kept(call, asked, "BucketPolicy", "NoSuchBucketPolicy")}


@operation("s3", "GetBucketPolicyStatus", resource=bucket_arn)
def get_bucket_policy_status(call: Call, asked: Asked) -> dict[str, Any]:
    _kept(call, asked, "BucketPolicy", "NoSuchBucketPolicy")
    return {"PolicyStatus": {"IsPublic": False}}


@operation("s3", "DeleteBucketPolicy", resource=bucket_arn)
def delete_bucket_policy(call: Call, asked: Asked) -> dict[str, Any]:
    _set(call, asked, "BucketPolicy", None)
    return {}


def _register(sub: SubResource) -> None:
    def put(call: Call, asked: Asked) -> dict[str, Any]:
        if asked.get(sub.member) is None:  # the model lets LifecycleConfiguration be left out
            raise Fault("MalformedXML", f"Put{sub.put} has no {sub.member} in its body.")
        _set(call, asked, sub.put, _plain(asked[sub.member]))
        return {}

    def get(call: Call, asked: Asked) -> dict[str, Any]:
        kept = _kept(call, asked, sub.put, sub.missing)
        return {sub.member: kept} if sub.wrapped else dict(kept)

    def delete(call: Call, asked: Asked) -> dict[str, Any]:
        _set(call, asked, sub.put, None)
        return {}

    operation("s3", f"Put{sub.put}", action=sub.put_action, resource=bucket_arn)(put)
    operation("s3", f"Get{sub.put}", action=sub.get_action, resource=bucket_arn)(get)
    if sub.delete is not None:
        action = sub.put_action or f"s3:Put{sub.put}"  # in IAM, who may put may delete
        operation("s3", f"Delete{sub.delete}", action=action, resource=bucket_arn)(delete)


def _always(answer: dict[str, Any]) -> Callable[[Call, Asked], dict[str, Any]]:
    def get(call: Call, asked: Asked) -> dict[str, Any]:
        asked_bucket(call, asked)
        return answer

    return get


def _never(name: str, code: str) -> Callable[[Call, Asked], dict[str, Any]]:
    def get(call: Call, asked: Asked) -> dict[str, Any]:
        return dict(_kept(call, asked, name, code))

    return get


def _kept(call: Call, asked: Asked, name: str, missing: str | None) -> Any:
    bucket = asked_bucket(call, asked)
    kept = bucket.settings.get(name)
    if kept is None:
        if missing is None:
            return {}
        noun = name.removeprefix("Get").removeprefix("Bucket")
        raise Fault(missing, f"Bucket '{bucket.name}' has no {noun}.", 404, {"BucketName": bucket.name})
    return kept


def _set(call: Call, asked: Asked, name: str, value: object) -> None:
    """Keeps a configuration under its name; None removes it."""

    def changed(settings: dict[str, object]) -> dict[str, object]:
        others = {key: kept for key, kept in settings.items() if key != name}
        return others if value is None else {**others, name: value}

    change_bucket(call, asked, lambda bucket: replace(bucket, settings=changed(dict(bucket.settings))))


def _plain(value: Any) -> Any:
    """What JSON can hold: moments become epoch seconds, which the wire writes as well."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value


for _sub in SUB_RESOURCES:
    _register(_sub)
for _name, _answer in ALWAYS.items():
    operation("s3", _name, resource=bucket_arn)(_always(_answer))
for _name, (_code, _action) in NEVER.items():
    operation("s3", _name, action=_action, resource=bucket_arn)(_never(_name, _code))
