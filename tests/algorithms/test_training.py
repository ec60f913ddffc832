"""Whole jobs in processes of their own: what they print, what they leave, and how they end when the data is bad."""

import json
import os
import re
import signal
import tarfile
import time
from pathlib import Path

import pytest
import torch
from classification_jobs import CLASSES, Job, encoded, picture, shape
from PIL import Image
from safetensors.torch import load_file

from tobo.algorithms.image_classification import ALGORITHM, recordio
from tobo.inference.model import UnreadablePicture, load


def test_a_folder_of_photos_becomes_a_model_that_answers(tmp_path: Path) -> None:
    job = Job(tmp_path, epochs=6, lr_scheduler="one_cycle", top_k=2, seed=1)
    job.add_folders(count=24)
    job.add_folders("validation", 12, seed=100)
    ended = job.run()
    assert (ended.code, ended.failure) == (0, ""), ended.log
    for metric in ALGORITHM.metrics:
        assert len(re.findall(metric.regex, ended.log)) == 6, metric.name
    assert re.search(r"^Epoch\[0\] Time cost=\d+\.\d+$", ended.log, re.M)
    assert "Note: num_training_samples=32, but there are 48" in ended.log
    history, figures = job.output("history.json"), job.output("metrics.json")
    best = max(entry["validation:accuracy"] for entry in history)
    assert f"Storing the best model with validation accuracy: {best:.6f}" in ended.log
    assert figures["validation"]["accuracy"] == best == history[figures["best_epoch"]]["validation:accuracy"]
    assert best >= 0.9, ended.log  # discs and squares: a network that learns tells them apart
    model = load(job.paths.model)
    assert model.labels == CLASSES
    unseen = [(kind, picture(kind, 500 + i)) for kind in CLASSES for i in range(8)]
    answers = model.predict([data for _, data in unseen])
    right = [row[CLASSES.index(kind)] > 0.5 for (kind, _), row in zip(unseen, answers, strict=True)]
    assert sum(right) >= 14
    golden = json.loads((job.paths.model / "golden/scores.json").read_text())
    known = json.loads((job.paths.model / "golden/labels.json").read_text())
    assert golden.keys() == known.keys() and len(golden) == 24
    assert len(list((job.paths.model / "calibration").iterdir())) == 48
    for label, counts in figures["validation"]["score_distribution"].items():
        assert len(counts) == 10 and sum(counts) == 24, label
    for name, expected in golden.items():
        assert model.predict([(job.paths.model / "golden" / name).read_bytes()])[0] == pytest.approx(expected, abs=1e-4)
    with pytest.raises(UnreadablePicture):
        model.predict([b"no picture"])


def test_the_same_seed_gives_the_same_model(tmp_path: Path) -> None:
    logs = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        job = Job(tmp_path / name, seed=seed, augmentation_type="crop_color_transform")
        job.add_folders()
        assert job.run().code == 0
        logs.append(job.output("history.json")[0]["train:cross_entropy"])
    assert logs[0] == logs[1] != logs[2]


@pytest.mark.parametrize(
    "sent",
    [
        {"optimizer": "sgd", "lr_scheduler_step": "1", "use_weighted_loss": 1},
        {"optimizer": "nag", "augmentation_type": "crop", "resize": 20},
        {"optimizer": "rmsprop", "augmentation_type": "crop_color", "image_shape": "1,16,18"},
        {"optimizer": "adam", "beta_1": 1, "beta_2": 1},
        {"optimizer": "adamw", "augmentation_type": "inspection", "weight_averaging": 0.9, "label_smoothing": 0.1},
        {"precision_dtype": "float16", "num_layers": 18, "image_shape": "3,32,32"},
        {"backbone": "mobilenet_v2", "image_shape": "3,32,32", "kv_store": "dist_sync"},
        {"mini_batch_size": 500},
        {"mini_batch_size": 1},
    ],
)
def test_every_setting_trains(tmp_path: Path, sent: dict[str, object]) -> None:
    job = Job(tmp_path, epochs=2, **sent)
    job.add_folders(count=5)
    job.add_folders("validation", 3, seed=50)
    ended = job.run()
    assert (ended.code, ended.failure) == (0, ""), ended.log
    assert len(job.output("history.json")) == 2
    assert ("mini_batch_size=500 is lowered to the 10 pictures" in ended.log) == (sent.get("mini_batch_size") == 500)
    rows = load(job.paths.model).predict([picture("disc", 1)])
    assert len(rows[0]) == 2 and sum(rows[0]) == pytest.approx(1, abs=1e-5)


def test_records_with_several_labels(tmp_path: Path) -> None:
    job = Job(tmp_path, multi_label=1, num_classes=3, use_weighted_loss=1, top_k=2)
    for channel in ("train", "validation"):
        with job.add(channel, f"{channel}.rec", b"").open("wb") as stream:
            for number in range(12):
                labels = (float(number % 2), float(number % 3 == 0), 1.0)
                recordio.write_record(stream, picture(CLASSES[number % 2], number), labels, number)
    ended = job.run()
    assert ended.code == 0, ended.log
    assert len(job.output("metrics.json")["validation"]["confusion_matrix"]) == 3
    assert job.output("labels.json") == ["0", "1", "2"]


def test_broken_pictures_are_named_and_left_out(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.add_folders(count=25)
    job.add("train", "disc/empty.png", b"")
    job.add("train", "disc/notes.txt", "not a picture")
    job.add("train", "square/torn.jpg", encoded(shape("square", 1, 300), "JPEG")[:2000])
    job.add("train", "square/deep.png", encoded(Image.new("I;16", (20, 20), 40_000)))
    ended = job.run()
    assert ended.code == 0, ended.log
    for said in (
        "Skipped: the picture 'disc/empty.png' of 'train' is empty (0 bytes).",
        "Skipped: the picture 'disc/notes.txt' of 'train' is not a picture in a known format",
        "Skipped: the picture 'square/torn.jpg' of 'train' is truncated or damaged",
        "Note: the picture 'square/deep.png' of 'train' has 16 bits a channel",
    ):
        assert said in ended.log
    assert set(job.output("metrics.json")["skipped"]) == {
        "train/disc/empty.png",
        "train/disc/notes.txt",
        "train/square/torn.jpg",
    }


def test_too_many_broken_pictures_end_the_job(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.add_folders(count=10)
    for number in range(3):
        job.add("train", f"disc/broken-{number}.jpg", b"")
    ended = job.run()
    assert ended.code == 1
    assert ended.failure.startswith(
        "ClientError: More than 10% of the 23 pictures in the channel 'train' cannot be used"
    )
    assert "'disc/broken-0.jpg' is empty (0 bytes)" in ended.failure


def test_a_users_mistake_is_a_client_error(tmp_path: Path) -> None:
    job = Job(tmp_path, num_classes=3)
    job.add_folders()
    ended = job.run()
    assert ended.code == 1
    assert ended.failure == "ClientError: The channel 'train' has 2 class folders (disc, square), but num_classes=3."


def test_a_stopped_job_leaves_its_best_model(tmp_path: Path) -> None:
    job = Job(tmp_path, epochs=100_000)
    job.add_folders()
    job.add_folders("validation", 4, seed=70)
    process = job.start()
    deadline = time.monotonic() + 90
    while "Epoch[1] Validation-accuracy" not in (job.log() if (tmp_path / "log").exists() else ""):
        assert process.is_alive() and time.monotonic() < deadline
        time.sleep(0.05)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    ended = job.end(process)
    assert (ended.code, ended.failure) == (0, ""), ended.log
    assert "Stopping: SIGTERM received" in ended.log
    history = job.output("history.json")
    assert 2 <= len(history) < 100_000
    assert job.output("metrics.json")["validation"]["accuracy"] == max(e["validation:accuracy"] for e in history)
    assert load(job.paths.model).predict([picture("disc", 1)])


def test_checkpoints_are_kept_and_resumed(tmp_path: Path) -> None:
    whole = Job(tmp_path / "whole", epochs=4, checkpoint_frequency=2, weight_averaging=0.9)
    whole.add_folders(count=6)
    assert whole.run().code == 0
    assert sorted(file.name for file in whole.paths.model.glob("model-*")) == [
        "model-0001.safetensors",
        "model-0003.safetensors",
    ]
    half = Job(tmp_path / "half", epochs=2, checkpoint_frequency=2, weight_averaging=0.9)
    half.add_folders(count=6)
    assert half.run().code == 0
    half.set(epochs=4, checkpoint_frequency=2, weight_averaging=0.9)
    ended = half.run()
    assert "Resuming from the checkpoint after epoch 1." in ended.log and "Epoch[1]" not in ended.log
    losses = [[entry["train:cross_entropy"] for entry in job.output("history.json")] for job in (whole, half)]
    assert len(losses[0]) == 4 and losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("damage", ["torn", "other network"])
def test_a_checkpoint_that_does_not_fit_is_passed_over(tmp_path: Path, damage: str) -> None:
    job = Job(tmp_path, checkpoint_frequency=1)
    job.add_folders(count=4)
    assert job.run().code == 0
    if damage == "torn":
        file = job.paths.checkpoints / "checkpoint.pt"
        file.write_bytes(file.read_bytes()[:1000])
    job.set(checkpoint_frequency=1, num_layers=32 if damage == "other network" else 20)
    ended = job.run()
    assert ended.code == 0 and "starting anew" in ended.log and "Epoch[0] Train-accuracy" in ended.log


def test_a_model_is_trained_further(tmp_path: Path) -> None:
    first = Job(tmp_path / "first", epochs=5)
    first.add_folders(count=16)
    assert first.run().code == 0
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for file in sorted(first.paths.model.iterdir()):
            tar.add(file, file.name)
    second = Job(tmp_path / "second", learning_rate=0)
    second.add_folders(count=16)
    second.add_folders("validation", 16)
    second.add("model", "model.tar.gz", archive.read_bytes())
    ended = second.run()
    assert ended.code == 0 and "Starting from the weights model/model.tar.gz." in ended.log, ended.log
    before, after = (load_file(job.paths.model / "model.safetensors") for job in (first, second))
    assert torch.equal(before["fc.weight"], after["fc.weight"])  # the rate of 0 changed nothing of what was taken over


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("model.tar.gz", b"no archive", "model/model.tar.gz is not a readable archive"),
        ("readme.txt", b"hello", "The channel 'model' holds neither model.tar.gz nor model.safetensors"),
        ("model.safetensors", b"hello", "'model/model.safetensors' is not a safetensors file"),
    ],
)
def test_a_model_channel_without_a_model(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    job = Job(tmp_path)
    job.add_folders(count=2)
    job.add("model", name, data)
    ended = job.run()
    assert ended.code == 1 and ended.failure.startswith("ClientError: ") and said in ended.failure


@pytest.mark.parametrize("backbone", ["resnet", "mobilenet_v2"])
def test_a_head_on_frozen_features(tmp_path: Path, backbone: str) -> None:
    job = Job(tmp_path, train_layers="head", num_layers=18, backbone=backbone, image_shape="3,32,32", epochs=20)
    job.add_folders(count=20)
    job.add_folders("validation", 10, seed=90)
    ended = job.run()
    assert (ended.code, ended.failure) == (0, ""), ended.log
    assert "Features: " in ended.log and "Parity: " in ended.log
    assert job.output("metrics.json")["validation"]["accuracy"] >= 0.8, ended.log
    assert job.output("history.json")[-1]["train:accuracy"] == 1.0


def test_early_stopping_ends_a_job(tmp_path: Path) -> None:
    patience = {"early_stopping": "true", "early_stopping_min_epochs": 2, "early_stopping_patience": 3}
    job = Job(tmp_path, epochs=500, learning_rate=0, **patience)
    job.add_folders(count=4)
    job.add_folders("validation", 4)
    ended = job.run()
    assert ended.code == 0 and "Early stopping after " in ended.log
    assert len(job.output("history.json")) < 100


def test_a_job_that_diverges_says_so(tmp_path: Path) -> None:
    job = Job(tmp_path, optimizer="rmsprop", learning_rate=1, gamma=1, eps=0)
    job.add_folders(count=8)
    ended = job.run()
    assert ended.code == 1
    assert ended.failure.startswith(
        "ClientError: The training diverged: its loss is no number any more. Lower learning"
    )


@pytest.mark.parametrize("count", [1, 2])
def test_no_picture_is_left_alone_in_a_batch(tmp_path: Path, count: int) -> None:
    """At 32 px a ResNet-18 ends in a single position: one picture alone could not be normalised."""
    job = Job(tmp_path, num_layers=18, image_shape="3,32,32", mini_batch_size=2)
    job.add_folders(count=count)
    job.add("train", "disc/one-more.png", picture("disc", 9))
    assert job.run().code == 0
