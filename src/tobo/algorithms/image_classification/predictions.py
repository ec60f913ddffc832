"""What the best epoch said about each validation picture: output/data/evaluation.json, for who looks for its mistakes."""

import json
from pathlib import Path

import numpy as np

from tobo.algorithms.image_classification.dataset import Dataset
from tobo.algorithms.image_classification.metrics import Scores

FILE = "evaluation.json"

MOST_SCORES = 4_000_000
"""Pictures times classes that are written: 10 bytes each before they are compressed."""

DIGITS = 6
"""Of a score: two scores that differ less decide alike."""


def write(folder: Path, labels: tuple[str, ...], scored: Scores, validation: Dataset) -> bool:
    """Writes the file; False where the scores cannot be told apart by picture, or are too many.

    The file's members: `channel`; `labels` [classes]; `multi_label`; `keys` [n], each a picture's path below the
    channel, its s3:// address (manifests) or its place in a .rec file (`records` is true); `targets` [n] class indices (multi_label: [n][classes] of 0
    and 1); `scores` [n][classes] probabilities. A job that was stopped has scored the first pictures only.
    """
    indices = validation.indices()[: len(scored.targets)]
    if len(indices) != len(scored.targets) or not np.array_equal(validation.targets[indices], scored.targets):
        return False
    if scored.scores.size > MOST_SCORES:
        print(f"Note: {scored.scores.size} scores of single pictures are too many for {FILE}.", flush=True)
        return False
    folder.mkdir(parents=True, exist_ok=True)
    found = {
        "channel": validation.name,
        "labels": list(labels),
        "multi_label": scored.targets.ndim == 2,
        "records": any(validation.examples[index].offset is not None for index in indices),
        "keys": [validation.examples[index].key for index in indices],
        "targets": scored.targets.astype(int).tolist(),
        "scores": [[round(score, DIGITS) for score in row] for row in scored.scores.tolist()],
    }
    (folder / FILE).write_text(json.dumps(found, separators=(",", ":")))
    return True
