"""The formats by name; which one a file is in; writing with what is lost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tobo.labelling.dataset import Dataset, Loss
from tobo.labelling.formats import coco, cvat, folders, label_studio, lst, manifest, voc, yolo
from tobo.labelling.formats.fitting import fit
from tobo.labelling.formats.markup import parse
from tobo.labelling.formats.options import DEFAULT, Options
from tobo.labelling.formats.pictures import SUFFIXES
from tobo.labelling.formats.refusal import Place, Unsayable
from tobo.labelling.formats.text_files import read_json


@dataclass(frozen=True)
class Format:
    """`says` is what it can hold, in the words of `fitting`; with "pictures" it is a folder that holds these, too."""

    says: frozenset[str]
    read: Callable[[Path, Options], Dataset]
    write: Callable[[Dataset, Path, Options], tuple[Loss, ...]]


FORMATS = {
    "folders": Format(folders.SAYS, folders.read, folders.write),
    "lst": Format(lst.SAYS, lst.read, lst.write),
    "manifest": Format(manifest.SAYS, manifest.read, manifest.write),
    "coco": Format(coco.SAYS, coco.read, coco.write),
    "voc": Format(voc.SAYS, voc.read, voc.write),
    "yolo": Format(yolo.SAYS, yolo.read, yolo.write),
    "label-studio": Format(label_studio.SAYS, label_studio.read, label_studio.write),
    "cvat": Format(cvat.SAYS, cvat.read, cvat.write),
}
_BY_SUFFIX = {
    ".lst": "lst", ".manifest": "manifest", ".jsonl": "manifest", ".xml": "cvat", ".yaml": "yolo", ".yml": "yolo"
}  # fmt: skip


def read(source: Path, name: str, options: Options = DEFAULT) -> Dataset:
    """The labels of a file or folder in the format of that name; raises Malformed."""
    if not source.exists():
        Place(str(source)).refuse("does not exist; correct the path.")
    return FORMATS[name].read(source, options)


def write(
    dataset: Dataset, target: Path, name: str, options: Options = DEFAULT, lossy: bool = False
) -> tuple[Loss, ...]:
    """Writes what the format says and answers with what it does not.

    Raises Unsayable, with nothing written, where labels would be lost or changed and that is not allowed by `lossy`.
    """
    fitted, losses = fit(dataset, FORMATS[name].says)
    losses = (*dataset.left_out, *losses)
    grave = [loss.sentence for loss in losses if loss.grave]
    if grave and not lossy:
        raise Unsayable(f"{' '.join(grave)} --lossy converts the rest into {name}.")
    return (*losses, *FORMATS[name].write(fitted, target, options))


def guess(source: Path) -> str | None:
    """The format that a file or folder is in, from its name and beginning; None where that cannot be told."""
    if source.is_dir():
        return _guess_folder(source)
    if source.suffix == ".json":
        found = read_json(source)
        return _guess_json(found)
    if source.suffix == ".xml":
        return {"annotations": "cvat", "annotation": "voc"}.get(parse(source).tag)
    if source.name.endswith("-manifest"):
        return "manifest"
    return _BY_SUFFIX.get(source.suffix)


def guess_target(target: Path, dataset: Dataset) -> str | None:
    """The format to write, from the target's name: a folder is one of classes where no shapes are to be written."""
    if target.suffix in _BY_SUFFIX:
        return _BY_SUFFIX[target.suffix] if _BY_SUFFIX[target.suffix] != "yolo" else None
    shaped = any(item.shapes is not None or item.mask is not None for item in dataset.objects)
    return "folders" if not target.suffix and not shaped and not dataset.multi else None


def prefixed(dataset: Dataset, prefix: str) -> Dataset:
    """With `prefix`, such as s3://bucket/photos/, in front of every relative source."""
    if not prefix:
        return dataset
    start = prefix if prefix.endswith("/") else f"{prefix}/"
    return replace(
        dataset,
        objects=tuple(
            item if "://" in item.source else replace(item, source=start + item.source.lstrip("/"))
            for item in dataset.objects
        ),
    )


def _guess_folder(folder: Path) -> str | None:
    if (folder / "data.yaml").is_file():
        return "yolo"
    if (folder / "annotations.xml").is_file():
        return "cvat"
    if (folder / "Annotations").is_dir():
        return "voc"
    one = next(iter(sorted(folder.glob("*.xml"))), None)
    if one is not None and parse(one).tag == "annotation":
        return "voc"
    inside = (file for below in sorted(folder.iterdir()) if below.is_dir() for file in below.rglob("*"))
    return "folders" if any(file.suffix.lower() in SUFFIXES for file in inside) else None


def _guess_json(found: object) -> str | None:
    if isinstance(found, dict) and "images" in found:
        return "coco"
    first = found[0] if isinstance(found, list) and found else None
    return "label-studio" if isinstance(first, dict) and "data" in first else None
