"""Hosting's promise (src/tobo/hosting/base.py), against real replicas."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from tests.support.own_code import packed

from tobo.compute import records
from tobo.compute.base import Running
from tobo.compute.processes import ProcessCompute
from tobo.hosting import processes
from tobo.hosting.base import Answer, Dead, Invocation, NoReplica, Ready, ReplicaSpec, ReplicaState, Starting
from tobo.hosting.processes import ProcessHosting
from tobo.kit import process
from tobo.kit.paths import MlPaths

PATIENCE = 30.0
GROUP = "000000000000/eu-west-1/marbles/all"

MODEL = """
import os, time
from tobo.inference.invocations import Response

def handler(folder):
    time.sleep(float(os.environ.get("LOADING", "0")))
    def answer(request):
        word, _, rest = request.body.partition(b" ")
        if word == b"sleep":
            time.sleep(float(rest))
        elif word == b"die":
            os._exit(9)
        elif word == b"raise":
            raise RuntimeError(rest.decode())
        elif word == b"long":
            return Response(200, str(os.getpid()).encode().ljust(int(rest)))
        if word in (b"sleep", b"pid"):
            return Response(200, str(os.getpid()).encode())
        return Response(200, request.body, request.accept, request.custom_attributes)
    return answer
"""


class House:
    """A compute and a hosting over the folders of one test, and replicas of MODEL."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        (root / "served.py").write_text(MODEL)
        self.compute = ProcessCompute(root / "compute")
        self.hosting = ProcessHosting(self.compute, root / "hosting")

    def name(self, ordinal: int) -> str:
        return f"{GROUP}/{ordinal}-0"

    def spec(self, ordinal: int, **environment: str) -> ReplicaSpec:
        own = {"TOBO_MODEL_SERVER": "served:handler", "PYTHONPATH": str(self.root)}
        return ReplicaSpec(
            GROUP,
            self.name(ordinal),
            self.root / f"ml-{ordinal}",
            self.root / f"log-{ordinal}",
            "tobo.inference.server:main",
            environment={**own, **environment},
        )

    def start(self, count: int) -> list[int]:
        """Starts replicas and waits for them; returns their process numbers."""
        for ordinal in range(count):
            self.hosting.start(self.spec(ordinal))
        for ordinal in range(count):
            self.until(ordinal, Ready)
        return [self.pid(ordinal) for ordinal in range(count)]

    def pid(self, ordinal: int) -> int:
        state = self.compute.poll(f"replica:{self.name(ordinal)}")
        assert isinstance(state, Running)
        return state.pid

    def until(self, ordinal: int, kind: type[ReplicaState]) -> ReplicaState:
        deadline = time.monotonic() + PATIENCE
        while not isinstance(state := self.hosting.look(self.name(ordinal)), kind):
            assert time.monotonic() < deadline, f"still {state}"
            time.sleep(0.01)
        return state

    def ask(self, body: bytes, timeout: float = 20.0) -> Answer:
        return asyncio.run(self.hosting.invoke(GROUP, Invocation(body), timeout))

    def run(self, body: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            await body()

        asyncio.run(main())

    def end(self) -> None:
        for ordinal in range(4):
            self.hosting.stop(self.name(ordinal), grace=0.0)
        deadline = time.monotonic() + PATIENCE
        while list((self.root / "hosting").glob("*.json")):
            self.hosting.look("swept")
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.hosting.close()
        self.compute.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.end()


def is_stopped(pid: int) -> bool:
    """Whether all threads are: a signal reaches each in its own time."""
    stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


def is_gone(pid: int) -> bool:
    return process.birth(pid) == ""


def test_a_replica_starts_answers_and_stops(house: House) -> None:
    house.hosting.start(house.spec(0, LOADING="0.3"))
    assert isinstance(house.hosting.look(house.name(0)), Starting)
    with pytest.raises(NoReplica):
        house.ask(b"too early")
    ready = house.until(0, Ready)
    assert house.hosting.look(house.name(0)) == ready
    assert house.ask(b"pid").body == str(house.pid(0)).encode()
    pid = house.pid(0)
    usage = house.hosting.usage(house.name(0))
    assert usage is not None and usage.cpu_seconds > 0 and usage.memory_bytes > 0
    house.hosting.stop(house.name(0))
    assert isinstance(house.hosting.look(house.name(0)), Dead)
    with pytest.raises(NoReplica):
        house.ask(b"too late")
    house.compute.forget(f"replica:{house.name(0)}")
    assert is_gone(pid)


@pytest.mark.parametrize("size", [0, 1, 50_000, 25_000_000])
def test_bytes_pass_unchanged(house: House, size: int) -> None:
    house.start(1)
    body = os.urandom(size)
    asked = Invocation(body, "application/x-image", "application/x-any", "größe=1")
    answer = asyncio.run(house.hosting.invoke(GROUP, asked))
    assert answer == Answer(200, body, "application/x-any", "größe=1")


def test_start_is_idempotent(house: House) -> None:
    [pid] = house.start(1)
    house.hosting.start(house.spec(0))
    assert house.pid(0) == pid
    house.hosting.stop(house.name(0))
    house.hosting.start(house.spec(0))
    assert isinstance(house.hosting.look(house.name(0)), Dead)


def test_requests_go_where_fewest_wait(house: House) -> None:
    pids = house.start(2)

    async def body() -> None:
        asked = [house.hosting.invoke(GROUP, Invocation(b"sleep 0.3")) for _ in range(2)]
        seen = {int(answer.body) for answer in await asyncio.gather(*asked)}
        assert seen == set(pids)

    house.run(body)


def test_a_model_error_is_passed_on_and_survived(house: House) -> None:
    house.start(1)
    answer = house.ask(b"raise a reason")
    assert (answer.status, answer.body, answer.content_type) == (500, b"a reason", "text/plain")
    assert house.ask(b"fine").body == b"fine"
    deadline = time.monotonic() + PATIENCE
    while b"RuntimeError: a reason" not in (house.root / "log-0").read_bytes():  # the shim writes it, in its own time
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_slow_answer_times_out_and_disturbs_no_other(house: House) -> None:
    house.start(1)

    async def body() -> None:
        with pytest.raises(TimeoutError, match=r"within 0\.2 s"):
            await house.hosting.invoke(GROUP, Invocation(b"sleep 0.5"), timeout=0.2)
        answer = await house.hosting.invoke(GROUP, Invocation(b"next"))
        assert answer.body == b"next"

    house.run(body)


def test_a_replica_killed_under_load_loses_nothing(house: House) -> None:
    pids = house.start(2)

    async def client(number: int) -> None:
        for turn in range(100):
            sent = f"{number} {turn}".encode() * 1000
            assert (await house.hosting.invoke(GROUP, Invocation(sent))).body == sent

    async def body() -> None:
        clients = [asyncio.create_task(client(number)) for number in range(8)]
        await asyncio.sleep(0.05)
        os.kill(pids[0], signal.SIGKILL)
        await asyncio.gather(*clients)

    house.run(body)
    dead = house.until(0, Dead)
    assert isinstance(dead, Dead) and "SIGKILL" in dead.reason
    assert isinstance(house.hosting.look(house.name(1)), Ready)


def test_a_replica_killed_in_mid_answer_loses_nothing(house: House) -> None:
    pids = house.start(2)

    async def body() -> None:
        await asyncio.gather(*(house.hosting.invoke(GROUP, Invocation(b"sleep 0.2")) for _ in range(2)))  # connects
        asked = asyncio.create_task(house.hosting.invoke(GROUP, Invocation(b"long 8000000")))
        for _ in range(5):
            await asyncio.sleep(0)  # it is sent
        time.sleep(0.5)  # nobody reads, so the answer is stuck where it begins
        os.kill(pids[0], signal.SIGKILL)
        answer = await asked
        assert answer.status == 200 and answer.body == str(pids[1]).encode().ljust(8_000_000)

    house.run(body)


def test_gone_means_that_nothing_is_left(house: House) -> None:
    assert house.hosting.gone("nobody")
    [pid] = house.start(1)

    async def body() -> None:
        answer = asyncio.create_task(house.hosting.invoke(GROUP, Invocation(b"sleep 0.5")))
        await asyncio.sleep(0.1)
        assert not await asyncio.to_thread(house.hosting.gone, house.name(0))
        await asyncio.to_thread(house.hosting.stop, house.name(0))
        assert not answer.done() and not await asyncio.to_thread(house.hosting.gone, house.name(0))
        assert (await answer).body == str(pid).encode()

    house.run(body)
    deadline = time.monotonic() + PATIENCE
    while not house.hosting.gone(house.name(0)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert is_gone(pid)


@pytest.mark.parametrize("how", ["stop", "SIGTERM"])
def test_a_replica_that_is_stopped_answers_what_it_was_asked(house: House, how: str) -> None:
    pids = house.start(2)
    answers: list[bytes] = []

    async def client() -> None:
        for _ in range(30):
            answer = await house.hosting.invoke(GROUP, Invocation(b"sleep 0.01"))
            answers.append(answer.body)

    async def body() -> None:
        clients = [asyncio.create_task(client()) for _ in range(6)]
        await asyncio.sleep(0.1)
        if how == "stop":
            await asyncio.to_thread(house.hosting.stop, house.name(0))
        else:
            os.kill(pids[0], signal.SIGTERM)
        await asyncio.gather(*clients)

    house.run(body)
    assert len(answers) == 180
    assert set(answers) == {str(pid).encode() for pid in pids}
    if how == "SIGTERM":
        assert house.until(0, Dead) == Dead("Its process ended by itself.")


def test_a_request_that_kills_does_not_kill_all(house: House) -> None:
    house.start(4)
    answer = house.ask(b"die")
    assert (answer.status, answer.body) == (500, b"The model's process died while it worked on the request.")
    assert house.ask(b"fine").body == b"fine"


def test_the_last_replica_dies_with_the_request(house: House) -> None:
    house.start(1)
    with pytest.raises(NoReplica):
        house.ask(b"die")
    assert house.until(0, Dead) == Dead("Exited with code 9.")


def test_a_deaf_replica_is_dead(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_PING", 0.3)
    [pid] = house.start(1)
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + PATIENCE
    while not is_stopped(pid):
        assert time.monotonic() < deadline
    assert house.hosting.look(house.name(0)) == Dead("It did not answer a ping within 0.3 s.")
    with pytest.raises(NoReplica):
        house.ask(b"anyone")
    os.kill(pid, signal.SIGCONT)
    assert isinstance(house.hosting.look(house.name(0)), Ready)
    assert house.ask(b"anyone").body == b"anyone"


def test_a_busy_replica_is_not_deaf(house: House) -> None:
    house.start(1)

    async def body() -> None:
        answer = asyncio.create_task(house.hosting.invoke(GROUP, Invocation(b"sleep 0.5")))
        await asyncio.sleep(0.1)
        assert isinstance(await asyncio.to_thread(house.hosting.look, house.name(0)), Ready)
        assert not answer.done()
        await answer

    house.run(body)


def test_what_was_never_started(house: House) -> None:
    assert house.hosting.look("nobody") == Dead("There is no replica 'nobody'.")
    house.hosting.stop("nobody")
    with pytest.raises(NoReplica, match="elsewhere"):
        asyncio.run(house.hosting.invoke("elsewhere", Invocation(b"")))


def test_a_model_that_cannot_be_loaded_says_why(house: House) -> None:
    house.hosting.start(house.spec(0, TOBO_MODEL_SERVER="tobo.inference.invocations:picture_handler"))
    dead = house.until(0, Dead)
    assert isinstance(dead, Dead)
    assert "The model archive has no model.onnx" in dead.reason


SERVER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_hosting import House
house = House(Path(sys.argv[1]))
house.start(1)
print("ready", flush=True)
time.sleep(60)
"""


def test_a_replica_outlives_its_server_and_is_adopted(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", SERVER, str(tmp_path), str(Path(__file__).parent)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        server.kill()
    house = House(tmp_path)
    pid = house.pid(0)
    assert house.ask(b"pid").body == str(pid).encode()
    house.hosting.start(house.spec(0))
    assert isinstance(house.hosting.look(house.name(0)), Ready)
    assert house.pid(0) == pid
    house.end()


def sealed(house: House, identity: pyrage.x25519.Identity) -> ReplicaSpec:
    """A replica of a sealed archive with one file, which its handler answers."""
    (house.root / "served.py").write_text(
        "from pathlib import Path\n"
        "from tobo.inference.invocations import Response\n"
        "def handler(folder):\n"
        "    names = sorted(path.name for path in Path(folder).iterdir())\n"
        "    return lambda request: Response(200, str([names, Path(folder, 'secret').read_text()]).encode())\n"
    )
    spec = house.spec(0)
    paths = MlPaths(spec.ml_root)
    for folder in (paths.model, paths.sealed.parent):
        folder.mkdir(parents=True)
    paths.sealed.write_bytes(pyrage.encrypt(packed({"secret": "4711"}), [identity.to_public()]))
    return spec


def test_a_sealed_model_is_opened_by_the_key_that_is_handed_over(house: House) -> None:
    identity = pyrage.x25519.Identity.generate()
    house.hosting.start(replace(sealed(house, identity), key=str(identity)))
    house.until(0, Ready)
    assert house.ask(b"").body == b"[['secret'], '4711']"
    # nothing but the process has the key
    assert str(identity) not in repr(replace(house.spec(0), key=str(identity)))
    for path in house.root.rglob("*"):
        assert not path.is_file() or str(identity).encode() not in path.read_bytes(), path
    for name in ("environ", "cmdline"):
        assert str(identity).encode() not in Path(f"/proc/{house.pid(0)}/{name}").read_bytes()


def test_a_replica_that_waits_for_its_key_gets_it_from_the_next_server(house: House) -> None:
    identity = pyrage.x25519.Identity.generate()
    spec = sealed(house, identity)
    house.hosting.start(spec)
    record = records.read(next((house.root / "hosting").glob("*.json")))
    assert record is not None
    waits = Path(record["socket"] + ".key")
    deadline = time.monotonic() + PATIENCE
    while not waits.exists():
        assert time.monotonic() < deadline
        assert isinstance(house.hosting.look(house.name(0)), Starting)
        time.sleep(0.01)
    house.hosting.close()
    house.hosting = ProcessHosting(house.compute, house.root / "hosting")
    house.hosting.start(replace(spec, key=str(identity)))
    house.until(0, Ready)
    assert b"4711" in house.ask(b"").body and not waits.exists()


@pytest.mark.parametrize("key", ["another", "nonsense"])
def test_a_key_that_does_not_open_fails_the_replica(house: House, key: str) -> None:
    other = str(pyrage.x25519.Identity.generate()) if key == "another" else key
    house.hosting.start(replace(sealed(house, pyrage.x25519.Identity.generate()), key=other))
    state = house.until(0, Dead)
    assert isinstance(state, Dead) and "does not open with the key of its subscription" in state.reason


def test_a_stop_goes_on_after_the_server(house: House) -> None:
    [pid] = house.start(1)
    record = records.read(next((house.root / "hosting").glob("*.json")))
    assert record is not None
    sockets = Path(record["socket"]).parent
    assert list(sockets.iterdir())
    house.hosting.stop(house.name(0), grace=5.0)
    house.hosting.close()
    following = ProcessHosting(house.compute, house.root / "hosting")
    assert isinstance(following.look(house.name(0)), Dead)
    deadline = time.monotonic() + PATIENCE
    while list((house.root / "hosting").glob("*.json")):
        following.look(house.name(0))
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert is_gone(pid)
    assert not list(sockets.glob("*"))
    assert house.compute.poll(f"replica:{house.name(0)}") is None


def test_a_deep_state_folder_has_short_sockets(tmp_path: Path) -> None:
    house = House(tmp_path / ("deep" * 30))
    [pid] = house.start(1)
    assert house.ask(b"pid").body == str(pid).encode()
    house.end()
