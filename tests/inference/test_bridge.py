"""The bridge to programs that serve HTTP, behind real hosting: good ones, and each way in which they can be bad."""

import asyncio
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tobo.compute import sandbox
from tobo.compute.base import Bind, Running, Sandbox
from tobo.compute.processes import ProcessCompute
from tobo.hosting.base import Answer, Dead, Invocation, Ready, ReplicaSpec, ReplicaState, Starting
from tobo.hosting.processes import ProcessHosting
from tobo.kit.log_lines import read_line

PATIENCE = 30.0
GROUP = "000000000000/eu-west-1/marbles/all"
SANDBOXED = not isinstance(sandbox.find_wrapper(), str)

SERVER = """
import http.server, os, signal, socketserver, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, b"", "text/plain")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"port":
            body = os.environ["SAGEMAKER_BIND_TO_PORT"].encode()
        if body == b"variables":
            body = " ".join(name for name in os.environ if name.startswith("TOBO_")).encode()
        self.answer(400 if body == b"bad" else 200, body, self.headers["Accept"])

    def answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Amzn-SageMaker-Custom-Attributes", self.headers.get("X-Amzn-SageMaker-Custom-Attributes", ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

def main():
    signal.signal(signal.SIGTERM, lambda *_: (print("saved", flush=True), sys.exit(0)))
    Server(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""
"""A well-behaved program, to be imported by the others: `main` serves."""


class House:
    """A compute and a hosting over the folders of one test, and replicas of programs."""

    def __init__(self, root: Path, sandboxed: bool) -> None:
        self.root, self.sandboxed = root, sandboxed
        (root / "code").mkdir()
        (root / "code" / "good.py").write_text(SERVER)
        self.compute = ProcessCompute(root / "compute")
        self.hosting = ProcessHosting(self.compute, root / "hosting")
        self.names: list[str] = []

    def start(self, program: str = "import good; good.main()", ordinal: int = 0, **given: object) -> str:
        """A replica whose program is Python code."""
        (self.root / "code" / "program.py").write_text(textwrap.dedent(program))
        name, root = f"{GROUP}/{ordinal}-0", self.root / f"ml-{ordinal}"
        root.mkdir(exist_ok=True)
        view = Sandbox((Bind(self.root / "code", str(self.root / "code")), Bind(root, "/opt/ml", writable=True)))
        self.hosting.start(
            ReplicaSpec(
                GROUP,
                name,
                root,
                self.root / f"log-{ordinal}",
                "tobo.inference.bridge:main",
                argv=("python3", "-u", str(self.root / "code" / "program.py"), "serve"),
                sandbox=view if self.sandboxed else None,
                **{"network": not self.sandboxed, **given},  # type: ignore[arg-type]
            )
        )
        self.names.append(name)
        return name

    def await_state(self, name: str, kind: type[ReplicaState], seconds: float = PATIENCE) -> ReplicaState:
        deadline = time.monotonic() + seconds
        while not isinstance(state := self.hosting.look(name), kind):
            assert time.monotonic() < deadline and not isinstance(state, Dead), (state, self.lines())
            time.sleep(0.02)
        return state

    def ready(self, *names: str) -> None:
        for name in names:
            self.await_state(name, Ready)

    def dead(self, name: str) -> str:
        """Why it is dead, once it is."""
        deadline = time.monotonic() + PATIENCE
        while not isinstance(state := self.hosting.look(name), Dead):
            assert time.monotonic() < deadline, (state, self.lines())
            time.sleep(0.02)
        return state.reason

    def ask(self, *bodies: bytes, **given: str) -> list[Answer]:
        async def all_at_once() -> list[Answer]:
            return await asyncio.gather(
                *(self.hosting.invoke(GROUP, Invocation(body, **given), 20.0) for body in bodies)
            )

        return asyncio.run(all_at_once())

    def lines(self, ordinal: int = 0) -> list[str]:
        log = self.root / f"log-{ordinal}"
        return [read_line(line)[1] for line in log.read_bytes().splitlines()] if log.exists() else []

    def close(self) -> None:
        for name in self.names:
            self.hosting.stop(name, 0.0)
        deadline = time.monotonic() + PATIENCE
        while any(isinstance(self.compute.poll(f"replica:{name}"), Running) for name in self.names):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.hosting.close()
        self.compute.close()


@pytest.fixture(params=[SANDBOXED], ids=["sandbox" if SANDBOXED else "plain"])
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    made = House(tmp_path, request.param)
    yield made
    made.close()


in_both_ways = pytest.mark.parametrize(
    "house",
    [
        pytest.param(
            True, marks=pytest.mark.skipif(not SANDBOXED, reason=f"no sandbox here: {sandbox.find_wrapper()}")
        ),
        False,
    ],
    ids=["sandbox", "plain"],
    indirect=True,
)


@in_both_ways
def test_a_request_and_its_answer_pass_unchanged(house: House) -> None:
    house.ready(house.start())
    given = {"content_type": "image/x", "accept": "text/y", "custom_attributes": "a=b"}
    [answer, refused] = house.ask(b"\0\xff" * 100_000, b"bad", **given)
    assert answer == Answer(200, b"\0\xff" * 100_000, "text/y", "a=b")
    assert (refused.status, refused.body) == (400, b"bad")
    assert "Answered 400: bad" in house.lines()


@in_both_ways
def test_what_is_ours_stays_ours(house: House) -> None:
    house.ready(house.start(environment={"TOBO_SECRET": "x", "THEIRS": "y"}))
    assert house.ask(b"variables")[0].body == b""


def test_requests_are_answered_side_by_side(house: House) -> None:
    """Eight wait for one another: one after the other none would be answered."""
    program = """
        import good, threading
        together, post = threading.Barrier(8, timeout=10), good.Handler.do_POST
        good.Handler.do_POST = lambda self: (together.wait(), post(self))
        good.main()
    """
    house.ready(house.start(program))
    assert [answer.status for answer in house.ask(*[b"x"] * 8)] == [200] * 8


@in_both_ways
def test_many_replicas_have_the_same_port_or_each_its_own(house: House) -> None:
    names = [house.start(ordinal=ordinal) for ordinal in range(2)]
    house.ready(*names)
    ports = [answer.body for answer in house.ask(b"port", b"port")]
    assert ports == [b"8080", b"8080"] if house.sandboxed else len(set(ports)) == 2


def test_with_the_machines_network_it_has_a_port_of_its_own(house: House) -> None:
    house.ready(house.start(network=True))
    assert int(house.ask(b"port")[0].body) != 8080


@in_both_ways
def test_asked_to_stop_it_may_save_first(house: House) -> None:
    name = house.start()
    house.ready(name)
    house.hosting.stop(name, 20.0)
    _until(lambda: "saved" in house.lines(), house)
    _until(lambda: not isinstance(house.compute.poll(f"replica:{name}"), Running), house)


@in_both_ways
def test_one_that_ignores_sigterm_is_killed(house: House) -> None:
    program = "import good, signal; real = signal.signal; good.signal.signal = lambda *_: None\n"
    name = house.start(program + "real(signal.SIGTERM, signal.SIG_IGN); good.main()")
    house.ready(name)
    house.hosting.stop(name, 0.5)
    _until(lambda: not isinstance(house.compute.poll(f"replica:{name}"), Running), house)


def test_one_that_never_answers_a_ping_never_becomes_ready(house: House) -> None:
    program = "import good, time; good.Handler.do_GET = lambda self: (print('asked'), time.sleep(600)); good.main()"
    name = house.start(program)
    _until(lambda: house.lines().count("asked") > 1, house)
    assert isinstance(house.hosting.look(name), Starting)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("time.sleep(600)", "did not answer GET /ping within 2 s"),
        ("self.answer(500, b'', 'text/plain')", "answered 500 to GET /ping"),
        ("self.wfile.write(b'garbage' * 1000)", "with something that is not HTTP"),
    ],
)
def test_one_that_falls_ill_is_reported(house: House, change: str, told: str) -> None:
    """Well at first, then not: three pings in a row without a good answer, and nothing else to do."""
    program = f"""
        import good, time
        well = good.Handler.do_GET
        asked = []
        def ping(self):
            asked.append(1)
            if len(asked) == 1:
                return well(self)
            {change}
        good.Handler.do_GET = ping
        good.main()
    """
    name = house.start(program)
    house.ready(name)
    assert told in house.dead(name)


def test_garbage_to_a_request_is_the_models_error(house: House) -> None:
    house.ready(
        house.start("import good; good.Handler.do_POST = lambda self: self.wfile.write(b'no http at all')\ngood.main()")
    )
    [answer] = house.ask(b"x")
    assert answer.status == 500 and b"did not answer POST /invocations with HTTP" in answer.body


def test_one_that_ends_says_so(house: House) -> None:
    name = house.start("import sys; print('no model'); sys.exit(3)")
    assert house.dead(name) == "ClientError: The program ended by itself with exit code 3; its log says why."
    assert "no model" in house.lines()


def test_one_that_leaks_is_killed_for_memory(house: House) -> None:
    program = """
        import good, threading, time
        held = []
        def leak():
            time.sleep(1)
            while True:
                held.append(b"x" * (4 << 20))
                time.sleep(0.01)
        threading.Thread(target=leak, daemon=True).start()
        good.main()
    """
    name = house.start(program, memory_bytes=160 << 20)
    house.ready(name)
    assert "memory" in house.dead(name).lower()


def _until(what: object, house: House) -> None:
    assert callable(what)
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, house.lines()
        time.sleep(0.02)
