"""One model on its way to one target: every candidate is built and tried, and the fastest that keeps its decisions wins."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tobo.compilers import aarch64
from tobo.compilers.adapters import find_compilers
from tobo.compilers.base import Built, Compiler
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

    def certify(self, file: Path) -> None:
        """Writes the certificate and prints its figures."""
        after, built = self.candidate.verdict, self.candidate.built
        told = {"runtime": built.runtime, "precision": built.precision}
        self.certificate.write(file, self.trial, self.before, after, told)
        print(
            f"Compiled for {self.certificate.target}: {built.runtime} {built.precision}; {after.sentence()}; "
            f"{after.form.cpu_ms:.3g} CPU-ms a sample where fp32 takes {self.before.form.cpu_ms:.3g}; "
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
        self.certificate.forms += [trial.judge(trial.trained).told(), before.told()]
        for precision in self._precisions():
            candidate = self._fastest(list(self._tried(precision, trial)))
            if candidate is not None and self._holds_emulated(candidate, trial):
                return Shipped(candidate, self.certificate, trial, before)
        told = "; ".join(f"{each['form']}: {each['reason']}" for each in self.certificate.rejected)
        raise UserError(f"The model cannot be compiled for {self.target.name}: {told}.")

    def _fastest(self, kept: list[Candidate]) -> Candidate | None:
        """Of those that keep the decisions the one that is shipped; the others are written down."""
        if not kept:
            return None
        chosen = min(kept, key=lambda each: each.verdict.form.cpu_ms or 0.0)
        self._pass_over(kept, chosen, "the shipped one is faster")
        return chosen

    def _pass_over(self, kept: list[Candidate], chosen: Candidate, reason: str) -> None:
        for other in kept:
            if other is not chosen:
                self.certificate.reject(other.verdict.form.name, reason, other.verdict)

    def _precisions(self) -> tuple[Precision, ...]:
        return (self.options.precision,) if self.options.precision else self.target.precisions

    def _tried(self, precision: Precision, trial: Trial) -> Iterator[Candidate]:
        """What was built with a precision and keeps the decisions, the best of each runtime; the rest is written down."""
        for runtime in (self.options.runtime,) if self.options.runtime else self.target.runtimes:
            compilers = find_compilers(runtime, precision, self.target)
            kept = [each for each in (self._try(compiler, trial) for compiler in compilers) if each is not None]
            if kept:
                nearest = min(kept, key=lambda each: (each.verdict.flipped, each.verdict.difference))
                self._pass_over(kept, nearest, "the shipped one's answers are nearer to the trained model's")
                yield nearest

    def _try(self, compiler: Compiler, trial: Trial) -> Candidate | None:
        """None where it cannot be built or changes too many decisions."""
        words = [compiler.runtime, f"{compiler.precision}/{compiler.variant}".rstrip("/"), HERE]
        name, folder = " ".join(words), self.work / "-".join((*words[:1], compiler.precision, compiler.variant))
        folder.mkdir()
        try:
            built = compiler.compile(self.source, folder)
            form = run_form(name, compiler.load(folder, built), self.source.examined, built.size(folder))
        except UserError as error:
            print(f"{name}: {error}", flush=True)
            self.certificate.reject(name, str(error).rstrip("."))
            return None
        verdict = trial.judge(form)
        print(f"{name}: {verdict.sentence()}, {form.cpu_ms:.3g} CPU-ms a sample.", flush=True)
        if verdict.share > self.options.tolerance:
            reason = f"{verdict.sentence()}, more than the tolerance of {self.options.tolerance:.1%}"
            self.certificate.reject(name, reason, verdict)
            return None
        return Candidate(folder, built, verdict)

    def _trained(self, plain: Form) -> Form:
        """The scores that came with the samples; ONNX Runtime's own where none did. Raises UserError for others' scores."""
        expected = [sample.expected for sample in self.source.examined if sample.expected is not None]
        if any(row.size != plain.scores.shape[1] for row in expected):
            raise UserError(
                f"The model's own answer ({self.source.reference}) has {expected[0].size} numbers a sample, its graph gives "
                f"{plain.scores.shape[1]}; a model of this kind cannot be compiled."
            )
        if len(expected) < len(plain.scores):
            return Form(f"{plain.name}, for the trained model's own scores are not known", plain.scores)
        return Form(f"trained ({self.source.reference})", np.stack(expected).astype(np.float64))

    def _holds_emulated(self, candidate: Candidate, trial: Trial) -> bool:
        """Writes down the chosen form, and how an arm64 processor runs it; False where it decides differently there."""
        chosen = replace(candidate.verdict, form=_named(candidate.verdict.form))
        told, name = [chosen.told()], f"{candidate.built.runtime} {candidate.built.precision} aarch64"
        if self.target.arch == "arm64":
            try:
                scores = aarch64.run(candidate.folder, candidate.built, self.source.examined)
            except aarch64.NotRun as error:
                print(f"{name}: not run: {error}.", flush=True)
                told.append({"form": name, "not_run": str(error)})
            else:
                verdict = trial.judge(Form(name, scores))
                print(f"{name}: {verdict.sentence()}.", flush=True)
                if verdict.flipped > _allowed(self.options.tolerance, len(scores)):
                    self.certificate.reject(name, verdict.sentence(), verdict)
                    return False
                told.append(verdict.told())
        self.certificate.forms += told
        return True


def _allowed(tolerance: float, count: int) -> int:
    """Decisions that may flip under emulation: of the few that it has time for, a single close one proves nothing."""
    return max(1, int(tolerance * count)) if tolerance else 0


def _named(form: Form) -> Form:
    """The shipped form as the certificate calls it."""
    return replace(form, name=f"compiled ({form.name})")
