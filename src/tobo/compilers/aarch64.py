"""aarch64 under emulation: the compiled graph in an arm64 Python under qemu-user, to see that its answers stay the same.

TOBO_AARCH64_ROOT names a folder as tools/arm64_root.py makes it: an arm64 system with Python, numpy, onnxruntime and
ncnn in /site, and qemu-aarch64-static at its top; in a sandbox, where it cannot be seen, it is "". It tells what is computed,
not how fast: it runs some hundred times slower.
bubblewrap makes the folder the program's root, without /proc and /sys: with an x86-64 machine's /sys in sight, ONNX
Runtime's look at the processor ends in a crash.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np

from tobo.compilers.base import Built
from tobo.compilers.decisions import Scores, flat
from tobo.compilers.model import Samples
from tobo.inference import ncnn_graph

SAMPLES, SECONDS = 8, 300
"""How many samples are tried, and for how long at most."""

_QEMU = "qemu-aarch64-static"

_PROGRAM = """
import os, pathlib, sys, numpy, onnxruntime
if sys.argv[1].endswith(".param"):
    import ncnn_graph
    run = ncnn_graph.load_graph(pathlib.Path("/tmp", sys.argv[1]))
else:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession("/tmp/" + sys.argv[1], options, providers=["CPUExecutionProvider"])
    run = lambda feeds: session.run(None, feeds)
for number in range(int(sys.argv[2])):
    with numpy.load(f"/tmp/{number}.npz") as feeds:
        outputs = run(dict(feeds))
    numpy.savez("/tmp/writing.npz", *outputs)
    os.rename("/tmp/writing.npz", f"/tmp/answer-{number}.npz")
"""


class NotRun(Exception):
    """The emulation did not take place; the message says why, and what would mend it."""


def run(folder: Path, built: Built, samples: Samples) -> Scores:
    """Scores [n, k] of the first samples; raises NotRun."""
    root, wrapper = find_system(os.environ.get("TOBO_AARCH64_ROOT"))
    if built.runtime == "ncnn" and not (root / "site" / "ncnn").is_dir():
        raise NotRun(f"'{root}' (TOBO_AARCH64_ROOT) has no ncnn; tools/arm64_root.py brings it, called once more")
    with tempfile.TemporaryDirectory(prefix="aarch64-", dir=folder.parent) as name:
        work = Path(name)
        for file in built.files:
            shutil.copyfile(folder / file, work / file)
        shutil.copyfile(ncnn_graph.__file__, work / "ncnn_graph.py")
        count = 0
        for number, sample in enumerate(islice(samples, SAMPLES)):
            np.savez(work / f"{number}.npz", **sample.feeds)  # type: ignore[arg-type]  # names of inputs, none of savez's own
            count += 1
        (work / "run.py").write_text(_PROGRAM)
        _emulate(root, wrapper, work, built.graph, count)
        rows = []
        for number in range(count):
            answer = work / f"answer-{number}.npz"
            if not answer.is_file():
                break
            with np.load(answer) as outputs:
                rows.append(flat([outputs[key] for key in outputs.files]))
        if not rows:
            raise NotRun(f"the emulation gave no answer within {SECONDS} s")
        return np.stack(rows)


def find_system(named: str | None) -> tuple[Path, str]:
    """The arm64 system that TOBO_AARCH64_ROOT names, and bubblewrap; raises NotRun."""
    if named == "":
        raise NotRun(
            "what could run code of its own is compiled in a sandbox, and no other machine is emulated in there"
        )
    if not named:
        raise NotRun("TOBO_AARCH64_ROOT names no arm64 system; tools/arm64_root.py makes one")
    root, wrapper = Path(named), shutil.which("bwrap")
    if not (root / _QEMU).is_file() or not (root / "site" / "onnxruntime").is_dir():
        raise NotRun(f"'{root}' (TOBO_AARCH64_ROOT) is no arm64 system with onnxruntime; tools/arm64_root.py makes one")
    if wrapper is None:
        raise NotRun("bubblewrap, which shuts the arm64 system in, is not installed (apt-get install bubblewrap)")
    return root, wrapper


def _interpreter(root: Path) -> str:
    """python3, or python3.11 where a system has it under no other name."""
    return min(path.name for path in (root / "usr" / "bin").iterdir() if re.fullmatch(r"python3(\.\d+)?", path.name))


def _emulate(root: Path, wrapper: str, work: Path, graph: str, count: int) -> None:
    box = [wrapper, "--unshare-all", "--die-with-parent", "--ro-bind", str(root), "/", "--bind", str(work), "/tmp"]
    python = [f"/{_QEMU}", "-E", "PYTHONPATH=/site", "-E", "OMP_NUM_THREADS=1", f"/usr/bin/{_interpreter(root)}"]
    begin = time.monotonic()
    try:
        ran = subprocess.run(
            [*box, *python, "/tmp/run.py", graph, str(count)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"aarch64: stopped after {SECONDS} s.", flush=True)  # the answers that are there count
        return
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1]
        raise NotRun(f"the emulation failed: {last}")
    print(f"aarch64: {count} samples under emulation in {time.monotonic() - begin:.1f} s.", flush=True)
