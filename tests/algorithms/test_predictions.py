"""What a job tells of each validation picture: the kept model's scores of those that could be read, and their labels."""

import json
from pathlib import Path
from typing import Any

import pytest
from classification_jobs import CLASSES, Job

from tobo.inference.model import load


@pytest.mark.parametrize("sent", [{}, {"train_layers": "head", "backbone": "mobilenet_v2", "image_shape": "3,32,32"}])
def test_predictions_are_the_models_own_by_picture(tmp_path: Path, sent: dict[str, Any]) -> None:
    job = Job(tmp_path, epochs=2, seed=1, **sent)
    job.add_folders(count=12)
    job.add_folders("validation", 12, seed=100)
    broken = job.add("validation", f"{CLASSES[0]}/00-broken.png", b"no picture")
    ended = job.run()
    assert (ended.code, ended.failure) == (0, ""), ended.log
    found = json.loads((job.paths.output_data / "evaluation.json").read_text())
    folder = job.paths.channel("validation")
    there = {str(file.relative_to(folder)) for file in folder.rglob("*.png")} - {str(broken.relative_to(folder))}
    assert (set(found["keys"]), len(found["keys"])) == (there, len(there))
    assert found["targets"] == [CLASSES.index(key.split("/")[0]) for key in found["keys"]]
    assert (tuple(found["labels"]), found["multi_label"], found["records"]) == (CLASSES, False, False)
    answers = load(job.paths.model).predict([(folder / key).read_bytes() for key in found["keys"]])
    for told, answer in zip(found["scores"], answers, strict=True):
        assert told == pytest.approx(answer, abs=1e-3)


def test_a_job_without_validation_tells_nothing(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.add_folders(count=4)
    assert job.run().code == 0
    assert list(job.paths.output_data.iterdir()) == []
