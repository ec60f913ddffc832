"""Bodies to arrays and back, as AWS's framework containers read and write them without functions of the user.

Content types and forms are those of sagemaker-inference-toolkit 1.10 (its `decoder` and `encoder` modules).
"""

import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt

JSON, CSV, NPY, NPZ, ANY = "application/json", "text/csv", "application/x-npy", "application/x-npz", "*/*"
TEXTS = (JSON, CSV)
"""Their bodies reach input_fn as str, others as bytes."""


class UnsupportedType(Exception):
    """A content type that nothing here reads (415) or writes (406); `status` says which."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def bare(content_type: str) -> str:
    """`Text/CSV; charset=utf-8` -> `text/csv`."""
    return content_type.partition(";")[0].strip().lower()


def decode(body: str | bytes, content_type: str) -> Any:
    """An array; CSV and JSON as they come, npz as a scipy.sparse matrix. Raises UnsupportedType, ValueError."""
    match bare(content_type):
        case "application/json":
            return np.array(json.loads(body))
        case "text/csv":
            return np.genfromtxt(io.StringIO(text(body)), delimiter=",")
        case "application/x-npy":
            return np.load(io.BytesIO(raw(body)), allow_pickle=False)
        case "application/x-npz":
            import scipy.sparse  # a second that only its users should pay

            return scipy.sparse.load_npz(io.BytesIO(raw(body)))
    raise UnsupportedType(
        415, f"Content type '{content_type}' is not read here; send {JSON}, {CSV} or {NPY}, or define input_fn."
    )


def encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    """The body and its content type, the first of `accept` that can be written. Raises UnsupportedType."""
    for wanted in map(bare, accept.split(",")):
        match wanted:
            case "application/json":
                return json.dumps(prediction, default=_plain).encode(), JSON
            case "text/csv":
                file = io.StringIO()
                np.savetxt(file, _two_dimensional(prediction), delimiter=",", fmt="%s")
                return file.getvalue().encode(), CSV
            case "application/x-npy":
                data = io.BytesIO()
                np.save(data, np.asarray(prediction), allow_pickle=False)
                return data.getvalue(), NPY
    raise UnsupportedType(
        406, f"Accept '{accept}' cannot be given; ask for {JSON}, {CSV} or {NPY}, or define output_fn."
    )


def text(body: str | bytes) -> str:
    return body if isinstance(body, str) else body.decode()


def raw(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode()


def _plain(value: Any) -> Any:
    """What JSON knows of an array or a number of numpy's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"output_fn is needed: a {type(value).__name__} cannot be written as JSON")


def _two_dimensional(prediction: Any) -> npt.NDArray[Any]:
    """One prediction a line."""
    array = np.asarray(prediction)
    return array.reshape(array.shape[0], -1) if array.ndim > 2 else np.atleast_1d(array)
