"""Labelled pictures: read from folders and augmented manifests, joined so that the newest label counts, and written."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tobo.kit.guest import UserError
from tobo.loop.source import Source

ATTRIBUTE = "label"
"""Of the manifests that the loop writes."""

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm")

VALIDATION_SHARE = 8
"""One picture in so many of a class is kept for validation."""

Labels = dict[str, str]
"""Class names by the pictures' addresses."""


def read_labels(source: Source, address: str, classes: Sequence[str] = ()) -> Labels:
    """Those of an augmented manifest, of a folder (ending with a slash) with one folder a class, or of a folder and its
    list, a space between, whose numbers mean `classes`; pictures without a label are left out."""
    folder, listed, rest = address.rpartition(" s3://")
    if listed:
        return dict(_of_list(source, folder, f"s3://{rest}", classes))
    if address.endswith("/"):
        return dict(_of_folder(source, address))
    return dict(_of_manifest(source.read(address), address))


def _of_folder(source: Source, address: str) -> Iterator[tuple[str, str]]:
    for picture in source.below(address):
        folder, _, rest = picture[len(address) :].partition("/")
        if rest and picture.lower().endswith(ENDINGS):
            yield picture, folder


def _of_list(source: Source, folder: str, address: str, classes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Lines of index, label and path below the folder, tabs between."""
    files = [one for one in source.below(address) if one.endswith(".lst")]
    if len(files) != 1:
        raise UserError(f"{address} has {len(files)} .lst files; it has to hold one.")
    for number, line in enumerate(source.read(files[0]).decode("utf-8-sig", "replace").splitlines(), 1):
        columns = line.split("\t")
        if not line.strip():
            continue
        try:
            yield f"{folder}{columns[2].strip()}", classes[int(float(columns[1]))]
        except (ValueError, IndexError):
            raise UserError(
                f"{files[0]}, line {number}: expected index, label and path with tabs between; labels go from 0 to "
                f"{len(classes) - 1}."
            ) from None


def _of_manifest(text: bytes, address: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            picture = str(entry["source-ref"])
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{address}, line {number}: expected a JSON object with 'source-ref'.") from None
        if (name := _class_of(entry, f"{address}, line {number}")) is not None:
            yield picture, name


def _class_of(entry: Mapping[str, Any], place: str) -> str | None:
    """What Ground Truth's metadata says of one class; suggestions of a model are no labels."""
    found = {
        key.removesuffix("-metadata"): str(told["class-name"])
        for key, told in entry.items()
        if key.endswith("-metadata") and not key.endswith("-suggested-metadata")
        if isinstance(told, dict) and "class-name" in told and key.removesuffix("-metadata") in entry
    }
    if len(set(found.values())) > 1:
        raise UserError(f"{place}: the labels {', '.join(sorted(found))} say different classes; keep one of them.")
    return next(iter(found.values()), None)


def manifest_of(labels: Mapping[str, str], names: Sequence[str]) -> bytes:
    """An augmented manifest in the order of the addresses; class indices are places in `names`."""
    lines = []
    for picture, name in sorted(labels.items()):
        told = {"class-name": name, "type": "groundtruth/image-classification", "human-annotated": "yes"}
        lines.append(json.dumps({"source-ref": picture, ATTRIBUTE: names.index(name), f"{ATTRIBUTE}-metadata": told}))
    return "".join(f"{line}\n" for line in lines).encode()


def joined(sets: Iterable[Labels], hashes: Mapping[str, str]) -> tuple[Labels, int]:
    """(one label a picture, how many labels were changed): of the same address or the same bytes the last set's counts."""
    by_content: dict[str, tuple[str, str]] = {}
    changed = 0
    for labels in sets:
        for picture, name in sorted(labels.items()):
            known = by_content.get(hashes[picture])
            changed += known is not None and known[1] != name
            by_content[hashes[picture]] = (known[0] if known else picture, name)
    return dict(by_content.values()), changed


def split(labels: Labels, hashes: Mapping[str, str]) -> tuple[Labels, Labels]:
    """(train, validation): of each class the pictures with the smallest hashes, so that most stay where they were."""
    validation: Labels = {}
    for name in sorted(set(labels.values())):
        ordered = sorted((picture for picture in labels if labels[picture] == name), key=lambda one: hashes[one])
        count = max(len(ordered) // VALIDATION_SHARE, 1) if len(ordered) > 2 else 0
        validation |= dict.fromkeys(ordered[:count], name)
    return {picture: name for picture, name in labels.items() if picture not in validation}, validation
