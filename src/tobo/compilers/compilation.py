"""One model on its way to one target: every candidate is built and tried, and the fastest that keeps its decisions wins."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tobo.compilers import aarch64
from tobo.compilers.adapters import find_compiler
from tobo.compilers.base import Built
from tobo.compilers.certificate import Certificate, Form, Trial, Verdict, run_form
from tobo.compilers.decisions import rule_of
from tobo.compilers.model import Source
from tobo.compilers.onnx_runtime import load
from tobo.compilers.options import Options
from tobo.compilers.targets import Precision, Target
from tobo.kit.guest import UserError

HERE = platform.machine()


@dataclass(frozen=True)
class Candidate:
    """A form that was built in `folder`, and what came of trying it."""

    folder: Path
    built: Built
    verdict: Verdict


@dataclass(frozen=True)
class Shipped:
    """The candidate that is shipped, and all that the certificate tells."""

    candidate: Candidate
    certificate: Certificate
    trial: Trial
    before: Verdict

    @property
    def folder(self) -> Path:
        return self.candidate.folder

    @property
    def built(self) -> Built:
        return self.candidate.built

    def certify(self, file: Path) -> None:
        """Writes the certificate and prints its figures."""
        after, built = self.candidate.verdict, self.built
        told = {"runtime": built.runtime, "precision": built.precision}
        self.certificate.write(file, self.trial, self.before, after, told)
        print(
            f"Compiled for {self.certificate.target}: {built.runtime} {built.precision}; {after.sentence()}; "
            f"{after.form.cpu_ms:.2f} CPU-ms a sample where fp32 takes {self.before.form.cpu_ms:.2f}; "
            f"{after.form.size} bytes instead of {self.before.form.size}.",
            flush=True,
        )


class Compilation:
    """One model on its way to one target."""

    def __init__(self, target: Target, options: Options, source: Source, work: Path) -> None:
        self.target, self.options, self.source, self.work = target, options, source, work
        self.certificate = Certificate(target.name, options.tolerance, source.examined.origin)

    def run(self) -> Shipped:
        """Raises UserError where no form keeps the decisions."""
        samples, graph = self.source.examined, load(self.source.graph)
        rule = rule_of(self.source, self.options.thresholds, graph(next(iter(samples)).feeds))
        plain = run_form(f"onnxruntime fp32 {HERE}", graph, samples, self.source.graph.stat().st_size)
        trial = Trial(rule, self._trained(plain), [sample.truth for sample in samples])
        before = trial.judge(plain)
        self.certificate.add(trial.judge(trial.trained))
        self.certificate.add(before)
        for precision in self._precisions():
            kept = list(self._tried(precision, trial))
            if kept:
                candidate = min(kept, key=lambda each: each.verdict.form.cpu_ms or 0.0)
                for other in kept:
                    if other is not candidate:
                        self.certificate.reject(other.verdict.form.name, "the shipped one is faster", other.verdict)
                self.certificate.add(candidate.verdict)
                self._emulate(candidate, trial)
                return Shipped(candidate, self.certificate, trial, before)
        told = "; ".join(f"{each['form']}: {each['reason']}" for each in self.certificate.rejected)
        raise UserError(f"The model cannot be compiled for {self.target.name}: {told}")

    def _precisions(self) -> tuple[Precision, ...]:
        return (self.options.precision,) if self.options.precision else self.target.precisions

    def _tried(self, precision: Precision, trial: Trial) -> Iterator[Candidate]:
        """What was built with a precision and keeps the decisions; the rest is written down."""
        for runtime in self.target.runtimes:
            name = f"{runtime} {precision} {HERE}"
            folder = self.work / f"{runtime}-{precision}"
            folder.mkdir()
            compiler = find_compiler(runtime, precision, self.target)
            try:
                built = compiler.compile(self.source, folder)
                form = run_form(name, compiler.load(folder, built), self.source.examined, built.size(folder))
            except UserError as error:
                print(f"{name}: {error}", flush=True)
                self.certificate.reject(name, str(error).rstrip("."))
                continue
            verdict = trial.judge(form)
            print(f"{name}: {verdict.sentence()}, {form.cpu_ms:.2f} CPU-ms a sample.", flush=True)
            if verdict.share > self.options.tolerance:
                reason = f"{verdict.sentence()}, more than the tolerance of {self.options.tolerance:.1%}"
                self.certificate.reject(name, reason, verdict)
            else:
                yield Candidate(folder, built, verdict)

    def _trained(self, plain: Form) -> Form:
        """The scores that came with the samples; ONNX Runtime's own where none did."""
        expected = [sample.expected for sample in self.source.examined if sample.expected is not None]
        if len(expected) < len(plain.scores):
            return Form(f"{plain.name}, for the trained model's own scores are not known", plain.scores)
        return Form(f"trained ({self.source.reference})", np.stack(expected).astype(np.float64))

    def _emulate(self, candidate: Candidate, trial: Trial) -> None:
        """The shipped form as an arm64 processor runs it."""
        name = f"{candidate.built.runtime} {candidate.built.precision} aarch64"
        if self.target.arch != "arm64":
            return
        try:
            scores = aarch64.run(candidate.folder, candidate.built, self.source.examined)
        except aarch64.NotRun as error:
            print(f"{name}: not run: {error}.", flush=True)
            self.certificate.not_run(name, str(error))
            return
        verdict = trial.judge(Form(name, scores))
        print(f"{name}: {verdict.sentence()}.", flush=True)
        self.certificate.add(verdict)
        if verdict.share > self.options.tolerance:
            raise UserError(
                f"The model compiled for {self.target.name} answers differently there: {verdict.sentence()}."
            )
