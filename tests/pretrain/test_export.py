"""What comes out: weights that tobo loads, and the figures that say what they are worth."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tools.pretrain import evaluate, generate
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


def test_the_head_separates_what_can_be_separated() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 120)
    points = torch.from_numpy((np.eye(3)[classes] * 4 + rng.normal(0, 0.5, (120, 3))).astype(np.float32))
    constant = torch.cat((points, torch.ones(120, 1)), 1)
    assert (evaluate.logistic(constant[:80], classes[:80], constant[80:]) == classes[80:]).all()


@pytest.mark.parametrize(
    ("said", "true", "expected"),
    [([0, 1], [0, 1], 1.0), ([0, 0, 0, 0], [0, 0, 0, 1], 0.5), ([0, 1, 1, 1], [0, 0, 1, 2], 0.5)],
)
def test_balanced_accuracy_is_the_mean_of_recalls(said: list[int], true: list[int], expected: float) -> None:
    assert evaluate.balanced_accuracy(np.array(said), np.array(true)) == pytest.approx(expected)


def test_the_gap_is_measured_between_random_and_imagenet() -> None:
    table = evaluate.gap_closed(
        {"random": {"marbles": [0.5, 0.6, 0.7]}, "imagenet": {"marbles": [1.0]}, "ours": {"marbles": [0.9, 0.8, 0.95]}}
    )
    assert table["ours"] == {"marbles": 0.9, "marbles gap": pytest.approx(0.75)}
    assert evaluate.gap_closed({"ours": {"marbles": [0.9]}}) == {"ours": {"marbles": 0.9}}


def test_a_backbone_is_measured_on_drawn_marbles_without_any_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, count in (("KNOWN", 30), ("UNSEEN", 20), ("_POOL", 40)):
        monkeypatch.setattr(evaluate, name, count)
    evaluate.load.cache_clear()
    found = evaluate.evaluate("random", tmp_path, 32, 2)
    evaluate.load.cache_clear()
    assert (
        list(found) == ["marbles"] and len(found["marbles"]) == 2 and all(0 <= each <= 1 for each in found["marbles"])
    )
    assert "sign_digits: not in" in capsys.readouterr().out
