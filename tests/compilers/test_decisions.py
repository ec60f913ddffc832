"""How scores become decisions, and when two forms of a model decide alike."""

import numpy as np
import numpy.typing as npt
import pytest

from tobo.compilers.certificate import Form, Trial
from tobo.compilers.decisions import Rule, rule_of
from tobo.compilers.model import Samples, Source
from tobo.kit.guest import UserError

CLASSES = Rule(True)


def scores(*rows: list[float]) -> npt.NDArray[np.float64]:
    return np.array(rows, np.float64)


@pytest.mark.parametrize(
    ("rule", "before", "after", "flipped"),
    [
        (CLASSES, [0.6, 0.4], [0.51, 0.49], False),
        (CLASSES, [0.6, 0.4], [0.4, 0.6], True),
        (CLASSES, [0.6, 0.4], [np.nan, np.nan], True),
        (Rule(True, {0: 0.7}), [0.71, 0.29], [0.69, 0.31], True),
        (Rule(True, {0: 0.7}), [0.6, 0.4], [0.55, 0.45], False),
        (Rule(True, {0: 0.5, 1: 0.5}), [0.9, 0.6], [0.8, 0.4], True),
        (Rule(True, {0: 0.5, 1: 0.5}), [0.9, 0.4], [0.4, 0.9], True),
        (Rule(False), [1.0, 3.0], [1.01, 3.0], False),
        (Rule(False), [1.0, 3.0], [1.1, 3.0], True),
        (Rule(False), [1.0, 3.0], [np.nan, 3.0], True),
    ],
)
def test_what_flips_a_decision(rule: Rule, before: list[float], after: list[float], flipped: bool) -> None:
    assert rule.flipped(scores(before), scores(after)).tolist() == [flipped]


@pytest.mark.parametrize(
    ("rule", "truth", "accuracy"),
    [
        (CLASSES, [[1, 0], [1, 0], [0, 1]], 2 / 3),
        (CLASSES, [[1, 0], None, [0, 1]], 1.0),
        (CLASSES, [None, None, None], None),
        (Rule(True, {0: 0.95}), [[1, 0], [0, 1], [0, 1]], 1.0),
        (Rule(True, {0: 0.5, 1: 0.5}), [[1, 0], [0, 1], [1, 1]], 5 / 6),
        (Rule(False), [[1, 0], [0, 1], [0, 1]], None),
    ],
)
def test_accuracy(rule: Rule, truth: list[list[int] | None], accuracy: float | None) -> None:
    known = [None if row is None else np.array(row, np.bool_) for row in truth]
    found = rule.accuracy(scores([0.9, 0.1], [0.2, 0.8], [0.3, 0.7]), known)
    assert found == (accuracy if accuracy is None else pytest.approx(accuracy))


@pytest.mark.parametrize(
    ("outputs", "classes"),
    [
        ([np.zeros((1, 3))], True),
        ([np.zeros((1, 1))], False),
        ([np.zeros((1, 3, 4))], False),
        ([np.zeros((1, 3)), np.zeros((1, 4))], False),
    ],
)
def test_which_outputs_are_scores_of_classes(outputs: list[npt.NDArray[np.float64]], classes: bool) -> None:
    source = Source(graph=None, reference="", examined=Samples(), calibration=Samples())  # type: ignore[arg-type]
    assert rule_of(source, {}, outputs).classes is classes
    with pytest.raises(UserError, match="names the label 'ok'"):
        rule_of(source, {"ok": 0.5}, outputs)


def test_a_form_that_ran_fewer_samples_is_held_against_those() -> None:
    trained = Form("trained", scores([0.9, 0.1], [0.2, 0.8], [0.6, 0.4]))
    truth = [np.array([1, 0], np.bool_), np.array([1, 0], np.bool_), None]
    verdict = Trial(CLASSES, trained, truth).judge(Form("aarch64", scores([0.8, 0.2], [0.7, 0.3])))
    assert (verdict.flipped, verdict.share, verdict.accuracy) == (1, 0.5, 1.0)
    assert verdict.difference == pytest.approx(0.5)
    told = verdict.told()
    assert told["samples"] == 2 and "cpu_ms" not in told
    unlike = Trial(CLASSES, trained, truth).judge(Form("broken", scores([np.nan, np.nan]))).told()
    assert (unlike["flipped"], unlike["largest_difference"]) == (1, None)
