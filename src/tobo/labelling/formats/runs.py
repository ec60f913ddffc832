"""Runs of pixels: a region's own, and COCO's, which go column by column over the whole picture."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bitmap = npt.NDArray[np.bool_]
"""(height, width), True inside."""

LARGEST = 1 << 28
"""Pixels of the largest picture that runs are unrolled for: a file must not ask for more memory than a picture has."""


def encode(flat: Bitmap) -> tuple[int, ...]:
    """Lengths of the runs of False and True in turn, from False."""
    if not flat.size:
        return ()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
    return (0, *lengths) if flat[0] else tuple(lengths)


def decode(runs: Sequence[int], size: int) -> Bitmap:
    """The `size` pixels of the runs; raises ValueError where they do not add up to it."""
    if any(run < 0 for run in runs):
        raise ValueError("a run is negative")
    if sum(runs) != size:
        raise ValueError(f"the runs add up to {sum(runs)} pixels, not to {size}")
    if size > LARGEST:
        raise ValueError(f"{size} pixels are more than {LARGEST}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, np.asarray(runs, dtype=np.int64))


def pack(runs: Sequence[int]) -> str:
    """COCO's compressed text of runs.

    From the fourth on, a run is told as its difference to the one before the last; a number is its groups of five bits
    from the lowest, each plus 48 as a character, 32 added where another follows (COCO API, common/maskApi.c).
    """
    told: list[str] = []
    for place, run in enumerate(runs):
        rest = run - runs[place - 2] if place > 2 else run
        while True:
            group, rest = rest & 31, rest >> 5
            last = rest == (-1 if group & 16 else 0)
            told.append(chr(48 + group + (0 if last else 32)))
            if last:
                break
    return "".join(told)


def unpack(text: str) -> list[int]:
    """The runs of COCO's compressed text; raises ValueError where it is cut off or holds other characters."""
    runs: list[int] = []
    value = shift = 0
    for character in text:
        group = ord(character) - 48
        if not 0 <= group < 64:
            raise ValueError(f"the character {character!r} does not belong into compressed runs")
        value |= (group & 31) << shift
        shift += 5
        if shift > 60:
            raise ValueError("a run is too long")
        if not group & 32:
            value -= (group & 16) << (shift - 4)
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    if shift:
        raise ValueError("the compressed runs are cut off")
    return runs
