"""What happened epoch by epoch: the log lines, the history, the best epoch so far, and when to stop."""

from dataclasses import dataclass, field
from typing import Any

from tobo.algorithms.image_classification import metrics
from tobo.algorithms.image_classification.settings import Settings

State = dict[str, Any]
"""A state dict, copied."""


@dataclass
class Progress:
    """The epochs of one training; `best` is the state of the one with the best validation accuracy (else the last)."""

    settings: Settings
    history: list[dict[str, float]] = field(default_factory=list)
    best: State | None = None
    best_epoch: int = -1
    best_scored: metrics.Scores | None = None
    """Validation scores of the best epoch."""

    def batch(self, epoch: int, number: int, speed: float, accuracy: float) -> None:
        """A line within an epoch."""
        print(f"Epoch[{epoch}] Batch [{number}] Speed: {speed:.2f} samples/sec accuracy={accuracy:.6f}", flush=True)

    def epoch(
        self, epoch: int, seconds: float, train: metrics.Scores, validation: metrics.Scores | None, state: State
    ) -> None:
        """Closes an epoch: prints its lines, and keeps `state` where it is the best so far."""
        entry: dict[str, float] = {"epoch": epoch, "seconds": round(seconds, 3)}
        for name, scored in (("Train", train), ("Validation", validation)):
            if scored is not None:
                for key, value in scored.summary(self.settings).items():
                    entry[f"{name.lower()}:{key.replace('-', '_')}"] = value
                    print(f"Epoch[{epoch}] {name}-{key}={value:.6f}", flush=True)
                if name == "Train":
                    print(f"Epoch[{epoch}] Time cost={seconds:.3f}", flush=True)
        self.history.append(entry)
        if self._improves(entry):
            self.best, self.best_epoch = state, epoch
            self.best_scored = validation
            if validation is not None:
                print(
                    f"Storing the best model with validation accuracy: {entry['validation:accuracy']:.6f}", flush=True
                )

    def should_stop(self) -> bool:
        """Early stopping: for `patience` epochs no accuracy beat the best one by more than the relative tolerance."""
        settings, done = self.settings, len(self.history)
        accuracies = [entry["validation:accuracy"] for entry in self.history if "validation:accuracy" in entry]
        if not settings.early_stopping or done < settings.early_stopping_min_epochs or len(accuracies) < done:
            return False
        reference, since = -1.0, 0
        for accuracy in accuracies:
            if accuracy > reference * (1 + settings.early_stopping_tolerance) or reference < 0:
                reference, since = accuracy, 0
            else:
                since += 1
        if since >= settings.early_stopping_patience:
            print(f"Early stopping after {done} epochs: no better validation accuracy for {since} epochs.", flush=True)
            return True
        return False

    def _improves(self, entry: dict[str, float]) -> bool:
        if self.best is None or "validation:accuracy" not in entry:
            return True
        best = next(each for each in self.history if each["epoch"] == self.best_epoch)
        return _rank(entry) > _rank(best)


def _rank(entry: dict[str, float]) -> tuple[float, float]:
    """Accuracy first; equal ones are told apart by cross entropy."""
    return entry["validation:accuracy"], -entry["validation:cross_entropy"]
