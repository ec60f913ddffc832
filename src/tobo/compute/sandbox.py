"""The sandbox: bubblewrap's command line for a process, and whether this machine lets it work (bwrap(1))."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tobo.compute.base import ProcessSpec, Sandbox

PROCESSES = 4096
"""Processes and threads that a sandbox may have at a time where its spec does not say."""

HOST = "algo-1"
"""The machine's name inside, as SageMaker's containers have it (resourceconfig.json, current_host)."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/sys/devices/system")
_ETC = (
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "fonts",
    "gai.conf",
    "host.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "OpenCL",
    "pki",
    "protocols",
    "services",
    "ssl",
    "timezone",
)
"""What programs read of /etc and what tells nothing about the machine's people; passwd, group and hosts are our own."""

_ACCOUNTS = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
    "hosts": f"127.0.0.1 localhost {HOST}\n::1 localhost\n",
    "hostname": f"{HOST}\n",
}
_SETTINGS = ("acpi", "asound", "bus", "driver", "fs", "irq", "mtrr", "pressure", "scsi", "sys", "sysrq-trigger", "tty")
"""What of /proc sets the machine and not a process."""

_SCRATCH = ("/run", "/var/cache", "/var/log", "/var/tmp")
"""Folders of a whole system that its programs write to; they are empty in the sandbox but for the system's folders."""

_USER = ("--unshare-user", "--uid", "0", "--gid", "0")
"""A user namespace, whose root has no rights outside; what a container's program expects to be."""


class Wrapper(NamedTuple):
    """What works here: bwrap's path, its options for the user, and whether this version bounds folders in memory."""

    program: str
    user: tuple[str, ...]
    sized: bool

    def command(self, spec: ProcessSpec, own: Path) -> list[str]:
        """bwrap and its options, without descriptors and variables. `own` has the files of `write_own`."""
        sandbox = spec.sandbox or Sandbox()
        argv = [self.program, *self.user, "--cap-drop", "ALL", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
        argv += ["--unshare-cgroup-try", "--hostname", HOST, "--die-with-parent", "--new-session"]
        beside = spec.entry is not None and spec.argv  # shares the network that the entry has left the others for
        argv += [] if spec.network or beside else ["--unshare-net"]
        targets = [Path(bind.target) for bind in sandbox.binds]
        if sandbox.root is None:
            argv += _system(own, spec.network)
        else:
            argv += _image(sandbox.root, own, targets)
            for folder in _SCRATCH:
                argv += [*self.memory(folder, spec.memory_bytes), *_folders(sandbox.root, folder)]
        argv += ["--proc", "/proc", *_kernel(), "--dev", "/dev", *_devices(), "--remount-ro", "/dev"]
        argv += [*self.memory("/tmp", spec.memory_bytes), *self.memory("/dev/shm", spec.memory_bytes)]
        argv += _interpreter() if sandbox.root is None else []  # after /tmp, below which it may lie
        for bind in sandbox.binds:
            argv += ["--bind" if bind.writable else "--ro-bind", str(bind.source.absolute()), bind.target]
        for folder in sandbox.memory:
            argv += self.memory(folder, spec.memory_bytes)
        return [*argv, "--remount-ro", "/", "--chdir", sandbox.workdir or sandbox.inside(spec.folder) or "/tmp"]

    def memory(self, target: str, memory_bytes: int | None) -> list[str]:
        """A folder in memory, which counts as the process's own; of half of what it may have, as the kernel has it for all."""
        size = ["--size", str(memory_bytes // 2)] if self.sized and memory_bytes is not None else []
        return ["--perms", "1777", *size, "--tmpfs", target]


def write_own(folder: Path) -> None:
    """The files of /etc that every sandbox has in place of the machine's."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _ACCOUNTS.items():
        (folder / name).write_text(text)


@functools.cache
def find_wrapper() -> Wrapper | str:
    """What works on this machine, found by really trying it; else one sentence that says why nothing does."""
    if not sys.platform.startswith("linux"):
        return f"sandboxes need Linux's namespaces, which {sys.platform} has not"
    program = shutil.which("bwrap", path=f"{os.environ.get('PATH', os.defpath)}:/usr/bin:/usr/local/bin")
    if program is None:
        return "bubblewrap is not installed (apt-get install bubblewrap)"
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=False).stdout
    sized = "--size" in told
    users: list[tuple[str, ...]] = [("--disable-userns", *_USER)] if "--disable-userns" in told else []
    users += [_USER] if os.geteuid() else [_USER, ()]
    problem = ""
    for user in users:
        view = ("--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev")
        argv = [program, *user, "--unshare-pid", "--unshare-net", *view, "true"]
        tried = subprocess.run(argv, capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return Wrapper(program, user, sized)
        problem = tried.stderr.strip().splitlines()[-1] if tried.stderr.strip() else f"exit code {tried.returncode}"
    return f"the system refuses bubblewrap ({problem})"


def missing_protection(why: str, network: bool) -> str:
    """The first line of the log of a process that should have a sandbox and has none."""
    further = "" if network else " and EnableNetworkIsolation may not hold"
    return (
        f"warning: This runs without a sandbox, for {why}: it can read and write whatever the server's user can, "
        f"other jobs and the server's own state among it{further}."
    )


def _interpreter() -> Iterator[str]:
    """The Python environment that tobo itself runs in."""
    for path in _python():
        yield from ("--ro-bind", str(path), str(path))


def _system(own: Path, network: bool) -> Iterator[str]:
    """The machine's programs and libraries."""
    for path in map(Path, _SYSTEM):
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.exists():
            yield from ("--ro-bind", str(path), str(path))
    names = (*_ETC, "resolv.conf") if network else _ETC
    for path in (Path("/etc", name) for name in names):
        if path.exists():
            yield from ("--ro-bind", str(path), str(path))
    for name in _ACCOUNTS:
        yield from ("--ro-bind", str(own / name), f"/etc/{name}")


@functools.cache
def _python() -> tuple[Path, ...]:
    """The folders of this interpreter, of its environment and of the package tobo that the system does not have."""
    package = Path(__file__).parent.parent
    interpreter = Path(sys.executable).resolve().parent.parent
    wanted = [Path(sys.base_prefix), Path(sys.base_prefix).resolve(), interpreter, Path(sys.prefix), package]
    found: list[Path] = []
    for path in wanted:
        if not any(path == other or other in path.parents for other in (Path("/usr"), *found)):
            found.append(path)
    return tuple(found)


def _kernel() -> Iterator[str]:
    """The kernel's settings, read-only: their files ask for no right but that of their owner, whom root inside is outside."""
    for path in (Path("/proc", name) for name in _SETTINGS):
        if path.exists():
            yield from ("--ro-bind", str(path), str(path))


def _devices() -> Iterator[str]:
    """GPUs, where there are some; bwrap gives null, zero, random and their like by itself."""
    for path in sorted(Path("/dev").glob("nvidia*")):
        yield from ("--dev-bind", str(path), str(path))


def _image(root: Path, own: Path, targets: Sequence[Path]) -> Iterator[str]:
    """A whole system's files: each folder read-only, opened up only where one of ours lies in it."""
    ours = [Path("/etc/hosts"), Path("/etc/hostname"), Path("/etc/resolv.conf"), *map(Path, _SCRATCH)]
    kernel = [Path(path) for path in ("/proc", "/dev", "/sys", "/tmp")]
    yield from _opened(root, Path("/"), [*ours, *kernel, *targets])
    for name in ("hosts", "hostname"):
        yield from ("--ro-bind", str(own / name), f"/etc/{name}")
    if Path("/etc/resolv.conf").exists():
        yield from ("--ro-bind", "/etc/resolv.conf", "/etc/resolv.conf")
    yield from ("--ro-bind", "/sys/devices/system", "/sys/devices/system")


def _folders(root: Path, path: str) -> Iterator[str]:
    """The folders that a system has below a path, for programs that do not make their own."""
    top = root / path.lstrip("/")
    for folder in sorted(top.rglob("*")) if top.is_dir() and not top.is_symlink() else ():
        if folder.is_dir() and not folder.is_symlink():
            yield from ("--dir", f"/{folder.relative_to(root)}")


def _opened(root: Path, at: Path, kept_free: Iterable[Path]) -> Iterator[str]:
    """The children of one folder of a system; `kept_free` are the paths at which something else will be seen."""
    free = list(kept_free)
    for child in sorted((root / at.relative_to("/")).iterdir()):
        seen = at / child.name
        if seen in free:
            continue
        if child.is_symlink():
            yield from ("--symlink", str(child.readlink()), str(seen))
        elif child.is_dir() and any(seen in path.parents for path in free):
            yield from ("--dir", str(seen))
            yield from _opened(root, seen, free)
        else:
            yield from ("--ro-bind", str(child), str(seen))
