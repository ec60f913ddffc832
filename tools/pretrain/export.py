"""Writes a trained backbone as safetensors: fp16, without classifier, with what it expects and how it was made."""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save

LICENCE = "Apache-2.0"


def export(checkpoint: Path, file: Path) -> str:
    """Writes `file` from a trainer's checkpoint; its sha256. The metadata's `mean` and `deviation` are of x / 255."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    tensors = {
        name: value.half().contiguous()
        for name, value in state["network"].items()
        if not name.startswith("classifier.") and not name.endswith("num_batches_tracked")
    }
    plan, cache = state["plan"], state["cache"]
    metadata = {
        "architecture": "mobilenetv2_100",
        "source": "pictures drawn by formula (tools/pretrain)",
        "licence": LICENCE,
        "mean": "0.5,0.5,0.5",
        "deviation": "0.5,0.5,0.5",
        "padding": "symmetric",
        "formulas": str(cache["formulas"]),
        "classes": str(cache["classes"]),
        "pictures": str(cache["classes"] * cache["per_class"]),
        "seed": f"{cache['seed']},{plan['seed']}",
        "start": plan["start"],
        "steps": str(state["step"]),
        "batch": str(plan["batch"]),
        "size": f"{plan['size']},{plan['late_size']}",
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(ordered(save(tensors, metadata)))
    return hashlib.sha256(file.read_bytes()).hexdigest()


def ordered(data: bytes) -> bytes:
    """The same file with its metadata sorted: the library writes them in any order, and a hash has to be one.

    A file is the header's length (8 bytes, little endian), the header as JSON padded to 8 bytes, the tensors' bytes.
    """
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[end:]


def main() -> None:
    parser = argparse.ArgumentParser(description="Export a checkpoint's backbone.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("file", type=Path)
    asked = parser.parse_args()
    print(f"{export(asked.checkpoint, asked.file)}  {asked.file}  {asked.file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
