"""Pictures beside their labels: where one lies, its size, its copy. Nothing outside of the dataset's root is copied."""

import re
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

from PIL import Image

from tobo.labelling.dataset import DataObject, Dataset, Loss
from tobo.labelling.formats.refusal import Malformed, Unsayable

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"))
_HOST = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/]*/|^[A-Za-z]:[\\/]")


def relative(source: str) -> PurePosixPath:
    """The path of a source below its bucket, host or drive; what would climb out of a folder is taken out."""
    path = _HOST.sub("", source).replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    return PurePosixPath(*parts) if parts else PurePosixPath("picture")


def locate(root: Path | None, source: str) -> Path | None:
    """The file of a source below `root`: the longest tail of its path that exists there."""
    if root is None:
        return None
    parts = relative(source).parts
    tails = (root.joinpath(*parts[start:]) for start in range(len(parts)))
    return next((file for file in tails if file.is_file()), None)


def root_of(file: Path, sources: list[str], chosen: Path | None) -> Path:
    """The folder below which the pictures of a label file lie: the chosen one, its own, or one beside it."""
    if chosen is not None:
        return chosen
    places = (file.parent, file.parent / "images", file.parent.parent, file.parent.parent / "images")
    return next((place for place in places for source in sources[:1] if locate(place, source)), file.parent)


def sized(item: DataObject, root: Path | None) -> DataObject:
    """With the picture's size, read from the picture where it is unknown; raises Unsayable where that cannot be."""
    if item.width and item.height:
        return item
    file = locate(root, item.source)
    if file is None:
        raise Unsayable(
            f"The size of '{item.source}' is unknown, and coordinates are shares of it; say with --pictures in which "
            f"folder the picture lies{f' (it is not below {root})' if root else ''}."
        )
    width, height = size_of(file)
    return replace(item, width=width, height=height)


def size_of(file: Path) -> tuple[int, int]:
    """(width, height) of a picture in pixels, from its header; raises Malformed where it is none."""
    try:
        with Image.open(file) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Malformed(f"{file}: not a picture that can be read ({error}); replace it or leave it out.") from None


def copy(dataset: Dataset, item: DataObject, target: Path) -> bool:
    """Copies the picture where it is found; whether it was."""
    file = locate(dataset.root, item.source)
    if file is None:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)
    return True


def not_copied(count: int) -> tuple[Loss, ...]:
    """What a writer says where pictures could not be put beside their labels."""
    if not count:
        return ()
    return (Loss(f"{count} pictures were not found and not copied; --pictures says where they lie.", grave=False),)
