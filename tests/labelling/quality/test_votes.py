"""The majority's answers, and that neither order nor company of votes changes them."""

import random

import pytest

from tobo.labelling.quality.votes import Ballot, Consensus, MultiConsensus, Vote, majority, multi_majority


def votes(said: dict[str, str]) -> list[Vote]:
    """`{"item": "aab"}`: one vote a letter, by the workers 0, 1, ..."""
    return [Vote(item, str(worker), label) for item, labels in said.items() for worker, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("said", "order", "found"),
    [
        ("a", (), Consensus("a", 1.0, {"a": 1})),
        ("aba", (), Consensus("a", 2 / 3, {"a": 2, "b": 1})),
        ("ba", (), Consensus("a", 0.5, {"a": 1, "b": 1})),
        ("ba", ("b", "a"), Consensus("b", 0.5, {"b": 1, "a": 1})),
        ("cba", ("b",), Consensus("b", 1 / 3, {"b": 1, "a": 1, "c": 1})),
        ("abcc", ("a", "b", "c"), Consensus("c", 0.5, {"c": 2, "a": 1, "b": 1})),
    ],
)
def test_majority(said: str, order: tuple[str, ...], found: Consensus) -> None:
    answer = majority(votes({"x": said}), order)["x"]
    assert answer == found
    assert list(answer.votes) == list(found.votes)


def test_order_and_company_do_not_matter() -> None:
    chance = random.Random(1)
    given = votes({f"item-{n}": "".join(chance.choices("abc", k=4)) for n in range(50)})
    found = majority(given)
    shuffled = chance.sample(given, len(given))
    assert majority(shuffled) == found
    assert list(found) == [f"item-{n}" for n in range(50)]
    assert majority(vote for vote in given if vote.item == "item-7") == {"item-7": found["item-7"]}


def test_no_votes_no_items() -> None:
    assert majority([]) == {} and multi_majority([]) == {}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (["ab", "a", "ac"], MultiConsensus(("a",), 1 - 1 / 3, {"a": 1.0, "b": 1 / 3, "c": 1 / 3}, 3)),
        (["ab", "ab", ""], MultiConsensus(("a", "b"), 2 / 3, {"a": 2 / 3, "b": 2 / 3}, 3)),
        (["a", ""], MultiConsensus((), 0.5, {"a": 0.5}, 2)),
        (["", ""], MultiConsensus((), 1.0, {}, 2)),
    ],
)
def test_multi_label_majority(said: list[str], found: MultiConsensus) -> None:
    ballots = [Ballot("x", str(worker), frozenset(labels)) for worker, labels in enumerate(said)]
    assert multi_majority(ballots) == {"x": found}
