"""arm64 under emulation: really, where TOBO_AARCH64_ROOT names a system, and why not, where it does not run."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.support import graphs

from tobo.compilers import aarch64
from tobo.compilers.adapters import find_compilers
from tobo.compilers.base import Built
from tobo.compilers.decisions import flat
from tobo.compilers.model import Sample, Samples, Source
from tobo.compilers.targets import BUILT, Precision, Runtime

GIVEN = os.environ.get("TOBO_AARCH64_ROOT")
BUILT_GRAPH = Built("onnxruntime", "fp32", "model.onnx", ("model.onnx",), ())


def samples(count: int) -> Samples:
    def sample(number: int) -> Sample:
        return Sample({"pictures": graphs.picture(number)[None]})

    return Samples(tuple(partial(sample, number) for number in range(count)))


@pytest.mark.parametrize(
    ("named", "files", "why"),
    [
        (None, (), "TOBO_AARCH64_ROOT names no arm64 system"),
        ("", (), "compiled in a sandbox"),
        ("root", (), "is no arm64 system with onnxruntime; tools/arm64_root.py makes one"),
        ("root", ("qemu-aarch64-static",), "is no arm64 system with onnxruntime"),
        ("root", ("qemu-aarch64-static", "site/onnxruntime/x", "usr/bin/python3"), "the emulation failed"),
    ],
)
def test_why_it_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None, files: tuple[str, ...], why: str
) -> None:
    (tmp_path / "model.onnx").write_bytes(graphs.classifier())
    for name in files:
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text("")
    if named is None:
        monkeypatch.delenv("TOBO_AARCH64_ROOT", raising=False)
    else:
        monkeypatch.setenv("TOBO_AARCH64_ROOT", str(tmp_path / named) if named else "")
    with pytest.raises(aarch64.NotRun, match=why):
        aarch64.run(tmp_path, BUILT_GRAPH, samples(1))


@pytest.mark.skipif(not GIVEN, reason="TOBO_AARCH64_ROOT names no arm64 system; tools/arm64_root.py makes one")
@pytest.mark.parametrize(
    ("runtime", "precision", "near"),
    [("onnxruntime", "fp32", 1e-5), ("onnxruntime", "int8", 0.02), ("ncnn", "fp32", 1e-5)],
)
def test_the_same_answers_on_arm64(tmp_path: Path, runtime: Runtime, precision: Precision, near: float) -> None:
    file = tmp_path / "source.onnx"
    file.write_bytes(graphs.classifier())
    source = Source(file, "torch", samples(4), samples(12), pictures=True)
    compiler = find_compilers(runtime, precision, BUILT["rasp4b"])[-1]
    folder = tmp_path / "built"
    folder.mkdir()
    built = compiler.compile(source, folder)
    here = np.stack([flat(compiler.load(folder, built)(sample.feeds)) for sample in source.examined])
    there = aarch64.run(folder, built, replace(source.examined))
    assert there.shape == (4, 3)
    assert np.abs(here - there).max() < near
