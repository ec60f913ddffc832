"""The parity certificate: the same samples through every form of a model, and what changed on the way.

certificate.json, all of it for people and for machines:
  format, target, runtime, precision  what was shipped
  samples      {"count", "labelled", "origin"}: what was tried, and whose expected scores the first form has
  tolerance    the share of decisions that were allowed to flip
  forms        one entry a form, in the order in which they were made: "trained" (the scores that training recorded),
               "onnxruntime fp32 x86_64", "compiled (...)", "... aarch64". {"form", "largest_difference" and "flipped"
               against the trained form, "accuracy" (null without labels), "samples"}, of forms that ran here also
               {"bytes", "cpu_ms"}; of one that could not run {"form", "not_run": why}
  rejected     forms that were built and not shipped, with their figures and the reason
  largest_difference, flipped, accuracy {"before", "after"}, bytes {"before", "after"}, cpu_ms {"before", "after"}
               the compiled form beside the fp32 one, at a glance
Times are CPU milliseconds a sample on one thread of the machine that compiled, decoding apart.
"""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tobo.compilers.decisions import Rule, Scores, flat
from tobo.compilers.model import Run, Samples

FORMAT = 1
FILE = "certificate.json"

_TIMED, _ROUNDS, _TIMED_SECONDS = 8, 5, 20.0


@dataclass(frozen=True)
class Form:
    """One form of the model and its scores [n, k] for the first n samples. `cpu_ms` and `size` None: did not run here."""

    name: str
    scores: Scores
    cpu_ms: float | None = None
    size: int | None = None


@dataclass(frozen=True)
class Verdict:
    """A form held against the trained one: `difference` is the largest of two scores, `flipped` counts samples."""

    form: Form
    difference: float
    flipped: int
    accuracy: float | None

    @property
    def share(self) -> float:
        """Of the samples, those that decide differently."""
        return self.flipped / max(len(self.form.scores), 1)

    def told(self) -> dict[str, Any]:
        """Its entry in the certificate."""
        timed = {} if self.form.cpu_ms is None else {"bytes": self.form.size, "cpu_ms": round(self.form.cpu_ms, 3)}
        return {
            "form": self.form.name,
            "samples": len(self.form.scores),
            "largest_difference": _number(self.difference),
            "flipped": self.flipped,
            "accuracy": self.accuracy,
            **timed,
        }

    def sentence(self) -> str:
        """The figures, as the end of a sentence."""
        accuracy = "" if self.accuracy is None else f", accuracy {self.accuracy:.3f}"
        return (
            f"{self.flipped} of {len(self.form.scores)} decisions flipped ({self.share:.1%}), scores differ by up to "
            f"{self.difference:.3g}{accuracy}"
        )


@dataclass(frozen=True)
class Trial:
    """What every form is held against: the trained form's scores, the truth where it is known, and the rule."""

    rule: Rule
    trained: Form
    truth: Sequence[npt.NDArray[np.bool_] | None]

    def judge(self, form: Form) -> Verdict:
        """The form's verdict over the samples that it ran."""
        count = len(form.scores)
        before = self.trained.scores[:count]
        difference = float(np.abs(before - form.scores).max(initial=0.0))
        flipped = int(self.rule.flipped(before, form.scores).sum())
        return Verdict(form, difference, flipped, self.rule.accuracy(form.scores, self.truth[:count]))


@dataclass
class Certificate:
    """The certificate as it grows: entries of the forms in their order, and of what was not shipped."""

    target: str
    tolerance: float
    origin: str
    forms: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, form: str, reason: str, verdict: Verdict | None = None) -> None:
        figures = {"form": form} if verdict is None else verdict.told()
        self.rejected.append({**figures, "reason": reason})

    def write(self, file: Path, trial: Trial, before: Verdict, after: Verdict, shipped: Mapping[str, str]) -> None:
        """Writes certificate.json; `before` is the fp32 graph in ONNX Runtime, `after` what is shipped."""
        labelled = sum(right is not None for right in trial.truth)
        told = {
            "format": FORMAT,
            "target": self.target,
            **shipped,
            "samples": {"count": len(trial.trained.scores), "labelled": labelled, "origin": self.origin},
            "tolerance": self.tolerance,
            "largest_difference": _number(after.difference),
            "flipped": after.flipped,
            "accuracy": {"before": trial.judge(trial.trained).accuracy, "after": after.accuracy},
            "bytes": {"before": before.form.size, "after": after.form.size},
            "cpu_ms": {"before": _rounded(before.form.cpu_ms), "after": _rounded(after.form.cpu_ms)},
            "forms": self.forms,
            "rejected": self.rejected,
        }
        file.write_text(json.dumps(told, indent=1) + "\n")


def run_form(name: str, run: Run, samples: Samples, size: int) -> Form:
    """Every sample through a loaded model, and its CPU-ms over a few of them: the best of some rounds."""
    scores = np.stack([flat(run(sample.feeds)) for sample in samples])
    feeds = [sample.feeds for sample in islice(samples, _TIMED)]
    best, started = float("inf"), time.monotonic()
    for _ in range(_ROUNDS):
        begin = time.process_time()
        for each in feeds:
            run(each)
        best = min(best, (time.process_time() - begin) * 1000 / len(feeds))
        if time.monotonic() - started > _TIMED_SECONDS:
            break
    return Form(name, scores, best, size)


def _number(difference: float) -> float | None:
    """None where a form gave what is no number, which JSON has no word for."""
    return difference if math.isfinite(difference) else None


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)
