"""Bodies, hyperparameters, environment keys and handlers without a server: tables of given -> expected."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tobo.frameworks import arguments, encoding, environments, find_framework


def npy(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(values))
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ("[[1, 2], [3, 4]]", "application/json", [[1, 2], [3, 4]]),
        ("1,2\n3,4\n", "text/csv", [[1.0, 2.0], [3.0, 4.0]]),
        ("1,2", "text/csv; charset=utf-8", [1.0, 2.0]),
        (npy([[5]]), "application/x-npy", [[5]]),
    ],
)
def test_bodies_become_arrays(body: str | bytes, content_type: str, expected: Any) -> None:
    assert encoding.decode(body, content_type).tolist() == expected


@pytest.mark.parametrize(
    ("prediction", "accept", "body", "content_type"),
    [
        (np.array([1.5, 2]), "application/json", b"[1.5, 2.0]", "application/json"),
        ({"label": np.int64(3)}, "application/json", b'{"label": 3}', "application/json"),
        (np.array([1, 2]), "text/csv", b"1\n2\n", "text/csv"),
        (np.array([[1, 2], [3, 4]]), "image/png, text/csv;q=0.5", b"1,2\n3,4\n", "text/csv"),
        (["ok", "ko"], "text/csv", b"ok\nko\n", "text/csv"),
        (np.zeros((1, 2, 2)), "text/csv", b"0.0,0.0,0.0,0.0\n", "text/csv"),
    ],
)
def test_predictions_become_bodies(prediction: Any, accept: str, body: bytes, content_type: str) -> None:
    assert encoding.encode(prediction, accept) == (body, content_type)


def test_npy_goes_out_as_it_came_in() -> None:
    body, content_type = encoding.encode([[1, 2]], "application/x-npy")
    assert content_type == "application/x-npy" and np.load(io.BytesIO(body)).tolist() == [[1, 2]]


def test_pickles_do_not_come_in() -> None:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        encoding.decode(file.getvalue(), "application/x-npy")


@pytest.mark.parametrize(
    ("value", "text"),
    [("plain", "plain"), ("007", "007"), (7, "7"), (True, "true"), ({"b": 1, "a": None}, '{"a":null,"b":1}')],
)
def test_variables(value: Any, text: str) -> None:
    assert arguments.variables({"hp_x": arguments.decode_value(json.dumps(value))}) == {"SM_HP_X": text}


def test_sagemakers_own_hyperparameters_are_no_arguments() -> None:
    given = {
        "sagemaker_program": '"a.py"',
        "sagemaker_mpi_enabled": "true",
        "_tuning_objective_metric": '"x"',
        "lr": "0.1",
    }
    decoded = arguments.decode(given)
    assert arguments.users(decoded) == {"lr": 0.1}
    assert arguments.framework_parameters(decoded) == {"sagemaker_mpi_enabled": True}


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3", "scikit-learn"),
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.1@sha256:0", "PyTorch"),
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference-graviton:2.1", "PyTorch"),
        ("huggingface-pytorch-training:1", "Hugging Face"),
        ("tensorflow-inference:2.14", "TensorFlow"),
        ("mxnet-training:1.9", "MXNet"),
        ("sagemaker-base-python-310:1.0", "Python"),
        ("xgboost:1", None),
        ("image-classification:1", None),
    ],
)
def test_repositories_mean_frameworks(uri: str, name: str | None) -> None:
    found = find_framework(uri)
    assert (found.name if found else None) == name


def test_an_environments_key_is_what_would_be_installed(tmp_path: Path) -> None:
    requirements, further, wheel = (tmp_path / name for name in ("requirements.txt", "more.txt", "own.whl"))
    requirements.write_text("-r more.txt\nnumpy\n")
    further.write_text("./own.whl\n")
    wheel.write_bytes(b"1")

    def key(framework: str = "PyTorch", owner: str = "1", **environment: str) -> str:
        return environments.key(requirements, framework, owner, environment)

    first = key(HOME="/anywhere")
    assert first == key() and first not in (key("Python"), key(owner="2"), key(PIP_INDEX_URL="https://index"))
    wheel.write_bytes(b"2")
    second = key()
    further.write_text("# nothing\n")
    assert len({first, second, key()}) == 3
    (tmp_path / "endless").symlink_to("/dev/zero")
    requirements.write_text("endless\n../outside\n/etc/hostname\n")
    assert key() != first


def test_models_of_one_process_have_their_own_modules(tmp_path: Path) -> None:
    serving = """
import helper
def model_fn(folder): return helper.VALUE
def transform_fn(model, data, content_type, accept): return f"{model} {helper.VALUE} {data}"
"""
    for name in ("a", "b"):
        code = tmp_path / name / "code"
        code.mkdir(parents=True)
        (code / "inference.py").write_text(serving)
        (code / "helper.py").write_text(f"VALUE = {name!r}")
    program = """
import sys
from pathlib import Path
from tobo.frameworks.handler import handler
from tobo.inference.invocations import Request
models = [handler(Path(folder)) for folder in sys.argv[1:]]
print([model(Request(b"[]", "application/json", "*/*", "")).body for model in (*models, *models)])
"""
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a"), str(tmp_path / "b")], capture_output=True, text=True
    )
    assert told.stdout == "[b'a a []', b'b b []', b'a a []', b'b b []']\n", told.stderr
