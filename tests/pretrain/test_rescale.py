"""Rescaled weights: another size, the same features, in every block."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tools.pretrain.rescale import FACTORS, rescale, rescaled

from tobo.algorithms.image_classification.models.mobilenet_v2 import MobileNetV2


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """A backbone whose statistics are those of what it has seen."""
    torch.manual_seed(1)
    network = MobileNetV2(3, 1)
    with torch.no_grad():
        for _ in range(20):
            network(torch.rand(4, 3, 64, 64) * 2 - 1)
    return {name: value for name, value in network.state_dict().items() if value.ndim and "classifier" not in name}


def features(state: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    network = MobileNetV2(3, 1)
    network.load_state_dict({name: value.float() for name, value in state.items()}, strict=False)
    torch.manual_seed(0)
    with torch.inference_mode():
        return network.eval().features(torch.rand(2, 3, 64, 64) * 2 - 1)


ALL = {"conv_stem": 2.0, "conv_pw": 0.125, "conv_dw": 3.0, "conv_pwl": 0.5, "conv_head": 0.7}


@pytest.mark.parametrize(("factors", "count"), [(FACTORS, 17), (ALL, 52)])
def test_the_weights_get_their_factor_and_the_features_stay(
    state: dict[str, torch.Tensor], factors: dict[str, float], count: int
) -> None:
    changed = rescaled(state, factors)
    convolutions = [name for name in state if state[name].ndim == 4]
    for name in convolutions:
        factor = factors.get(name.removesuffix(".weight").rpartition(".")[2], 1.0)
        assert torch.allclose(changed[name], state[name] * factor)
    assert len(convolutions) == 52 and changed.keys() == state.keys()
    assert sum(not torch.equal(state[name], changed[name]) for name in convolutions) == count
    for one, two in zip(features(state), features(changed), strict=True):
        assert torch.allclose(one, two, atol=1e-3 * float(one.abs().max()))


def test_a_rescaled_file_says_so_and_is_the_same_twice(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    file, one, two = (tmp_path / f"{name}.safetensors" for name in ("exported", "one", "two"))
    save_file({name: value.half() for name, value in state.items()}, file, {"architecture": "mobilenetv2_100"})
    digest = rescale(file, one)
    assert digest == hashlib.sha256(one.read_bytes()).hexdigest() == rescale(file, two)
    assert one.stat().st_size <= 5_000_000
    with safe_open(one, "pt") as opened:
        said = opened.metadata()
    assert said["architecture"] == "mobilenetv2_100" and said["rescaled"] == '{"conv_pw": 0.25}'
    written = load_file(one)
    assert {value.dtype for value in written.values()} == {torch.float16}
    for before, after in zip(features(state), features(written), strict=True):
        assert torch.allclose(before, after, atol=0.02 * float(before.abs().max()))
