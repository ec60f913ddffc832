"""One labelled picture, wherever its bytes lie, and the rules that labels obey."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tobo.algorithms.image_classification import recordio
from tobo.algorithms.image_classification.settings import Settings
from tobo.kit.guest import UserError

Label = int | tuple[int, ...]
"""A class index; with multi_label one 0 or 1 for each class."""


@dataclass(frozen=True)
class Example:
    """`key` names the picture for people. `offset` is its record's place where `file` is a .rec file."""

    key: str
    label: Label
    file: Path
    offset: int | None = None

    def read(self) -> bytes:
        """The encoded picture."""
        if self.offset is None:
            return self.file.read_bytes()
        return recordio.read_picture(self.file, self.offset)


@dataclass(frozen=True)
class Examples:
    """A channel's examples; `source` names the file or folder that labels them, `names` its classes where it does."""

    source: str
    items: tuple[Example, ...]
    names: tuple[str, ...] | None = None


def parse_label(values: Sequence[object], settings: Settings, place: str, flags: bool = True) -> Label:
    """A label from the numbers of a line or record; raises UserError naming `place`.

    With multi_label the values are either num_classes flags (0 or 1), or the indices of the classes that apply; always
    the latter without `flags`: [0, 1] says both things of two classes.
    """
    indices = [_index(value, place) for value in values]
    if settings.multi_label:
        if flags and len(indices) == settings.num_classes and set(indices) <= {0, 1}:
            return tuple(indices)
        return tuple(int(i in {_within(i, settings, place) for i in indices}) for i in range(settings.num_classes))
    if len(indices) != 1:
        raise UserError(f"{place}: {len(indices)} labels for one picture; set multi_label=1 or leave one.")
    return _within(indices[0], settings, place)


def _index(value: object, place: str) -> int:
    try:
        number = float(str(value).strip())
    except ValueError:
        number = 0.5
    if not number.is_integer():
        raise UserError(f"{place}: the label '{value}' is not a whole number; classes count from 0.")
    return int(number)


def _within(index: int, settings: Settings, place: str) -> int:
    if not 0 <= index < settings.num_classes:
        raise UserError(
            f"{place}: the label {index} is not in 0..{settings.num_classes - 1} (num_classes={settings.num_classes})."
        )
    return index


def check_gaps(examples: Examples, settings: Settings) -> None:
    """Raises UserError where a class has no example: a network cannot learn what it never sees."""
    if settings.multi_label:
        present = {i for e in examples.items if isinstance(e.label, tuple) for i, flag in enumerate(e.label) if flag}
    else:
        present = {e.label for e in examples.items if isinstance(e.label, int)}
    missing = [str(i) for i in range(settings.num_classes) if i not in present]
    if missing:
        some = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise UserError(
            f"{examples.source}: none of its {len(examples.items)} examples has the label {some}, although "
            f"num_classes={settings.num_classes}; labels run from 0 to num_classes - 1 without gaps."
        )
