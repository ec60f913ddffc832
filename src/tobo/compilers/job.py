"""The compilation job: an archive in, every candidate built and tried, and the best one that keeps its decisions out.

It finds `compilation.json` (InputConfig, OutputConfig) among its configuration, the unpacked archive in the channel
`model` and, where the request names some, calibration samples in the channel `calibration`; it leaves the compiled
folder (edge/compiled.py) in `model`.
"""

import json
import shutil
import tempfile
from pathlib import Path

from tobo.compilers import sources
from tobo.compilers.certificate import FILE as CERTIFICATE
from tobo.compilers.compilation import Compilation
from tobo.compilers.options import CALIBRATION, CONFIGURATION, MODEL, read_options
from tobo.compilers.package import pack_folder
from tobo.compilers.targets import find_target
from tobo.kit.guest import run_guest
from tobo.kit.paths import MlPaths


def main() -> None:
    """The entry: compiles as TOBO_ML_ROOT's input says; writes output/failure and exits 1 where it cannot."""
    run_guest(lambda: compile_model(MlPaths.from_environment()))


def compile_model(paths: MlPaths) -> None:
    """Compiles one model; raises UserError."""
    asked = json.loads((paths.config / CONFIGURATION).read_text())
    target = find_target(asked["OutputConfig"])
    options = read_options(asked["OutputConfig"].get("CompilerOptions"), target)
    calibration = paths.channel(CALIBRATION) if options.calibration else None
    with tempfile.TemporaryDirectory(prefix="compiling-", dir=paths.root) as name:
        work = Path(name)
        source = sources.read(paths.channel(MODEL), asked["InputConfig"], calibration, work)
        shipped = Compilation(target, options, source, work).run()
        shutil.rmtree(paths.model, ignore_errors=True)
        pack_folder(paths.model, shipped.candidate, source, target, options)
        shipped.certify(paths.model / CERTIFICATE)
