"""The formulas: the same on every run, never blank, and recognisable through their jitter."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tools.pretrain import formulas
from tools.pretrain.formulas import FAMILIES, Class, flaws, traces
from tools.pretrain.formulas.canvas import Picture

ROOT = Path(__file__).parents[2]
NAMES = [family.name for family in FAMILIES]


def digest(family: int) -> str:
    planes = np.stack([np.stack(formulas.draw(Class(family, number), 3, 5, 48)) for number in range(3)])
    return hashlib.sha256(planes.tobytes()).hexdigest()


def test_another_process_draws_the_same() -> None:
    code = "from tests.pretrain.test_formulas import *; print(*[digest(each) for each in range(len(FAMILIES))])"
    there = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert there.stdout.split() == [digest(each) for each in range(len(FAMILIES))]


@pytest.mark.parametrize("family", range(len(FAMILIES)), ids=NAMES)
def test_every_class_draws_something(family: int) -> None:
    for number in range(FAMILIES[family].classes):
        planes = np.stack(formulas.draw(Class(family, number), 0, 0, 48))
        assert planes.shape == (3, 48, 48) and planes.dtype == np.float32, number
        assert np.isfinite(planes).all() and planes.min() >= 0 and planes.max() <= 1, number
        assert planes.std((1, 2)).max() > 0.005, f"class {number} is blank"


@pytest.mark.parametrize("family", range(len(FAMILIES)), ids=NAMES)
def test_two_pictures_differ_and_so_do_two_seeds(family: int) -> None:
    first = np.stack(formulas.draw(Class(family, 0), 0, 0, 48))
    for picture, seed in ((1, 0), (0, 1)):
        assert np.abs(np.stack(formulas.draw(Class(family, 0), picture, seed, 48)) - first).max() > 0.02


def described(picture: Picture) -> np.ndarray:
    """How coarse, which way and how much: the spectrum of what is seen, summed over rings and sectors."""
    seen = (picture.cover + picture.mix) * picture.light
    spectrum = np.abs(np.fft.rfft2(seen - seen.mean()))
    fy, fx = np.fft.fftfreq(len(seen))[:, None] * len(seen), np.fft.rfftfreq(len(seen))[None, :] * len(seen)
    ring = np.minimum(np.log2(np.hypot(fy, fx) + 1) * 2, 10).astype(int)
    sector = (np.arctan2(fy, fx) / np.pi * 4 + 2).astype(int) % 4
    sums = np.bincount((ring * 4 + sector).ravel(), spectrum.ravel(), minlength=44)
    return np.concatenate((np.log(sums + 1), [4 * picture.cover.mean(), 4 * picture.mix.mean()]))


@pytest.mark.parametrize("family", range(len(FAMILIES)), ids=NAMES)
def test_a_class_is_recognised_through_its_jitter(family: int) -> None:
    numbers = [each * FAMILIES[family].siblings for each in range(5)]
    rows = np.array([[described(formulas.draw(Class(family, n), k, 0, 48)) for k in range(18)] for n in numbers])
    means = rows[:, :12].mean(1)
    unseen = rows[:, 12:].reshape(-1, rows.shape[2])
    said = np.argmin(((unseen[:, None] - means[None]) ** 2).sum(2), 1)
    assert (said == np.repeat(np.arange(5), 6)).mean() >= 0.5  # chance is 0.2


@pytest.mark.parametrize(
    ("name", "word", "words"), [("flaws", "flaw", flaws.KINDS), ("traces", "fault", traces.FAULTS)]
)
def test_siblings_differ_in_their_fault_alone(name: str, word: str, words: tuple[str, ...]) -> None:
    family = FAMILIES[NAMES.index(name)]
    drawn = [family.parameters(np.random.default_rng(4), number) for number in range(family.siblings)]
    assert [getattr(each, word) for each in drawn] == list(words)
    assert len({each._replace(**{word: ""}) for each in drawn}) == 1


@pytest.mark.parametrize(
    ("fault", "grows"), [("open", -1), ("mousebite", -1), ("pinhole", -1), ("short", 1), ("spur", 1), ("copper", 1)]
)
def test_a_fault_takes_print_away_or_adds_it(fault: str, grows: int) -> None:
    """Drawn with one generator, the faulty and the sound layout differ in the fault alone, in the middle third or so."""
    family = FAMILIES[NAMES.index("traces")]
    found = 0
    for seed in range(12):
        layout = family.parameters(np.random.default_rng(seed), 0)
        sound = traces.draw(np.random.default_rng(seed + 1), layout, 96).cover
        faulty = traces.draw(np.random.default_rng(seed + 1), layout._replace(fault=fault), 96).cover
        change = (faulty - sound) * grows
        if change.min() < -0.01:
            continue  # there was no room for it, and another stretch was laid
        found += 1
        assert 2 < change.sum() < 96 * 96 / 6
        rows, columns = np.nonzero(change > 0.5)
        assert 16 < np.median(rows) < 80 and 16 < np.median(columns) < 80
    assert found >= 4


def test_a_part_of_the_classes_keeps_siblings_together() -> None:
    some = formulas.classes(0.01)
    assert [sum(each.family == index for each in some) for index in range(len(FAMILIES))] == [2, 1, 2, 7, 2, 1, 7]
    assert len(formulas.classes()) == sum(family.classes for family in FAMILIES)


def test_kinds_are_numbered_through_the_families() -> None:
    kinds = formulas.kinds(formulas.classes())
    assert sorted(set(kinds)) == list(range(sum(family.kinds for family in FAMILIES)))
