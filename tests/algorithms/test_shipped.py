"""The backbone in the package: looked for at its place in the order, checked, and right for every size and kind of picture."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from classification_jobs import Job, encoded, shape
from PIL import Image
from safetensors.torch import load, save_file

from tobo.algorithms.image_classification import models, shipped, weights
from tobo.algorithms.image_classification.classifier import Preprocessing, build
from tobo.algorithms.image_classification.settings import Settings, parse
from tobo.kit.guest import UserError

ARCHITECTURE = "mobilenetv2_100"


def settings_of(**sent: object) -> Settings:
    sent = {"num_classes": 2, "num_training_samples": 9, "use_pretrained_model": 1, "backbone": "mobilenet_v2", **sent}
    return parse({name: str(value) for name, value in sent.items()})


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No weights named by the machine, and no hub."""
    monkeypatch.delenv("TOBO_PRETRAINED", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "no-hub"))


def test_the_file_is_small_whole_and_ours() -> None:
    data = shipped.read(ARCHITECTURE)
    assert len(data) <= 5_000_000
    metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    assert metadata["architecture"] == ARCHITECTURE and metadata["licence"] == "Apache-2.0"
    assert {tensor.dtype for tensor in load(data).values()} == {torch.float16}
    card = shipped.file(ARCHITECTURE).with_name("README.md").read_text()
    assert shipped.SHA256[ARCHITECTURE] in card


def other_weights(folder: Path, name: str = ARCHITECTURE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    state = models.create(name, 3, 5, 224).state_dict()
    save_file(state, str(folder / f"{name}.safetensors"))
    return folder / f"{name}.safetensors"


def test_what_is_named_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(other_weights(tmp_path / "own"))
    assert weights.find(settings_of()).source == "formula"
    monkeypatch.setenv("TOBO_PRETRAINED", str(tmp_path / "own"))
    assert weights.find(settings_of()).source == file
    assert weights.find(settings_of(pretrained_weights="formula")).source == "formula"
    monkeypatch.setenv("TOBO_PRETRAINED", "formula")
    assert weights.find(settings_of()).source == "formula"
    assert weights.find(settings_of(pretrained_weights=file)).source == file


def test_a_folder_without_this_network_is_said_and_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "resnet18.safetensors").write_bytes(b"")
    monkeypatch.setenv("TOBO_PRETRAINED", str(tmp_path))
    assert weights.find(settings_of()).source == "formula"
    assert "has no mobilenetv2_100.safetensors (it holds resnet18.safetensors)" in capsys.readouterr().out


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'formula' are weights of mobilenetv2_100, not of resnet18; set backbone="):
        weights.find(settings_of(backbone="resnet", num_layers=18, pretrained_weights="formula"))
    wrong = other_weights(tmp_path, "resnet18").rename(tmp_path / "mobilenetv2_100.safetensors")
    settings = settings_of(pretrained_weights=wrong)
    with pytest.raises(UserError, match=r"mobilenetv2_100.safetensors' do not fit the network: 'conv_stem.weight'"):
        weights.put(build(settings, Preprocessing()), weights.find(settings))


def flipped(data: bytes) -> bytes:
    return data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (flipped, r"is not as tobo brings it \(its sha256 is [0-9a-f]{16}\.\.\., not"),
        (lambda data: data[:1_000_000], "is not as tobo brings it"),
        (lambda data: b"", "is not as tobo brings it"),
        (None, r"cannot be read \(No such file or directory\); install tobo again"),
    ],
)
def test_a_damaged_installation_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: object, said: str
) -> None:
    copy = tmp_path / "mobilenetv2_100.safetensors"
    if callable(damage):
        copy.write_bytes(damage(shipped.read(ARCHITECTURE)))
    monkeypatch.setattr(shipped, "file", lambda architecture: copy)
    with pytest.raises(UserError, match=said):
        weights.find(settings_of())


def test_a_truncated_file_of_ones_own_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mobilenetv2_100.safetensors"
    file.write_bytes(shipped.read(ARCHITECTURE)[:2_000_000])
    with pytest.raises(UserError, match=r"mobilenetv2_100.safetensors' is not a safetensors file"):
        weights.find(settings_of(pretrained_weights=file))


def deep_grey(seed: int) -> bytes:
    """A disc or square with 16 bits a pixel."""
    grey = np.asarray(shape(("disc", "square")[seed % 2], seed).convert("L")).astype(np.uint16) << 8
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("train_layers", ["head", "all"])
@pytest.mark.parametrize("image_shape", ["3,32,32", "1,96,160", "3,512,512"])
def test_pictures_of_every_kind_and_size_train_and_serve(tmp_path: Path, image_shape: str, train_layers: str) -> None:
    """The export compares the trained network with ONNX Runtime on golden pictures and fails where they differ."""
    job = Job(
        tmp_path,
        backbone="mobilenet_v2",
        use_pretrained_model=1,
        train_layers=train_layers,
        image_shape=image_shape,
        learning_rate=0.0001,
        mini_batch_size=4,
    )
    for seed in range(12):
        kind = ("disc", "square")[seed % 2]
        drawn = shape(kind, seed)
        data = [encoded(drawn), encoded(drawn.convert("L")), deep_grey(seed)][seed // 2 % 3]
        job.add("train", f"{kind}/{seed:03d}.png", data)
    ended = job.run()
    assert ended.code == 0, ended.log
    assert "Starting from the weights formula." in ended.log
    assert ended.log.count("has 16 bits a channel; the upper 8 are used") == 4


def test_a_head_leaves_the_statistics_and_fine_tuning_moves_them(tmp_path: Path) -> None:
    known = weights.find(settings_of()).state
    for train_layers in ("head", "all"):
        job = Job(
            tmp_path / train_layers,
            backbone="mobilenet_v2",
            use_pretrained_model=1,
            train_layers=train_layers,
            image_shape="3,32,32",
            learning_rate=0.0001,
        )
        job.add_folders(count=8)
        assert job.run().code == 0, job.log()
        file = next(job.paths.model.glob("*.safetensors"))
        state = weights.read(file, ARCHITECTURE).state
        same = torch.equal(state["blocks.3.0.bn2.running_var"], known["blocks.3.0.bn2.running_var"])
        assert same == (train_layers == "head")
        assert all(torch.isfinite(value).all() for value in state.values())
