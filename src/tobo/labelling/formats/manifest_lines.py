"""The lines of an augmented manifest, written.

Ground Truth has no word for "unknown": a label without an origin counts as a person's (`human-annotated` "yes"), and one
without a confidence as certain where a person made it (1) and as worth nothing where a machine did (0).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from tobo.labelling.dataset import Box, DataObject, Dataset, Label, Loss, Mask, Polygon, Shape
from tobo.labelling.formats.manifest_attributes import METADATA
from tobo.labelling.formats.options import Options
from tobo.labelling.formats.pictures import sized
from tobo.labelling.formats.refusal import Unsayable, shown

Origin = Label | Shape | Mask


def lines_of(dataset: Dataset, options: Options) -> Iterator[dict[str, Any]]:
    """A line for each picture; one that nobody labelled has `source-ref` alone."""
    base = options.attribute.removesuffix("-ref") or "label"
    if base.endswith(METADATA) or base == "source-ref":
        raise Unsayable(
            f"'{options.attribute}' cannot be a label attribute; choose a name that does not end with {METADATA}."
        )
    index = {name: number for number, name in enumerate(dataset.classes)}
    both = any(item.labels is not None for item in dataset.objects) and any(
        item.shapes is not None for item in dataset.objects
    )
    now = options.made or datetime.now(UTC).replace(tzinfo=None).isoformat()
    for item in dataset.objects:
        line: dict[str, Any] = {"source-ref": item.source}
        common = {"creation-date": item.made or now, "job-name": item.job or options.job}
        if item.labels is not None:
            _add_labels(line, base, dataset.multi, item.labels, index, common)
        if item.shapes is not None:
            _add_shapes(line, f"{base}-shapes" if both else base, sized(item, dataset.root), index, common)
        if item.mask is not None:
            _add_mask(line, f"{base}-ref", item.mask, common)
        yield line


def losses_of(dataset: Dataset) -> tuple[Loss, ...]:
    """Ground Truth tells origin once a picture, and a picture's size beside shapes only."""
    mixed = sum(
        len({mark.human is not False for mark in kind or ()}) > 1
        for item in dataset.objects
        for kind in (item.labels, item.shapes)
    )
    if not mixed:
        return ()
    return (
        Loss(
            f"{mixed} pictures have labels of people and of machines; all of such a picture count as machine's.", False
        ),
    )


def _add_labels(
    line: dict[str, Any],
    key: str,
    multi: bool,
    labels: tuple[Label, ...],
    index: dict[str, int],
    common: dict[str, Any],
) -> None:
    if multi:
        line[key] = [index[label.name] for label in labels]
        line[f"{key}{METADATA}"] = {
            "class-map": {str(index[label.name]): label.name for label in labels},
            "confidence-map": {str(index[label.name]): _confidence(label) for label in labels},
            "type": "groundtruth/image-classification-multilabel",
            **_origin(labels),
            **common,
        }
    elif labels:
        line[key] = index[labels[0].name]
        line[f"{key}{METADATA}"] = {
            "class-name": labels[0].name,
            "confidence": _confidence(labels[0]),
            "type": "groundtruth/image-classification",
            **_origin(labels),
            **common,
        }


def _add_shapes(
    line: dict[str, Any], key: str, item: DataObject, index: dict[str, int], common: dict[str, Any]
) -> None:
    shapes = item.shapes or ()
    outlined = any(isinstance(shape, Polygon) for shape in shapes)
    line[key] = {
        "image_size": [{"width": item.width, "height": item.height, "depth": 3}],
        "annotations": [{"class_id": index[shape.name], **_place(shape)} for shape in shapes],
    }
    line[f"{key}{METADATA}"] = {
        "objects": [{"confidence": _confidence(shape)} for shape in shapes],
        "class-map": {str(index[shape.name]): shape.name for shape in shapes},
        "type": "groundtruth/polygon" if outlined else "groundtruth/object-detection",
        **_origin(shapes),
        **common,
    }


def _place(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Box):
        return {edge: _plain(getattr(shape, edge)) for edge in ("left", "top", "width", "height")}
    if isinstance(shape, Polygon) and len(shape.parts) == 1:
        return {"vertices": [{"x": _plain(x), "y": _plain(y)} for x, y in shape.parts[0]]}
    raise Unsayable(f"A manifest cannot hold the {type(shape).__name__.lower()} of {shown(shape.name)}.")


def _add_mask(line: dict[str, Any], key: str, mask: Mask, common: dict[str, Any]) -> None:
    line[key] = mask.source
    line[f"{key}{METADATA}"] = {
        "internal-color-map": {
            str(number): {"class-name": name, "confidence": _confidence(mask), "hex-color": color}
            for number, (name, color) in enumerate(mask.colors)
        },
        "type": "groundtruth/semantic-segmentation",
        **_origin([mask]),
        **common,
    }


def _origin(marks: Sequence[Origin]) -> dict[str, str]:
    return {"human-annotated": "no" if any(mark.human is False for mark in marks) else "yes"}


def _confidence(mark: Origin) -> float:
    if mark.confidence is not None:
        return mark.confidence
    return 0 if mark.human is False else 1


def _plain(value: float) -> float:
    """A whole number without its point, as Ground Truth writes pixels."""
    return int(value) if float(value).is_integer() else value
