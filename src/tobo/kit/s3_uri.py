"""s3:// addresses."""

from typing import NamedTuple

from tobo.kit.fault import validation


class S3Uri(NamedTuple):
    """`s3://bucket/key`; the key may be empty or end with a slash."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def below(self, *parts: str) -> "S3Uri":
        """`s3://b/out` below ("job", "output") -> `s3://b/out/job/output`."""
        return S3Uri(self.bucket, "/".join((*filter(None, [self.key.rstrip("/")]), *parts)))


def parse_s3_uri(text: str, place: str) -> S3Uri:
    """Reads an address; raises Fault ValidationException naming `place`, the member that holds it."""
    scheme, _, rest = text.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme not in ("s3", "https") or not bucket:
        raise validation(f"'{text}' at {place} is not an S3 address; expected s3://bucket/prefix.")
    return S3Uri(bucket, key)
