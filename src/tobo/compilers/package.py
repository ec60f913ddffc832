"""The compiled folder (edge/compiled.py): the graph's files, what a device has to know, and a few golden pictures."""

import json
import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from tobo.compilers.base import Built
from tobo.compilers.decisions import MULTI_LABEL_THRESHOLD
from tobo.compilers.model import Source
from tobo.compilers.options import Options
from tobo.compilers.targets import Target
from tobo.edge import compiled
from tobo.edge.compiled import Compiled

GOLDEN = 8
"""Pictures that a device proves a new model with before it switches to it; all others stay in the training's archive."""


def pack_folder(folder: Path, built_in: Path, built: Built, source: Source, target: Target, options: Options) -> None:
    """Writes everything but the certificate."""
    folder.mkdir(parents=True)
    for name in built.files:
        shutil.copyfile(built_in / name, folder / name)
    (folder / "labels.json").write_text(json.dumps(list(source.labels), indent=1) + "\n")
    _write_golden(folder / "golden", source)
    thresholds = dict.fromkeys(source.labels, MULTI_LABEL_THRESHOLD) if source.multi_label else {}
    compiled.write(
        folder,
        Compiled(
            target=target.name,
            runtime=built.runtime,
            precision=built.precision,
            graph=built.graph,
            labels=source.labels,
            image_shape=source.image_shape,
            preprocessing=source.preprocessing,
            thresholds={**thresholds, **options.thresholds},
            scores=source.scores,
            requirements=built.requirements,
            details=_details(built, target, options),
        ),
    )


def _details(built: Built, target: Target, options: Options) -> Mapping[str, Any]:
    return {"arch": target.arch, **target.details, **built.details, **({"neo": options.neo} if options.neo else {})}


def _write_golden(folder: Path, source: Source) -> None:
    """Pictures with the trained network's scores; none for a model of tensors."""
    folder.mkdir()
    expected = {}
    for sample in islice((each for each in source.examined if each.file), GOLDEN):
        if sample.file is not None and sample.expected is not None:
            shutil.copyfile(sample.file, folder / sample.file.name)
            expected[sample.file.name] = sample.expected.tolist()
    (folder / "scores.json").write_text(json.dumps(expected, indent=1) + "\n")
