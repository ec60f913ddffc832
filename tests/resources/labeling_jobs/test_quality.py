"""How good workers are and what their answers are worth: honeypots, reports, agreement, Dawid-Skene at a job's end."""

import json
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.labelling import (
    REVIEWER,
    bucket_of,
    claim,
    create,
    ended,
    labeler,
    labeling_job,
    output_of,
    put_lines,
    say,
    worker,
)
from tests.support.unique import unique

LABELS = ("ok", "ko")
ITEMS = 24


def truth(number: int) -> str:
    return LABELS[number % 2]


def other(label: str) -> str:
    return LABELS[1 - LABELS.index(label)]


def skilled(number: int) -> str:
    return truth(number)


def careless(number: int) -> str:
    """Wrong about half of each class."""
    return other(truth(number)) if number % 4 < 2 else truth(number)


def hasty(number: int) -> str:
    """Wrong about half of each class, too: at numbers 0 and 1 of each eight together with the careless one."""
    return other(truth(number)) if number % 8 < 4 else truth(number)


def fooled(number: int) -> bool:
    """Whether the majority is."""
    return number % 8 < 2


def honeypot(number: int) -> bool:
    return number % 3 == 0


def categories(server: Server, bucket: str, **more: Any) -> str:
    key = f"{unique('categories')}.json"
    told = {"labels": [{"label": label} for label in LABELS], **more}
    server.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(told).encode())
    return f"s3://{bucket}/{key}"


def marbles(server: Server, gold: bool, **changes: Any) -> dict[str, Any]:
    """A request over ITEMS pictures with a third of them known."""
    bucket = bucket_of(server, ITEMS)
    lines = [{"source-ref": f"s3://{bucket}/photos/{n:03}.png", "camera": n} for n in range(ITEMS)]
    if gold:
        lines = [line | ({"label-gold": truth(n)} if honeypot(n) else {}) for n, line in enumerate(lines)]
    more = {"LabelCategoryConfigS3Uri": categories(server, bucket, **changes.pop("categories", {}))}
    return labeling_job(server, bucket, source=put_lines(server, bucket, lines), **more, **changes)


def work_through(client: Any, arn: str, opinion: Any) -> None:
    for task in claim(client, arn, ITEMS):
        say(client, arn, task, {"label": opinion(task["ItemNumber"])})


def test_dawid_skene_trusts_the_skilled_worker_where_the_majority_is_wrong(server: Server) -> None:
    found = {}
    for how in ("dawid-skene", "majority"):
        request = marbles(server, gold=True, workers=3, categories={"consolidation": how})
        arn = create(server, request)
        for opinion in (skilled, careless, hasty):
            work_through(worker(server), arn, opinion)
        found[how] = output_of(server, ended(server, request["LabelingJobName"]))
    wrong = {
        how: [n for n, line in enumerate(lines) if LABELS[line["label"]] != truth(n)] for how, lines in found.items()
    }
    assert wrong == {"dawid-skene": [], "majority": [n for n in range(ITEMS) if fooled(n)]}
    for number, line in enumerate(found["dawid-skene"]):
        sure = line["label-metadata"]["confidence"]
        assert (sure == 1) if honeypot(number) else (0.5 < sure < 1 and sure not in (0.6667, 0.3333))
        assert line["label-metadata"]["class-name"] == truth(number) and line["camera"] == number
        assert line.get("label-gold") == (truth(number) if honeypot(number) else None)
    assert {line["label-metadata"]["confidence"] for line in found["majority"]} <= {0.6667, 1.0}


def test_it_is_the_default_and_needs_no_honeypots(server: Server) -> None:
    request = marbles(server, gold=False, workers=2)
    arn = create(server, request)
    for opinion in (skilled, skilled):
        work_through(worker(server), arn, opinion)
    lines = output_of(server, ended(server, request["LabelingJobName"]))
    assert [LABELS[line["label"]] for line in lines] == [truth(n) for n in range(ITEMS)]
    assert all(0.9 < line["label-metadata"]["confidence"] < 1 for line in lines)


def test_workers_who_saw_one_class_each_are_not_judged_by_it(server: Server) -> None:
    """A manifest sorted by class, whose halves different people label: what is right cannot be told from who said it."""
    request = labeling_job(server, bucket_of(server, 12), workers=2)
    arn = create(server, request)
    for label in LABELS:
        pair = [worker(server), worker(server)]
        held = [claim(its, arn, 6) for its in pair]
        for its, tasks in zip(pair, held, strict=True):
            for task in tasks:
                say(its, arn, task, {"label": label})
    lines = output_of(server, ended(server, request["LabelingJobName"]))
    assert [line["label"] for line in lines] == [0] * 6 + [1] * 6
    assert {line["label-metadata"]["confidence"] for line in lines} == {1.0}  # the share of the votes


def test_one_worker_an_item_is_taken_by_his_word(server: Server) -> None:
    request = marbles(server, gold=True)
    arn = create(server, request)
    work_through(worker(server), arn, careless)
    lines = output_of(server, ended(server, request["LabelingJobName"]))
    assert [LABELS[line["label"]] for line in lines] == [careless(n) for n in range(ITEMS)]
    assert {line["label-metadata"]["confidence"] for line in lines} == {1.0}


def test_a_reviewers_word_stays(server: Server) -> None:
    """Of two who differ about everything the first is right; the reviewer says the contrary of him once."""
    request = marbles(server, gold=True, workers=2, categories={"review": {"below": 0.6}})
    arn = create(server, request)
    for opinion in (skilled, careless):
        work_through(worker(server), arn, opinion)
    reviewer = worker(server, "reviewer", REVIEWER)
    for task in claim(reviewer, arn, ITEMS, Role="review"):
        number = task["ItemNumber"]
        assert "label-gold" not in json.loads(task["Source"])
        say(reviewer, arn, task, {"label": other(truth(number)) if number == 1 else truth(number)}, Role="review")
    lines = output_of(server, ended(server, request["LabelingJobName"]))
    assert [LABELS[line["label"]] for line in lines] == [other(truth(n)) if n == 1 else truth(n) for n in range(ITEMS)]
    reviewed = [n for n, line in enumerate(lines) if "reviewed" in line["label-metadata"]]
    assert reviewed == [n for n in range(ITEMS) if careless(n) != truth(n)]


def test_the_report_tells_who_is_good(server: Server) -> None:
    request = marbles(server, gold=True, workers=3)
    arn, root = create(server, request), labeler(server)
    first, second, third = (worker(server, name) for name in ("a-skilled", "b-skilled", "c-careless"))
    tasks = claim(first, arn, ITEMS)
    assert all("gold" not in task["Source"] for task in tasks) and json.loads(tasks[3]["Source"])["camera"] == 3
    for task in tasks:
        say(first, arn, task, {"label": truth(task["ItemNumber"])})
    half = root.list_efforts(LabelingJobArn=arn)
    assert "Alpha" not in half and "Kappa" not in half and "Agreement" not in half["Efforts"][0]
    work_through(second, arn, skilled)
    work_through(third, arn, careless)
    told = root.list_efforts(LabelingJobArn=arn)
    good, _, bad = told["Efforts"]
    asked = [n for n in range(ITEMS) if honeypot(n)]
    right = sum(careless(n) == truth(n) for n in asked)
    assert (good["Right"], good["Asked"], good["MedianSeconds"]) == (len(asked), len(asked), 1.5)
    assert (bad["Right"], bad["Asked"]) == (right, len(asked))
    assert bad["RightLow"] < right / len(asked) < bad["RightHigh"] and good["RightHigh"] == 1
    others = [n for n in range(ITEMS) if not honeypot(n)]
    agreed = sum(careless(n) == truth(n) for n in others) / len(others)
    assert (good["Agreement"], bad["Agreement"]) == (1, agreed)
    # all three say the same of half of the items, two of the other half: (1/2 + 1/2 / 3 - 1/2) / (1 - 1/2)
    assert told["Kappa"] == pytest.approx(1 / 3) and told["Alpha"] == pytest.approx(1 - (72 - 1) / 72 * (1 - 1 / 3))


@pytest.mark.parametrize(
    ("kind", "gold", "right", "wrong"),
    [
        (
            "BoundingBox",
            {
                "boundingBoxes": [{"left": 10, "top": 10, "width": 20, "height": 20, "label": "ko"}],
                "inputImageProperties": {"width": 64, "height": 48},
            },
            {
                "boundingBoxes": [{"left": 12, "top": 9, "width": 20, "height": 20, "label": "ko"}],
                "inputImageProperties": {"width": 64, "height": 48},
            },
            {"boundingBoxes": [], "inputImageProperties": {"width": 64, "height": 48}},
        ),
        ("ImageMultiClassMultiLabel", {"labels": ["ok", "ko"]}, {"labels": ["ko", "ok"]}, {"labels": ["ko"]}),
    ],
)
def test_known_answers_of_other_shapes(server: Server, kind: str, gold: Any, right: Any, wrong: Any) -> None:
    bucket = bucket_of(server, 2)
    lines = [{"source-ref": f"s3://{bucket}/photos/{n:03}.png", "label-gold": gold} for n in range(2)]
    arn = create(server, labeling_job(server, bucket, kind, source=put_lines(server, bucket, lines)))
    its = worker(server)
    for task, answer in zip(claim(its, arn, 2), (right, wrong), strict=True):
        assert "label-gold" not in json.loads(task["Source"])
        say(its, arn, task, answer)
    [effort] = labeler(server).list_efforts(LabelingJobArn=arn)["Efforts"]
    assert (effort["Right"], effort["Asked"]) == (1, 2)


def test_a_known_answer_that_is_none_is_named(server: Server) -> None:
    bucket = bucket_of(server, 2)
    lines = [
        {"source-ref": f"s3://{bucket}/photos/000.png"},
        {"source-ref": f"s3://{bucket}/photos/001.png", "label-gold": "maybe"},
    ]
    request = labeling_job(server, bucket, source=put_lines(server, bucket, lines))
    server.client("sagemaker").create_labeling_job(**request)
    job = ended(server, request["LabelingJobName"])
    assert job["LabelingJobStatus"] == "Failed"
    assert "Object 2 of the input manifest: label-gold is no answer" in job["FailureReason"]
    assert '"maybe"' in job["FailureReason"]


def test_consolidation_by_what_there_is_not(server: Server) -> None:
    bucket = bucket_of(server, 1)
    request = labeling_job(server, bucket, LabelCategoryConfigS3Uri=categories(server, bucket, consolidation="by lot"))
    with pytest.raises(Exception, match="it is dawid-skene or majority"):
        server.client("sagemaker").create_labeling_job(**request)
