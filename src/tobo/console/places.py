"""Places: where the console shows what an address names."""

from tobo.console.visit import url


def s3_place(address: str) -> str:
    """The folder of an s3:// address in the S3 browser; "" for what is no such address."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not address.startswith("s3://") or not bucket:
        return ""
    folder = key if key.endswith("/") else key.rpartition("/")[0] + "/" if "/" in key else ""
    return url("s3", bucket, prefix=folder)
