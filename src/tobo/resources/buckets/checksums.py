"""Checksums: what a client claims is verified, stored and given back (S3 User Guide, "Checking object integrity")."""

import base64
import binascii
from collections.abc import Mapping, Sequence

from tobo.kit.fault import Fault
from tobo.objects.base import Part
from tobo.objects.digests import ALGORITHMS, COMBINABLE, combined, digest
from tobo.operations.registry import Asked
from tobo.wire.body import Body

MEMBERS = {f"Checksum{name.upper()}": name for name in ALGORITHMS}
"""S3's members by the digest's name: {"ChecksumCRC32": "crc32", ...}."""


def verified(asked: Asked, body: Body, algorithm: str | None = None) -> dict[str, str]:
    """Verifies Content-MD5 and the x-amz-checksum- header or trailer; answers the checksums to store with the bytes.

    Where the client named an algorithm (`algorithm`, else ChecksumAlgorithm) but no value, it is computed.
    Raises Fault BadDigest, InvalidDigest, InvalidRequest.
    """
    if (claimed := asked.get("ContentMD5")) is not None:
        if len(_decoded(claimed, "Content-MD5", "InvalidDigest")) != 16:
            raise Fault("InvalidDigest", f"The Content-MD5 '{claimed}' is not 16 bytes in base64.")
        _compare(claimed, digest(body, "md5"), "Content-MD5")
    found = claimed_checksums(asked)
    if len(found) > 1:
        raise Fault("InvalidRequest", f"Expecting a single x-amz-checksum- header; {', '.join(found)} were sent.")
    for member, value in found.items():
        actual = digest(body, MEMBERS[member])
        if len(_decoded(value, header_of(member), "InvalidRequest")) != len(actual):
            raise Fault("InvalidRequest", f"Value for {header_of(member)} header is invalid: '{value}'.")
        _compare(value, actual, header_of(member))
    named = algorithm or asked.get("ChecksumAlgorithm")
    if named is not None and f"Checksum{named}" not in found:
        found[f"Checksum{named}"] = _encoded(digest(body, named.lower()))
    return found


def claimed_checksums(asked: Mapping[str, object]) -> dict[str, str]:
    """The checksum members that a request, or a part in it, carries."""
    return {member: str(asked[member]) for member in MEMBERS if asked.get(member) is not None}


def whole_object(checksums: Mapping[str, str]) -> dict[str, str]:
    """The stored form of an object's checksums that was put in one piece."""
    return {**checksums, "ChecksumType": "FULL_OBJECT"} if checksums else {}


def kind_of_upload(algorithm: str | None, kind: str | None) -> str | None:
    """FULL_OBJECT or COMPOSITE for a multipart upload; raises Fault InvalidRequest where the algorithm has it not."""
    if algorithm is None:
        if kind is not None:
            raise Fault("InvalidRequest", "The x-amz-checksum-type header needs an x-amz-checksum-algorithm.")
        return None
    default = "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
    chosen = kind or default
    cannot = (algorithm == "CRC64NVME" and chosen == "COMPOSITE") or (
        chosen == "FULL_OBJECT" and algorithm.lower() not in COMBINABLE
    )
    if cannot:
        raise Fault("InvalidRequest", f"The {chosen} checksum type cannot be used with the {algorithm} algorithm.")
    return chosen


def of_parts(algorithm: str | None, kind: str | None, parts: Sequence[Part]) -> dict[str, str]:
    """The stored checksums of an object made of parts, all of which have the algorithm's checksum."""
    if algorithm is None:
        return {}
    member, name = f"Checksum{algorithm}", algorithm.lower()
    raw = [base64.b64decode(part.checksums[member]) for part in parts]
    if kind == "COMPOSITE":
        joined = digest(Body(size=0, data=b"".join(raw)), name)
        return {member: f"{_encoded(joined)}-{len(parts)}", "ChecksumType": "COMPOSITE"}
    whole = raw[0]
    for part, following in zip(parts[1:], raw[1:], strict=True):
        whole = combined(name, whole, following, part.size)
    return {member: _encoded(whole), "ChecksumType": "FULL_OBJECT"}


def compare_whole(asked: Asked, actual: Mapping[str, str]) -> None:
    """What CompleteMultipartUpload claims about the whole object; raises Fault BadDigest."""
    for member, value in claimed_checksums(asked).items():
        if member in actual and value.partition("-")[0] != actual[member].partition("-")[0]:
            raise Fault(
                "BadDigest",
                f"The {header_of(member)} '{value}' does not match '{actual[member]}', computed of the parts.",
            )


def algorithms_in(checksums: Mapping[str, str]) -> list[str]:
    """["CRC32"] of {"ChecksumCRC32": ...}: how listings tell it."""
    return [member.removeprefix("Checksum") for member in checksums if member in MEMBERS]


def header_of(member: str) -> str:
    return f"x-amz-checksum-{MEMBERS[member]}"


def _compare(claimed: str, actual: bytes, header: str) -> None:
    if claimed != _encoded(actual):
        raise Fault(
            "BadDigest",
            f"The {header} '{claimed}' does not match '{_encoded(actual)}', computed of the bytes; send them again.",
        )


def _decoded(value: str, header: str, code: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Fault(code, f"Value for {header} header is invalid: '{value}' is not base64.") from None


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
