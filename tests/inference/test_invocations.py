"""POST /invocations for pictures, with a real small graph: the mean colour, softmaxed."""

import io
import json

import pytest
from PIL import Image

from tobo.inference.invocations import Handler, Request, accepted_type, picture_handler

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def handler(tmp_path_factory: pytest.TempPathFactory) -> Handler:
    folder = tmp_path_factory.mktemp("model")
    helper, number = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Cast", ["pictures"], ["floats"], to=number.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("Softmax", ["means"], ["scores"], axis=1),
    ]
    pictures = helper.make_tensor_value_info("pictures", number.UINT8, ["n", "h", "w", 3])
    scores = helper.make_tensor_value_info("scores", number.FLOAT, ["n", 3])
    graph = helper.make_graph(nodes, "mean", [pictures], [scores])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "model.onnx"
    )
    (folder / "labels.json").write_text('["red", "green", "blue"]')
    return picture_handler(folder)


def picture(form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (0, 200, 0)).save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("image/png", "PNG"),
        ("image/jpeg", "JPEG"),
        ("application/x-image", "PNG"),
        ("IMAGE/PNG; q=1", "PNG"),
    ],
)
def test_a_picture_gives_a_list_of_probabilities(handler: Handler, content_type: str, form: str) -> None:
    response = handler(Request(picture(form), content_type, "*/*", ""))
    assert (response.status, response.content_type) == (200, "application/json")
    scores = json.loads(response.body)
    assert len(scores) == 3
    assert sum(scores) == pytest.approx(1.0)
    assert scores[1] > 0.99


def test_json_lines_give_a_prediction(handler: Handler) -> None:
    response = handler(Request(picture(), "image/png", "application/jsonlines", ""))
    assert response.content_type == "application/jsonlines"
    assert response.body.endswith(b"\n")
    assert len(json.loads(response.body)["prediction"]) == 3


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "sentence"),
    [
        (b"1,2", "text/csv", "*/*", 415, "Content type 'text/csv' is not served; send one of image/jpeg"),
        (b"", "image/png", "*/*", 400, "The picture is empty (0 bytes)."),
        (b"not a picture", "image/png", "*/*", 400, "The picture is not a picture in a known format"),
        (picture()[:50], "image/png", "*/*", 400, "The picture is truncated or damaged"),
        (picture(), "image/png", "text/csv", 406, "Accept 'text/csv' cannot be given; ask for application/json"),
    ],
)
def test_refusals(handler: Handler, body: bytes, content_type: str, accept: str, status: int, sentence: str) -> None:
    response = handler(Request(body, content_type, accept, ""))
    assert response.status == status
    assert response.body.decode().startswith(sentence)


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("Application/JSONLines", "application/jsonlines"),
        ("text/csv, application/jsonlines;q=0.5", "application/jsonlines"),
        ("text/csv", None),
    ],
)
def test_accept(accept: str, given: str | None) -> None:
    assert accepted_type(accept) == given
