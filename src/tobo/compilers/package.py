"""The compiled folder (edge/compiled.py): the graph's files, what a device has to know, and a few golden pictures."""

import json
import shutil
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from tobo.compilers.compilation import Candidate
from tobo.compilers.decisions import MULTI_LABEL_THRESHOLD
from tobo.compilers.model import Source
from tobo.compilers.options import Options
from tobo.compilers.targets import Target
from tobo.edge import compiled
from tobo.edge.compiled import Compiled

GOLDEN = 8
"""Pictures that a device proves a new model with before it switches to it; all others stay in the training's archive."""


LEAST_TOLERANCE = 0.02
"""By how much a golden picture's score may differ on the device at least: processors round in different ways."""


def pack_folder(folder: Path, candidate: Candidate, source: Source, target: Target, options: Options) -> None:
    """Writes everything but the certificate."""
    built = candidate.built
    folder.mkdir(parents=True)
    for name in built.files:
        shutil.copyfile(candidate.folder / name, folder / name)
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
            details=_details(candidate, target, options),
        ),
    )


def _details(candidate: Candidate, target: Target, options: Options) -> Mapping[str, Any]:
    """`probe_tolerance` is twice what the certificate saw here: a device that is further away runs something else."""
    return {
        "arch": target.arch,
        "probe_tolerance": round(max(LEAST_TOLERANCE, 2 * candidate.verdict.difference), 4),
        **target.details,
        **candidate.built.details,
        **({"neo": options.neo} if options.neo else {}),
    }


def _write_golden(folder: Path, source: Source) -> None:
    """Pictures with the trained network's scores; none for a model of tensors."""
    folder.mkdir()
    expected = {}
    for sample in islice((each for each in source.examined if each.file), GOLDEN):
        if sample.file is not None and sample.expected is not None:
            shutil.copyfile(sample.file, folder / sample.file.name)
            expected[sample.file.name] = sample.expected.tolist()
    (folder / "scores.json").write_text(json.dumps(expected, indent=1) + "\n")
