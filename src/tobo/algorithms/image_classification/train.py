"""The training job: channels in, network trained, model folder out."""

import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read once, when torch loads its threads

import torch

from tobo.algorithms.image_classification import (
    channels,
    checkpoint,
    export,
    features,
    fit,
    incremental,
    predictions,
    weights,
)
from tobo.algorithms.image_classification.classifier import Classifier, HeadClassifier, Preprocessing, build
from tobo.algorithms.image_classification.dataset import Dataset, cpus
from tobo.algorithms.image_classification.progress import Progress
from tobo.algorithms.image_classification.resizing import Resizer
from tobo.algorithms.image_classification.settings import Settings
from tobo.algorithms.image_classification.settings import load as load_settings
from tobo.kit.guest import run_guest
from tobo.kit.paths import MlPaths


def main() -> None:
    """The entry: trains as TOBO_ML_ROOT's input says; writes output/failure and exits 1 where it cannot."""
    run_guest(train)


def train() -> None:
    """Trains one model; raises UserError."""
    paths = MlPaths.from_environment()
    settings = load_settings(paths.hyperparameters)
    stop = fit.StopSignal()
    threads = cpus()
    torch.set_num_threads(threads)
    torch.manual_seed(settings.seed)
    examples, unseen = channels.read(paths, settings)
    if len(examples.items) != settings.num_training_samples:
        print(
            f"Note: num_training_samples={settings.num_training_samples}, but there are {len(examples.items)}; "
            f"those that are there count.",
            flush=True,
        )
    labels = examples.names or tuple(str(index) for index in range(settings.num_classes))
    resizer = Resizer(settings)
    known = Dataset("train", examples, settings, resizer, threads)
    validation = Dataset("validation", unseen, settings, resizer, threads) if unseen is not None else None
    network, preprocessing = initial(paths, settings)
    try:
        if isinstance(network, HeadClassifier):
            progress = features.fit(network, known, validation, settings, stop)
        else:
            progress = _fit_all(paths, network, preprocessing, known, validation, settings, stop)
        export.write(paths.model, network, preprocessing, settings, labels, progress, known, validation)
        if validation is not None and progress.best_scored is not None:
            predictions.write(paths.output_data, labels, progress.best_scored, validation)
    finally:
        for dataset in (known, validation):
            if dataset is not None:
                dataset.close()


def initial(paths: MlPaths, settings: Settings) -> tuple[Classifier | HeadClassifier, Preprocessing]:
    """The network as training begins: from the model channel, from pretrained weights, or from chance."""
    found = incremental.read(paths.channel("model"), settings)
    if found is None and settings.use_pretrained_model:
        found = weights.find(settings)
    preprocessing = found.preprocessing if found is not None else Preprocessing()
    network = build(settings, preprocessing)
    if found is not None:
        weights.put(network, found)
        print(f"Starting from the weights {found.source}.", flush=True)
    return network, preprocessing


def _fit_all(
    paths: MlPaths,
    network: Classifier,
    preprocessing: Preprocessing,
    known: Dataset,
    validation: Dataset | None,
    settings: Settings,
    stop: fit.StopSignal,
) -> Progress:
    def fresh() -> torch.nn.Module:
        return build(settings, preprocessing)

    def keep(kept: torch.nn.Module, file: Path) -> None:
        export.save_weights(kept, preprocessing, file)

    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    store = checkpoint.Store(paths.checkpoints, paths.model, settings, keep)
    return fit.fit(network, fresh, known, validation, settings, store, stop)
