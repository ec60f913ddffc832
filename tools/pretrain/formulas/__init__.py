"""Families of picture classes drawn by formula. A class is a family and a number; nothing else enters but the seed.

A class is a set of parameters; a picture of it is a jitter of them. Change VERSION whenever any drawing changes.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from tools.pretrain.formulas import contours, flaws, fractals, limbs, solids, textures, traces
from tools.pretrain.formulas.canvas import Picture, Random

VERSION = 2


class Family(NamedTuple):
    """`siblings` neighbouring numbers get the same random parameters and differ by number alone.

    Numbers repeat their kind of pattern every `kinds`: the trainer asks for the kind as well as for the class.
    `dark` pictures must have their figure darker than their ground: the class depends on it.
    """

    name: str
    parameters: Callable[[Random, int], Any]
    draw: Callable[[Random, Any, int], Picture]
    classes: int
    kinds: int = 1
    siblings: int = 1
    dark: bool = False


FAMILIES = (
    Family("fractals", fractals.parameters, fractals.draw, 160),
    Family("contours", contours.parameters, contours.draw, 144, kinds=2),
    Family("textures", textures.parameters, textures.draw, 162, kinds=len(textures.KINDS)),
    Family("flaws", flaws.parameters, flaws.draw, 126, kinds=len(flaws.KINDS), siblings=len(flaws.KINDS)),
    Family("solids", solids.parameters, solids.draw, 160, kinds=len(solids.PAINTS)),
    Family("limbs", limbs.parameters, limbs.draw, 70, kinds=7),
    Family(
        "traces", traces.parameters, traces.draw, 140, kinds=len(traces.FAULTS), siblings=len(traces.FAULTS), dark=True
    ),
)


class Class(NamedTuple):
    """One of a family's classes."""

    family: int
    number: int


def classes(part: float = 1.0) -> list[Class]:
    """Every class, in its order; with `part` only that part of each family, but at least one set of siblings."""
    return [
        Class(index, number)
        for index, family in enumerate(FAMILIES)
        for number in range(max(family.siblings, round(family.classes * part)))
    ]


def kinds(which: list[Class]) -> list[int]:
    """Each class's kind, numbered through all families."""
    first = [sum(family.kinds for family in FAMILIES[:index]) for index in range(len(FAMILIES))]
    return [first[each.family] + each.number % FAMILIES[each.family].kinds for each in which]


def draw(which: Class, picture: int, seed: int, size: int) -> Picture:
    """The given picture of a class, planes [size, size]: the same on every run."""
    rng = np.random.default_rng((seed, which.family, which.number, picture, 1))
    return FAMILIES[which.family].draw(rng, _parameters(which, seed), size)


@cache
def _parameters(which: Class, seed: int) -> Any:
    family = FAMILIES[which.family]
    return family.parameters(np.random.default_rng((seed, which.family, which.number // family.siblings)), which.number)
