"""Serving code of the user at endpoints: the four functions, transform_fn, streams, and every way that it goes wrong."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.endpoints import await_endpoint, variant
from tests.support.own_code import PYTHON, make_model, packed, put

pytestmark = pytest.mark.xdist_group("own-code")

FUNCTIONS = """
import json, os, pathlib


def model_fn(model_dir):
    return float(pathlib.Path(model_dir, "factor.txt").read_text())


def input_fn(body, content_type):
    if content_type == "text/csv":
        return [float(part) for part in body.split(",")]
    if content_type == "application/x-raw":
        assert isinstance(body, bytes)
        return list(body)
    raise ValueError(f"no {content_type} here")


def predict_fn(data, model, context):
    if 13 in data:
        raise RuntimeError(f"13 is unlucky in {context.system_properties['model_dir'][-5:]}")
    return [model * value for value in data]


def output_fn(prediction, accept):
    if accept == "application/x-header":
        return json.dumps(os.environ["SAGEMAKER_PROGRAM"]), "text/x-program"
    if accept == "application/x-garbage":
        return {"not": "bytes"}
    return json.dumps(prediction)
"""


def deployed(server: Server, name: str, files: dict[str, str], **environment: str) -> dict[str, Any]:
    """The endpoint's description when it is no longer Creating."""
    sagemaker = server.client("sagemaker")
    address = put(server, "own-code", f"{name}/model.tar.gz", packed(files))
    make_model(server, name, PYTHON, address, Environment=environment)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant(name)])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return await_endpoint(server, name)


def invoke(server: Server, name: str, body: bytes, content_type: str, accept: str = "*/*") -> tuple[bytes, str]:
    asked = {"EndpointName": name, "Body": body, "ContentType": content_type, "Accept": accept}
    answer = server.client("sagemaker-runtime").invoke_endpoint(**asked)
    return answer["Body"].read(), answer["ContentType"]


@pytest.fixture(scope="module")
def functions(server: Server) -> Iterator[str]:
    files = {"factor.txt": "2", "code/serve_it.py": FUNCTIONS}
    environment = {"SAGEMAKER_PROGRAM": "serve_it.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    described = deployed(server, "functions", files, **environment)
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    yield "functions"
    server.client("sagemaker").delete_endpoint(EndpointName="functions")


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "expected"),
    [
        (b"1,2", "text/csv", "*/*", (b"[2.0, 4.0]", "application/json")),
        (b"\x01\xff", "application/x-raw", "application/json", (b"[2.0, 510.0]", "application/json")),
        (b"1", "text/csv", "application/x-header", (b'"serve_it.py"', "text/x-program")),
    ],
)
def test_the_functions_are_called(
    server: Server, functions: str, body: bytes, content_type: str, accept: str, expected: tuple[bytes, str]
) -> None:
    assert invoke(server, functions, body, content_type, accept) == expected


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "sentence"),
    [
        (b"13", "text/csv", "*/*", "13 is unlucky in model"),
        (b"1", "image/png", "*/*", "no image/png here"),
        (b"1", "text/csv", "application/x-garbage", "output_fn gave a dict; it must give bytes or str, or a pair"),
        (b"a", "text/csv", "*/*", "could not convert string to float: 'a'"),
    ],
)
def test_what_the_users_code_raises_reaches_the_caller(
    server: Server, functions: str, body: bytes, content_type: str, accept: str, sentence: str
) -> None:
    with pytest.raises(ClientError) as refused:
        invoke(server, functions, body, content_type, accept)
    assert refused.value.response["OriginalStatusCode"] == 500
    assert sentence in refused.value.response["OriginalMessage"]


@pytest.mark.parametrize(
    ("name", "files", "reason"),
    [
        (
            "lacks-model-fn",
            {"code/inference.py": "", "weights.bin": "1"},
            "The serving code defines no model_fn(model_dir), which must load the model; there is code, weights.bin.",
        ),
        ("cannot-load", {"code/inference.py": "def model_fn(d): raise OSError('no weights')"}, "OSError: no weights"),
        ("cannot-import", {"code/inference.py": "import no_such_module_here"}, "No module named 'no_such_module_here'"),
        (
            "no-program",
            {"code/other.py": ""},
            "There is no inference.py in code/, which serves the model; it holds other.py",
        ),
        (
            "both",
            {
                "code/inference.py": "def model_fn(d): pass\ndef input_fn(a, b): pass\ndef transform_fn(a, b, c, d): pass"
            },
            "defines transform_fn and input_fn; transform_fn takes their place: keep one",
        ),
        ("exits", {"code/inference.py": "import os; os._exit(9)"}, "Exited with code 9"),
    ],
)
def test_a_model_that_cannot_be_served_says_why(server: Server, name: str, files: dict[str, str], reason: str) -> None:
    described = deployed(server, name, files)
    assert described["EndpointStatus"] == "Failed" and reason in described["FailureReason"], described
    server.client("sagemaker").delete_endpoint(EndpointName=name)


def test_transform_fn_alone_and_a_stream(server: Server) -> None:
    serving = """
def model_fn(model_dir, context):
    return context.system_properties["model_dir"]


def transform_fn(model, data, content_type, accept):
    if accept == "text/event-stream":
        return (f"part {number} of {data}\\n" for number in range(3)), accept
    return data[::-1], "text/plain"
"""
    described = deployed(server, "transforms", {"code/inference.py": serving})
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    assert invoke(server, "transforms", '"häuser"'.encode(), "application/json") == ('"resuäh"'.encode(), "text/plain")
    expected = b"part 0 of [1]\npart 1 of [1]\npart 2 of [1]\n"
    assert invoke(server, "transforms", b"[1]", "application/json", "text/event-stream")[0] == expected
    server.client("sagemaker").delete_endpoint(EndpointName="transforms")


def test_serving_code_of_s3_and_an_unpacked_model(server: Server) -> None:
    """SAGEMAKER_SUBMIT_DIRECTORY as SDK 2.x sends it for scikit-learn; ModelDataSource without an archive."""
    sagemaker = server.client("sagemaker")
    source = put(server, "own-code", "from-s3/sourcedir.tar.gz", packed({"serve_it.py": FUNCTIONS}))
    put(server, "own-code", "from-s3/model/factor.txt", "3")
    data = {"S3Uri": "s3://own-code/from-s3/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {
        "Image": PYTHON,
        "ModelDataSource": {"S3DataSource": data},
        "Environment": {"SAGEMAKER_PROGRAM": "serve_it.py", "SAGEMAKER_SUBMIT_DIRECTORY": source},
    }
    role = "arn:aws:iam::111122223333:role/any"
    sagemaker.create_model(ModelName="from-s3", ExecutionRoleArn=role, PrimaryContainer=container)
    sagemaker.create_endpoint_config(EndpointConfigName="from-s3", ProductionVariants=[variant("from-s3")])
    sagemaker.create_endpoint(EndpointName="from-s3", EndpointConfigName="from-s3")
    described = await_endpoint(server, "from-s3")
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    assert json.loads(invoke(server, "from-s3", b"1,2", "text/csv")[0]) == [3.0, 6.0]
    sagemaker.delete_endpoint(EndpointName="from-s3")
    container["Environment"] = {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://own-code/no/such.tar.gz"}
    with pytest.raises(ClientError, match="Could not find the serving code at s3://own-code/no"):
        sagemaker.create_model(ModelName="from-s3-gone", ExecutionRoleArn=role, PrimaryContainer=container)
