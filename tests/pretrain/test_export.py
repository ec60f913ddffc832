"""What comes out: weights that tobo loads."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from tools.pretrain import generate
from tools.pretrain.export import export
from tools.pretrain.train import Plan, Trainer

from tobo.algorithms.image_classification import weights
from tobo.algorithms.image_classification.classifier import HeadClassifier, Preprocessing
from tobo.algorithms.image_classification.models.mobilenet_v2 import MobileNetV2


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("training")
    cache = generate.generate(folder / "cache", per_class=1, size=48, seed=0, part=0.01)
    trained = Trainer(cache, Plan(steps=2, batch=4, size=32), folder)
    trained.run()
    return trained


def test_the_export_loads_as_the_networks_backbone(trainer: Trainer, tmp_path: Path) -> None:
    file = tmp_path / "mobilenetv2_100.safetensors"
    assert export(trainer.folder / "last.pt", file) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.stat().st_size <= 5_000_000
    with safe_open(file, "pt") as opened:
        assert {opened.get_tensor(name).dtype for name in opened.keys()} == {torch.float16}  # noqa: SIM118
        assert not any(name.startswith("classifier") for name in opened.keys())  # noqa: SIM118
        said = opened.metadata()
    assert said["padding"] == "symmetric" and said["steps"] == "2" and said["formulas"] == "2" and said["licence"]
    assert said["start"] == ""
    found = weights.read(file, "mobilenetv2_100")
    assert found.preprocessing == Preprocessing()
    network = HeadClassifier(MobileNetV2(3, 1), found.preprocessing, 3, 1)
    weights.put(network, found)
    picture = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    trainer.network.eval()
    with torch.inference_mode():
        expected = trainer.network.features(picture.permute(0, 3, 1, 2) / 127.5 - 1)
        got = network.eval().backbone.features(network.normalise(picture))  # type: ignore[operator]
    for one, two in zip(expected, got, strict=True):
        assert torch.allclose(one, two, atol=0.02 * float(one.abs().max()))


def test_an_export_is_the_same_twice(trainer: Trainer, tmp_path: Path) -> None:
    digests = {export(trainer.folder / "last.pt", tmp_path / name) for name in ("one.safetensors", "two.safetensors")}
    assert len(digests) == 1
