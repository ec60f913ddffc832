"""A compiled model's folder: what a compiler writes and a device, a replica or a certificate reads.

`compiled.json` says what is there (the fields of `Compiled`), beside it lie the graph, `labels.json`, `golden/` (pictures
with `scores.json`: the scores that the trained network gave them) and `certificate.json`. The graph takes pictures
uint8 RGB [n, height, width, 3] of any size and gives scores float32 [n, labels]; preprocessing is inside it, the
threshold outside, so that it can be changed while the line runs.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1
FILE = "compiled.json"


@dataclass(frozen=True)
class Compiled:
    """`target` is a TargetDevice ("rasp4b") or "<os>_<arch>[_<accelerator>]"; `graph` a file of the folder.

    `thresholds` gives classes the score from which they count; a class without one counts where its score is the
    highest. `scores` describes the scores of the training's validation pictures, for watching drift: label -> counts
    of its score in ten equal bins from 0 to 1. `requirements` are pip's, `details` what only the runtime understands.
    """

    target: str
    runtime: str
    precision: str
    graph: str
    labels: tuple[str, ...]
    image_shape: tuple[int, int, int] | None = None
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT


class BadModel(ValueError):
    """The folder does not hold a compiled model that can be used; the message is one sentence."""


def write(folder: Path, compiled: Compiled) -> None:
    """Writes compiled.json."""
    (folder / FILE).write_text(json.dumps(asdict(compiled), indent=1) + "\n")


def read(folder: Path) -> Compiled:
    """Reads compiled.json; raises BadModel where it is missing, of a later format, or names a graph that is not there."""
    try:
        found = json.loads((folder / FILE).read_text())
    except (OSError, ValueError) as error:
        raise BadModel(f"'{folder}' has no readable {FILE} ({error}); it is not the output of a compilation.") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BadModel(f"'{folder / FILE}' is not of format {FORMAT}; compile the model with this version of tobo.")
    try:
        compiled = Compiled(
            target=found["target"],
            runtime=found["runtime"],
            precision=found["precision"],
            graph=found["graph"],
            labels=tuple(found["labels"]),
            image_shape=None if found["image_shape"] is None else tuple(found["image_shape"]),
            preprocessing=found["preprocessing"],
            thresholds=found["thresholds"],
            scores={label: tuple(counts) for label, counts in found["scores"].items()},
            requirements=tuple(found["requirements"]),
            details=found["details"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BadModel(f"'{folder / FILE}' lacks or mistypes {error}; compile the model again.") from None
    if not (folder / compiled.graph).is_file():
        raise BadModel(f"'{folder}' has no {compiled.graph}, which its {FILE} names.")
    return compiled
