"""Compute's promise (src/tobo/compute/base.py), against real processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tobo.compute import records
from tobo.compute.base import Exited, ProcessSpec, Running, Usage
from tobo.compute.processes import ProcessCompute
from tobo.kit import process
from tobo.kit.log_lines import read_line

PATIENCE = 30.0


@pytest.fixture
def compute(tmp_path: Path) -> Iterator[ProcessCompute]:
    made = ProcessCompute(tmp_path / "state")
    yield made
    made.close()


@pytest.fixture(params=["auto", "watch"])
def bounded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProcessCompute]:
    made = ProcessCompute(tmp_path / "state", bounds=request.param)
    yield made
    made.close()


def spec(tmp_path: Path, name: str = "job", /, **given: object) -> ProcessSpec:
    return ProcessSpec(name, tmp_path / "work", tmp_path / "logs" / "log", **given)  # type: ignore[arg-type]


def shell(tmp_path: Path, script: str, /, **given: object) -> ProcessSpec:
    return spec(tmp_path, argv=("sh", "-c", script), **given)


def guest(tmp_path: Path, code: str, /, **given: object) -> ProcessSpec:
    """A spec whose entry is the function `main` that `code` defines."""
    (tmp_path / "guest.py").write_text(code)
    return spec(tmp_path, entry="guest:main", environment={"PYTHONPATH": str(tmp_path)}, **given)


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def ended(compute: ProcessCompute, name: str = "job") -> Exited:
    until(lambda: not isinstance(compute.poll(name), Running))
    end = compute.poll(name)
    assert isinstance(end, Exited)
    return end


def running(compute: ProcessCompute, name: str = "job") -> Running:
    state = compute.poll(name)
    assert isinstance(state, Running)
    return state


def logged(tmp_path: Path) -> list[str]:
    log = tmp_path / "logs" / "log"
    return [read_line(line)[1] for line in log.read_bytes().splitlines()] if log.exists() else []


def is_gone(pid: int) -> bool:
    return process.birth(pid) == ""


def shim_of(tmp_path: Path, name: str = "job") -> int:
    record = records.read(tmp_path / "state" / "processes" / records.file_name(name) / records.RUNNING)
    assert record is not None
    return int(record["shim"])


@pytest.mark.parametrize(
    ("script", "code", "number", "reason"),
    [
        ("true", 0, None, ""),
        ("exit 3", 3, None, "Exited with code 3."),
        ("kill -SEGV $$", None, signal.SIGSEGV, "Ended by SIGSEGV."),
        ("kill -KILL $$", None, signal.SIGKILL, "Killed by SIGKILL from outside"),
    ],
)
def test_the_end_is_recorded(
    compute: ProcessCompute, tmp_path: Path, script: str, code: int | None, number: int | None, reason: str
) -> None:
    compute.start(shell(tmp_path, script))
    end = ended(compute)
    assert (end.code, end.signal, end.out_of_memory) == (code, number, False)
    assert end.reason.startswith(reason) and bool(end.reason) == bool(reason)


@pytest.mark.parametrize(
    ("code", "expected", "last"),
    [
        ("def main(): print('done')", 0, "done"),
        ("import sys\ndef main(): sys.exit(7)", 7, None),
        ("import sys\ndef main(): sys.exit('no data')", 1, "no data"),
        ("def main(): raise KeyError('label')", 1, "KeyError: 'label'"),
        ("import atexit\ndef main(): atexit.register(print, 'goodbye')", 0, "goodbye"),
        (
            "from concurrent.futures import ThreadPoolExecutor\n"
            "idle = ThreadPoolExecutor()\ndef main(): idle.submit(print, 'worked').result()",
            0,
            "worked",
        ),
    ],
)
@pytest.mark.parametrize("preload", [(), ("json",)], ids=["cold", "warm"])
def test_an_entry_ends_like_a_program(
    compute: ProcessCompute, tmp_path: Path, code: str, expected: int, last: str | None, preload: tuple[str, ...]
) -> None:
    compute.start(guest(tmp_path, code, preload=preload))
    assert ended(compute).code == expected
    assert logged(tmp_path)[-1:] == ([last] if last else [])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"argv": ("no-such-program",)}, "'no-such-program' could not be started: No such file or directory."),
        ({"entry": "no_such_module:main"}, "needs the Python package 'no_such_module', which is not installed"),
        ({"entry": "json:no_such_function"}, "'json:no_such_function' could not be loaded"),
        ({"entry": "json:loads", "preload": ("no_such_module",)}, "needs the Python package 'no_such_module'"),
    ],
)
def test_what_cannot_start_says_why(
    compute: ProcessCompute, tmp_path: Path, given: dict[str, object], sentence: str
) -> None:
    compute.start(spec(tmp_path, **given))
    end = ended(compute)
    assert end.code in (1, 127)
    assert sentence in end.reason


def test_a_spec_needs_something_to_run(compute: ProcessCompute, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs an entry or an argv"):
        compute.start(spec(tmp_path))


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ("echo out; echo err >&2", ["out", "err"]),
        ("printf 'a\\n\\nb'", ["a", "", "b"]),
        ("printf 'half'; sleep 0.2; printf ' line\\n'", ["half line"]),
        ("printf 'bytes \\377\\376\\n'", ["bytes \\xff\\xfe"]),
        ("printf '10%%\\r100%%\\n'", ["10%\r100%"]),
        ("i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done", [str(number) for number in range(2000)]),
        ("head -c 600000 /dev/zero | tr '\\0' x", ["x" * 262144, "x" * 262144, "x" * 75712]),
    ],
)
def test_output_becomes_log_lines(compute: ProcessCompute, tmp_path: Path, script: str, lines: list[str]) -> None:
    before = int(time.time() * 1000)
    compute.start(shell(tmp_path, script))
    ended(compute)
    assert logged(tmp_path) == lines
    stamps = [read_line(line)[0] for line in (tmp_path / "logs" / "log").read_bytes().splitlines()]
    assert stamps == sorted(stamps)
    assert before <= stamps[0] <= stamps[-1] <= time.time() * 1000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk to fill")
def test_a_log_that_cannot_be_written_does_not_end_the_job(compute: ProcessCompute, tmp_path: Path) -> None:
    compute.start(ProcessSpec("job", tmp_path, Path("/dev/full"), argv=("sh", "-c", "echo x; echo y")))
    assert ended(compute).code == 0


def test_starting_twice_runs_once(compute: ProcessCompute, tmp_path: Path) -> None:
    wanted = shell(tmp_path, "echo ran >> runs")
    threads = [threading.Thread(target=compute.start, args=(wanted,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended(compute)
    compute.start(wanted)
    assert ended(compute).code == 0
    assert (tmp_path / "work" / "runs").read_text() == "ran\n"


def test_two_shims_run_a_process_once(compute: ProcessCompute, tmp_path: Path) -> None:
    compute.start(shell(tmp_path, "echo ran >> runs; sleep 0.2"))
    folder = tmp_path / "state" / "processes" / records.file_name("job")
    shims = [subprocess.Popen([sys.executable, "-m", "tobo.compute.shim", str(folder)]) for _ in range(3)]
    ended(compute)
    assert [shim.wait(PATIENCE) for shim in shims] == [0, 0, 0]
    assert (tmp_path / "work" / "runs").read_text() == "ran\n"


def test_a_start_cut_short_is_made_good_by_the_next_server(
    tmp_path: Path, compute: ProcessCompute, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(ProcessCompute, "_launch", lambda self, folder: None)
        compute.start(shell(tmp_path, "echo ran >> runs"))
    following = ProcessCompute(tmp_path / "state")
    assert ended(following).code == 0
    assert (tmp_path / "work" / "runs").read_text() == "ran\n"
    following.close()


SERVER = """
import sys, time
from pathlib import Path
from tobo.compute.base import ProcessSpec, Running
from tobo.compute.processes import ProcessCompute

root = Path(sys.argv[1])
compute = ProcessCompute(root / "state")
compute.start(ProcessSpec("job", root / "work", root / "logs" / "log", entry="guest:main",
    environment={"PYTHONPATH": str(root)}, preload=tuple(sys.argv[3:])))
while not (root / "work" / "begun").exists():
    time.sleep(0.01)
if sys.argv[2] == "terminate":
    compute.terminate("job", grace=1.0)
print("started", flush=True)
time.sleep(60)
"""

PATIENT_GUEST = """
import time
from pathlib import Path
def main():
    with open("begun", "a") as file:
        file.write("x")
    while not Path("go").exists():
        time.sleep(0.01)
    print("went on")
"""

DEAF_GUEST = """
import signal, time
def main():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open("begun", "w").close()
    time.sleep(60)
"""


def killed_server(tmp_path: Path, code: str, *arguments: str) -> None:
    """A server process that starts the job of `code` and is killed with SIGKILL."""
    (tmp_path / "guest.py").write_text(code)
    argv = [sys.executable, "-c", SERVER, str(tmp_path), *arguments]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"started\n"
        server.kill()


@pytest.mark.parametrize("preload", [(), ("json",)], ids=["cold", "warm"])
def test_a_job_outlives_its_server(tmp_path: Path, preload: tuple[str, ...]) -> None:
    killed_server(tmp_path, PATIENT_GUEST, "leave", *preload)
    following = ProcessCompute(tmp_path / "state")
    assert not is_gone(running(following).pid)
    (tmp_path / "work" / "go").touch()
    assert ended(following) == ended(following)
    assert ended(following).code == 0
    assert (tmp_path / "work" / "begun").read_text() == "x"
    assert logged(tmp_path) == ["went on"]
    following.close()


def test_the_kill_after_the_grace_needs_no_server(tmp_path: Path) -> None:
    killed_server(tmp_path, DEAF_GUEST, "terminate")
    following = ProcessCompute(tmp_path / "state")
    end = ended(following)
    assert (end.signal, end.reason) == (signal.SIGKILL, "Did not end within 1 s of SIGTERM and was killed.")
    following.close()


def test_killing_the_job_is_told(compute: ProcessCompute, tmp_path: Path) -> None:
    compute.start(shell(tmp_path, "echo up; sleep 60"))
    until(lambda: logged(tmp_path) == ["up"])
    os.kill(running(compute).pid, signal.SIGKILL)
    end = ended(compute)
    assert end.signal == signal.SIGKILL
    assert "from outside" in end.reason


def test_killing_the_shim_ends_the_job_and_is_told(bounded: ProcessCompute, tmp_path: Path) -> None:
    bounded.start(shell(tmp_path, "sleep 60 & echo $!; wait", memory_bytes=1 << 28))
    until(lambda: logged(tmp_path))
    job, child = running(bounded).pid, int(logged(tmp_path)[0])
    os.kill(shim_of(tmp_path), signal.SIGKILL)
    end = ended(bounded)
    assert (end.code, end.signal) == (None, None)
    assert end.reason.startswith("It vanished without a record")
    until(lambda: is_gone(job) and is_gone(child))
    assert not list(Path("/sys/fs/cgroup").glob(f"**/*{cgroup_name(tmp_path)}"))


def cgroup_name(tmp_path: Path) -> str:
    record = records.read(tmp_path / "state" / "processes" / records.file_name("job") / records.SPEC)
    assert record is not None
    return str(record["group"])


@pytest.mark.parametrize(
    ("birth", "reason"),
    [
        (f"{process.boot()}:1", "It vanished without a record: its parent process"),
        ("another-boot:1", "It vanished without a record: the machine was started anew while it ran."),
    ],
)
def test_a_number_given_again_is_not_the_job(compute: ProcessCompute, tmp_path: Path, birth: str, reason: str) -> None:
    compute.start(shell(tmp_path, "true"))
    ended(compute)
    folder = tmp_path / "state" / "processes" / records.file_name("job")
    (folder / records.EXIT).unlink()
    claim = {"shim": os.getpid(), "shim_birth": birth, "started": 0.0, "pid": os.getpid(), "birth": birth}
    records.write(folder / records.RUNNING, claim)
    assert ended(compute).reason.startswith(reason)


def test_a_killed_warm_parent_takes_no_job_along(compute: ProcessCompute, tmp_path: Path) -> None:
    compute.start(guest(tmp_path, PATIENT_GUEST, preload=("json",)))
    until((tmp_path / "work" / "begun").exists)
    parent = compute.warm_parent
    assert parent is not None
    os.kill(parent, signal.SIGKILL)
    until(lambda: compute.warm_parent is None)
    assert not is_gone(running(compute).pid)
    (tmp_path / "work" / "go").touch()
    assert ended(compute).code == 0
    compute.start(ProcessSpec("next", tmp_path, tmp_path / "next", entry="gc:collect", preload=("json",)))
    assert ended(compute, "next").code == 0
    assert compute.warm_parent not in (None, parent)


def test_a_request_lost_with_the_warm_parent_is_made_again(compute: ProcessCompute, tmp_path: Path) -> None:
    compute.warm(())
    parent = compute.warm_parent
    assert parent is not None
    os.kill(parent, signal.SIGSTOP)
    compute.start(guest(tmp_path, "def main(): print('ran')", preload=("json",)))
    assert isinstance(compute.poll("job"), Running)
    os.kill(parent, signal.SIGKILL)
    assert ended(compute).code == 0
    assert logged(tmp_path) == ["ran"]


def test_every_process_runs_once_whatever_dies(compute: ProcessCompute, tmp_path: Path) -> None:
    names = [f"job-{number}" for number in range(10)]
    (tmp_path / "guest.py").write_text("def main():\n    with open('runs', 'a') as file:\n        file.write('x')\n")
    compute.warm(("json",))
    for name in names:
        given = {"entry": "guest:main", "preload": ("json",), "environment": {"PYTHONPATH": str(tmp_path)}}
        compute.start(ProcessSpec(name, tmp_path / name, tmp_path / f"{name}.log", **given))  # type: ignore[arg-type]
        if name in ("job-3", "job-6"):
            assert compute.warm_parent is not None
            os.kill(compute.warm_parent, signal.SIGKILL)
    following = ProcessCompute(tmp_path / "state")
    assert [ended(server, name).code for name in names for server in (compute, following)] == [0] * 20
    assert [(tmp_path / name / "runs").read_text() for name in names] == ["x"] * 10
    following.close()


def test_close_ends_the_warm_parent_and_no_job(tmp_path: Path) -> None:
    compute = ProcessCompute(tmp_path / "state")
    compute.start(guest(tmp_path, PATIENT_GUEST, preload=("json",)))
    until((tmp_path / "work" / "begun").exists)
    parent = compute.warm_parent
    assert parent is not None
    compute.close()
    assert is_gone(parent)
    assert not is_gone(running(compute).pid)
    (tmp_path / "work" / "go").touch()
    assert ended(compute).code == 0


@pytest.mark.parametrize(
    ("script", "grace", "expected", "reason"),
    [
        ("echo up; sleep 60", 60.0, (None, signal.SIGTERM), "Ended by SIGTERM, as asked."),
        ("trap 'echo saved; exit 0' TERM; echo up; sleep 60 & wait", 60.0, (0, None), ""),
        ("trap '' TERM; echo up; sleep 60", 0.3, (None, signal.SIGKILL), "Did not end within 0.3 s of SIGTERM"),
    ],
)
def test_terminate(
    compute: ProcessCompute,
    tmp_path: Path,
    script: str,
    grace: float,
    expected: tuple[int | None, int | None],
    reason: str,
) -> None:
    compute.start(shell(tmp_path, script))
    until(lambda: "up" in logged(tmp_path))
    compute.terminate("job", grace)
    end = ended(compute)
    assert (end.code, end.signal) == expected
    assert end.reason.startswith(reason)
    compute.terminate("job", grace)
    compute.terminate("never started")


def test_a_second_terminate_brings_the_kill_nearer_only(compute: ProcessCompute, tmp_path: Path) -> None:
    compute.start(shell(tmp_path, "trap '' TERM; echo up; sleep 60"))
    until(lambda: logged(tmp_path))
    for grace in (0.5, 60.0):
        compute.terminate("job", grace)
    assert ended(compute).reason == "Did not end within 0.5 s of SIGTERM and was killed."


def test_a_process_stopped_before_it_started_never_runs(compute: ProcessCompute, tmp_path: Path) -> None:
    compute.warm(())
    parent = compute.warm_parent
    assert parent is not None
    os.kill(parent, signal.SIGSTOP)  # as if it was still importing
    compute.start(guest(tmp_path, "def main(): print('ran')", preload=("json",)))
    compute.terminate("job")
    os.kill(parent, signal.SIGCONT)
    end = ended(compute)
    assert (end.signal, end.reason) == (signal.SIGTERM, "Stopped before it started.")
    compute.start(ProcessSpec("next", tmp_path, tmp_path / "next", entry="gc:collect", preload=("json",)))
    assert ended(compute, "next").code == 0
    assert logged(tmp_path) == []
    (tmp_path / "state" / "processes" / records.file_name("job") / records.EXIT).unlink()  # as if killed before
    assert ended(compute) == end


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere what leaves the group gets away")
def test_nothing_outlives_the_first_process(compute: ProcessCompute, tmp_path: Path) -> None:
    script = "sleep 60 & echo $!; setsid sleep 60 & echo $!; sh -c 'setsid sleep 60 & echo $!'; exit 0"
    compute.start(shell(tmp_path, script))
    assert ended(compute).code == 0
    children = [int(line) for line in logged(tmp_path)]
    assert len(children) == 3
    assert all(is_gone(child) for child in children)


HUNGRY = "x = b'1' * (200 << 20); import time; time.sleep(60)"


@pytest.mark.parametrize("child", [False, True], ids=["itself", "its child"])
def test_running_out_of_memory_is_named(bounded: ProcessCompute, tmp_path: Path, child: bool) -> None:
    hungry = (sys.executable, "-c", HUNGRY)
    argv = ("sh", "-c", '"$@" & sleep 60', "sh", *hungry) if child else hungry
    bounded.start(spec(tmp_path, argv=argv, memory_bytes=64 << 20))
    end = ended(bounded)
    assert end.out_of_memory
    assert end.reason.startswith("Killed for memory: used ")
    assert "of 64 MiB; choose a larger instance type or a smaller mini_batch_size." in end.reason
    assert not list(Path("/sys/fs/cgroup").glob(f"**/*{cgroup_name(tmp_path)}"))


def test_memory_within_the_bound_is_left_alone(bounded: ProcessCompute, tmp_path: Path) -> None:
    code = "x = b'1' * (100 << 20); import time; time.sleep(0.6)"
    bounded.start(spec(tmp_path, argv=(sys.executable, "-c", code), memory_bytes=256 << 20))
    assert ended(bounded).code == 0


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_processors_are_bounded(bounded: ProcessCompute, tmp_path: Path) -> None:
    code = """
import os
from pathlib import Path
def quota(line):
    _, controllers, path = line.split(":", 2)
    if "cpu" in controllers.split(","):
        return Path("/sys/fs/cgroup/cpu" + path + "/cpu.cfs_quota_us")
    return Path("/sys/fs/cgroup" + path + "/cpu.max")
quotas = [q.read_text().split()[0] for q in map(quota, Path("/proc/self/cgroup").read_text().splitlines()) if q.exists()]
print(os.environ["OMP_NUM_THREADS"], len(os.sched_getaffinity(0)) == 1 or "100000" in quotas)
"""
    bounded.start(spec(tmp_path, argv=(sys.executable, "-c", code), cpus=1.0))
    assert ended(bounded).code == 0
    assert logged(tmp_path) == ["1 True"]


def test_a_job_sees_no_key_that_it_was_not_given(
    compute: ProcessCompute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOBO_ROOT_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("COLOUR", "red")
    given = {"AWS_ACCESS_KEY_ID": "given"}
    compute.start(shell(tmp_path, "env", environment=given))
    ended(compute)
    seen = logged(tmp_path)
    assert {"AWS_ACCESS_KEY_ID=given", "COLOUR=red"} <= set(seen)
    assert not [line for line in seen if "secret" in line]


def test_forget_removes_and_kills(compute: ProcessCompute, tmp_path: Path) -> None:
    compute.start(shell(tmp_path, "trap '' TERM; echo up; sleep 60"))
    until(lambda: logged(tmp_path))
    job = running(compute).pid
    compute.forget("job")
    assert compute.poll("job") is None
    assert is_gone(job)
    compute.forget("job")
    compute.start(shell(tmp_path, "exit 5"))
    assert ended(compute).code == 5


@pytest.mark.parametrize("name", ["a/b/../c", "..", "white space\n", "x" * 400, "ünïcode", "Job", "job"])
def test_any_name_will_do(compute: ProcessCompute, tmp_path: Path, name: str) -> None:
    assert compute.poll(name) is None
    compute.start(spec(tmp_path, name, argv=("true",)))
    assert ended(compute, name).code == 0
    assert compute.poll(name.upper() + "?") is None


def test_who_looks_while_another_forgets_finds_nothing(compute: ProcessCompute, tmp_path: Path) -> None:
    errors: list[BaseException] = []
    over = threading.Event()

    def look() -> None:
        try:
            while not over.is_set():
                compute.poll("job")
                compute.terminate("job", 0.0)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        compute.start(shell(tmp_path, "sleep 60"))
        compute.forget("job")
    over.set()
    for thread in threads:
        thread.join()
    assert errors == []
    compute.forget("job")
    assert compute.poll("job") is None


def test_usage_is_that_of_the_whole_tree(compute: ProcessCompute, tmp_path: Path) -> None:
    def used() -> Usage:
        found = compute.usage("job")
        assert found is not None
        return found

    busy = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"
    compute.start(shell(tmp_path, f"sh -c '{busy}'; touch over; sh -c 'while :; do :; done'", memory_bytes=1 << 30))
    until(lambda: (tmp_path / "work" / "over").exists())
    before = used()
    assert before.cpu_seconds > 0 and 0 < before.memory_bytes < 1 << 30 and before.memory_limit == 1 << 30
    until(lambda: used().cpu_seconds > before.cpu_seconds + 0.2)
    compute.terminate("job", grace=0.0)
    ended(compute)
    assert compute.usage("job") is None and compute.usage("nobody") is None
