"""Writes the same backbone with weights of another size, so that fine-tuning moves all of its layers.

BatchNorm divides a convolution's scale out, but an optimizer does not: Adam's step is as large for small weights as for
large ones, so the smaller they are the faster they turn (van Laarhoven 2017, arXiv:1706.05350). What a pretraining left
there is chance; here it is chosen. Features, and all that is learned on them frozen, stay as they were.
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from tools.pretrain.export import ordered
from torch import Tensor

SIZES = {"stem": 0.05, "expand": 0.015, "depthwise": 0.25, "project": 0.07, "head": 0.06}
"""Root mean square of the weights, by what the convolution does."""

_PARTS = {
    "conv_stem": ("stem", "bn1"),
    "conv_pw": ("expand", "bn1"),
    "conv_dw": ("depthwise", "bn2"),
    "conv_pwl": ("project", "bn3"),
    "conv_head": ("head", "bn2"),
}
"""Convolution -> what it does, and the normalisation behind it."""
_FIRST_PARTS = {"conv_dw": ("depthwise", "bn1"), "conv_pw": ("project", "bn2")}
"""The first block expands nothing."""
_EPS = torch.nn.BatchNorm2d(1).eps


def rescaled(state: dict[str, Tensor], sizes: dict[str, float]) -> dict[str, Tensor]:
    """float32 tensors under the same names; each convolution's root mean square is its part's in `sizes`."""
    found = {name: value.float() for name, value in state.items()}
    for name in state:
        place, _, convolution = name.removesuffix(".weight").rpartition(".")
        parts = _FIRST_PARTS if place == "blocks.0.0" else _PARTS
        if convolution not in parts:
            continue
        part, norm = parts[convolution]
        mean, variance = (f"{place}.{norm}.running_{each}".removeprefix(".") for each in ("mean", "var"))
        factor = sizes[part] / found[name].square().mean().sqrt()
        found[name] = found[name] * factor
        found[mean] = found[mean] * factor
        found[variance] = ((found[variance] + _EPS) * factor**2 - _EPS).clamp(min=0)  # BatchNorm adds _EPS to it
    return found


def rescale(file: Path, to: Path, sizes: dict[str, float] = SIZES) -> str:
    """Writes an exported backbone anew, fp16; its sha256."""
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata() | {"sizes": json.dumps(sizes)}
    tensors = {name: value.half().contiguous() for name, value in rescaled(load_file(file), sizes).items()}
    to.write_bytes(ordered(save(tensors, metadata)))
    return hashlib.sha256(to.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description="Rescale an exported backbone for fine-tuning.")
    parser.add_argument("file", type=Path)
    parser.add_argument("to", type=Path)
    asked = parser.parse_args()
    print(f"{rescale(asked.file, asked.to)}  {asked.to}  {asked.to.stat().st_size} bytes")


if __name__ == "__main__":
    main()
