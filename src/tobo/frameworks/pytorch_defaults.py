"""PyTorch's defaults: a TorchScript model, tensors of JSON, CSV or npy (SageMaker Python SDK, "Using PyTorch": "Serve a PyTorch Model")."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from tobo.frameworks import encoding
from tobo.kit.guest import UserError


def model_fn(model_dir: str) -> Any:
    """The TorchScript module of `model.pt`, or of the only .pt or .pth file. Raises UserError where there is none."""
    folder = Path(model_dir)
    found = [folder / "model.pt"] if (folder / "model.pt").is_file() else [*folder.glob("*.pt"), *folder.glob("*.pth")]
    if len(found) != 1:
        there = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise UserError(f"There is no TorchScript model.pt among {there}; save one, or define model_fn(model_dir).")
    try:
        return torch.jit.load(str(found[0]), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise UserError(
            f"{found[0].name} is no TorchScript module ({str(error).splitlines()[0]}); define model_fn(model_dir)."
        ) from None


def input_fn(body: str | bytes, content_type: str) -> torch.Tensor:
    """A tensor: float32 of JSON and CSV, the array's own type of npy; other content types are UnsupportedType."""
    data = encoding.decode(body, content_type)
    if encoding.bare(content_type) in encoding.TEXTS:
        data = np.asarray(data, np.float32)
    return torch.from_numpy(data)


def predict_fn(data: torch.Tensor, model: Any) -> Any:
    """The module's answer, without gradients."""
    with torch.no_grad():
        return model(data)


def output_fn(prediction: Any, accept: str) -> tuple[bytes, str]:
    """JSON, CSV or npy; other types are UnsupportedType."""
    if isinstance(prediction, torch.Tensor):
        prediction = prediction.detach().cpu().numpy()
    return encoding.encode(prediction, accept)
