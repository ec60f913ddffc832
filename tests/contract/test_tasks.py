"""The promise of tasks/base.py, held by every adapter."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tobo.tasks.base import Answer, Gone, Tasks
from tobo.tasks.sqlite import SqliteTasks

WORK = "arn:aws:sagemaker:us-east-1:123456789012:labeling-job/marbles"
NOW, LATER = 1000.0, 1060.0


@pytest.fixture(params=[SqliteTasks])
def tasks(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tasks]:
    made: Tasks = request.param(tmp_path / "tasks.db")
    yield made
    made.close()


def opened(tasks: Tasks, count: int = 3, wanted: int = 1, work: str = WORK) -> None:
    tasks.add(work, 0, [f'{{"source": "{number}"}}' for number in range(count)], wanted)
    tasks.open(work, None, count)


def answer(number: int, worker: str = "ann", body: str = '{"label": "ok"}') -> Answer:
    return Answer(number, worker, body, NOW, 2.0)


def numbers(found: list[object]) -> list[int]:
    return [one.number for one in found]  # type: ignore[attr-defined]


def test_items_are_added_once_and_opened_in_order(tasks: Tasks) -> None:
    tasks.add(WORK, 0, ["a", "b"], 1)
    tasks.add(WORK, 0, ["x", "y", "c"], 1)
    assert [item.source for item in tasks.items(WORK)] == ["a", "b", "c"]
    assert tasks.counts(WORK) == {"waiting": 3}
    assert tasks.claim(WORK, "ann", 5, NOW, LATER) == []
    assert tasks.open(WORK, None, 2) == 2 and tasks.open(WORK, None, 2) == 0
    assert tasks.open(WORK, [2, 7], 3) == 1
    assert tasks.counts(WORK) == {"open": 3}
    tasks.add(WORK, 3, ["d", "e"], 1)
    tasks.settle(WORK, [(0, "labelled", "{}"), (1, "labelled", "{}")])
    assert tasks.open(WORK, [0, 1, 4, 3], 2) == 1 and tasks.items(WORK, 2, state="open")[0].number == 4
    assert tasks.counts("nobody's") == {} and tasks.item(WORK, 9) is None


def test_pages_of_items(tasks: Tasks) -> None:
    opened(tasks, 7)
    tasks.settle(WORK, [(3, "failed", "{}")])
    assert numbers(tasks.items(WORK, after=1, limit=3)) == [2, 3, 4]
    assert numbers(tasks.items(WORK, state="open")) == [0, 1, 2, 4, 5, 6]


def test_a_claim_takes_a_place_until_it_ends(tasks: Tasks) -> None:
    opened(tasks, 2)
    [first] = tasks.claim(WORK, "ann", 1, NOW, LATER)
    assert (first.number, first.since, first.until) == (0, NOW, LATER)
    assert numbers(tasks.claim(WORK, "ann", 1, NOW + 1, LATER)) == [0]  # he holds it already
    assert numbers(tasks.claim(WORK, "bob", 5, NOW, LATER)) == [1]
    assert numbers(tasks.claim(WORK, "bob", 5, LATER, LATER + 60)) == [0, 1]


def test_a_draft_outlives_its_lease(tasks: Tasks) -> None:
    opened(tasks, 1)
    tasks.claim(WORK, "ann", 1, NOW, LATER)
    tasks.keep(WORK, 0, "ann", LATER + 5, '{"half": 1}')
    assert tasks.claim(WORK, "bob", 1, LATER, LATER + 60) == []
    tasks.release(WORK, [0], "ann")
    [given] = tasks.claim(WORK, "bob", 1, NOW, LATER)
    assert given.draft == ""
    tasks.release(WORK, [0], "bob")
    [again] = tasks.claim(WORK, "ann", 1, NOW, LATER)
    assert again.draft == '{"half": 1}'


def test_an_answer_counts_once(tasks: Tasks) -> None:
    opened(tasks, 1, wanted=2)
    tasks.claim(WORK, "ann", 1, NOW, LATER)
    assert tasks.answer(WORK, answer(0)).answers == 1
    assert tasks.answer(WORK, answer(0, body='{"label": "ko"}')).answers == 1
    assert tasks.claim(WORK, "ann", 5, NOW, LATER) == []  # blind, and once
    assert tasks.items(WORK, ready=True) == []
    assert tasks.answer(WORK, answer(0, "bob")).answers == 2
    assert numbers(tasks.items(WORK, ready=True)) == [0]
    assert [(one.worker, json.loads(one.body)["label"]) for one in tasks.answers_of(WORK, 0)] == [
        ("ann", "ko"), ("bob", "ok"),
    ]  # fmt: skip


def test_what_is_settled_takes_no_answer(tasks: Tasks) -> None:
    opened(tasks, 2)
    tasks.settle(WORK, [(0, "labelled", '{"answer": 1}')])
    for late in (answer(0), answer(9)):
        with pytest.raises(Gone):
            tasks.answer(WORK, late)
    with pytest.raises(Gone):
        tasks.keep(WORK, 0, "ann", LATER, "{}")
    with pytest.raises(Gone):
        tasks.skip(WORK, 0, "ann", "dark", NOW)
    found = tasks.item(WORK, 0)
    assert found is not None and (found.state, found.result) == ("labelled", '{"answer": 1}')


def test_an_answer_comes_back_as_a_draft(tasks: Tasks) -> None:
    opened(tasks, 1)
    tasks.answer(WORK, answer(0))
    tasks.settle(WORK, [(0, "labelled", "{}")])
    with pytest.raises(Gone):
        tasks.reopen(WORK, 0, "bob", NOW, LATER)
    task = tasks.reopen(WORK, 0, "ann", NOW, LATER)
    assert task.draft == '{"label": "ok"}'
    found = tasks.item(WORK, 0)
    assert found is not None and (found.state, found.answers, found.result) == ("open", 0, "")
    assert numbers(tasks.claim(WORK, "ann", 1, NOW, LATER)) == [0]


def test_what_is_skipped_comes_last(tasks: Tasks) -> None:
    opened(tasks, 3)
    assert tasks.skip(WORK, 0, "ann", "dark", NOW).skips == 1
    assert numbers(tasks.claim(WORK, "ann", 3, NOW, LATER)) == [1, 2, 0]
    assert tasks.efforts(WORK)[0][:3] == ("ann", 0, 1)


def test_a_conflict_is_for_reviewers(tasks: Tasks) -> None:
    opened(tasks, 1, wanted=2)
    for who in ("ann", "bob"):
        tasks.answer(WORK, answer(0, who))
    tasks.dispute(WORK, 0)
    assert tasks.claim(WORK, "eve", 1, NOW, LATER) == []
    with pytest.raises(Gone):
        tasks.answer(WORK, answer(0, "eve"))
    [task] = tasks.claim(WORK, "ann", 1, NOW, LATER, "review")  # who labelled it may review it
    assert tasks.claim(WORK, "eve", 1, NOW, LATER, "review") == []
    tasks.answer(WORK, replace(answer(task.number), role="review"))
    assert [one.role for one in tasks.answers_of(WORK, 0)].count("review") == 1
    assert [one.worker for one in tasks.answers(WORK)] == ["ann", "bob"]


def test_nothing_happens_in_a_work_that_ended(tasks: Tasks) -> None:
    opened(tasks, 2)
    tasks.claim(WORK, "ann", 1, NOW, LATER)
    tasks.end(WORK)
    assert tasks.claim(WORK, "ann", 1, NOW, LATER) == [] and tasks.open(WORK, None, 5) == 0
    with pytest.raises(Gone):
        tasks.answer(WORK, answer(0))


def test_works_do_not_meet(tasks: Tasks) -> None:
    opened(tasks, 1)
    opened(tasks, 1, work=WORK + "-2")
    tasks.answer(WORK, answer(0))
    assert len(tasks.claim(WORK + "-2", "ann", 5, NOW, LATER)) == 1
    assert tasks.answers_of(WORK + "-2", 0) == []


def test_answers_come_in_pages_of_whole_items(tasks: Tasks) -> None:
    opened(tasks, 5, wanted=2)
    for number in (0, 2, 4):
        for who in ("ann", "bob"):
            tasks.answer(WORK, answer(number, who))
    assert numbers(tasks.answers(WORK, limit=2)) == [0, 0, 2, 2]
    assert numbers(tasks.answers(WORK, after=2, limit=2)) == [4, 4]
    assert [(one.worker, one.answers, one.seconds) for one in tasks.efforts(WORK)] == [("ann", 3, 6.0), ("bob", 3, 6.0)]
    assert tasks.efforts(WORK, "bob") == tasks.efforts(WORK)[1:] and tasks.efforts(WORK, "eve") == []


def test_many_workers_at_once_get_every_item_as_often_as_wanted(tasks: Tasks) -> None:
    """20 threads, 60 items, three answers each: nobody is given one twice, none gets a fourth."""
    opened(tasks, 60, wanted=3)
    given: list[tuple[str, int]] = []
    troubles: list[BaseException] = []

    def work(who: str) -> None:
        try:
            while found := tasks.claim(WORK, who, 1, NOW, LATER):
                given.append((who, found[0].number))
                tasks.answer(WORK, answer(found[0].number, who))
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(f"worker-{n}",)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles and len(set(given)) == len(given)
    assert set(Counter(number for _, number in given).values()) == {3} and len(given) == 180


def test_what_was_answered_is_there_after_a_start(tmp_path: Path) -> None:
    first = SqliteTasks(tmp_path / "tasks.db")
    opened(first, 2)
    first.answer(WORK, answer(1))
    second = SqliteTasks(tmp_path / "tasks.db")  # the first one was killed: nothing was closed
    assert [one.number for one in second.answers(WORK)] == [1]
    assert numbers(second.claim(WORK, "ann", 5, NOW, LATER)) == [0]
    second.close()
    first.close()


def test_places_that_nobody_holds_are_withdrawn(tasks: Tasks) -> None:
    opened(tasks, 2, wanted=3)
    tasks.claim(WORK, "ann", 1, NOW, LATER)
    tasks.claim(WORK, "bob", 1, NOW, NOW + 1)
    assert tasks.withdraw(WORK, 0, NOW + 1) == 1  # Bob's lease has ended
    assert numbers(tasks.claim(WORK, "eve", 5, NOW + 2, LATER)) == [1]
    assert tasks.answer(WORK, answer(0)).answers == 1  # who holds it may answer
    assert tasks.withdraw(WORK, 0, NOW + 2) == 0
    assert numbers(tasks.claim(WORK, "bob", 5, NOW + 2, LATER)) == [1]
    assert tasks.withdraw(WORK, 9, NOW) == 0 and tasks.withdraw("nobody's", 0, NOW) == 0


def test_what_is_forgotten_may_come_again(tasks: Tasks) -> None:
    opened(tasks, 2)
    opened(tasks, 1, work="another")
    tasks.claim(WORK, "ann", 2, NOW, LATER)
    tasks.keep(WORK, 1, "ann", LATER, '{"half": 1}')
    tasks.answer(WORK, answer(0))
    tasks.skip(WORK, 1, "bob", "unclear", NOW)
    tasks.forget(WORK, [0])
    assert tasks.item(WORK, 0) is None and tasks.answers_of(WORK, 0) == [] and tasks.counts(WORK) == {"open": 1}
    with pytest.raises(Gone):
        tasks.answer(WORK, answer(0))
    tasks.end(WORK)
    tasks.forget(WORK)
    assert tasks.counts(WORK) == {} and tasks.efforts(WORK) == [] and tasks.counts("another") == {"open": 1}
    opened(tasks, 2)
    assert [(task.number, task.draft) for task in tasks.claim(WORK, "ann", 5, NOW, LATER)] == [(0, ""), (1, "")]
