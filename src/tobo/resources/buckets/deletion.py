"""DeleteObject and DeleteObjects."""

from typing import Any

from tobo.kit.fault import Fault
from tobo.objects.base import Condition
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.buckets.address import asked_bucket, check_owner, check_version, checked_key, object_arn

KEYS_LIMIT = 1000


def _first_arn(call: Call, asked: Asked) -> str:
    """The door asks about the first key; the others are asked one by one, so that each gets its own answer."""
    keys = asked["Delete"]["Objects"]
    return object_arn(call, {"Bucket": asked["Bucket"], "Key": keys[0]["Key"] if keys else ""})


@operation("s3", "DeleteObject", resource=object_arn)
def delete_object(call: Call, asked: Asked) -> dict[str, Any]:
    check_owner(call, asked)
    check_version(asked.get("VersionId"))
    _check_conditions(asked, "IfMatchLastModifiedTime", "IfMatchSize")
    condition = Condition(if_match=asked.get("IfMatch"))
    call.context.objects.delete(call.space, asked["Bucket"], [checked_key(asked["Key"])], condition)
    return {}


@operation("s3", "DeleteObjects", action="s3:DeleteObject", resource=_first_arn)
def delete_objects(call: Call, asked: Asked) -> dict[str, Any]:
    bucket = asked_bucket(call, asked).name
    wanted = asked["Delete"]["Objects"]
    if not 1 <= len(wanted) <= KEYS_LIMIT:
        raise Fault("MalformedXML", f"The request names {len(wanted)} keys; 1 to {KEYS_LIMIT} go in one request.")
    errors: list[dict[str, str]] = []
    unconditional: list[str] = []
    for entry in wanted:
        try:
            _check_entry(call, bucket, entry)
            if entry.get("ETag") is None:
                unconditional.append(entry["Key"])
            else:
                call.context.objects.delete(call.space, bucket, [entry["Key"]], Condition(if_match=entry["ETag"]))
        except Fault as fault:
            errors.append({"Key": entry["Key"], "Code": fault.code, "Message": fault.message})
    call.context.objects.delete(call.space, bucket, unconditional)  # in one transaction
    answer: dict[str, Any] = {"Errors": errors} if errors else {}
    if not asked["Delete"].get("Quiet"):
        failed = {error["Key"] for error in errors}
        answer["Deleted"] = [{"Key": entry["Key"]} for entry in wanted if entry["Key"] not in failed]
    return answer


def _check_entry(call: Call, bucket: str, entry: Asked) -> None:
    check_version(entry.get("VersionId"))
    _check_conditions(entry, "LastModifiedTime", "Size")
    checked_key(entry["Key"])
    if not call.principal.allows("s3:DeleteObject", object_arn(call, {"Bucket": bucket, "Key": entry["Key"]})):
        raise Fault("AccessDenied", f"User: {call.principal.arn} is not authorized to perform: s3:DeleteObject", 403)


def _check_conditions(asked: Asked, *unbuilt: str) -> None:
    """The conditions that S3 itself knows only in directory buckets: what is not checked must not pass for met."""
    for member in unbuilt:
        if asked.get(member) is not None:
            raise Fault("NotImplemented", f"A deletion cannot be made conditional on {member} here; use the ETag.")
