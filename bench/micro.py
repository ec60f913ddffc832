"""Parts of a request in this process: checking a CreateTrainingJob, verifying a signature; botocore's own beside them."""

import hashlib
import time
from collections.abc import Callable
from email.parser import BytesHeaderParser

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

from bench.client import REGION, signed
from bench.rows import Row
from tobo.gateway.signature import check_signature, check_signed_headers, read_claim
from tobo.kit.sigv4 import signing_key
from tobo.wire.checking import check
from tobo.wire.models import operation_model

ASKED = {
    "TrainingJobName": "marbles-1",
    "AlgorithmSpecification": {"TrainingImage": "image-classification:1", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole",
    "InputDataConfig": [
        {
            "ChannelName": channel,
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://marbles/{channel}/"}},
            "ContentType": "application/x-image",
        }
        for channel in ("train", "validation", "train_lst", "validation_lst")
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://marbles/output"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "HyperParameters": {"num_classes": "2", "num_training_samples": "640", "epochs": "6", "num_layers": "18"},
    "Tags": [{"Key": "team", "Value": "marbles"}],
}


def run() -> list[Row]:
    operation = operation_model("sagemaker", "CreateTrainingJob")
    shape = operation.input_shape
    assert shape is not None
    validator = ParamValidator()
    body = b"{}"
    keys = ("AKIDEXAMPLE", "secret")
    headers = _headers(signed("http://127.0.0.1:8626", keys, "sagemaker", "POST", "/", body))

    def verify() -> None:
        claim = read_claim(headers, "")
        check_signed_headers(claim, headers)
        key = signing_key(keys[1], claim.date, claim.region, claim.service)
        check_signature(key, claim, "POST", "/", "", headers, hashlib.sha256(body).hexdigest())

    def sign() -> None:
        request = AWSRequest("POST", "http://127.0.0.1:8626/", {}, body)
        SigV4Auth(Credentials(*keys), "sagemaker", REGION).add_auth(request)

    return [
        Row(
            "check a CreateTrainingJob",
            _microseconds(lambda: check(operation, ASKED)),
            "CPU-us",
            "botocore ParamValidator",
            _microseconds(lambda: validator.validate(ASKED, shape)),
            aim_ratio=1.0,
        ),
        Row("verify a signature", _microseconds(verify), "CPU-us", "botocore SigV4Auth, signing", _microseconds(sign)),
    ]


def _headers(request: bytes) -> dict[str, str]:
    head = request.partition(b"\r\n")[2]
    return {name.lower(): value for name, value in BytesHeaderParser().parsebytes(head).items()}


def _microseconds(deed: Callable[[], object], times: int = 2000) -> float:
    """The best of three rounds."""
    found = []
    for _ in range(3):
        begin = time.process_time()
        for _ in range(times):
            deed()
        found.append((time.process_time() - begin) * 1e6 / times)
    return min(found)
