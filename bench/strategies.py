"""Suggestions of the Bayesian search beside optuna's samplers: regret after 30 trials, and what a suggestion costs."""

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import optuna

from bench.rows import Row
from tobo.resources.tuning_jobs.ranges import Axis
from tobo.resources.tuning_jobs.strategies import START_UP, History, suggest

TRIALS, SEEDS = 30, 20


@dataclass(frozen=True)
class Surface:
    """A function to be made small; `least` is its smallest value, `axes` its ranges."""

    name: str
    axes: tuple[Axis, ...]
    value: Callable[[Sequence[float]], float]
    least: float


def run() -> list[Row]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    rows = []
    for surface in (_BRANIN, _HARTMANN):
        ours, cost = _measured(_ours, surface)
        theirs, their_cost = _measured(_optuna(_gp), surface)
        tpe, _ = _measured(_optuna(_tpe), surface)
        note = f"optuna's TPE {tpe:.2g}, random {_measured(_random, surface)[0]:.2g}"
        rows += [
            Row(f"{surface.name}: median regret after {TRIALS} trials", ours, "", "optuna's GP", theirs, note=note),
            Row(f"{surface.name}: a suggestion", cost, "CPU-ms", "optuna's GP", their_cost, aim=50),
        ]
    return rows


def _measured(search: Callable[[Surface, int], float], surface: Surface) -> tuple[float, float]:
    """Median regret over the seeds, and CPU-ms a trial."""
    begin = time.process_time()
    regrets = [search(surface, seed) - surface.least for seed in range(SEEDS)]
    return median(regrets), (time.process_time() - begin) * 1000 / SEEDS / TRIALS


def _ours(surface: Surface, seed: int, strategy: str = "Bayesian") -> float:
    seen: list[tuple[dict[str, str], float]] = []
    for number in range(TRIALS):
        chosen = suggest(strategy, surface.axes, number, seed, History(seen), TRIALS)
        seen.append((chosen, -surface.value([float(chosen[axis.name]) for axis in surface.axes])))
    return -max(value for _, value in seen)


def _random(surface: Surface, seed: int) -> float:
    return _ours(surface, seed, "Random")


def _gp(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.GPSampler(seed=seed, n_startup_trials=START_UP)


def _tpe(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=START_UP)


def _optuna(sampler: Callable[[int], optuna.samplers.BaseSampler]) -> Callable[[Surface, int], float]:
    def search(surface: Surface, seed: int) -> float:
        def objective(trial: optuna.Trial) -> float:
            return surface.value([trial.suggest_float(axis.name, axis.low, axis.high) for axis in surface.axes])

        study = optuna.create_study(sampler=sampler(seed))
        study.optimize(objective, n_trials=TRIALS)
        return float(study.best_value)

    return search


def _branin(at: Sequence[float]) -> float:
    """Branin 1972; three equal minima."""
    x, y = at
    curve = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return curve**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


_PEAKS = np.array([1.0, 1.2, 3.0, 3.2])
_STEEP = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
_PLACES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def _hartmann(at: Sequence[float]) -> float:
    """Hartmann 1973, six dimensions."""
    return -float(_PEAKS @ np.exp(-(_STEEP * np.square(np.array(at) - _PLACES)).sum(axis=1)))


_BRANIN = Surface("Branin", (Axis("x", "float", -5, 10), Axis("y", "float", 0, 15)), _branin, 0.397887)
_HARTMANN = Surface("Hartmann6", tuple(Axis(f"x{n}", "float", 0, 1) for n in range(6)), _hartmann, -3.32237)
