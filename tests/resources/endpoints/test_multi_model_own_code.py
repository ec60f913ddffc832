"""Several models and answers in parts with the user's own serving code."""

from tests.conftest import Server
from tests.support.clients import client
from tests.support.endpoints import await_endpoint, variant
from tests.support.jobs import ROLE
from tests.support.own_code import PYTHON, packed
from tests.support.unique import unique

CODE = """
import os
from saying import SAID
def model_fn(model_dir):
    with open(os.path.join(model_dir, "name")) as file:
        return file.read()
def input_fn(body, content_type):
    return body.decode().split()
def predict_fn(words, model):
    return ((f"{SAID} {model} {word}. ") for word in words)
def output_fn(sentences, accept):
    return (sentence for sentence in sentences)
"""


def test_models_bring_their_own_code_and_answer_in_parts(server: Server) -> None:
    own_models = unique("own-models")
    s3, sagemaker = client(server, "s3"), client(server, "sagemaker")
    s3.create_bucket(Bucket=own_models)
    for name in ("ada", "bob"):
        files = {"name": name, "code/inference.py": CODE, "code/saying.py": f"SAID = 'I, {name.upper()},'"}
        s3.put_object(Bucket=own_models, Key=f"{name}.tar.gz", Body=packed(files))
    container = {"Image": PYTHON, "Mode": "MultiModel", "ModelDataUrl": f"s3://{own_models}/"}
    sagemaker.create_model(ModelName=own_models, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    sagemaker.create_endpoint_config(EndpointConfigName=own_models, ProductionVariants=[variant(own_models)])
    sagemaker.create_endpoint(EndpointName=own_models, EndpointConfigName=own_models)
    described = await_endpoint(server, own_models)
    assert described["EndpointStatus"] == "InService", described
    runtime = client(server, "sagemaker-runtime")
    asked = {"EndpointName": own_models, "ContentType": "text/plain", "Body": b"run jump"}
    for name in ("ada", "bob", "ada"):
        answer = runtime.invoke_endpoint(TargetModel=f"{name}.tar.gz", **asked)
        expected = [f"I, {name.upper()}, {name} run. ", f"I, {name.upper()}, {name} jump. "]
        assert answer["Body"].read().decode() == "".join(expected)
    sagemaker.delete_endpoint(EndpointName=own_models)


def test_own_code_streams(server: Server) -> None:
    own_parts = unique("own-parts")
    s3, sagemaker = client(server, "s3"), client(server, "sagemaker")
    s3.create_bucket(Bucket=own_parts)
    files = {"name": "eve", "code/inference.py": CODE, "code/saying.py": "SAID = 'I,'"}
    s3.put_object(Bucket=own_parts, Key="model.tar.gz", Body=packed(files))
    container = {"Image": PYTHON, "ModelDataUrl": f"s3://{own_parts}/model.tar.gz"}
    sagemaker.create_model(ModelName=own_parts, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    sagemaker.create_endpoint_config(EndpointConfigName=own_parts, ProductionVariants=[variant(own_parts)])
    sagemaker.create_endpoint(EndpointName=own_parts, EndpointConfigName=own_parts)
    await_endpoint(server, own_parts)
    answer = client(server, "sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName=own_parts, ContentType="text/plain", Body=b"run jump"
    )
    assert [event["PayloadPart"]["Bytes"] for event in answer["Body"]] == [b"I, eve run. ", b"I, eve jump. "]
    sagemaker.delete_endpoint(EndpointName=own_parts)
