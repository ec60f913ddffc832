"""`.lst`: lines of index, label (several columns for several labels) and path, with tabs between them.

The form of SageMaker's built-in image classification (Developer Guide, "Train with Image Format") and of MXNet's im2rec.
Several labels are written as one column of 0 or 1 for each class. The names of the classes do not stand in it.
"""

from pathlib import Path, PurePosixPath

from tobo.labelling.dataset import DataObject, Dataset, Label, Loss
from tobo.labelling.formats.naming import indexed
from tobo.labelling.formats.options import DEFAULT, Options
from tobo.labelling.formats.pictures import root_of
from tobo.labelling.formats.refusal import Place, Unsayable, shown
from tobo.labelling.formats.text_files import read_lines, write_text

SAYS = frozenset({"label", "labels"})


def read(source: Path, options: Options = DEFAULT) -> Dataset:
    """Names come from `options.classes`, else from the pictures' folders where each class has one, else are numbers.

    Raises Malformed naming the line.
    """
    place = Place(str(source))
    rows: list[tuple[str, list[int]]] = []
    for number, line in read_lines(source):
        at = place.inside(f"line {number}")
        columns = line.split("\t")
        if len(columns) < 3 or not columns[-1].strip():
            at.refuse(f"expected 'index<TAB>label<TAB>path', found {shown(line)}.")
        at.number(columns[0], "the index")
        rows.append((columns[-1].strip(), [at.whole(value, "the label") for value in columns[1:-1]]))
    if not rows:
        place.refuse("empty; expected lines of 'index<TAB>label<TAB>path'.")
    multi = any(len(values) != 1 for _, values in rows)
    chosen = _chosen(rows, options.classes) if multi else [values for _, values in rows]
    width = max(len(values) for _, values in rows) if multi and _are_flags(rows, options.classes) else 0
    numbers = {index for values in chosen for index in values} | set(range(width))
    names = {index: str(index) for index in numbers}
    if not multi and not options.classes:
        names |= _folder_names([(key, values[0]) for key, values in rows])
    classes = indexed(names, options.classes, place)
    objects = tuple(
        DataObject(key, labels=tuple(Label(classes[index]) for index in values))
        for (key, _), values in zip(rows, chosen, strict=True)
    )
    return Dataset(classes, objects, multi, root_of(source, [rows[0][0]], options.pictures))


def write(dataset: Dataset, target: Path, options: Options = DEFAULT) -> tuple[Loss, ...]:
    """Raises Unsayable where a path holds a tab or a line's end."""
    place = {name: index for index, name in enumerate(dataset.classes)}
    if dataset.multi and len(dataset.classes) < 2:
        raise Unsayable("Several labels need two classes at least in a .lst file; choose another format.")
    lines: list[str] = []
    for item in dataset.objects:
        if item.labels is None or (not dataset.multi and not item.labels):
            continue
        if any(character in item.source for character in "\t\n\r") or item.source != item.source.strip():
            raise Unsayable(f"The path {shown(item.source)} cannot stand in a .lst file; rename the picture.")
        chosen = {place[label.name] for label in item.labels}
        columns = [int(index in chosen) for index in range(len(place))] if dataset.multi else sorted(chosen)
        lines.append("\t".join((str(len(lines)), *map(str, columns), item.source)))
    write_text(target, "".join(f"{line}\n" for line in lines))
    losses = [
        Loss(f"The names of the classes are lost; read it with --classes {','.join(dataset.classes)}", grave=False)
    ]
    left = len(dataset.objects) - len(lines)
    if left:
        losses.append(Loss(f"{left} pictures have no label and are left out.", grave=False))
    return tuple(losses)


def _are_flags(rows: list[tuple[str, list[int]]], classes: tuple[str, ...]) -> bool:
    """Whether the columns are one 0 or 1 for each class rather than indices."""
    widths = {len(values) for _, values in rows}
    if len(widths) != 1 or (classes and widths != {len(classes)}):
        return False
    return all(value in (0, 1) for _, values in rows for value in values)


def _chosen(rows: list[tuple[str, list[int]]], classes: tuple[str, ...]) -> list[list[int]]:
    if not _are_flags(rows, classes):
        return [sorted(set(values)) for _, values in rows]
    return [[index for index, flag in enumerate(values) if flag] for _, values in rows]


def _folder_names(pairs: list[tuple[str, int]]) -> dict[int, str]:
    """Names by index where each class has a folder to itself; {} otherwise."""
    found = {(index, PurePosixPath(key).parent.name) for key, index in pairs}
    names = dict(found)
    if len(names) != len(found) or len(set(names.values())) != len(names) or "" in names.values():
        return {}
    return names
