"""Reports of workers, hand-counted, and what goes to a reviewer."""

import pytest

from tobo.labelling.quality import boxes
from tobo.labelling.quality.boxes import Box
from tobo.labelling.quality.votes import Vote, majority
from tobo.labelling.quality.workers import Answer, Honeypots, conflicts, report, wilson


@pytest.mark.parametrize(
    ("right", "asked", "interval"),
    [
        # Newcombe, Statistics in Medicine 17, 1998, table I, method 3
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (5, 5, (0.5655, 1.0)),
        (0, 0, (0.0, 1.0)),
    ],
)
def test_wilson(right: int, asked: int, interval: tuple[float, float]) -> None:
    assert wilson(right, asked) == pytest.approx(interval, abs=6e-5)


def test_report_of_votes() -> None:
    """Items 0 to 3 and the honeypot 9, known to be an a; nobody but ann has answered item 3."""
    said = {"ann": "abab....." + "a", "bob": "abb.....-b", "cyd": "aa-......-"}
    answers = [
        Answer(str(item), worker, None if label == "-" else label, seconds=item + 1.0)
        for worker, labels in said.items()
        for item, label in enumerate(labels)
        if label != "."
    ]
    votes = [Vote(answer.item, answer.worker, answer.label) for answer in answers if answer.label is not None]
    consensus = {item: one.label for item, one in majority(votes).items()}
    assert consensus == {"0": "a", "1": "a", "2": "a", "3": "b", "9": "a"} | {"1": consensus["1"], "2": consensus["2"]}
    found = report(answers, {"9": "a"}, consensus)
    assert list(found) == ["ann", "bob", "cyd"]
    ann, bob, cyd = found.values()
    assert (ann.answered, ann.skipped, ann.skipped_share, ann.seconds) == (5, 0, 0.0, 3.0)
    assert (ann.honeypots.right, ann.honeypots.asked, ann.honeypots.accuracy) == (1, 1, 1.0)
    assert (ann.compared, ann.agreement) == (3, 1.0)
    assert (bob.answered, bob.skipped, bob.skipped_share) == (4, 1, 0.2)
    assert bob.honeypots == Honeypots(0, 1, *wilson(0, 1))
    assert (bob.compared, bob.agreement) == (3, 2 / 3)
    assert (cyd.answered, cyd.skipped, cyd.honeypots.accuracy, cyd.compared) == (2, 2, None, 2)
    assert cyd.agreement == 0.5


def test_a_worker_who_skips_everything() -> None:
    found = report([Answer("0", "ann", None, 4.0)], {}, {})["ann"]
    assert (found.answered, found.skipped_share, found.seconds, found.agreement) == (0, 1.0, None, None)
    assert report([], {}, {}) == {}


def test_report_of_boxes() -> None:
    """Boxes are the same answer where each has its partner, not where their numbers are equal."""
    known = {"0": [Box("", "ok", 10, 10, 20, 20)]}
    answers = [
        Answer("0", "near", [Box("near", "ok", 11, 9, 20, 21)], 2.0),
        Answer("0", "far", [Box("far", "ok", 60, 60, 20, 20)], 2.0),
        Answer("0", "other class", [Box("other class", "ko", 10, 10, 20, 20)], 2.0),
        Answer("0", "two", [Box("two", "ok", 10, 10, 20, 20), Box("two", "ok", 10, 11, 20, 20)], 2.0),
        Answer("0", "none", [], 2.0),
    ]
    found = report(answers, known, {}, boxes.alike)
    assert {worker: one.honeypots.right for worker, one in found.items()} == {
        "near": 1, "far": 0, "other class": 0, "two": 0, "none": 0,
    }  # fmt: skip


def test_conflicts_the_most_doubtful_first() -> None:
    said = {"sure": "aaa", "split": "abc", "tied": "ab", "most": "aab", "also tied": "ba"}
    votes = [Vote(item, str(worker), label) for item, labels in said.items() for worker, label in enumerate(labels)]
    assert conflicts(majority(votes), 0.6) == ["split", "also tied", "tied"]
    assert conflicts(majority(votes), 2 / 3) == ["split", "also tied", "tied"]
    assert conflicts(majority(votes), 0.0) == []
