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

FACTORS = {"conv_pw": 0.25}
"""By the convolution's name: those that expand (the first block's, which does not, among them)."""

_NORMS = {"conv_stem": "bn1", "conv_pw": "bn1", "conv_dw": "bn2", "conv_pwl": "bn3", "conv_head": "bn2"}
_FIRST_NORMS = {"conv_dw": "bn1", "conv_pw": "bn2"}
"""The normalisation behind each, in the first block and elsewhere."""
_EPS = torch.nn.BatchNorm2d(1).eps


def rescaled(state: dict[str, Tensor], factors: dict[str, float]) -> dict[str, Tensor]:
    """float32 tensors under the same names, the convolutions' weights times their name's factor."""
    found = {name: value.float() for name, value in state.items()}
    for name in state:
        place, _, convolution = name.removesuffix(".weight").rpartition(".")
        if convolution not in factors:
            continue
        norm = (_FIRST_NORMS if place == "blocks.0.0" else _NORMS)[convolution]
        mean, variance = (f"{place}.{norm}.running_{each}".removeprefix(".") for each in ("mean", "var"))
        factor = factors[convolution]
        found[name] = found[name] * factor
        found[mean] = found[mean] * factor
        found[variance] = ((found[variance] + _EPS) * factor**2 - _EPS).clamp(min=0)  # BatchNorm adds _EPS to it
    return found


def rescale(file: Path, to: Path, factors: dict[str, float] = FACTORS) -> str:
    """Writes an exported backbone anew, fp16; its sha256."""
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata() | {"rescaled": json.dumps(factors)}
    tensors = {name: value.half().contiguous() for name, value in rescaled(load_file(file), factors).items()}
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
