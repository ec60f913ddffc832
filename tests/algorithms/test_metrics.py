"""Figures against hand-counted ones; schedules and early stopping against tables."""

import math

import numpy as np
import pytest

from tobo.algorithms.image_classification import optimize
from tobo.algorithms.image_classification.metrics import Scores, report
from tobo.algorithms.image_classification.progress import Progress
from tobo.algorithms.image_classification.settings import parse

ROWS = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]], np.float32)
SINGLE = Scores(ROWS, np.array([0, 1, 1, 2]))
MULTI = Scores(
    np.array([[0.9, 0.2], [0.6, 0.7], [0.1, 0.4]], np.float32), np.array([[1, 0], [0, 1], [0, 1]], np.float32)
)


def test_single_label_figures() -> None:
    assert SINGLE.accuracy() == 0.75
    assert SINGLE.cross_entropy() == pytest.approx(-np.log([0.7, 0.6, 0.3, 0.5]).mean(), rel=1e-6)
    assert (SINGLE.top_k(1), SINGLE.top_k(2), SINGLE.top_k(3)) == (0.75, 1.0, 1.0)
    found = report(SINGLE, ("a", "b", "c"))
    assert found["confusion_matrix"] == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert found["classes"][0] == {"label": "a", "examples": 1, "precision": 0.5, "recall": 1.0, "f1": 2 / 3}
    assert found["classes"][1] == {"label": "b", "examples": 2, "precision": 1.0, "recall": 0.5, "f1": 2 / 3}


def test_multi_label_figures() -> None:
    assert MULTI.accuracy() == pytest.approx(4 / 6)
    assert MULTI.top_k(1) == 1.0
    terms = [math.log(x) for x in (0.9, 0.8, 0.4, 0.7, 0.9, 0.4)]
    assert MULTI.cross_entropy() == pytest.approx(-sum(terms) / 6, rel=1e-6)
    found = report(MULTI, ("a", "b"))
    assert found["confusion_matrix"] == [[[1, 1], [0, 1]], [[1, 0], [1, 1]]]
    assert found["classes"][1]["recall"] == 0.5


def test_a_class_that_nobody_saw_has_zeros() -> None:
    found = report(Scores(np.array([[0.9, 0.1]], np.float32), np.array([0])), ("a", "b"))
    assert found["classes"][1] == {"label": "b", "examples": 0, "precision": 0.0, "recall": 0.0, "f1": 0.0}


REQUIRED = {"num_classes": "2", "num_training_samples": "4"}


@pytest.mark.parametrize(
    ("sent", "rates"),
    [
        ({}, {0: 0.1, 5: 0.1}),
        ({"lr_scheduler_step": "2,4", "lr_scheduler_factor": "0.5"}, {0: 0.1, 1.9: 0.1, 2: 0.05, 3.5: 0.05, 4: 0.025}),
        ({"lr_scheduler": "one_cycle", "epochs": "8"}, {0: 0.004, 1: 0.052, 2: 0.1, 5: 0.05, 8: 0.0, 9: 0.0}),
    ],
)
def test_learning_rates(sent: dict[str, str], rates: dict[float, float]) -> None:
    settings = parse(REQUIRED | sent)
    assert {at: optimize.learning_rate(settings, at) for at in rates} == pytest.approx(rates, abs=1e-12)


EARLY = {"early_stopping": "true", "early_stopping_min_epochs": "3", "early_stopping_patience": "2"}


@pytest.mark.parametrize(
    ("sent", "accuracies", "stopped_after"),
    [
        (EARLY, [0.5, 0.6, 0.7, 0.8, 0.9], None),
        (EARLY, [0.5, 0.5, 0.5], 3),
        (EARLY, [0.9, 0.8, 0.8, 0.8], 3),
        (EARLY, [0.5, 0.6, 0.6, 0.61, 0.6, 0.6], 6),
        (EARLY | {"early_stopping_min_epochs": "4"}, [0.9, 0.8, 0.8, 0.8], 4),
        (EARLY | {"early_stopping_tolerance": "0.1"}, [0.5, 0.6, 0.65, 0.65], 4),
        (EARLY | {"early_stopping": "false"}, [0.5] * 9, None),
    ],
)
def test_early_stopping(sent: dict[str, str], accuracies: list[float], stopped_after: int | None) -> None:
    progress = Progress(parse(REQUIRED | sent))
    stops = []
    for epoch, accuracy in enumerate(accuracies):
        progress.history.append({"epoch": epoch, "validation:accuracy": accuracy})
        stops.append(progress.should_stop())
    assert (stops.index(True) + 1 if True in stops else None) == stopped_after


def test_the_best_epoch_is_the_most_accurate_then_the_surest(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(parse(REQUIRED))
    targets = np.array([0, 1])
    for epoch, (right, sure) in enumerate([(1, 0.6), (2, 0.6), (2, 0.9), (1, 0.9)]):
        rows = np.array([[sure, 1 - sure], [1 - sure, sure] if right == 2 else [sure, 1 - sure]], np.float32)
        progress.epoch(epoch, 1.0, Scores(rows, targets), Scores(rows, targets), {"epoch": epoch})
    assert progress.best_epoch == 2 and progress.best == {"epoch": 2}
    log = capsys.readouterr().out
    assert "Epoch[1] Train-accuracy=1.000000\n" in log and "Epoch[1] Time cost=1.000\n" in log
    assert log.count("Storing the best model with validation accuracy: 1.000000\n") == 2
