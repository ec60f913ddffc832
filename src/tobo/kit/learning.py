"""Files of a labelling job that learns: what the server and its guests leave for each other below /opt/ml."""

from pathlib import Path

from tobo.kit.paths import MlPaths

PICTURES = "pictures"
"""The channel: a file a picture, named by its item's number."""

MODEL = "model"
"""The channel of the model whose network computes the features; without one it is the network that tobo ships."""


def features(paths: MlPaths) -> Path:
    """float32 (pictures, dimensions), .npy; rows in the order of `numbers`."""
    return paths.output_data / "features.npy"


def numbers(paths: MlPaths) -> Path:
    """int64 (pictures,), .npy: the items' numbers, ascending."""
    return paths.output_data / "numbers.npy"


def broken(paths: MlPaths) -> Path:
    """JSON: the number of each item whose picture cannot be read, and why."""
    return paths.output_data / "broken.json"


def question(paths: MlPaths) -> Path:
    """JSON: what the next round is planned from (labelling/active/job.py)."""
    return paths.config / "round.json"


def plan(paths: MlPaths, number: int) -> Path:
    """JSON: the round of that number, from 1: whom people are asked about, and the machine's labels."""
    return paths.output_data / f"round-{number}.json"


def head(paths: MlPaths, number: int) -> Path:
    """.npz: `weight` float32 (dimensions, classes) and `bias` (classes,) for raw features, calibrated, and `classes`."""
    return paths.output_data / f"head-{number}.npz"


def final(paths: MlPaths) -> Path:
    """JSON: `head`, the number of the last one; `labels`, the classes' names; `known`, the class number of items."""
    return paths.config / "final.json"
