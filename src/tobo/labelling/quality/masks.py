"""Masks: class maps that several workers painted over one picture, decided pixel by pixel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Classes = npt.NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class AgreedMask:
    """`classes` uint [height, width], a class's number each pixel; `agreement` float32 [height, width], the share of workers
    who painted it so; `confidences` by class: the mean agreement of the pixels that have it."""

    classes: Classes
    agreement: npt.NDArray[np.float32]
    confidences: Mapping[int, float]

    @property
    def confidence(self) -> float:
        """That of the most doubtful class, 0 to 1."""
        return min(self.confidences.values())


def consolidate(masks: Sequence[Classes]) -> AgreedMask:
    """The majority of workers' class maps, unsigned integers [height, width] each, at each pixel.

    Of classes with equally many votes the lowest number wins: 0 is the background in Ground Truth's maps, so that two
    workers who differ leave what both painted. ValueError where there is no mask, or they differ in size.
    """
    sizes = sorted({mask.shape for mask in masks})
    if len(sizes) != 1:
        raise ValueError(f"Masks of one picture have one size, these have {sizes or 'none: there is no mask'}.")
    most = np.zeros(sizes[0], np.uint16)
    classes = np.zeros(sizes[0], np.result_type(*masks))
    for number in sorted({int(each) for mask in masks for each in np.unique(mask)}):
        votes = np.zeros(sizes[0], np.uint16)
        for mask in masks:
            votes += mask == number
        more = votes > most
        classes[more] = number
        np.maximum(most, votes, out=most)
    agreement = (most / len(masks)).astype(np.float32)
    there = np.unique(classes).tolist()
    confidences = {int(number): float(agreement[classes == number].mean(dtype=np.float64)) for number in there}
    return AgreedMask(classes, agreement, confidences)
