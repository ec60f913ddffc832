"""Class folders: each picture lies in a folder that has its class's name; the order of the names is that of the classes.

The form of SageMaker's image classification for TensorFlow and of most training scripts.
"""

from pathlib import Path

from tobo.labelling.dataset import DataObject, Dataset, Label, Loss
from tobo.labelling.formats import pictures
from tobo.labelling.formats.naming import ordered
from tobo.labelling.formats.options import DEFAULT, Options
from tobo.labelling.formats.refusal import Place, Unsayable, shown
from tobo.labelling.formats.text_files import new_folder

SAYS = frozenset({"label", "pictures"})


def read(source: Path, options: Options = DEFAULT) -> Dataset:
    """The pictures below `source`; those that lie in it directly have no label.

    Raises Malformed where no folder of pictures is in it.
    """
    place = Place(str(source))
    if not source.is_dir():
        place.refuse("not a folder; class folders are a folder with one subfolder a class.")
    found = [file for file in sorted(source.rglob("*")) if file.suffix.lower() in pictures.SUFFIXES and file.is_file()]
    keys = [file.relative_to(source) for file in found]
    keys = [key for key in keys if not any(part.startswith(".") for part in key.parts)]
    if not any(len(key.parts) > 1 for key in keys):
        place.refuse("no subfolder holds a picture; make one subfolder a class.")
    names = {key.parts[0]: place.inside(key.parts[0]).name(key.parts[0]) for key in keys if len(key.parts) > 1}
    objects = tuple(
        DataObject(key.as_posix(), labels=(Label(names[key.parts[0]]),) if len(key.parts) > 1 else None) for key in keys
    )
    return Dataset(ordered(names.values(), options.classes, place), objects, root=source)


def write(dataset: Dataset, target: Path, options: Options = DEFAULT) -> tuple[Loss, ...]:
    """Copies each labelled picture into its class's folder.

    Raises Unsayable where a picture is not found or a class's name cannot be a folder's.
    """
    for name in dataset.classes:
        _check_folder_name(name)
    labelled = [(item, item.labels[0].name) for item in dataset.objects if item.labels]
    missing = [item.source for item, _ in labelled if pictures.locate(dataset.root, item.source) is None]
    if missing:
        raise Unsayable(
            f"{len(missing)} pictures were not found, '{missing[0]}' the first; class folders hold the pictures "
            "themselves: say with --pictures where they lie."
        )
    new_folder(target)
    taken: set[Path] = set()
    for item, name in labelled:
        parts = pictures.relative(item.source).parts
        below = Path(*parts[1:]) if len(parts) > 1 and parts[0] == name else Path(parts[-1])
        file = _free(Path(name) / below, taken)
        pictures.copy(dataset, item, target / file)
    left = len(dataset.objects) - len(labelled)
    losses = [Loss(f"{left} pictures have no label and are left out.", grave=False)] if left else []
    if list(dataset.classes) != sorted(dataset.classes):
        losses.append(
            Loss(
                "The order of the classes is lost: the folders' is that of the alphabet; read them with --classes.",
                False,
            )
        )
    unused = sorted(set(dataset.classes) - {name for _, name in labelled})
    if unused:
        losses.append(
            Loss(f"{len(unused)} classes without a picture get no folder, {shown(unused[0])} the first.", False)
        )
    return tuple(losses)


def _check_folder_name(name: str) -> None:
    if "/" in name or "\0" in name or name.startswith(".") or len(name.encode("utf-8", "replace")) > 255:
        raise Unsayable(f"The class {shown(name)} cannot be a folder's name; rename it, or choose another format.")


def _free(file: Path, taken: set[Path]) -> Path:
    """`file`, or a numbered name where it is taken: pictures of several folders come together in one."""
    number, free = 2, file
    while free in taken:
        free = file.with_stem(f"{file.stem}-{number}")
        number += 1
    taken.add(free)
    return free
