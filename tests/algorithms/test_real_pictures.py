"""The yardstick on real pictures: a head on 500 crops of printed circuits; skipped where the data is not beside the project."""

import os
import random
from pathlib import Path

import pytest
from classification_jobs import Job

SHARED = Path(os.environ.get("TOBO_SHARED", Path(__file__).parents[3] / "shared"))
CROPS = SHARED / "data/deeppcb_crops"
WEIGHTS = SHARED / "weights"

needs_data = pytest.mark.skipif(not CROPS.is_dir() or not WEIGHTS.is_dir(), reason="no shared data and weights")


def link(job: Job, channel: str, pictures: list[Path]) -> None:
    for picture in pictures:
        target = job.paths.channel(channel) / picture.parent.name / picture.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(picture)


@needs_data
def test_a_head_learns_circuit_defects_from_500_pictures(tmp_path: Path) -> None:
    job = Job(
        tmp_path,
        num_classes=7,
        num_training_samples=500,
        backbone="mobilenet_v2",
        train_layers="head",
        use_pretrained_model=1,
        pretrained_weights=WEIGHTS,
        image_shape="3,128,128",
        epochs=30,
    )
    known = sorted(CROPS.glob("train/*/*"))
    random.Random(0).shuffle(known)
    link(job, "train", known[:500])
    link(job, "validation", sorted(CROPS.glob("test/*/*"))[::3])
    ended = job.run()
    assert ended.code == 0, ended.log
    assert job.output("history.json")[-1]["validation:accuracy"] >= 0.69  # converged, not the luckiest epoch


@needs_data
def test_the_formula_made_backbone_loads(tmp_path: Path) -> None:
    job = Job(
        tmp_path,
        backbone="mobilenet_v2",
        use_pretrained_model=1,
        train_layers="head",
        image_shape="3,64,64",
        pretrained_weights=WEIGHTS / "formula_sketch.safetensors",
        epochs=20,
    )
    job.add_folders(count=16)
    job.add_folders("validation", 16, seed=80)
    ended = job.run()
    assert ended.code == 0, ended.log
    assert job.output("metrics.json")["validation"]["accuracy"] >= 0.9
    assert job.output("model.json")["preprocessing"]["same_padding"] is False
