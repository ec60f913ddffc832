"""Frozen features kept between jobs, so that the trials of a tuning job compute them once.

They lie in the folder that TOBO_FEATURES names (the server names one; without it nothing is kept), one file a channel,
named by a digest of all that they depend on: the backbone's weights, the input's form, the pictures' bytes in order.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tobo.algorithms.image_classification.classifier import HeadClassifier
from tobo.algorithms.image_classification.dataset import Dataset
from tobo.algorithms.image_classification.fit import StopSignal
from tobo.algorithms.image_classification.settings import Settings

LARGEST = 2 << 30
"""Bytes in the folder; those used longest ago go first."""

_FORMAT = 2
_PATIENCE = 0.05


class Place:
    """Where one channel's features are, or will be."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Tensor | None:
        """float [n, f]; None where there are none, or damaged ones."""
        try:
            values = load_file(self._file)["features"]
        except Exception:  # safetensors raises a bare type of its own
            return None
        with suppress(OSError):
            os.utime(self._file)
        return values

    def write(self, values: Tensor) -> None:
        """Keeps float [n, f], and throws the oldest out where there are too many."""
        partial = self._file.with_suffix(f".{os.getpid()}")
        save_file({"features": values.contiguous()}, partial)
        partial.replace(self._file)
        _make_room(self._file.parent)


@contextmanager
def place(network: HeadClassifier, dataset: Dataset, settings: Settings, stop: StopSignal) -> Iterator[Place | None]:
    """The channel's place, for this job alone: who needs the same features waits until the first one has them.

    None where nothing is kept, or where `stop` came while waiting.
    """
    home = os.environ.get("TOBO_FEATURES")
    if not home:
        yield None
        return
    Path(home).mkdir(parents=True, exist_ok=True)
    file = Path(home) / f"{digest(network, dataset, settings)}.safetensors"
    with file.with_suffix(".lock").open("w") as lock:  # it ends with its holder, however that ends
        while not stop.received:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(_PATIENCE)
        yield None if stop.received else Place(file)


def digest(network: HeadClassifier, dataset: Dataset, settings: Settings) -> str:
    """What the features of a channel depend on, as hexadecimal digits."""
    whole = hashlib.sha256()
    form = [settings.channels, settings.height, settings.width, settings.resize, settings.precision_dtype]
    whole.update(json.dumps([_FORMAT, torch.__version__, *form]).encode())
    state = {**network.backbone.state_dict(), "scale": network.normalise.scale, "shift": network.normalise.shift}
    for name, value in sorted(state.items()):
        whole.update(name.encode())
        whole.update(value.contiguous().numpy().tobytes())
    for example in dataset.examples:
        with suppress(OSError):  # the dataset says which picture cannot be read
            whole.update(hashlib.sha256(example.read()).digest())
    return whole.hexdigest()


def _make_room(home: Path) -> None:
    found = []
    for file in home.glob("*.safetensors"):
        with suppress(OSError):
            found.append((file.stat().st_mtime, file.stat().st_size, file))
    total = sum(size for _, size, _ in found)
    for _, size, file in sorted(found)[:-1]:
        if total <= LARGEST:
            return
        file.unlink(missing_ok=True)
        file.with_suffix(".lock").unlink(missing_ok=True)
        total -= size
