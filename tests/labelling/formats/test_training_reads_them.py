"""The built-in training's own reader on what is written here: a converted file is a training channel as it is."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.labelled import NAMES, classified, draw_pictures

from tobo.algorithms.image_classification import channels
from tobo.algorithms.image_classification import settings as hyperparameters
from tobo.kit.paths import MlPaths
from tobo.labelling.formats import catalog
from tobo.labelling.formats.options import Options

FILES = {"folders": "input/data/train", "lst": "input/data/train_lst/l.lst", "manifest": "input/data/train/l.manifest"}


@pytest.mark.parametrize(
    ("name", "multi"), [("folders", False), ("lst", False), ("manifest", False), ("lst", True), ("manifest", True)]
)
def test_a_converted_file_is_a_channel(name: str, multi: bool, tmp_path: Path) -> None:
    """Every picture with the class that it was given, by index; and the classes' names where the file has them."""
    paths = MlPaths(tmp_path)
    paths.make()
    names = tuple(one for one in NAMES if name != "folders" or "/" not in one)
    dataset = replace(classified(multi, names), root=tmp_path / "pictures")
    draw_pictures(dataset, tmp_path / "pictures")
    if name != "folders":
        draw_pictures(dataset, paths.channel("train"))
    options = Options(attribute="quality")
    written = catalog.prefixed(dataset, "s3://parts") if name == "manifest" else dataset
    catalog.write(written, tmp_path / FILES[name], name, options)
    asked = {"num_classes": len(names), "num_training_samples": 9, "image_shape": "3,32,32", "multi_label": int(multi)}
    paths.hyperparameters.parent.mkdir(parents=True, exist_ok=True)
    paths.hyperparameters.write_text(json.dumps({key: str(value) for key, value in asked.items()}))
    train, _ = channels.read(paths, hyperparameters.load(paths.hyperparameters))
    found = {Path(example.key).name: example.label for example in train.items}
    wanted = {
        Path(item.source).name: [dataset.classes.index(one.name) for one in item.labels or ()]
        for item in dataset.objects
    }
    assert found == {
        file: tuple(int(index in chosen) for index in range(len(names))) if multi else chosen[0]
        for file, chosen in wanted.items()
    }
    if name != "lst" and not multi:
        assert train.names == dataset.classes
