"""The training loop: epochs of steps over all layers, until the epochs, the patience or a SIGTERM end it."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from tobo.algorithms.image_classification import checkpoint, metrics, optimize
from tobo.algorithms.image_classification.augment import augment
from tobo.algorithms.image_classification.classifier import scores
from tobo.algorithms.image_classification.dataset import Batch, Dataset, batch_count
from tobo.algorithms.image_classification.progress import Progress, State
from tobo.algorithms.image_classification.settings import Settings
from tobo.kit.guest import UserError

_LINE_EVERY = 20
"""Batches between progress lines, MXNet's default."""


class Diverged(Exception):
    """The loss is not finite."""


class StopSignal:
    """Set by SIGTERM: the step under way is finished, the model written, and the exit is a success."""

    def __init__(self) -> None:
        self.received = False
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._receive)

    def _receive(self, number: int, frame: object) -> None:
        self.received = True


def fit(
    network: nn.Module,
    fresh: Callable[[], nn.Module],
    train: Dataset,
    validation: Dataset | None,
    settings: Settings,
    store: checkpoint.Store,
    stop: StopSignal,
) -> Progress:
    """Trains `network` in place and leaves the best epoch's weights in it; `fresh` makes another one of its kind."""
    progress = Progress(settings)
    run = Run(network, fresh, train, settings, stop, progress)
    first = store.resume(run.optimizer, network, run.average, progress)
    for epoch in range(first, settings.epochs):
        started = time.monotonic()
        try:
            trained = run.epoch(epoch)
        except Diverged as error:
            if progress.best is None:
                raise UserError(f"{error} Lower learning_rate={settings.learning_rate}.") from None
            print(f"Stopping: {error} The best model so far is written.", flush=True)
            break
        if stop.received and progress.best is not None:
            break
        kept = run.kept
        validated = evaluate(kept, validation, settings) if validation is not None else None
        progress.epoch(epoch, time.monotonic() - started, trained, validated, snapshot(kept))
        store.save(epoch, run.optimizer, network, run.average, progress, kept)
        if stop.received or progress.should_stop():
            break
    if stop.received:
        print("Stopping: SIGTERM received; the best model so far is written.", flush=True)
    if progress.best is not None:
        network.load_state_dict(progress.best)
    return progress


class Run:
    """The moving parts of a training."""

    def __init__(
        self,
        network: nn.Module,
        fresh: Callable[[], nn.Module],
        train: Dataset,
        settings: Settings,
        stop: StopSignal,
        progress: Progress,
    ) -> None:
        self.network = network
        self.train = train
        self.settings = settings
        self.stop = stop
        self.progress = progress
        self.optimizer = optimize.optimizer(network, settings)
        self.weights = optimize.class_weights(train, settings)
        self.average: optimize.Average | None = None
        if settings.weight_averaging > 0:
            self.average = optimize.Average(network, fresh(), settings.weight_averaging)
        self.batch_size = batch_size(train, settings)

    @property
    def kept(self) -> nn.Module:
        """The network that is validated and kept: the running average where there is one."""
        return self.average.network if self.average is not None else self.network

    def epoch(self, epoch: int) -> metrics.Scores:
        """One pass over the training pictures; returns the scores as they were during it."""
        self.network.train()
        generator = np.random.default_rng((self.settings.seed, epoch))
        order = generator.permutation(self.train.indices()).tolist()
        steps = batch_count(len(order), self.batch_size)
        rows: list[Tensor] = []
        targets = []
        started, seen = time.monotonic(), 0
        for number, batch in enumerate(self.train.batches(order, self.batch_size)):
            if len(batch.indices) < 2:  # broken ones were left out, and normalisation needs two
                continue
            rate = optimize.learning_rate(self.settings, epoch + number / steps)
            rows.append(self.step(batch, rate, generator))
            targets.append(batch.targets)
            seen += len(batch.targets)
            if number % _LINE_EVERY == 0:
                accuracy = metrics.Scores(rows[-1].numpy(), batch.targets).accuracy()
                self.progress.batch(epoch, number, seen / (time.monotonic() - started), accuracy)
            if self.stop.received:
                break
        return metrics.Scores(torch.cat(rows).numpy(), np.concatenate(targets))

    def step(self, batch: Batch, rate: float, generator: np.random.Generator) -> Tensor:
        """One optimizer step; returns the batch's scores [n, classes]."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        pixels = augment(batch.pixels, self.settings, generator)
        with precision(self.settings):
            logits = self.network(pixels)
        logits = logits.float()
        loss = optimize.loss(logits, torch.from_numpy(batch.targets), self.settings, self.weights)
        if not torch.isfinite(loss):
            raise Diverged("The training diverged: its loss is no number any more.")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        if self.average is not None:
            self.average.update(self.network)
        return scores(logits.detach(), self.settings.multi_label)


def evaluate(network: nn.Module, dataset: Dataset, settings: Settings) -> metrics.Scores:
    """Scores of a whole channel, in its order."""
    network.eval()
    rows: list[Tensor] = []
    targets = []
    with torch.no_grad(), precision(settings):
        for batch in dataset.batches(dataset.indices(), max(32, settings.mini_batch_size)):
            rows.append(scores(network(torch.from_numpy(dataset.cropped(batch))).float(), settings.multi_label))
            targets.append(batch.targets)
    return metrics.Scores(torch.cat(rows).numpy(), np.concatenate(targets))


def precision(settings: Settings) -> AbstractContextManager[object]:
    """float16 is computed as bfloat16, which CPUs have and which needs no loss scaling."""
    if settings.precision_dtype == "float16":
        return torch.autocast("cpu", torch.bfloat16)
    return nullcontext()


def batch_size(train: Dataset, settings: Settings) -> int:
    """mini_batch_size, at most the number of pictures and at least 2, which batch normalisation needs."""
    size = min(settings.mini_batch_size, len(train))
    if size < settings.mini_batch_size:
        print(
            f"Note: mini_batch_size={settings.mini_batch_size} is lowered to the {size} pictures there are.", flush=True
        )
    if size < 2:
        print("Note: mini_batch_size=1 is raised to 2, because batch normalisation needs two pictures.", flush=True)
    return max(size, 2)


def snapshot(network: nn.Module) -> State:
    """A copy of the state dict."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
