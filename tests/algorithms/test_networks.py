"""Networks: published names and sizes, torch and ONNX Runtime in agreement, and where pretrained weights come from."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from classification_jobs import shape
from safetensors.torch import save_file

from tobo.algorithms.image_classification import export, models, weights
from tobo.algorithms.image_classification.classifier import Classifier, HeadClassifier, Preprocessing, build, scores
from tobo.algorithms.image_classification.resizing import Resizer, centre_crop, session
from tobo.algorithms.image_classification.settings import Settings, parse
from tobo.kit.guest import UserError


def settings_of(**sent: object) -> Settings:
    sent = {"num_classes": 3, "num_training_samples": 9, "image_shape": "3,40,40", **sent}
    return parse({name: str(value) for name, value in sent.items()})


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnet101", 44_549_160),
        ("resnet152", 60_192_808),
        ("mobilenetv2_100", 3_504_872),
    ],
)
def test_sizes_are_the_published_ones(name: str, parameters: int) -> None:
    with torch.device("meta"):
        network = models.create(name, 3, 1000, 224)
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("resnet18", ["conv1.weight", "layer2.0.downsample.1.running_mean", "layer4.1.bn2.bias", "fc.bias"]),
        ("resnet200", ["layer2.23.conv3.weight", "layer1.0.downsample.0.weight"]),
        ("resnet110_cifar", ["layer1.17.conv2.weight", "layer3.17.bn2.running_var", "fc.weight"]),
        (
            "mobilenetv2_100",
            ["conv_stem.weight", "blocks.0.0.conv_pw.weight", "blocks.6.0.bn3.bias", "conv_head.weight"],
        ),
    ],
)
def test_names_are_the_published_ones(name: str, keys: list[str]) -> None:
    with torch.device("meta"):
        state = models.create(name, 3, 10, 224).state_dict()
    assert [key for key in keys if key not in state] == []


def shaken(settings: Settings, preprocessing: Preprocessing) -> Classifier | HeadClassifier:
    """A network whose normalisation statistics and classifier are not the identity."""
    torch.manual_seed(1)
    network = build(settings, preprocessing)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
    return network.eval()


@pytest.mark.parametrize(
    ("sent", "same_padding"),
    [
        ({"num_layers": 18}, False),
        ({"num_layers": 50, "multi_label": 1}, False),
        ({"num_layers": 20, "image_shape": "1,33,35"}, False),
        ({"num_layers": 32, "image_shape": "3,64,72"}, False),
        ({"backbone": "mobilenet_v2"}, False),
        ({"backbone": "mobilenet_v2", "image_shape": "3,45,39"}, True),
        ({"backbone": "mobilenet_v2", "resize": 50}, True),
        ({"backbone": "mobilenet_v2", "train_layers": "head"}, True),
        ({"num_layers": 18, "train_layers": "head", "image_shape": "1,40,40"}, False),
    ],
)
def test_the_graph_gives_torchs_scores(sent: dict[str, object], same_padding: bool) -> None:
    settings = settings_of(**sent)
    network = shaken(settings, Preprocessing((0.4, 0.5, 0.6), (0.2, 0.3, 0.25), same_padding))
    resizer = Resizer(settings)
    graph = session(export.onnx_model(network, settings))
    for size in ((24, 28), (90, 61), (40, 40)):
        pictures = np.random.default_rng(2).integers(0, 256, (2, *size, 3), np.uint8)
        seen = np.stack([centre_crop(resizer(each), settings.height, settings.width) for each in pictures])
        with torch.no_grad():
            expected = scores(network(torch.from_numpy(seen)), settings.multi_label).numpy()
        found = graph.run(None, {"pictures": pictures})[0]
        assert found.shape == (2, 3) and np.abs(found - expected).max() < 2e-5
        assert expected.std() > 1e-4  # constant scores would agree with anything


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (2000, 2), (333, 499)])
def test_any_size_is_resized(size: tuple[int, int]) -> None:
    grey = np.full((*size, 3), 99, np.uint8)
    assert (Resizer(settings_of())(grey) == 99).all() and Resizer(settings_of())(grey).shape == (40, 40, 3)
    resized = Resizer(settings_of(resize=48))(grey).shape
    assert min(resized[:2]) == 48 and resized[0] * size[1] == pytest.approx(resized[1] * size[0], rel=0.02)


def test_resizing_follows_pillow() -> None:
    from PIL import Image

    image = shape("disc", 3, 200).convert("RGB")
    ours = Resizer(settings_of())(np.asarray(image)).astype(int)
    pillow = np.asarray(image.resize((40, 40), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(ours - pillow).mean() < 0.2


def resnet_file(folder: Path, name: str = "resnet18.safetensors", classes: int = 5) -> Path:
    torch.manual_seed(3)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(models.create("resnet18", 3, classes, 224).state_dict(), str(folder / name))
    return folder / name


RESNET = {"num_layers": 18, "use_pretrained_model": 1}


def test_weights_come_from_a_folder_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = resnet_file(tmp_path / "weights")
    expected = models_state(file)
    monkeypatch.setenv("TOBO_PRETRAINED", str(tmp_path / "weights"))
    for sent in ({}, {"pretrained_weights": file}):
        settings = settings_of(**RESNET, **sent)
        found = weights.find(settings)
        assert found.preprocessing.mean == (0.485, 0.456, 0.406)
        network = build(settings, found.preprocessing)
        weights.put(network, found)
        assert torch.equal(network.get_parameter("backbone.conv1.weight"), expected["conv1.weight"])
        assert network.get_parameter("backbone.fc.weight").shape == (3, 512)


def models_state(file: Path) -> dict[str, torch.Tensor]:
    return weights.read(file, "resnet18").state


def test_one_channel_sums_the_first_kernels(tmp_path: Path) -> None:
    settings = settings_of(image_shape="1,40,40", pretrained_weights=resnet_file(tmp_path), **RESNET)
    found = weights.find(settings)
    network = build(settings, Preprocessing())
    weights.put(network, found)
    grey, convolve = torch.rand(1, 1, 9, 9), torch.nn.functional.conv2d
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    expected = convolve(grey.expand(1, 3, 9, 9) * luma, found.state["conv1.weight"])
    kernels = network.get_parameter("backbone.conv1.weight")
    assert kernels.shape == (64, 1, 7, 7)
    assert torch.allclose(convolve(grey, kernels), expected, atol=1e-5)


def test_weights_come_from_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    client = server.client("s3")
    client.create_bucket(Bucket="published-weights")
    client.put_object(
        Bucket="published-weights", Key="torch/resnet18.safetensors", Body=resnet_file(tmp_path).read_bytes()
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.keys[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.keys[1])
    monkeypatch.setenv("TOBO_PRETRAINED", "s3://published-weights/torch")
    found = weights.find(settings_of(**RESNET))
    assert found.source == "s3://published-weights/torch/resnet18.safetensors" and "layer4.1.bn2.bias" in found.state
    absent = "s3://published-weights/torch/resnet34.safetensors"
    with pytest.raises(UserError, match=f"{absent} could not be fetched: .*NoSuchKey"):
        weights.find(settings_of(num_layers=34, use_pretrained_model=1, pretrained_weights=absent))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """A hub on this machine that has a ResNet-18 and nothing else."""
    resnet_file(tmp_path / "hub/timm/resnet18.tv_in1k/resolve/main", "model.safetensors")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path / "hub"))  # type: ignore[arg-type]

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_weights_are_fetched_once_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: str) -> None:
    monkeypatch.delenv("TOBO_PRETRAINED", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", hub)
    first = weights.find(settings_of(**RESNET))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nobody answers
    assert weights.find(settings_of(**RESNET)).source == first.source
    with pytest.raises(UserError, match=r"resnet34 are not on this machine .* TOBO_PRETRAINED"):
        weights.find(settings_of(num_layers=34, use_pretrained_model=1))


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (RESNET, r"has no resnet18.safetensors \(it holds mobilenetv2_100.safetensors\).* \(HF_HUB_OFFLINE is set\)"),
        (RESNET | {"pretrained_weights": "/nowhere/at.all"}, "'/nowhere/at.all' is neither a file nor a folder"),
        (RESNET | {"pretrained_weights": "{folder}"}, "has no resnet18.safetensors"),
        (RESNET | {"pretrained_weights": "{folder}/mobilenetv2_100.safetensors"}, "is not a safetensors file"),
        (RESNET | {"num_layers": 200}, "no weights for resnet200"),
        (RESNET | {"num_layers": 20}, "no weights for resnet20_cifar"),
    ],
)
def test_missing_weights_are_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: dict[str, object], said: str
) -> None:
    (tmp_path / "mobilenetv2_100.safetensors").write_bytes(b"no tensors here")
    monkeypatch.setenv("TOBO_PRETRAINED", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "none"))
    values = {name: str(value).replace("{folder}", str(tmp_path)) for name, value in sent.items()}
    with pytest.raises(UserError, match=said):
        weights.find(settings_of(**values))


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    settings = settings_of(num_layers=34, pretrained_weights=resnet_file(tmp_path), use_pretrained_model=1)
    with pytest.raises(UserError, match=r"'layer1.2.conv1.weight' is missing or has another shape \(\d+ of \d+ such\)"):
        weights.put(build(settings, Preprocessing()), weights.find(settings))


@pytest.mark.parametrize(
    ("metadata", "state", "expected"),
    [
        ({"source": "x/tf2_mobilenet.tflite"}, ("classifier.weight",), Preprocessing(same_padding=True)),
        ({}, (), Preprocessing()),
        ({"format": "pt"}, ("classifier.weight",), Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))),
        (
            {"mean": "0,0.5,1", "deviation": "1,2,3", "padding": "same"},
            (),
            Preprocessing((0.0, 0.5, 1.0), (1.0, 2.0, 3.0), True),
        ),
    ],
)
def test_what_weights_expect(metadata: dict[str, str], state: tuple[str, ...], expected: Preprocessing) -> None:
    tensors = {name: torch.zeros(1) for name in state}
    assert weights.preprocessing_of(metadata, "mobilenetv2_100", tensors) == expected
