"""What a manifest's line says of its object already, as an answer: what is adjusted or verified, or a model's guess.

Form of the lines: Ground Truth, "Output data". Of several labels that fit, the last one of the line is meant.
"""

import base64
from collections.abc import Mapping
from typing import Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import parse_s3_uri
from tobo.objects.base import Objects
from tobo.resources.labeling_jobs.task_types import TaskType

MOST_BYTES = 32 << 20
"""Of a mask that comes along."""

_BOXES, _MASK = "groundtruth/object-detection", "groundtruth/semantic-segmentation"
_CLAIMED = {"VerificationBoundingBox": _BOXES, "VerificationSemanticSegmentation": _MASK}
_CLASS = "groundtruth/image-classification"


def guess_of(
    objects: Objects, space: Namespace, told: Mapping[str, Any], kind: TaskType, attribute: str, audits: str = ""
) -> dict[str, Any] | None:
    """`told` is a line, `attribute` the job's own label, `audits` the one that is meant where several fit.

    None where the line says nothing that the task is about.
    """
    if kind.adjusts or kind.verifies:
        wanted = _CLAIMED.get(kind.name, kind.metadata)
    elif kind.shape == "class":
        wanted = _CLASS if not kind.text else kind.metadata
    else:
        return None
    found = [
        name
        for name in told
        if isinstance(meta := told.get(f"{name}-metadata"), dict)
        and meta.get("type") == wanted
        and name in (audits or name,)
        and name != attribute
    ]
    if not found:
        return None
    value, metadata = told[found[-1]], told[f"{found[-1]}-metadata"]
    try:
        if wanted == _BOXES:
            return _boxes(value, metadata)
        if wanted == _MASK:
            return _mask(objects, space, value, metadata)
        return {"label": str(metadata["class-name"]), "confidence": float(metadata["confidence"])}
    except (Fault, KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None  # a label that cannot be read is none; the worker begins without one


def _boxes(value: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    names, size = metadata["class-map"], value["image_size"][0]
    boxes = [
        {**{side: box[side] for side in ("left", "top", "width", "height")}, "label": names[str(box["class_id"])]}
        for box in value["annotations"]
    ]
    return {"boundingBoxes": boxes, "inputImageProperties": {"width": size["width"], "height": size["height"]}}


def _mask(objects: Objects, space: Namespace, value: str, metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    uri = parse_s3_uri(value, "the mask")
    info = objects.head(space, uri.bucket, uri.key)
    if info.size > MOST_BYTES:
        return None
    png = objects.path(space, info).read_bytes()
    colors = {
        its["class-name"]: {"color": its["hex-color"]}
        for its in metadata["internal-color-map"].values()
        if its["class-name"] != "BACKGROUND"
    }
    return {"labeledImage": {"pngImageData": base64.b64encode(png).decode()}, "labelMappings": colors}
