"""tobo doctor: what this machine can do, what is missing, and how to mend it."""

import importlib.util
import os
import platform
import shutil
import socket
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from tobo.cli.env import running_endpoint
from tobo.compute.sandbox import find_wrapper
from tobo.kit.finding import Finding, Verdict
from tobo.settings import Settings

_MARKS: dict[Verdict, str] = {"ok": "[green]ok[/]", "weak": "[yellow]weak[/]", "missing": "[red]missing[/]"}


def doctor(
    state: Annotated[Path | None, typer.Option(help="The server's state folder.")] = None,
    edge: Annotated[bool, typer.Option("--edge", help="Examines this device instead: camera, arm, model ...")] = False,
    audit: Annotated[bool, typer.Option("--audit", help="Verifies the chain of the audit log instead.")] = False,
    folder: Annotated[Path, typer.Option(help="With --edge: where the device's agent.toml is.")] = Path(
        "/etc/tobo-edge"
    ),
) -> None:
    """Tells what this machine can do and what is missing. Exits 1 if something is."""
    from rich.console import Console
    from rich.table import Table

    checks = (_audit_log,) if audit else CHECKS
    findings = _examine_device(folder) if edge else [check(Settings.read(state=state)) for check in checks]
    table = Table("", "", "found", "what to do", box=None, pad_edge=False)
    for finding in findings:
        table.add_row(finding.what, _MARKS[finding.verdict], finding.found, finding.mend)
    Console().print(table)
    raise typer.Exit(1 if any(finding.verdict == "missing" for finding in findings) else 0)


def _examine_device(folder: Path) -> list[Finding]:
    from tobo.edge import doctor, settings

    try:
        return doctor.examine(settings.read(folder))
    except settings.BadSettings as error:
        raise typer.BadParameter(str(error)) from None


def _python(settings: Settings) -> Finding:
    return Finding("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _package(
    name: str, purpose: str, extra: str = "train", verdict: Verdict = "missing"
) -> Callable[[Settings], Finding]:
    def check(settings: Settings) -> Finding:
        if importlib.util.find_spec(name) is None:
            return Finding(name, verdict, f"not installed: no {purpose}", f"pip install 'tobo[{extra}]'")
        try:
            return Finding(name, "ok", version(name))
        except PackageNotFoundError:
            return Finding(name, "ok", "installed")

    return check


def _cores(settings: Settings) -> Finding:
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    if cores >= 2:
        return Finding("cores", "ok", str(cores))
    return Finding("cores", "weak", str(cores), "training and answering will share one core")


def _memory(settings: Settings) -> Finding:
    try:
        gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (ValueError, OSError):
        return Finding("memory", "weak", "unknown", "say it with TOBO_MEMORY_BYTES")
    if gib >= 4:
        return Finding("memory", "ok", f"{gib:.1f} GiB")
    return Finding("memory", "weak", f"{gib:.1f} GiB", "choose small instance types and mini_batch_size")


def _disk(settings: Settings) -> Finding:
    folder = settings.state.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    if free >= 5:
        return Finding("disk", "ok", f"{free:.0f} GiB free at {folder}")
    return Finding("disk", "weak", f"{free:.1f} GiB free at {folder}", "free some space or choose another --state")


def _cgroups(settings: Settings) -> Finding:
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        kind, folder = "v2", root
    elif (root / "memory").is_dir():
        kind, folder = "v1", root / "memory"
    else:
        return Finding("cgroups", "weak", "none", "limits are watched by the job's parent process instead")
    if os.access(folder, os.W_OK):
        return Finding("cgroups", "ok", f"{kind}, writable")
    return Finding("cgroups", "weak", f"{kind}, not writable", "limits are watched by the job's parent process instead")


def _sandbox(settings: Settings) -> Finding:
    found = find_wrapper()
    if isinstance(found, str):
        return Finding("sandbox", "weak", found, "without it your scripts and images run as the server's user")
    return Finding("sandbox", "ok", found.program)


def _aarch64(settings: Settings) -> Finding:
    from tobo.compilers.aarch64 import NotRun, find_system

    if settings.aarch64_root is None:
        return Finding("arm64", "weak", "no emulation", "tools/arm64_root.py; until then certificates say so")
    try:
        find_system(str(settings.aarch64_root))
    except NotRun as error:
        return Finding("arm64", "missing", str(error), "tools/arm64_root.py FOLDER, and TOBO_AARCH64_ROOT=FOLDER")
    return Finding("arm64", "ok", f"emulated in {settings.aarch64_root}")


def _state(settings: Settings) -> Finding:
    folder = settings.state
    if not folder.exists():
        return Finding("state folder", "ok", f"{folder} will be made at the first start")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding("state folder", "missing", f"{folder} cannot be written", "chown it, or choose another --state")
    loose = [path for path in (folder, folder / "credentials.json") if path.exists() and path.stat().st_mode & 0o077]
    if loose:
        names = " ".join(map(str, loose))
        return Finding("state folder", "missing", f"others can read {names}", f"chmod go-rwx {names}")
    return Finding("state folder", "ok", str(folder))


def _audit_log(settings: Settings) -> Finding:
    from tobo.telemetry.trail import verify

    count, broken = verify(settings.state / "audit")
    if broken is None:
        return Finding("audit log", "ok", f"{count:,} records, each sealed to the one before it")
    place = f"{broken.file} line {broken.line}: {broken.why}"
    return Finding("audit log", "missing", place, "compare with a backup; what lies before it holds")


def _port(settings: Settings) -> Finding:
    if endpoint := running_endpoint(settings):
        return Finding("server", "ok", f"runs at {endpoint}")
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return Finding(
                "port", "missing", f"{settings.host}:{settings.port}: {error.strerror}", "tobo serve --port ..."
            )
    return Finding("port", "ok", f"{settings.host}:{settings.port} is free")


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    _python,
    _package("torch", "training"),
    _package("onnx", "model export"),
    _package("onnxruntime", "answering"),
    _package("openvino", "compiling for Intel", "compile", "weak"),
    _package("jupyterlab", "notebooks", "notebooks", "weak"),
    _cores,
    _memory,
    _disk,
    _cgroups,
    _sandbox,
    _aarch64,
    _state,
    _port,
)
