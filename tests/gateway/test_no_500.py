"""Robustness: thousands of random requests, valid and invalid by the AWS models, and none is answered with a 500.

They go through the real ASGI application and the real house, in this process. What is random is drawn by hypothesis, so
that a failure is shown in its smallest form.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape
from botocore.serialize import create_serializer
from botocore.utils import percent_encode_sequence
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tobo import app, resources
from tobo.gateway.account import first_account
from tobo.gateway.door import Door
from tobo.operations.registry import TABLE
from tobo.settings import Settings
from tobo.wire.models import operation_model, service_model

SERVICES: Mapping[str, str] = {
    "sagemaker": "sagemaker",
    "sagemaker-runtime": "sagemaker",
    "s3": "s3",
    "sts": "sts",
    "iam": "iam",
    "logs": "logs",
    "cloudwatch": "monitoring",
    "application-autoscaling": "application-autoscaling",
}
"""Service -> the name it is signed for."""

EXAMPLES = 10_000

ENDLESS = {("logs", "StartLiveTail")}
"""Answers for as long as the client listens."""

NAMES = (
    "bucket-a",
    "bucket-b",
    "a",
    "job-1",
    "AmazonSageMaker-ExecutionRole",
    "/aws/sagemaker/TrainingJobs",
    "AllTraffic",
)
"""Some of them exist: so that random requests come further than to the first look-up."""

ARNS = ("arn:aws:iam::111122223333:role/service-role/r", "arn:aws:sagemaker:us-east-1:111122223333:model/a", "a" * 20)
URIS = ("s3://bucket-a/a", "s3://bucket-b", "s3://none/x")

ODD: tuple[Any, ...] = (
    None,
    "",
    "x" * 300,
    "\x00",
    "../..",
    "ü日本",
    -1,
    2**70,
    1.5,
    True,
    [],
    {},
    [[]],
    {"a": None},
    b"\xff",
)


class House:
    """The application in this process, and how to ask it."""

    def __init__(self, state: Path) -> None:
        self.settings = first_account(Settings(state=state, warm=False))
        self.context, _ = app.build(self.settings)
        (state / "tmp").mkdir()
        self.pool = ThreadPoolExecutor(4)
        self.door = Door(self.context, state / "tmp", self.pool)
        self.loop = asyncio.new_event_loop()
        self.statuses: Counter[int] = Counter()
        assert self.settings.root_access_key_id is not None and self.settings.root_secret_access_key is not None
        self.credentials = Credentials(self.settings.root_access_key_id, self.settings.root_secret_access_key)

    def ask(self, signing_name: str, method: str, target: str, headers: Mapping[str, Any], body: bytes) -> int:
        """The status of the answer to this request, properly signed."""
        url = f"http://127.0.0.1:8626{target}"
        request = AWSRequest(method, url, {name: str(value) for name, value in headers.items()}, body)
        auth = S3SigV4Auth if signing_name == "s3" else SigV4Auth
        auth(self.credentials, signing_name, "us-east-1").add_auth(request)
        sent = {name.lower(): str(value) for name, value in request.headers.items()} | {"host": "127.0.0.1:8626"}
        split = urlsplit(request.url)
        scope = {
            "type": "http",
            "method": method,
            "raw_path": split.path.encode("latin-1", "replace"),
            "query_string": split.query.encode("latin-1", "replace"),
            "headers": [
                (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in sent.items()
            ],
        }
        return self.loop.run_until_complete(self._ask(scope, body))

    async def _ask(self, scope: dict[str, Any], body: bytes) -> int:
        answered: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])

        await asyncio.wait_for(self.door(scope, receive, send), 30)
        return answered[0]

    def close(self) -> None:
        self.loop.close()
        self.pool.shutdown()
        for port in (
            self.context.hosting,
            self.context.compute,
            self.context.metrics,
            self.context.objects,
            self.context.store,
        ):
            port.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    found = House(tmp_path_factory.mktemp("house") / "state")
    for bucket in ("bucket-a", "bucket-b"):
        assert found.ask("s3", "PUT", f"/{bucket}", {}, b"") == 200
    assert found.ask("s3", "PUT", "/bucket-a/a", {}, b"content") == 200
    yield found
    found.close()


class Maker:
    """Draws a request's members from one number; with `odd` now and then a value that the model forbids."""

    def __init__(self, seed: int, odd: bool) -> None:
        self._random = Random(seed)
        self._odd = odd

    def value(self, shape: Shape, depth: int = 0) -> Any:
        chance = self._random.random
        if self._odd and depth and chance() < 0.1:
            return self._random.choice(ODD)
        if isinstance(shape, StructureShape):
            found = {}
            for name, member in shape.members.items():
                wanted = name in shape.required_members or (depth < 4 and chance() < 0.25)
                if wanted and depth < 9 and not (self._odd and chance() < 0.05):
                    found[name] = self.value(member, depth + 1)
            return found
        if isinstance(shape, ListShape):
            length = min(int(shape.metadata.get("min", 0)) + self._random.randrange(3), 4)
            return [self.value(shape.member, depth + 1) for _ in range(length)]
        if isinstance(shape, MapShape):
            return {
                self.scalar(shape.key): self.value(shape.value, depth + 1) for _ in range(self._random.randrange(3))
            }
        return self.scalar(shape)

    def scalar(self, shape: Shape) -> Any:
        """Within the model's bounds, patterns left aside."""
        kind, draw = shape.type_name, self._random
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if kind in ("integer", "long"):
            return draw.randint(int(low or 0), int(min(high or 10_000, 2**31 - 1)))
        if kind in ("float", "double"):
            return draw.uniform(0, 100)
        if kind == "boolean":
            return draw.random() < 0.5
        if kind == "timestamp":
            return datetime.fromtimestamp(draw.randrange(2**32), UTC)
        if kind == "blob":
            return draw.randbytes(draw.randrange(50))
        if isinstance(shape, StringShape) and shape.enum:
            return draw.choice(shape.enum)
        fitting = ARNS if "Arn" in shape.name else URIS if "Uri" in shape.name else NAMES
        short, long = int(low or 0), int(high or 1000)
        return draw.choice([text for text in fitting if short <= len(text) <= long] or ["a" * max(short, 1)])

    def mangled(self, data: bytes) -> bytes:
        """Some bytes replaced, left out or doubled."""
        for _ in range(self._random.randrange(1, 4)):
            at = self._random.randrange(len(data) + 1)
            data = (
                data[:at] + self._random.randbytes(self._random.randrange(3)) + data[at + self._random.randrange(3) :]
            )
        return data


@dataclass(frozen=True)
class Written:
    """A request in its protocol's bytes."""

    method: str
    target: str
    headers: dict[str, Any]
    body: bytes


def write(operation: OperationModel, members: Mapping[str, Any]) -> Written:
    """As botocore writes it, without its own checks."""
    protocol = operation.service_model.resolved_protocol
    found = create_serializer(protocol, include_validation=False).serialize_to_request(dict(members), operation)
    query = found.get("query_string") or {}
    target = found["url_path"]
    if query:
        target += ("&" if "?" in target else "?") + percent_encode_sequence(query)
    body = found["body"]
    headers = dict(found["headers"])
    if protocol == "query":
        body = percent_encode_sequence(body)
    return Written(found["method"], target, headers, body.encode() if isinstance(body, str) else bytes(body))


def operations() -> list[tuple[str, str]]:
    """What is built, and for each service some of what is not."""
    resources.load()
    unbuilt = [(service, name) for service in SERVICES for name in service_model(service).operation_names[:5]]
    return sorted(({key for key in TABLE if key[0] in SERVICES} | set(unbuilt)) - ENDLESS)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
@given(
    asked=st.sampled_from(operations()),
    seed=st.integers(0, 2**32),
    spoiled=st.sampled_from(("", "", "values", "bytes", "target", "body")),
)
def _ask_one(house: House, asked: tuple[str, str], seed: int, spoiled: str) -> None:
    service, name = asked
    operation = operation_model(service, name)
    maker = Maker(seed, odd=spoiled == "values")
    members = maker.value(operation.input_shape) if operation.input_shape else {}
    try:
        written = write(operation, members)
    except Exception:
        # botocore itself cannot write such values: the nearest that it can, its bytes bent.
        written = write(operation, Maker(seed, odd=False).value(operation.input_shape) if operation.input_shape else {})
        spoiled = "bytes"
    target, body = written.target, written.body
    if spoiled in ("bytes", "body"):
        body = maker.mangled(body)
    if spoiled in ("bytes", "target"):
        target = "/" + quote_from_bytes(maker.mangled(target.encode()), safe="/%?&=")
    status = house.ask(SERVICES[service], written.method, target, written.headers, body)
    house.statuses[status] += 1
    assert status < 500


def test_no_request_is_answered_with_a_500(house: House) -> None:
    """And enough of them are served: a test that is refused at the first step would show nothing."""
    _ask_one(house)
    assert sum(house.statuses.values()) >= EXAMPLES
    assert house.statuses[200] > EXAMPLES / 20
