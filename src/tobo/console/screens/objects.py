"""Objects of a bucket: folders and files, uploads, one object's page, links to it."""

import json
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tobo.console.lists import addresses
from tobo.console.presigned import presigned
from tobo.console.reading import image_type, read_object
from tobo.console.routing import Screen, posted, shown
from tobo.console.screens.buckets import bucket_path, bucket_url
from tobo.console.snippets import File, Made
from tobo.console.visit import Visit, all_of, url
from tobo.kit.fault import Fault

PAGE = 200
AT_ONCE = 1000
"""Keys of one DeleteObjects, and of one request for links to upload to."""

TEXT = 64 << 10
"""Bytes of a text that are shown."""

TIMES = (("3600", "1 hour"), ("300", "5 minutes"), ("86400", "1 day"), ("604800", "7 days"))


@shown("/s3/{bucket}")
def _list(visit: Visit) -> Response:
    bucket, folder = visit.path["bucket"], visit.query.get("prefix", "")
    asked: dict[str, Any] = {"Bucket": bucket, "Delimiter": "/", "MaxKeys": PAGE}
    if prefix := folder + visit.query.get("starts", ""):
        asked["Prefix"] = prefix
    if token := visit.query.get("token"):
        asked["ContinuationToken"] = token
    found = visit.call("s3", "ListObjectsV2", **asked)
    rows = [{"key": one["Prefix"], "name": one["Prefix"][len(folder) :]} for one in found["CommonPrefixes"]]
    return visit.page(
        "s3/objects.html",
        bucket=bucket,
        folder=folder,
        folders=rows,
        objects=[{**one, "name": one["Key"][len(folder) :] or one["Key"]} for one in found["Contents"]],
        next_token=found.get("NextContinuationToken"),
        at=addresses(visit, *bucket_path(bucket)),
        trail=_trail(bucket, folder),
        bucket_url=bucket_url,
        written=_written,
        may_put=visit.may("s3", "PutObject", Bucket=bucket, Key=f"{folder}any"),
        upload=[Made("s3", "PutObject", {"Bucket": bucket, "Key": f"{folder}photo.jpg", "Body": File("photo.jpg")})],
        may_delete=visit.may("s3", "DeleteObject", Bucket=bucket, Key=f"{folder}any"),
    )


@posted("/s3/{bucket}/upload")
def _upload(visit: Visit) -> Response:
    """{"keys": [...]} -> {"urls": [...]}: where the browser puts the bytes of each, with its own key's rights."""
    bucket = visit.path["bucket"]
    try:
        keys = json.loads(visit.body)["keys"]
    except (ValueError, TypeError, KeyError):
        keys = None
    if not isinstance(keys, list) or not all(isinstance(key, str) and key for key in keys) or len(keys) > AT_ONCE:
        raise Fault("ValidationException", f'An upload asks {{"keys": [...]}} with up to {AT_ONCE} keys.')
    for key in keys:
        if not visit.may("s3", "PutObject", Bucket=bucket, Key=key):
            raise Fault("AccessDenied", f"You are not allowed to put '{key[:200]}' into {bucket}.", 403)
    return JSONResponse({"urls": [presigned(visit, "PUT", bucket, key) for key in keys]})


@posted("/s3/{bucket}/delete")
def _delete(visit: Visit) -> Response:
    """Deletes the ticked objects, and all that is below the ticked folders."""
    bucket, folder = visit.path["bucket"], visit.query.get("prefix", "")
    keys = [unquote(name) for name in all_of(visit.form, "key")]
    for prefix in filter(None, all_of(visit.form, "folder")):  # "" would be the whole bucket
        keys += _below(visit, bucket, unquote(prefix))
    if not keys:
        raise Fault("ValidationException", "Nothing is ticked; tick what shall be deleted.")
    failed: list[dict[str, str]] = []
    for start in range(0, len(keys), AT_ONCE):
        entries = [{"Key": key} for key in keys[start : start + AT_ONCE]]
        answer = visit.change("s3", "DeleteObjects", Bucket=bucket, Delete={"Objects": entries, "Quiet": True})
        failed += answer.get("Errors", [])
    if failed:
        told = f"{len(failed)} of {len(keys)} objects are still there, '{failed[0]['Key'][:200]}' for one"
        raise Fault(failed[0]["Code"], f"{told}: {failed[0]['Message']}", 403)
    what = f"'{keys[0][:200]}' is" if len(keys) == 1 else f"{len(keys):,} objects are"
    return visit.done(bucket_url(bucket, prefix=folder), f"{what} deleted.")


@shown("/s3/{bucket}/object")
def _show(visit: Visit) -> Response:
    bucket, key = visit.path["bucket"], visit.query.get("key", "")
    head = visit.call("s3", "HeadObject", Bucket=bucket, Key=key)
    start = read_object(visit, bucket, key, TEXT)
    folder = key[: key.rstrip("/").rfind("/") + 1]
    return visit.page(
        "s3/object.html",
        bucket=bucket,
        key=key,
        name=key[len(folder) :] or key,
        head=head,
        image=image_type(start),
        text=None if image_type(start) else shown_text(start),
        whole=len(start) == head["ContentLength"],
        trail=_trail(bucket, folder),
        times=TIMES,
        folder=folder,
        written=_written,
        may_delete=visit.may("s3", "DeleteObject", Bucket=bucket, Key=key),
    )


@shown("/s3/{bucket}/download")
def _download(visit: Visit) -> Response:
    """To a link that makes a browser save the object under its name."""
    bucket, key = visit.path["bucket"], visit.query.get("key", "")
    visit.quietly("s3", "HeadObject", Bucket=bucket, Key=key)
    name = quote(key.rstrip("/").rsplit("/", 1)[-1] or "object", safe="")
    more = {"response-content-disposition": f"attachment; filename*=UTF-8''{name}"}
    return RedirectResponse(presigned(visit, "GET", bucket, key, more=more), 303)


@posted("/s3/{bucket}/link")
def _link(visit: Visit) -> Response:
    """A link for somebody who has no key of his own."""
    bucket, key = visit.path["bucket"], visit.query.get("key", "")
    seconds = str(visit.form.get("seconds", ""))
    if not (seconds.isascii() and seconds.isdigit()):
        raise Fault("ValidationException", f"The link's time '{seconds[:40]}' is not a number of seconds.")
    if visit.as_code:
        return HTMLResponse(
            visit.rendering.page("s3/link_code.html", link_code(visit.region, bucket, key, int(seconds)))
        )
    visit.quietly("s3", "HeadObject", Bucket=bucket, Key=key)
    base = str(visit.request.base_url).rstrip("/")
    link = base + presigned(visit, "GET", bucket, key, int(seconds))
    until = visit.context.clock.now() + int(seconds)
    return visit.page("s3/link.html", link=link, until=until, temporary=visit.session.token is not None)


def link_code(region: str, bucket: str, key: str, seconds: int) -> dict[str, str]:
    """What makes the same link by itself: clients sign links, no request does."""
    params = f'{{"Bucket": {json.dumps(bucket)}, "Key": {json.dumps(key, ensure_ascii=False)}}}'
    python = f'import boto3\n\ns3 = boto3.client("s3", region_name="{region}")\n'
    python += f's3.generate_presigned_url("get_object", Params={params}, ExpiresIn={seconds})\n'
    place = shlex.quote(f"s3://{bucket}/{key}")
    return {"python": python, "cli": f"aws s3 presign {place} --expires-in {seconds} --region {region}\n"}


def shown_text(start: bytes) -> str | None:
    """The first bytes of an object as text; None where they are none. A letter that was cut in two is left out."""
    for cut in range(4):
        try:
            text = start[: len(start) - cut].decode()
        except UnicodeDecodeError:
            continue
        printable = all(letter >= " " or letter in "\t\r\n\f\x1b" for letter in text)
        return text if printable else None
    return None


def _below(visit: Visit, bucket: str, prefix: str) -> Iterator[str]:
    """Every key that begins so, page after page."""
    more: dict[str, Any] = {}
    while True:
        found = visit.quietly("s3", "ListObjectsV2", Bucket=bucket, Prefix=prefix, **more)
        yield from (one["Key"] for one in found["Contents"])
        if "NextContinuationToken" not in found:
            return
        more = {"ContinuationToken": found["NextContinuationToken"]}


def _trail(bucket: str, folder: str) -> list[tuple[str, str | None]]:
    """Crumbs: home, buckets, the bucket and each folder on the way."""
    trail: list[tuple[str, str | None]] = [("Home", url("")), ("S3", url("s3")), (bucket, bucket_url(bucket))]
    end = folder.find("/") + 1
    begin = 0
    while end:
        trail.append((folder[begin:end].rstrip("/") or "/", bucket_url(bucket, prefix=folder[:end])))
        begin, end = end, folder.find("/", end) + 1
    return trail


def _written(key: str) -> str:
    """A key as the value of a form's field: browsers change line ends of texts."""
    return quote(key, safe="")


_slashed = Screen("/s3/{bucket}/", _list.serve, ("GET",))

SCREENS: tuple[Screen, ...] = (_list, _slashed, _upload, _delete, _show, _download, _link)
