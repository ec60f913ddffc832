"""Photos for the story: drawn marbles or a user's own folder, split into training, validation and unseen ones."""

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tobo.inference.pictures import UnreadablePicture, decode
from tobo.kit.fault import validation
from tobo.line.marbles import jpeg
from tobo.line.marbles import photos as drawn_photos

SHARE = 0.2
"""Part of the photos that validate; of a user's own photos the same part is kept unseen before."""

LEAST = 5
"""Photos a class needs: three to learn from, one to validate, one unseen."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
"""By which a file in a class's folder is taken for a photo."""

CONTENT_TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}


@dataclass(frozen=True)
class Picture:
    """A labelled photo, as bytes or as a file. `name` is `<label>/<file>`, unique in its collection."""

    name: str
    label: str
    source: bytes | Path

    def read(self) -> bytes:
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES.get(Path(self.name).suffix.lower(), "application/x-image")


@dataclass(frozen=True)
class Collection:
    """Three disjoint parts; a label's index is its place in `classes`. `left_out` are sentences about unusable files."""

    classes: tuple[str, ...]
    train: tuple[Picture, ...]
    validation: tuple[Picture, ...]
    unseen: tuple[Picture, ...]
    left_out: tuple[str, ...] = ()


def marbles(count: int, seed: int = 0) -> Collection:
    """`count` drawn marbles to learn from and a quarter as many unseen ones of another seed; the kind is in the name.

    Raises Fault where too few are asked for to have both classes in every part.
    """
    known, unseen = _draw(count, 2 * seed), _draw(count // 4, 2 * seed + 1)
    _check_classes("the drawn marbles", known)
    train, check = split(known, SHARE, seed)
    return Collection(("ko", "ok"), train, check, unseen)


def _draw(count: int, seed: int) -> tuple[Picture, ...]:
    return tuple(
        Picture(f"{photo.label}/{index:04d}-{photo.kind}.jpg", photo.label, jpeg(photo))
        for index, photo in enumerate(drawn_photos(count, seed))
    )


def own(folder: Path, seed: int = 0) -> Collection:
    """A user's photos, one subfolder a class; photos that cannot be read are left out and named.

    Raises Fault where the folder is missing or empty, has fewer than two classes, or a class too few readable photos.
    """
    if not folder.is_dir():
        raise validation(f"'{folder}' is not a folder; give one that holds a subfolder of photos for each class.")
    classes = tuple(sorted(each.name for each in folder.iterdir() if each.is_dir() and _files(each)))
    if not classes:
        raise validation(
            f"'{folder}' has no subfolder with photos ({', '.join(SUFFIXES)}); make one subfolder for each class."
        )
    if len(classes) == 1:
        raise validation(f"'{folder}' has photos of one class only ('{classes[0]}'); add a second subfolder.")
    pictures = [Picture(_name(each, folder), label, each) for label in classes for each in _files(folder / label)]
    with ThreadPoolExecutor(4) as pool:
        faults = list(pool.map(_fault_of, pictures))
    left_out = tuple(fault for fault in faults if fault)
    readable = [picture for picture, fault in zip(pictures, faults, strict=True) if not fault]
    _check_classes(f"'{folder}'", readable, classes, left_out)
    known, unseen = split(readable, SHARE, seed)
    train, check = split(known, SHARE, seed)
    return Collection(classes, train, check, unseen, left_out)


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file())


def _name(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _fault_of(picture: Picture) -> str:
    """Why a photo cannot be used, in a sentence; "" where it can. The decoder is the training's own."""
    if any(character in picture.name for character in "\t\r\n"):
        return f"{picture.name!r} has a tab or a line break in its name, which an .lst file cannot hold"
    try:
        decode(picture.read())
    except UnreadablePicture as error:
        return f"'{picture.name}' {error}"
    except OSError as error:
        return f"'{picture.name}' cannot be opened ({error.strerror})"
    return ""


def _check_classes(
    where: str, pictures: Iterable[Picture], classes: tuple[str, ...] = ("ko", "ok"), left_out: tuple[str, ...] = ()
) -> None:
    labels = [picture.label for picture in pictures]
    for label in classes:
        if (found := labels.count(label)) < LEAST:
            unread = f" (left out: {'; '.join(left_out[:3])})" if left_out else ""
            raise validation(
                f"Class '{label}' of {where} has {found} usable photos{unread}; at least {LEAST} are needed a class."
            )


def split(pictures: Iterable[Picture], share: float, seed: int) -> tuple[tuple[Picture, ...], tuple[Picture, ...]]:
    """(the rest, `share` of them), class by class, at least one of each in both parts; shuffled, the same for a seed."""
    rng = random.Random(seed)
    by_label: dict[str, list[Picture]] = {}
    for picture in pictures:
        by_label.setdefault(picture.label, []).append(picture)
    rest: list[Picture] = []
    taken: list[Picture] = []
    for group in by_label.values():
        rng.shuffle(group)
        count = min(max(1, round(share * len(group))), len(group) - 1)
        taken += group[:count]
        rest += group[count:]
    rng.shuffle(rest)
    rng.shuffle(taken)
    return tuple(rest), tuple(taken)


def lst(pictures: Iterable[Picture], classes: tuple[str, ...]) -> str:
    r"""The list file of a channel: lines of `index \t label \t path` (SageMaker Developer Guide, "Image Classification")."""
    lines = (f"{index}\t{classes.index(picture.label)}\t{picture.name}\n" for index, picture in enumerate(pictures))
    return "".join(lines)
