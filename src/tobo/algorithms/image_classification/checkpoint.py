"""Where a training stands, in the checkpoints folder: a job started again goes on from there.

Saved every `checkpoint_frequency` epochs (those epochs' weights are kept in the model folder as well, as
`model-<epoch>.safetensors`), otherwise after an epoch when SAVE_EVERY seconds have passed.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tobo.algorithms.image_classification.metrics import Scores
from tobo.algorithms.image_classification.optimize import Average
from tobo.algorithms.image_classification.progress import Progress
from tobo.algorithms.image_classification.settings import Settings

SAVE_EVERY = 30.0


class Store:
    """The checkpoint of one job; `keep` writes a network's weights into a file."""

    def __init__(self, folder: Path, model: Path, settings: Settings, keep: Callable[[nn.Module, Path], None]) -> None:
        self.file = folder / "checkpoint.pt"
        self._model = model
        self._settings = settings
        self._keep = keep
        self._saved = time.monotonic()

    def save(
        self,
        epoch: int,
        optimizer: torch.optim.Optimizer,
        network: nn.Module,
        average: Average | None,
        progress: Progress,
        kept: nn.Module,
    ) -> None:
        """Saves after `epoch` where it is time to; the file is whole or the old one."""
        every = self._settings.checkpoint_frequency
        if every is not None and (epoch + 1) % every == 0:
            self._model.mkdir(parents=True, exist_ok=True)
            self._keep(kept, self._model / f"model-{epoch:04d}.safetensors")
        elif every is not None or time.monotonic() - self._saved < SAVE_EVERY:
            return
        scored = progress.best_scored
        tensors = None if scored is None else (torch.from_numpy(scored.scores), torch.from_numpy(scored.targets))
        content = {
            "fingerprint": self._fingerprint(),
            "epoch": epoch,
            "optimizer": optimizer.state_dict(),
            "network": network.state_dict(),
            "average": None if average is None else average.network.state_dict(),
            "average_steps": 0 if average is None else average.steps,
            "history": progress.history,
            "best": progress.best,
            "best_epoch": progress.best_epoch,
            "best_scored": tensors,
        }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        partial = self.file.with_suffix(".partial")
        torch.save(content, partial)
        partial.replace(self.file)
        self._saved = time.monotonic()

    def resume(
        self, optimizer: torch.optim.Optimizer, network: nn.Module, average: Average | None, progress: Progress
    ) -> int:
        """Loads the checkpoint, where there is one of this kind of training; returns the epoch to go on with."""
        if not self.file.is_file():
            return 0
        try:
            content: dict[str, Any] = torch.load(self.file, weights_only=True)
        except Exception as error:  # any unpickling error: the checkpoint only saves time, the job can do without
            print(f"Note: {self.file.name} cannot be read ({type(error).__name__}); starting anew.", flush=True)
            return 0
        if content.get("fingerprint") != self._fingerprint():
            print("Note: the checkpoint is of another kind of training; starting anew.", flush=True)
            return 0
        optimizer.load_state_dict(content["optimizer"])
        network.load_state_dict(content["network"])
        if average is not None:
            average.network.load_state_dict(content["average"])
            average.steps = content["average_steps"]
        progress.history = content["history"]
        progress.best, progress.best_epoch = content["best"], content["best_epoch"]
        if content["best_scored"] is not None:
            progress.best_scored = Scores(*(tensor.numpy() for tensor in content["best_scored"]))
        print(f"Resuming from the checkpoint after epoch {content['epoch']}.", flush=True)
        return int(content["epoch"]) + 1

    def _fingerprint(self) -> str:
        """What has to be the same for a state to fit."""
        s = self._settings
        network = f"{s.architecture} {s.channels}x{s.height}x{s.width} {s.num_classes}"
        return f"{network} {s.optimizer} averaged={s.weight_averaging > 0} multi_label={s.multi_label}"
