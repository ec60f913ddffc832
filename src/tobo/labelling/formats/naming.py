"""Class names while a file is read: in the given order, or in the order of their own."""

from collections.abc import Iterable

from tobo.labelling.formats.refusal import Place, shown

MOST = 100_000
"""Classes of the largest data set: a mistyped index must not ask for more memory than classes have."""


def ordered(
    found: Iterable[str], given: tuple[str, ...], place: Place, stated: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The classes of a file: `given` by the user, else `stated` by the file in its order, else the sorted names.

    Raises Malformed where `given` or `stated` lacks a name that is used.
    """
    names = set(found)
    known = given or stated
    if not known:
        return tuple(sorted(names))
    missing = sorted(names - set(known))
    if missing:
        where = "--classes lists" if given else "the file's own list has"
        place.refuse(f"the class {shown(missing[0])} is used, but {where} only {_some(known)}; add it there.")
    return known


def indexed(names: dict[int, str], given: tuple[str, ...], place: Place) -> tuple[str, ...]:
    """The classes of a file that names them by index. An index that the file does not name gets its number as name."""
    if given:
        odd = next((index for index in sorted(names) if index >= len(given)), None)
        if odd is not None:
            place.refuse(f"the class index {odd} is used, but --classes has only {len(given)} names; add the others.")
        return given
    largest = max(names, default=-1)
    if largest >= MOST:
        place.refuse(
            f"the class index {shown(largest)} is used; indices count the classes from 0 and stay below {MOST}."
        )
    found = tuple(names.get(index, str(index)) for index in range(largest + 1))
    check_unique(found, place)
    return found


def check_unique(names: tuple[str, ...], place: Place) -> None:
    """Raises Malformed where two classes have one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            place.refuse(f"two classes are named {shown(name)}; give each a name of its own.")
        seen.add(name)


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
