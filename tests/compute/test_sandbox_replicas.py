"""A replica in a sandbox: it answers through its socket, sees its own model, and no other replica."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tobo.compute import sandbox
from tobo.compute.base import Bind, Running, Sandbox
from tobo.compute.processes import ProcessCompute
from tobo.hosting.base import Dead, Invocation, Ready, ReplicaSpec
from tobo.hosting.processes import ProcessHosting

GROUP = "000000000000/eu-west-1/marbles/all"
MODEL = """
import json, os
from pathlib import Path
from tobo.inference.invocations import Response

def handler(folder):
    def answer(request):
        sockets = sorted(path.name for path in Path("/run/tobo").iterdir())
        hidden = Path(os.environ["HIDDEN"]).exists()
        told = [str(folder), (folder / "name").read_text(), sockets, hidden, os.listdir("/opt/ml")]
        return Response(200, json.dumps(told).encode())
    return answer
"""

pytestmark = pytest.mark.skipif(
    isinstance(sandbox.find_wrapper(), str), reason=f"no sandbox here: {sandbox.find_wrapper()}"
)


@pytest.fixture
def compute(tmp_path: Path) -> Iterator[ProcessCompute]:
    made = ProcessCompute(tmp_path / "compute")
    yield made
    made.close()


@pytest.fixture
def hosting(tmp_path: Path, compute: ProcessCompute) -> Iterator[ProcessHosting]:
    made = ProcessHosting(compute, tmp_path / "hosting")
    yield made
    for name in (f"{GROUP}/{ordinal}" for ordinal in range(2)):
        made.stop(name, 0.0)
        _until(lambda name=name: not isinstance(compute.poll(f"replica:{name}"), Running))  # type: ignore[misc]
    made.close()


def start(hosting: ProcessHosting, tmp_path: Path, ordinal: int) -> str:
    root, code = tmp_path / f"ml-{ordinal}", tmp_path / "code"
    for folder in (root / "model", code):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "model" / "name").write_text(f"model {ordinal}")
    (code / "served.py").write_text(MODEL)
    environment = {"TOBO_MODEL_SERVER": "served:handler", "PYTHONPATH": "/code", "HIDDEN": str(tmp_path / "hosting")}
    view = Sandbox((Bind(root, "/opt/ml", writable=True), Bind(code, "/code")))
    name = f"{GROUP}/{ordinal}"
    hosting.start(
        ReplicaSpec(
            GROUP, name, root, tmp_path / f"log-{ordinal}", "tobo.inference.server:main", environment, sandbox=view
        )
    )
    return name


def _until(what: object) -> None:
    assert callable(what)
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _ready(hosting: ProcessHosting, name: str) -> bool:
    state = hosting.look(name)
    assert not isinstance(state, Dead), state
    return isinstance(state, Ready)


def test_replicas_answer_and_see_themselves_alone(
    hosting: ProcessHosting, compute: ProcessCompute, tmp_path: Path
) -> None:
    names = [start(hosting, tmp_path, ordinal) for ordinal in range(2)]
    for name in names:
        _until(lambda name=name: _ready(hosting, name))  # type: ignore[misc]

    async def ask() -> list[object]:
        found = await asyncio.gather(*(hosting.invoke(GROUP, Invocation(b"x")) for _ in range(2)))
        return sorted(json.loads(answer.body) for answer in found)

    seen = [["/opt/ml/model", f"model {ordinal}", ["s", "s.ping"], False, ["model"]] for ordinal in range(2)]
    assert asyncio.run(ask()) == seen
    hosting.stop(names[0], 0.5)
    _until(lambda: not isinstance(compute.poll(f"replica:{names[0]}"), Running))
    hosting.stop(names[1], 0.5)
    _until(lambda: not isinstance(compute.poll(f"replica:{names[1]}"), Running))
    hosting.look(names[1])  # sweeps
    assert list((hosting._sockets).iterdir()) == []


def test_a_model_that_cannot_be_loaded_says_why(hosting: ProcessHosting, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "served.py").write_text("")
    root = tmp_path / "ml-0"
    (root / "model").mkdir(parents=True)
    view = Sandbox((Bind(root, "/opt/ml", writable=True), Bind(tmp_path / "code", "/code")))
    environment = {"TOBO_MODEL_SERVER": "served:nothing", "PYTHONPATH": "/code"}
    hosting.start(
        ReplicaSpec(
            GROUP, f"{GROUP}/0", root, tmp_path / "log", "tobo.inference.server:main", environment, sandbox=view
        )
    )
    _until(lambda: isinstance(hosting.look(f"{GROUP}/0"), Dead))
    state = hosting.look(f"{GROUP}/0")
    assert isinstance(state, Dead) and "has no attribute 'nothing'" in state.reason
