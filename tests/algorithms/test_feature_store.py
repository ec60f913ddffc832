"""Features are computed once for the same weights and pictures, and anew for any other."""

import time
from pathlib import Path

import pytest
import torch
from classification_jobs import Ended, Job

from tobo.algorithms.image_classification import feature_store

TAKEN = "The features of channel 'train' are an earlier job's."


@pytest.fixture
def features(tmp_path: Path) -> Path:
    return tmp_path / "features"


def job(root: Path, features: Path | None, **hyperparameters: object) -> Job:
    frozen = {"backbone": "mobilenet_v2", "use_pretrained_model": 1, "train_layers": "head", "image_shape": "3,32,32"}
    made = Job(root, {"TOBO_FEATURES": str(features)} if features else {}, **{**frozen, **hyperparameters})
    made.add_folders(count=8)
    return made


def run(root: Path, features: Path | None, **hyperparameters: object) -> Ended:
    ended = job(root, features, **hyperparameters).run()
    assert ended.code == 0, ended.log
    return ended


def test_trials_share_them_whatever_their_head(tmp_path: Path, features: Path) -> None:
    first = run(tmp_path / "1", features)
    again = run(tmp_path / "2", features, head_c=0.1, epochs=3)
    alone = run(tmp_path / "3", None)
    same = run(tmp_path / "4", features)
    assert [TAKEN in each.log for each in (first, again, alone, same)] == [False, True, False, True]
    accuracies = [line for line in alone.log.splitlines() if "accuracy" in line]
    assert accuracies and accuracies == [line for line in same.log.splitlines() if "accuracy" in line]
    assert len(list(features.glob("*.safetensors"))) == 1


def test_other_weights_sizes_and_pictures_have_their_own(tmp_path: Path, features: Path) -> None:
    run(tmp_path / "first", features)
    others = [
        {"use_pretrained_model": 0, "seed": 1},
        {"image_shape": "3,40,40"},
        {"image_shape": "1,32,32"},
        {"resize": 40},
    ]
    for number, other in enumerate(others):
        assert TAKEN not in run(tmp_path / str(number), features, **other).log, other
    changed = job(tmp_path / "changed", features)
    (picture, *_) = sorted(changed.paths.channel("train").rglob("*.png"))
    picture.write_bytes(sorted(changed.paths.channel("train").rglob("*.png"))[1].read_bytes())
    assert TAKEN not in changed.run().log
    assert len(list(features.glob("*.safetensors"))) == 6


def test_damaged_ones_are_computed_anew_and_broken_pictures_leave_none(tmp_path: Path, features: Path) -> None:
    broken = job(tmp_path / "broken", features)
    broken.add("train", "disc/bad.png", b"no picture")
    assert broken.run().code == 0 and list(features.glob("*.safetensors")) == []
    run(tmp_path / "first", features)
    (kept,) = features.glob("*.safetensors")
    kept.write_bytes(kept.read_bytes()[:100])
    assert TAKEN not in run(tmp_path / "second", features).log
    assert TAKEN in run(tmp_path / "third", features).log


def test_two_at_a_time_compute_once(tmp_path: Path, features: Path) -> None:
    jobs = [job(tmp_path / str(number), features) for number in range(2)]
    processes = [each.start() for each in jobs]
    ended = [each.end(process) for each, process in zip(jobs, processes, strict=True)]
    assert [each.code for each in ended] == [0, 0], ended
    assert sorted(TAKEN in each.log for each in ended) == [False, True]


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_store, "LARGEST", 3000)
    for name in "abc":
        feature_store.Place(tmp_path / f"{name}.safetensors").write(torch.zeros(25, 10))
        time.sleep(0.01)
        feature_store.Place(tmp_path / "a.safetensors").read()
    assert sorted(file.name for file in tmp_path.glob("*.safetensors")) == ["a.safetensors", "c.safetensors"]
