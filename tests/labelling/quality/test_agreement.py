"""Kappas and alpha against the worked examples of those who published them."""

import numpy as np
import pytest

from tobo.labelling.quality.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha, pairs, table
from tobo.labelling.quality.votes import Vote


def crossed(counts: list[list[int]]) -> tuple[str, str]:
    """Two workers' answers, of which `counts[a][b]` are a by the first and b by the second."""
    cells = [(a, b) for a, row in enumerate(counts) for b, times in enumerate(row) for _ in range(times)]
    return "".join(str(a) for a, _ in cells), "".join(str(b) for _, b in cells)


@pytest.mark.parametrize(
    ("counts", "kappa"),
    [
        # Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed., table 18.1: 0.89, 0.66, kappa 0.68
        ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], (0.89 - 0.66) / 0.34),
        # 50 grant proposals and two readers: 0.7, 0.5, kappa 0.4
        ([[20, 5], [10, 15]], 0.4),
        # Equal agreement, 60 of 100, with different marginals
        ([[45, 15], [25, 15]], 0.1304),
        ([[25, 35], [5, 35]], 0.2593),
        ([[0, 5], [5, 0]], -1.0),
        ([[5, 0], [0, 5]], 1.0),
        ([[10, 0], [0, 0]], None),
        ([[0, 7], [0, 0]], 0.0),
        ([], None),
    ],
)
def test_cohen(counts: list[list[int]], kappa: float | None) -> None:
    found = cohen_kappa(*crossed(counts))
    assert found == (None if kappa is None else pytest.approx(kappa, abs=5e-5))


def test_cohen_needs_the_same_items() -> None:
    with pytest.raises(ValueError, match="labelled 2 and 3 items"):
        cohen_kappa("ab", "abc")


FLEISS_1971 = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""
"""Table 1: 30 patients, 6 psychiatrists each, 5 diagnoses."""

TEXTBOOK = [
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip
"""The usual example: 10 subjects, 14 raters, 5 categories, kappa 0.210."""


def test_fleiss_of_1971() -> None:
    counts = np.array([[int(times) for times in row] for row in FLEISS_1971.split()])
    assert counts.sum(0).tolist() == [26, 26, 30, 55, 43]  # p of .144 .144 .167 .306 .239
    assert fleiss_kappa(counts) == pytest.approx(0.430, abs=5e-4)


def test_fleiss_of_the_textbooks() -> None:
    assert fleiss_kappa(np.array(TEXTBOOK)) == pytest.approx(0.210, abs=5e-4)


@pytest.mark.parametrize(
    ("counts", "kappa"),
    [([[3, 0], [0, 3]], 1.0), ([[3, 0], [3, 0]], None), ([[1, 1], [1, 1]], -1.0), (np.zeros((0, 0)), None)],
)
def test_fleiss_at_the_edges(counts: list[list[int]], kappa: float | None) -> None:
    assert fleiss_kappa(np.array(counts)) == (None if kappa is None else pytest.approx(kappa))


@pytest.mark.parametrize("counts", [[[2, 1], [1, 1]], [[1, 0], [0, 1]]])
def test_fleiss_needs_as_many_votes_for_each_item(counts: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="same number for each, two at least"):
        fleiss_kappa(np.array(counts))


def coded(*workers: str) -> list[Vote]:
    """Votes of workers whose letters are their labels of the items 0, 1, ...; a dot is none."""
    return [
        Vote(str(item), str(worker), label)
        for worker, labels in enumerate(workers)
        for item, label in enumerate(labels)
        if label != "."
    ]


@pytest.mark.parametrize(
    ("workers", "alpha"),
    [
        # Krippendorff 2011: A. two observers and two values, B. more values, C. any number of observers and missing ones
        (("0100000010", "1110010000"), 0.095),
        (("aabbdcccedda", "babbbccceddd"), 0.692),
        (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),
        # The encyclopedias' computational example: three coders, fifteen units
        ((".....34121133.3", "1.213343.......", "..21344.21133.4"), 0.691),
        (("abc", "abc"), 1.0),
        (("ab", "ba"), -0.5),
        (("aaa", "aaa"), None),
        (("ab.", "..c"), None),
        ((), None),
    ],
)
def test_krippendorff(workers: tuple[str, ...], alpha: float | None) -> None:
    found = krippendorff_alpha(table(coded(*workers)))
    assert found == (None if alpha is None else pytest.approx(alpha, abs=5e-4))


def test_pairs_compare_what_both_answered() -> None:
    found = pairs(coded("aabb", "aab.", "...b", "....c"))
    assert set(found) == {("0", "1"), ("0", "2")}
    assert (found["0", "1"].items, found["0", "1"].share, found["0", "1"].kappa) == (3, 1.0, 1.0)
    assert (found["0", "2"].items, found["0", "2"].share, found["0", "2"].kappa) == (1, 1.0, None)
    changed = [*coded("ab", "ab"), Vote("1", "1", "a")]
    assert pairs(changed)["0", "1"].share == 0.5


def test_table_counts_by_name() -> None:
    assert table(coded("ba", "bc")).tolist() == [[0, 2, 0], [1, 0, 1]]
