"""The output of a labelling job, where and as Ground Truth writes it. Source: developer guide, "Labeling job output data".

<S3OutputPath>/<job>/manifests/output/output.manifest                                    every labelled object, a line each
<S3OutputPath>/<job>/annotations/worker-response/iteration-1/<object>/<time>.json        what each worker said
<S3OutputPath>/<job>/annotations/consolidated-annotation/output/<object>.png             masks
"""

import base64
import json
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.objects.base import ObjectInfo
from tobo.operations.context import Context
from tobo.operations.results import put_file
from tobo.resources.labeling_jobs.answers import FORM
from tobo.resources.labeling_jobs.settling import kind_of
from tobo.resources.labeling_jobs.task_types import TaskType
from tobo.store.base import Row
from tobo.tasks.base import Answer, Item
from tobo.wire.body import Body

PAGE = 2000
"""Items that are in memory at a time."""


def folder(row: Row) -> S3Uri:
    return parse_s3_uri(row.asked["OutputConfig"]["S3OutputPath"], "OutputConfig.S3OutputPath").below(row.key.name)


def manifest(row: Row) -> S3Uri:
    return folder(row).below("manifests", "output", "output.manifest")


def items(context: Context, row: Row) -> Iterator[Item]:
    """Every item of the job in order."""
    after = -1
    while page := context.tasks.items(row.arn, after, PAGE):
        yield from page
        after = page[-1].number


def write_manifest(context: Context, row: Row) -> None:
    """The labelled objects' lines, those of the input with the label added; masks beside it."""
    kind, now = kind_of(row), datetime.fromtimestamp(context.clock.now(), UTC)
    with tempfile.TemporaryDirectory(dir=context.settings.state / "tmp") as temporary:
        path = Path(temporary) / "output.manifest"
        with path.open("w", encoding="utf-8") as file:
            for item in items(context, row):
                if item.state not in ("labelled", "machine"):
                    continue
                told = json.loads(item.source)
                if item.result:
                    if kind.shape == "mask":
                        _put_mask(context, row, item)
                    told |= label(row, kind, item, now)
                file.write(json.dumps(told, ensure_ascii=False) + "\n")
        put_file(context.objects, row.key.space, path, manifest(row), "application/jsonlines")


def label(row: Row, kind: TaskType, item: Item, now: datetime) -> dict[str, Any]:
    """<attribute> and <attribute>-metadata of an item that was labelled here."""
    attribute, labels = row.asked["LabelAttributeName"], row.found["_labels"]
    told = json.loads(item.result)
    value, more = _VALUES[kind.shape](told, labels, row, item)
    metadata = {
        **more,
        "type": kind.metadata,
        "job-name": f"labeling-job/{row.key.name}",
        "human-annotated": "no" if item.state == "machine" else "yes",
        "creation-date": now.strftime("%Y-%m-%dT%H:%M:%S.%f"),
    }
    if told.get("reviewed"):
        metadata["reviewed"] = "yes"
    return {attribute: value, f"{attribute}-metadata": metadata}


def write_answers(context: Context, row: Row) -> None:
    """A file an object with each worker's own words."""
    crowd = kind_of(row).crowd
    after = -1
    while answers := context.tasks.answers(row.arn, after, PAGE):
        by_item: dict[int, list[Answer]] = {}
        for answer in answers:
            by_item.setdefault(answer.number, []).append(answer)
        puts = []
        for number, its in by_item.items():
            at = datetime.fromtimestamp(its[-1].at, UTC).strftime("%Y-%m-%d_%H:%M:%S")
            told = {"answers": [_worker_response(answer, crowd) for answer in its]}
            place = folder(row).below("annotations", "worker-response", "iteration-1", str(number), f"{at}.json")
            puts.append(object_of(place, json.dumps(told, ensure_ascii=False).encode(), "application/json"))
        context.objects.put_all(row.key.space, puts)
        after = answers[-1].number


def _worker_response(answer: Answer, crowd: str) -> dict[str, Any]:
    def when(at: float) -> str:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    body = json.loads(answer.body)
    return {
        "answerContent": body.get(FORM, {crowd: body}),
        "acceptanceTime": when(answer.at - answer.seconds),
        "submissionTime": when(answer.at),
        "timeSpentInSeconds": round(answer.seconds, 3),
        "workerId": answer.worker,
    }


def _class(told: Mapping[str, Any], labels: list[str], row: Row, item: Item) -> tuple[Any, dict[str, Any]]:
    name = told["answer"]["label"]
    return labels.index(name), {"class-name": name, "confidence": told["confidence"]}


def _classes(told: Mapping[str, Any], labels: list[str], row: Row, item: Item) -> tuple[Any, dict[str, Any]]:
    names = told["answer"]["labels"]
    numbers = [labels.index(name) for name in names]
    return numbers, {
        "class-map": {str(number): name for number, name in zip(numbers, names, strict=True)},
        "confidence-map": {str(number): each for number, each in zip(numbers, told["confidences"], strict=True)},
    }


def _boxes(told: Mapping[str, Any], labels: list[str], row: Row, item: Item) -> tuple[Any, dict[str, Any]]:
    found, size = told["answer"]["boundingBoxes"], told["answer"]["inputImageProperties"]
    boxes = [
        {"class_id": labels.index(box["label"]), **{name: box[name] for name in ("left", "top", "width", "height")}}
        for box in found
    ]
    value = {"image_size": [{**size, "depth": 3}], "annotations": boxes}
    return value, _objects(told, labels, {box["label"] for box in found})


def _polygons(told: Mapping[str, Any], labels: list[str], row: Row, item: Item) -> tuple[Any, dict[str, Any]]:
    found, size = told["answer"]["polygons"], told["answer"]["inputImageProperties"]
    polygons = [{"class_id": labels.index(one["label"]), "vertices": one["vertices"]} for one in found]
    value = {"image_size": [{**size, "depth": 3}], "annotations": polygons}
    return value, _objects(told, labels, {one["label"] for one in found})


def _mask(told: Mapping[str, Any], labels: list[str], row: Row, item: Item) -> tuple[Any, dict[str, Any]]:
    colors = told["answer"]["labelMappings"]
    confidences = dict(zip(colors, told["confidences"], strict=False))
    color_map = {
        str(labels.index(name) + 1): {
            "class-name": name,
            "hex-color": how["color"],
            "confidence": confidences.get(name, 1.0),
        }
        for name, how in colors.items()
    }
    return str(_mask_uri(row, item)), {"internal-color-map": color_map}


def _spans(told: Mapping[str, Any], labels: list[str], row: Row, item: Item) -> tuple[Any, dict[str, Any]]:
    entities = told["answer"]["entities"]
    value = {"annotations": {"entities": entities, "labels": [{"label": name} for name in labels]}}
    return value, {"entities": [{"confidence": each} for each in told["confidences"]]}


def _fields(told: Mapping[str, Any], labels: list[str], row: Row, item: Item) -> tuple[Any, dict[str, Any]]:
    return told["answer"], {}


_VALUES = {
    "class": _class,
    "classes": _classes,
    "boxes": _boxes,
    "polygons": _polygons,
    "mask": _mask,
    "spans": _spans,
    "fields": _fields,
}


def _objects(told: Mapping[str, Any], labels: list[str], used: set[str]) -> dict[str, Any]:
    return {
        "objects": [{"confidence": each} for each in told["confidences"]],
        "class-map": {str(number): name for number, name in enumerate(labels) if name in used},
    }


def _mask_uri(row: Row, item: Item) -> S3Uri:
    return folder(row).below("annotations", "consolidated-annotation", "output", f"{item.number}.png")


def _put_mask(context: Context, row: Row, item: Item) -> None:
    data = json.loads(item.result)["answer"]["labeledImage"]["pngImageData"]
    context.objects.put_all(row.key.space, [object_of(_mask_uri(row, item), base64.b64decode(data), "image/png")])


def object_of(uri: S3Uri, data: bytes, content_type: str) -> tuple[ObjectInfo, Body]:
    """What the store's `put_all` takes."""
    info = ObjectInfo(uri.bucket, uri.key, 0, "", 0.0, headers={"ContentType": content_type})
    return info, Body(len(data), data)
