"""Labelling: the queues of pictures that somebody shall look at."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from tobo.console.choices import default_bucket, existing_bucket
from tobo.console.labelling_queues import (
    PREFIX,
    SUFFIX,
    checked_name,
    is_queue,
    key_of,
    line_of,
    lines_of,
    merged,
    suggested,
    suggestions_of,
)
from tobo.console.reading import read_object
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import parse_s3_uri


@shown("/labelling")
def _list(visit: Visit) -> Response:
    """The queues of the account's bucket; their lengths are counted, for there are few."""
    bucket = default_bucket(visit)
    try:
        found = visit.call("s3", "ListObjectsV2", Bucket=bucket, Prefix=PREFIX)["Contents"]
    except Fault as fault:
        if fault.status != 404:
            raise
        found = []  # nobody has sent anything yet
    queues = [
        {
            "name": entry["Key"][len(PREFIX) : -len(SUFFIX)],
            "key": entry["Key"],
            "changed": entry["LastModified"],
            "pictures": len(lines_of(read_object(visit, bucket, entry["Key"]))),
        }
        for entry in found
        if is_queue(entry["Key"])
    ]
    return visit.page("labelling/list.html", queues=queues, bucket=bucket)


@shown("/labelling/{name}")
def _show(visit: Visit) -> Response:
    bucket, key = default_bucket(visit), key_of(visit.path["name"])
    visit.call("s3", "HeadObject", Bucket=bucket, Key=key)
    pictures = [
        {
            "at": parse_s3_uri(line["source-ref"], key),
            "uri": line["source-ref"],
            "label": suggested(line).get("class-name", ""),
            "now": suggested(line).get("present-class-name", ""),
            "confidence": suggested(line).get("confidence"),
        }
        for line in lines_of(read_object(visit, bucket, key))
        if line["source-ref"].startswith("s3://")
    ]
    return visit.page("labelling/show.html", name=visit.path["name"], pictures=pictures, bucket=bucket, key=key)


@posted("/labelling/queues")
def _send(visit: Visit) -> Response:
    """Adds the chosen pictures to a queue, which begins to be with its first ones."""
    fields = fields_of(visit.form)
    name = fields.get("queue", "")
    key, attribute = key_of(name), checked_name(fields.get("attribute", "label"), "attribute")
    chosen = suggestions_of(fields.get("items", ""))
    now = datetime.fromtimestamp(visit.context.clock.now(), UTC)
    added = [line_of(each, attribute, fields.get("source", "console"), now) for each in chosen]
    bucket = existing_bucket(visit)
    there, condition = _known(visit, bucket, key)
    body = merged(there, added)
    visit.change("s3", "PutObject", Bucket=bucket, Key=key, Body=body, ContentType="application/jsonlines", **condition)
    pictures = "1 picture was" if len(chosen) == 1 else f"{len(chosen)} pictures were"
    return visit.done(url("labelling", name), f"{pictures} sent to the queue {name}.")


@posted("/labelling/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("s3", "DeleteObject", Bucket=default_bucket(visit), Key=key_of(name))
    return visit.done(url("labelling"), f"The queue {name} was deleted; its pictures are where they were.")


def _known(visit: Visit, bucket: str, key: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """(lines that are there, condition under which they still are: who adds at the same time loses nothing)."""
    try:
        etag = visit.quietly("s3", "HeadObject", Bucket=bucket, Key=key)["ETag"]
    except Fault as fault:
        if fault.status != 404:
            raise
        return [], {"IfNoneMatch": "*"}
    return lines_of(read_object(visit, bucket, key)), {"IfMatch": etag}


SCREENS: tuple[Screen, ...] = (_list, _show, _send, _delete)
