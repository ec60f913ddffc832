"""A model as a compiler takes it: an ONNX graph, what goes in and comes out, and the samples that it is tried with."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Feeds = Mapping[str, Array]
"""Each input's value for one sample, by name."""

Run = Callable[[Feeds], list[Array]]
"""A loaded model: the outputs for one sample, in the graph's order."""


@dataclass(frozen=True)
class Sample:
    """One sample. `expected` are the scores that the trained model gave it, float [k]; `truth` which labels are right,
    bool [labels]; `file` its picture. None where that is not known."""

    feeds: Feeds
    expected: npt.NDArray[np.float32] | None = None
    truth: npt.NDArray[np.bool_] | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Samples:
    """Samples, each read anew whenever they are walked: pictures may be large. `origin` completes "from ..."."""

    readers: tuple[Callable[[], Sample], ...] = ()
    origin: str = ""

    def __len__(self) -> int:
        return len(self.readers)

    def __iter__(self) -> Iterator[Sample]:
        return (read() for read in self.readers)


@dataclass(frozen=True)
class Source:
    """What is compiled. `graph` is its ONNX file; `reference` who gave the samples their expected scores ("torch").

    `pictures`: its input is uint8 RGB [n, height, width, 3] of any size, and nodes before the first of `WEIGHTED` are
    its preprocessing. `rule` says how scores become decisions. The rest is what `tobo.edge.compiled` tells a device.
    """

    graph: Path
    reference: str
    examined: Samples
    calibration: Samples
    labels: tuple[str, ...] = ()
    pictures: bool = False
    multi_label: bool = False
    trees: bool = False
    image_shape: tuple[int, int, int] | None = None
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
