"""The functions that serve where the user's code has none: scikit-learn's, and every framework's without own ones.

A defaults module has `model_fn`, `input_fn`, `predict_fn` and `output_fn` as the user's own module would have them
(SageMaker Python SDK, "Using Scikit-learn": "Serve a Model"); scikit-learn has no default `model_fn`.
"""

from pathlib import Path
from typing import Any

import numpy as np

from tobo.frameworks import encoding
from tobo.kit.guest import UserError


def model_fn(model_dir: str) -> Any:
    """Raises UserError: only the user knows how the model was saved."""
    there = ", ".join(sorted(path.name for path in Path(model_dir).iterdir())) or "nothing"
    raise UserError(f"The serving code defines no model_fn(model_dir), which must load the model; there is {there}.")


def input_fn(body: str | bytes, content_type: str) -> Any:
    """Arrays of JSON, CSV, npy; sparse matrices of npz; other content types are UnsupportedType."""
    data = encoding.decode(body, content_type)
    return data if encoding.bare(content_type) in encoding.TEXTS else data.astype(np.float32)


def predict_fn(data: Any, model: Any) -> Any:
    """`model.predict`; a flat array, as one line or one column of CSV gives it, becomes rows of the model's width."""
    if getattr(data, "ndim", 2) < 2:
        data = np.asarray(data).reshape(-1, getattr(model, "n_features_in_", max(1, np.size(data))))
    return model.predict(data)


def output_fn(prediction: Any, accept: str) -> tuple[bytes, str]:
    """JSON, CSV or npy; other types are UnsupportedType."""
    return encoding.encode(prediction, accept)
