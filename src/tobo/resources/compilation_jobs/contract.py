"""What a compilation job's process finds: its folders, its configuration, its environment and its view of the machine."""

import os
from collections.abc import Mapping

import orjson

from tobo.compilers.options import CALIBRATION, CONFIGURATION, MODEL
from tobo.compute.base import Bind, Sandbox
from tobo.kit.paths import MlPaths
from tobo.operations.context import Context
from tobo.operations.job_process import JobProcess
from tobo.operations.own_code import OPT_ML
from tobo.store.base import Row

PROCESS = JobProcess("compilations", "/aws/sagemaker/CompilationJobs", "compilation", grace=10.0)
"""A compiler that is stopped has nothing to save."""

CPUS, MEMORY_BYTES = 2.0, 4 << 30
"""What one compilation may use, of a smaller machine all: a request names no machine. It computes on one thread."""


def memory_bytes(context: Context) -> int:
    """What a compilation may fill."""
    return min(MEMORY_BYTES, context.settings.memory_bytes or MEMORY_BYTES)


def write_configuration(paths: MlPaths, row: Row) -> None:
    """Makes the folders and writes what the compiler reads of the request."""
    paths.make()
    asked = {name: row.asked[name] for name in ("InputConfig", "OutputConfig")}
    (paths.config / CONFIGURATION).write_bytes(orjson.dumps(asked))


def runs_own_code(paths: MlPaths) -> bool:
    """Whether loading the archive can run what is in it: an exported program's can (torch.export.load)."""
    return any(paths.channel(MODEL).rglob("*.pt2"))


def sandbox(paths: MlPaths) -> Sandbox:
    """The job's tree at /opt/ml; what it was given cannot be written there."""
    given = [path for path in (paths.channel(MODEL), paths.channel(CALIBRATION)) if path.is_dir()]
    binds = [Bind(paths.root, OPT_ML, writable=True)]
    return Sandbox((*binds, *(Bind(path, f"{OPT_ML}/{path.relative_to(paths.root)}") for path in given)))


def environment(context: Context, paths: MlPaths, sandboxed: bool) -> Mapping[str, str]:
    """No credentials: it asks nobody for anything."""
    found = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": OPT_ML if sandboxed else str(paths.root),
        "TOBO_ML_ROOT": OPT_ML if sandboxed else str(paths.root),
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONUNBUFFERED": "1",
    }
    if sandboxed:
        found["TOBO_AARCH64_ROOT"] = ""
    elif context.settings.aarch64_root is not None:
        found["TOBO_AARCH64_ROOT"] = str(context.settings.aarch64_root)
    return found
