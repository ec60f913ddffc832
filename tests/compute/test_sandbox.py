"""The sandbox against hostile programs: what they must not see, reach or use up, and how they end."""

import os
import shlex
import signal
import site
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.systems import small_system

from tobo.compute import sandbox
from tobo.compute.base import Bind, Exited, ProcessSpec, Running, Sandbox
from tobo.compute.processes import ProcessCompute
from tobo.kit import process
from tobo.kit.log_lines import read_line

MIB = 1 << 20
MISSING = sandbox.find_wrapper()

needs_sandbox = pytest.mark.skipif(isinstance(MISSING, str), reason=f"no sandbox here: {MISSING}")


@dataclass
class House:
    """A server's state folder with secrets, two jobs' folders, and a compute that runs one of them."""

    root: Path
    compute: ProcessCompute

    @property
    def secrets(self) -> dict[str, Path]:
        return {
            "the server's keys": self.root / "state" / "credentials.json",
            "another job's data": self.root / "state" / "jobs" / "2" / "ml" / "model" / "weights",
        }

    @property
    def ml(self) -> Path:
        return self.root / "state" / "jobs" / "1" / "ml"

    def run(self, script: str, **given: object) -> tuple[Exited, list[str]]:
        """Runs Python code in the sandbox to its end; the end and the lines of its log."""
        self.start(script, **given)
        return self.end()

    def start(self, script: str, **given: object) -> None:
        (self.ml / "code.py").write_text(textwrap.dedent(script))
        binds = (
            Bind(self.ml / "input", "/opt/ml/input"),
            Bind(self.ml / "code.py", "/opt/ml/code.py"),
            Bind(self.ml / "model", "/opt/ml/model", writable=True),
        )
        argv = (sys.executable, "-u", "/opt/ml/code.py")
        given["environment"] = {"HOUSE": str(self.root), **given.get("environment", {})}  # type: ignore[dict-item]
        spec = ProcessSpec("job", self.ml.parent, self.root / "log", argv=argv, sandbox=Sandbox(binds), **given)  # type: ignore[arg-type]
        self.compute.start(spec)

    def end(self) -> tuple[Exited, list[str]]:
        deadline = time.monotonic() + 60
        while isinstance(self.compute.poll("job"), Running):
            assert time.monotonic() < deadline, self.lines()
            time.sleep(0.01)
        found = self.compute.poll("job")
        assert isinstance(found, Exited)
        return found, self.lines()

    def lines(self) -> list[str]:
        log = self.root / "log"
        return [read_line(line)[1] for line in log.read_bytes().splitlines()] if log.exists() else []


@pytest.fixture(params=["auto"])
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    compute = ProcessCompute(tmp_path / "state" / "compute", bounds=request.param)
    made = House(tmp_path, compute)
    for folder in (made.ml / "input", made.ml / "model", made.secrets["another job's data"].parent):
        folder.mkdir(parents=True)
    made.secrets["the server's keys"].write_text("secret")
    made.secrets["another job's data"].write_text("secret")
    (made.ml / "input" / "photo").write_text("data")
    yield made
    compute.forget("job")
    compute.close()


in_every_way = pytest.mark.parametrize("house", ["auto", "watch"], indirect=True)
"""With the machine's strongest bounds and with the watch that holds where it has no cgroups."""


@needs_sandbox
def test_a_folder_in_memory_lies_over_the_binds_and_reaches_no_disk(house: House) -> None:
    (house.ml / "model" / "there").write_text("before")
    (house.ml / "code.py").write_text(
        "import os, pathlib\n"
        "folder = pathlib.Path('/opt/ml/model')\n"
        "print(sorted(path.name for path in folder.iterdir()))\n"
        "(folder / 'secret').write_text('4711')\n"
        "print(os.statvfs(folder).f_frsize * os.statvfs(folder).f_blocks >> 20, (folder / 'secret').read_text())\n"
    )
    binds = (Bind(house.ml, "/opt/ml", writable=True), Bind(house.ml / "model", "/opt/ml/model", writable=True))
    view = Sandbox(binds, memory=("/opt/ml/model",))
    argv = (sys.executable, "/opt/ml/code.py")
    spec = ProcessSpec("job", house.ml, house.root / "log", argv=argv, sandbox=view, memory_bytes=256 << 20)
    house.compute.start(spec)
    ended, lines = house.end()
    assert ended.code == 0, lines
    sized = "--size" in subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=True).stdout
    assert lines[0] == "[]" and lines[1].endswith(" 4711") and (not sized or lines[1] == "128 4711")
    assert [path.name for path in (house.ml / "model").iterdir()] == ["there"]


def test_it_runs_from_a_python_environment_below_tmp() -> None:
    code = """
        import pathlib, sys, time
        from tobo.compute.base import ProcessSpec, Running, Sandbox
        from tobo.compute.processes import ProcessCompute
        root = pathlib.Path(sys.prefix).parent
        compute = ProcessCompute(root / "compute")
        argv = (sys.executable, "-c", "import sys; print('ran in', sys.prefix)")
        compute.start(ProcessSpec("job", root / "job", root / "log", argv=argv, sandbox=Sandbox()))
        while isinstance(compute.poll("job"), Running):
            time.sleep(0.01)
        print((root / "log").read_text())
        compute.forget("job")
        compute.close()
    """
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        venv.EnvBuilder(symlinks=True).create(f"{folder}/venv")
        path = os.pathsep.join([str(Path(sandbox.__file__).parents[2]), *site.getsitepackages()])
        ran = subprocess.run(
            [f"{folder}/venv/bin/python", "-c", textwrap.dedent(code)],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert f"ran in {folder}/venv" in ran.stdout, ran.stdout + ran.stderr


@needs_sandbox
def test_it_sees_its_binds_and_nothing_of_the_machine(house: House) -> None:
    code = f"""
        import os
        for path in {[str(path) for path in house.secrets.values()]!r}:
            if os.path.exists(path):
                print("seen", path)
        for place, folders, files in os.walk("/"):
            folders[:] = [name for name in folders if os.path.join(place, name) not in ("/proc", "/sys", "/usr")]
            if {{"credentials.json", "weights", "launcher.log"}} & set(files):
                print("found", place, files)
        print(open("/opt/ml/input/photo").read(), os.getcwd())
    """
    end, lines = house.run(code)
    assert (end.code, lines) == (0, ["data /tmp"])


@needs_sandbox
def test_of_the_home_it_sees_the_way_to_python_only(house: House) -> None:
    home = Path.home()
    ways = [Path(sys.prefix), Path(sys.base_prefix), Path(sandbox.__file__).parents[1]]
    allowed = sorted({way.relative_to(home).parts[0] for way in ways if home in way.parents})
    code = f"import os\nif os.path.exists({str(home)!r}):\n for name in sorted(os.listdir({str(home)!r})): print(name)"
    end, lines = house.run(code)
    assert (end.code, lines) == (0, allowed)


@needs_sandbox
def test_it_sees_no_other_process_and_no_secret_variable(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    code = f"""
        import os
        print(len([name for name in os.listdir("/proc") if name.isdigit()]))
        for number in ({os.getpid()}, {os.getppid()}):
            try:
                os.kill(number, 0)
                print("there is", number)
            except ProcessLookupError:
                pass
        print([name for name, value in os.environ.items() if "secret" in value])
        print(os.environ["GIVEN"], os.uname().nodename)
    """
    end, lines = house.run(code, environment={"GIVEN": "given"})
    assert (end.code, lines) == (0, ["2", "[]", "given algo-1"])


@needs_sandbox
def test_its_variables_reach_nothing_outside(house: House) -> None:
    """The loader complains once for each program that starts with a library that is not there: bwrap must not."""
    given = {"LD_PRELOAD": "/nothing-here.so", "TOKEN": "secret"}
    spec = ProcessSpec("job", house.ml, house.root / "log", argv=("sleep", "0.5"), environment=given, sandbox=Sandbox())
    house.compute.start(spec)
    commands: set[bytes] = set()
    while isinstance(state := house.compute.poll("job"), Running):
        commands |= {_command(row.pid) for row in process.descendants(state.pid)} | {_command(state.pid)}
    end, lines = house.end()
    assert end.code == 0 and len(lines) == 1 and "/nothing-here.so" in lines[0]
    assert any(b"bwrap" in command for command in commands)
    assert not any(b"secret" in command for command in commands)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@needs_sandbox
def test_it_writes_where_it_may_and_nowhere_else(house: House) -> None:
    name = f"written-by-{os.getpid()}"
    code = f"""
        import os
        for folder in ("/", "/usr", "/etc", "/opt", "/opt/ml", "/opt/ml/input", "/opt/ml/model", "/dev", "/dev/shm", "/tmp"):
            try:
                open(os.path.join(folder, "{name}"), "w").write("x")
                print(folder)
            except OSError:
                pass
        for path in ("/opt/ml/input/photo", "/opt/ml/code.py"):
            try:
                open(path, "w")
                print(path)
            except OSError:
                pass
    """
    end, lines = house.run(code)
    assert (end.code, lines) == (0, ["/opt/ml/model", "/dev/shm", "/tmp"])
    assert (house.ml / "model" / name).read_text() == "x"
    assert (house.ml / "input" / "photo").read_text() == "data"
    assert not any((folder / name).exists() for folder in (Path("/tmp"), Path("/dev/shm")))


@needs_sandbox
def test_it_has_no_rights_and_gets_none(house: House) -> None:
    code = """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        print(int(status["CapEff"], 16), int(status["CapBnd"], 16), status["NoNewPrivs"].strip())
        print(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), libc.sethostname(b"x", 1))
        print(libc.mount(None, b"/usr", None, 0x1020, None))
        kernel = ["/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger", "/proc/mtrr"]
        kernel += ["/proc/irq/default_smp_affinity"]
        for path in kernel:
            try:
                open(path, "a")
                print(path)
            except OSError:
                pass
    """
    end, lines = house.run(code)
    assert (end.code, lines) == (0, ["0 0 1", "-1 -1", "-1"])


@needs_sandbox
@pytest.mark.parametrize(("network", "answer"), [(False, "no"), (True, "hello")])
def test_the_network_is_there_or_not(house: House, network: bool, answer: str) -> None:
    """An address of this machine stands for every other: without a network there is no way to any."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_greet, args=(listener,), daemon=True).start()
        code = f"""
            import socket
            try:
                with socket.create_connection(("127.0.0.1", {listener.getsockname()[1]}), 5) as it:
                    print(it.recv(5).decode())
            except OSError:
                print("no")
            inner = socket.create_server(("127.0.0.1", 0))
            print(socket.create_connection(inner.getsockname()) is not None, len(socket.if_nameindex()))
        """
        end, lines = house.run(code, network=network)
    assert (end.code, lines[0], lines[1].split()[0]) == (0, answer, "True")
    assert network or lines[1] == "True 1"


def _greet(listener: socket.socket) -> None:
    try:
        while True:
            asker, _ = listener.accept()
            asker.sendall(b"hello")
            asker.close()
    except OSError:
        return


@needs_sandbox
@in_every_way
def test_forking_without_end_ends(house: House) -> None:
    """A cgroup lets no process more begin; the watch ends the job."""
    code = """
        import os, time
        children = 0
        try:
            while children < 2000:
                if os.fork() == 0:
                    time.sleep(600)
                children += 1
        except OSError as error:
            print("refused after", children, error.strerror)
            raise SystemExit(3)
    """
    end, lines = house.run(code, processes=50)
    if end.code == 3:
        assert int(lines[0].split()[2]) < 50
    else:
        assert "Killed for its number of processes" in end.reason
    assert not _left_over(house)


@needs_sandbox
@in_every_way
def test_filling_memory_ends_it(house: House) -> None:
    end, _ = house.run("held = []\nwhile True: held.append(b'x' * (8 << 20))", memory_bytes=96 * MIB)
    assert end.out_of_memory and end.reason.startswith("Killed for memory")


@needs_sandbox
def test_tmp_is_bounded_by_the_memory(house: House) -> None:
    if not isinstance(MISSING, str) and not MISSING.sized:
        pytest.skip("this bubblewrap knows no --size; /tmp is bounded by the memory's group alone")
    code = """
        try:
            with open("/tmp/big", "wb") as file:
                for _ in range(64):
                    file.write(bytes(1 << 20))
        except OSError as error:
            print(error.strerror)
    """
    end, lines = house.run(code, memory_bytes=64 * MIB)
    assert (end.code, lines) == (0, ["No space left on device"])


@needs_sandbox
@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param("open('/opt/ml/model/big', 'wb').write(bytes(64 << 20))", "File too large", id="one file"),
        pytest.param(
            "import itertools, time\nfor n in itertools.count():\n open(f'/opt/ml/model/{n}', 'wb').write(bytes(4 << 20)); time.sleep(0.01)",
            "Killed for disk space",
            id="many files",
        ),
        pytest.param("while True: print('x' * 1000)", "Killed for disk space", id="the log"),
    ],
)
def test_filling_the_disk_ends_it(house: House, code: str, told: str) -> None:
    end, lines = house.run(code, disk_bytes=32 * MIB)
    assert end.code != 0 and not end.out_of_memory
    assert told in " ".join((end.reason, *lines[-1:]))


@needs_sandbox
def test_inputs_are_not_its_own_disk(house: House) -> None:
    (house.ml / "input" / "large").write_bytes(bytes(8 * MIB))
    end, _ = house.run("import time; time.sleep(1.5)", disk_bytes=4 * MIB)
    assert end.code == 0, end


@needs_sandbox
def test_asked_to_stop_it_may_save_first(house: House) -> None:
    code = """
        import signal, sys, time
        def save(number, frame):
            open("/opt/ml/model/saved", "w").write("x")
            sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        print("ready")
        while True:
            time.sleep(1)
    """
    house.start(code)
    _until(lambda: "ready" in house.lines(), house)
    house.compute.terminate("job", 30.0)
    end, _ = house.end()
    assert (end.code, (house.ml / "model" / "saved").exists()) == (0, True)


@needs_sandbox
def test_asked_to_stop_it_ends_by_itself_unless_it_says_otherwise(house: House) -> None:
    house.start("import time; print('ready'); time.sleep(600)")
    _until(lambda: "ready" in house.lines(), house)
    house.compute.terminate("job", 30.0)
    end, _ = house.end()
    assert (end.signal, end.reason) == (signal.SIGTERM, "Ended by SIGTERM, as asked.")


@needs_sandbox
def test_who_will_not_stop_is_killed_with_all_that_it_started(house: House) -> None:
    code = """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
            os._exit(0)
        print("ready")
        while True:
            time.sleep(1)
    """
    house.start(code)
    _until(lambda: "ready" in house.lines(), house)
    house.compute.terminate("job", 0.2)
    end, _ = house.end()
    assert (end.signal, end.reason) == (signal.SIGKILL, "Did not end within 0.2 s of SIGTERM and was killed.")
    assert not _left_over(house)


@needs_sandbox
def test_it_outlives_its_server(house: House, tmp_path: Path) -> None:
    house.start("import time; print('ready'); time.sleep(1); print('done')")
    _until(lambda: "ready" in house.lines(), house)
    house.compute.close()
    house.compute = ProcessCompute(tmp_path / "state" / "compute")
    end, lines = house.end()
    assert (end.code, lines) == (0, ["ready", "done"])


@needs_sandbox
@pytest.mark.parametrize(
    ("entry", "code", "told"),
    [
        ("platform:node", 0, ""),
        ("this:nothing", 1, "'this:nothing' could not be loaded: AttributeError"),
        ("nothing:main", 1, "'nothing:main' needs the Python package 'nothing'"),
    ],
)
def test_an_entry_starts_cold_in_it(house: House, entry: str, code: int, told: str) -> None:
    spec = ProcessSpec("job", house.ml.parent, house.root / "log", entry=entry, sandbox=Sandbox())
    house.compute.start(spec)
    end, _ = house.end()
    assert end.code == code and end.reason.startswith(told)


@needs_sandbox
@pytest.mark.parametrize(
    ("argv", "binds", "told"),
    [
        (("nothing-of-this-name",), (), "execvp nothing-of-this-name: No such file or directory"),
        (("true",), (Bind(Path("/nothing-here"), "/opt/ml"),), "Can't find source path /nothing-here"),
    ],
)
def test_what_cannot_start_says_why(house: House, argv: tuple[str, ...], binds: tuple[Bind, ...], told: str) -> None:
    house.compute.start(ProcessSpec("job", house.ml, house.root / "log", argv=argv, sandbox=Sandbox(binds)))
    end, _ = house.end()
    assert end.code == 1 and end.reason.startswith(f"It could not be started in its sandbox: {told}")


@needs_sandbox
def test_an_image_is_the_whole_system(house: House, tmp_path: Path) -> None:
    root = small_system(tmp_path / "image")
    script = "cat /app/name; ls / /app; echo x > /tmp/x; echo x > /run/x; echo x > /var/log/app/x; echo x > /opt/ml/model/x; echo x > /app/x"
    spec = ProcessSpec(
        "job",
        house.ml,
        house.root / "log",
        argv=("/bin/sh", "-c", script),
        sandbox=Sandbox((Bind(house.ml / "model", "/opt/ml/model", writable=True),), root),
        environment={"PATH": "/bin"},
    )
    before = sorted(path for path in root.rglob("*"))
    house.compute.start(spec)
    end, lines = house.end()
    seen = set(lines[:-1])
    assert lines[0] == "image" and {"app", "bin", "opt", "name", "notes"} <= seen
    assert not {"home", "root", "usr", "work"} & seen
    assert end.code != 0 and "Read-only file system" in lines[-1]
    assert (house.ml / "model" / "x").read_text() == "x\n"
    assert sorted(path for path in root.rglob("*")) == before, "nothing is made in the image's folder"


def test_where_the_system_refuses_it_runs_and_says_so(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bubblewrap that the kernel does not let work, as in many containers."""
    refusing = tmp_path / "bin" / "bwrap"
    refusing.parent.mkdir()
    refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{refusing.parent}:{os.environ['PATH']}")
    sandbox.find_wrapper.cache_clear()
    try:
        assert house.compute.sandboxes is False
        argv = ("sh", "-c", f"cat {shlex.quote(str(house.ml / 'input' / 'photo'))}")
        house.compute.start(ProcessSpec("job", house.ml, house.root / "log", argv=argv, sandbox=Sandbox()))
        end, lines = house.end()
    finally:
        sandbox.find_wrapper.cache_clear()
    assert (end.code, lines[-1]) == (0, "data")
    assert lines[0].startswith("warning: This runs without a sandbox, for the system refuses bubblewrap")
    assert "No permissions to create new namespace" in lines[0] and "other jobs" in lines[0]


def test_where_a_path_is_seen() -> None:
    binds = (Bind(Path("/state/ml"), "/opt/ml", writable=True), Bind(Path("/state/ml/input"), "/data"))
    view = Sandbox(binds)
    given = ["/state/ml", "/state/ml/model/x", "/state/ml/input/a", "/state", "/elsewhere"]
    assert [view.inside(Path(path)) for path in given] == ["/opt/ml", "/opt/ml/model/x", "/data/a", None, None]


def _left_over(house: House) -> list[bytes]:
    """Processes that still run of those that have the house's name among their variables."""
    mine = f"HOUSE={house.root}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mine in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes())
        except OSError:
            continue
    return found


def _until(what: object, house: House) -> None:
    assert callable(what)
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline, house.lines()
        time.sleep(0.01)
