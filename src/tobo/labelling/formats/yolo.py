"""YOLO: `data.yaml` and a text file for each picture, lines of a class index and shares of the picture's size.

The form of YOLOv5 and later (Ultralytics, "Object detection datasets" and "Instance segmentation datasets"): a box is
`class x_center y_center width height`, an outline `class x1 y1 x2 y2 x3 y3 ...`, a prediction a box and its confidence.
Labels lie where the last `images` of a picture's path is `labels`. Pictures of all splits are read together.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from tobo.labelling.dataset import Box, DataObject, Dataset, Loss, Polygon, Shape
from tobo.labelling.formats import pictures
from tobo.labelling.formats.geometry import corners
from tobo.labelling.formats.naming import check_unique
from tobo.labelling.formats.options import DEFAULT, Options
from tobo.labelling.formats.refusal import Place, Unsayable, shown
from tobo.labelling.formats.text_files import new_folder, read_lines, read_text, write_text

SAYS = frozenset({"boxes", "polygons", "pictures"})
SPLITS = ("train", "val", "test")
BEYOND = 1e-6
"""How far a share may lie outside of 0..1 for rounding."""


def read(source: Path, options: Options = DEFAULT) -> Dataset:
    """`data.yaml`, or the folder that holds it. Raises Malformed naming file, line and value."""
    file = _yaml_in(source) if source.is_dir() else source
    place = Place(str(file))
    told = place.members(_parse_yaml(file, place), "the file")
    names = options.classes or _names(place, told.get("names"))
    named = told.get("path")
    home = file.parent / named if isinstance(named, str) and (file.parent / named).is_dir() else file.parent
    splits = [split for split in SPLITS if told.get(split)]
    if not splits:
        place.refuse("neither train nor val is named; one says where the pictures lie.")
    found: dict[Path, None] = {}
    folders: set[Path] = set()
    for split in splits:
        at = place.inside(split)
        for entry in told[split] if isinstance(told[split], list) else [told[split]]:
            folder = _folder(home, at.text(entry, split))
            found |= dict.fromkeys(_pictures(folder, entry, at))
            folders.add(folder)
    root = folders.pop() if len(folders) == 1 and all(folder.is_dir() for folder in folders) else home
    objects = tuple(_object(picture, root, names) for picture in found)
    losses: tuple[Loss, ...] = ()
    if len({str(told[split]) for split in splits}) > 1:
        losses = (
            Loss(f"The pictures of {', '.join(splits)} are read together; who is in which split is lost.", False),
        )
    return Dataset(names, objects, root=root, left_out=losses)


def write(dataset: Dataset, target: Path, options: Options = DEFAULT) -> tuple[Loss, ...]:
    """Pictures go to `images/`; where a picture has outlines, boxes become outlines of four corners in every file.

    Raises Unsayable where a size is unknown or two pictures would share a label file.
    """
    outlined = any(isinstance(shape, Polygon) for item in dataset.objects for shape in item.shapes or ())
    files: dict[Path, str] = {}
    cut = 0
    for item in dataset.objects:
        item = pictures.sized(item, dataset.root)
        file = Path("labels", _inside(item.source)).with_suffix(".txt")
        if file in files:
            raise Unsayable(f"Two pictures would share {file}, one is '{item.source}'; rename one of them.")
        told = [_line(shape, item, dataset.classes.index(shape.name), outlined) for shape in item.shapes or ()]
        files[file] = "".join(f"{line}\n" for line, _ in told)
        cut += sum(outside for _, outside in told)
    new_folder(target)
    missing = 0
    for item, (file, text) in zip(dataset.objects, files.items(), strict=True):
        if item.shapes is not None:
            write_text(target / file, text)
        missing += not pictures.copy(dataset, item, target / "images" / _inside(item.source))
    told_names = {"path": ".", "train": "images", "val": "images", "names": dict(enumerate(dataset.classes))}
    write_text(target / "data.yaml", yaml.safe_dump(told_names, allow_unicode=True, sort_keys=False))
    losses = list(pictures.not_copied(missing))
    if cut:
        losses.append(Loss(f"{cut} shapes reached out of their pictures and are cut at the edge.", grave=False))
    return tuple(losses)


def _yaml_in(folder: Path) -> Path:
    files = [file for pattern in ("data.yaml", "*.yaml", "*.yml") for file in sorted(folder.glob(pattern))]
    if not files:
        Place(str(folder)).refuse("no data.yaml is in it; it names the classes and where the pictures lie.")
    return files[0]


def _parse_yaml(file: Path, place: Place) -> Any:
    try:
        return yaml.safe_load(read_text(file))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = place.inside(f"line {mark.line + 1}") if mark else place
        at.refuse(f"not YAML ({getattr(error, 'problem', None) or 'malformed'}).")


def _names(place: Place, value: Any) -> tuple[str, ...]:
    at = place.inside("names")
    if isinstance(value, dict):
        indices = sorted(at.whole(key, "an index") for key in value)
        if indices != list(range(len(indices))):
            at.refuse(f"the indices are {shown(indices)}; expected 0 to {len(indices) - 1} without gaps.")
        value = [value[key] for key in sorted(value, key=int)]
    found = tuple(
        at.name(str(name) if isinstance(name, (int, float)) else name) for name in at.items(value, "the value")
    )
    check_unique(found, at)
    return found


def _folder(home: Path, entry: str) -> Path:
    at = home / entry
    if at.exists() or not entry.startswith("../"):
        return at
    return home / entry.removeprefix("../")  # Roboflow writes ../train/images and means it from inside


def _pictures(at: Path, entry: str, place: Place) -> list[Path]:
    """The pictures of a split: a folder, or a text file of paths. Labels without a picture are refused."""
    if at.is_file():
        return [at.parent / line.strip() for _, line in read_lines(at)]
    if not at.is_dir():
        place.refuse(f"there is no '{entry}' ({at}); correct the path, or lay the pictures there.")
    found = [file for file in sorted(at.rglob("*")) if file.suffix.lower() in pictures.SUFFIXES]
    stems = {_swapped(file).with_suffix("") for file in found}
    labels = _swapped(at)
    for file in sorted(labels.rglob("*.txt")) if labels != at and labels.is_dir() else ():
        if file.with_suffix("") not in stems:
            Place(str(file)).refuse(f"its picture is not in {at}; lay it there, or delete the file.")
    return found


def _swapped(path: Path) -> Path:
    """The path with its last `images` as `labels`."""
    parts = list(path.parts)
    places = [place for place, part in enumerate(parts) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
    return Path(*parts)


def _object(picture: Path, root: Path, names: tuple[str, ...]) -> DataObject:
    width, height = pictures.size_of(picture)
    file = _swapped(picture).with_suffix(".txt")
    shapes: list[Shape] = []
    if file.is_file():
        for number, line in read_lines(file):
            shapes.append(_shape(Place(str(file), f"line {number}"), line.split(), names, width, height))
    inside = picture.relative_to(root) if picture.is_relative_to(root) else Path(picture.name)
    return DataObject(inside.as_posix(), width, height, shapes=tuple(shapes) if file.is_file() else None)


def _inside(source: str) -> Path:
    """Where a picture lies below `images/`; the last part of that name must be that one."""
    return Path(*(part for part in pictures.relative(source).parts if part != "images"))


def _shape(place: Place, values: list[str], names: tuple[str, ...], width: int, height: int) -> Shape:
    index = place.whole(values[0], "the class index")
    if index >= len(names):
        place.refuse(f"class {index} has no name; data.yaml names {len(names)} classes, from 0.")
    shares = [place.number(value, "a share") for value in values[1:]]
    if len(shares) not in (4, 5) and (len(shares) < 6 or len(shares) % 2):
        place.refuse(f"{len(values)} columns; expected a class and 4 shares of a box, or x and y of 3 points or more.")
    odd = next((share for share in shares if not -BEYOND <= share <= 1 + BEYOND), None)
    if odd is not None:
        place.refuse(f"the share {odd:g} is not from 0 to 1; divide pixels by the picture's width or height.")
    if len(shares) > 5:
        points = zip(shares[::2], shares[1::2], strict=True)
        return Polygon((tuple((round(x * width, 4), round(y * height, 4)) for x, y in points),), names[index])
    wide, high = place.positive(shares[2], "the width") * width, place.positive(shares[3], "the height") * height
    left, top = shares[0] * width - wide / 2, shares[1] * height - high / 2
    box = Box(round(left, 4), round(top, 4), round(wide, 4), round(high, 4), names[index])
    return replace(box, confidence=shares[4], human=False) if len(shares) == 5 else box


def _line(shape: Shape, item: DataObject, index: int, outlined: bool) -> tuple[str, bool]:
    """(the line, whether the shape reached out of the picture)."""
    width, height = item.width or 1, item.height or 1
    if isinstance(shape, Box):
        points = corners(shape)
    elif isinstance(shape, Polygon) and len(shape.parts) == 1:
        points = shape.parts[0]
    else:
        raise Unsayable(
            f"YOLO has boxes and polygons of one part; '{item.source}' has another shape of {shown(shape.name)}."
        )
    inside = [(min(max(x, 0), width) / width, min(max(y, 0), height) / height) for x, y in points]
    outside = any(not (0 <= x <= width and 0 <= y <= height) for x, y in points)
    if outlined:
        return _columns(index, [share for point in inside for share in point]), outside
    (left, top), (right, bottom) = inside[0], inside[2]
    if right <= left or bottom <= top:
        raise Unsayable(f"A box of {shown(shape.name)} lies wholly outside of '{item.source}'; correct or delete it.")
    return _columns(index, [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]), outside


def _columns(index: int, shares: list[float]) -> str:
    return " ".join((str(index), *(f"{share:.10f}".rstrip("0").rstrip(".") for share in shares)))
