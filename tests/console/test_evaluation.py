"""Evaluation: its figures beside scikit-learn's, and its page in a real browser on a real training and batch transform."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page
from sklearn import metrics
from tests.conftest import Server
from tests.support.browser import Visitor, needs_chromium, visitor
from tests.support.console_jobs import KO, OK, WRONG, code_of, post, run_code, train_with_a_mistake, watcher
from tests.support.jobs import IMAGE, ROLE
from tests.support.own_code import artifact
from tests.support.processes import until
from tests.support.unique import unique

from tobo.console.evaluation import (
    Predictions,
    cheapest,
    checked,
    confusion,
    costs,
    curve,
    decide,
    figures,
    predictions_of,
)
from tobo.console.labelling_queues import merged, suggestions_of
from tobo.console.snippets import Made, cli_code
from tobo.kit.fault import Fault

pytestmark = pytest.mark.xdist_group("training")


def scored(classes: int, count: int = 300, seed: int = 0) -> Predictions:
    """Scores that are right more often than not; some of them equal."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, count)
    raw = np.round(random.random((count, classes)) + np.eye(classes)[truth] * 0.4, 2) + 0.01
    return Predictions(
        tuple(f"class {index}" for index in range(classes)),
        "s3://photos/",
        tuple(map(str, range(count))),
        truth,
        raw / raw.sum(1, keepdims=True),
    )


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_confusion_and_figures_are_scikit_learns(classes: int) -> None:
    found = scored(classes)
    decided = decide(found.scores)
    matrix = confusion(found.truth, decided, classes)
    assert (matrix == metrics.confusion_matrix(found.truth, decided, labels=range(classes))).all()
    precision, recall, f1, examples = metrics.precision_recall_fscore_support(found.truth, decided, zero_division=0)
    for index, its in enumerate(figures(matrix)):
        assert its.examples == examples[index]
        assert [its.precision, its.recall, its.f1] == pytest.approx([precision[index], recall[index], f1[index]])


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("chosen", [0, 1])
def test_the_curve_is_scikit_learns(classes: int, chosen: int) -> None:
    found = scored(classes)
    its = curve(found.truth, found.scores, chosen)
    precision, recall, thresholds = metrics.precision_recall_curve(found.truth == chosen, found.scores[:, chosen])
    assert its.thresholds[::-1] == pytest.approx(thresholds)
    assert its.precision()[::-1] == pytest.approx(precision[:-1])
    assert its.recall()[::-1] == pytest.approx(recall[:-1])


@pytest.mark.parametrize(("miss", "reject"), [(1, 1), (10, 1), (1, 25), (0, 1), (1, 0)])
def test_the_cheapest_threshold_costs_least_of_all(miss: float, reject: float) -> None:
    found = scored(3, seed=4)
    its = curve(found.truth, found.scores, 1)
    threshold, cost = cheapest(its, miss, reject)

    def paid(at: float) -> float:
        rejected = decide(found.scores, 1, at) == 1
        missed = int(((found.truth == 1) & ~rejected).sum())
        return missed * miss + int(((found.truth != 1) & rejected).sum()) * reject

    assert paid(threshold) == cost == costs(its, miss, reject).min()
    assert all(paid(at) >= cost for at in np.linspace(0, 1.01, 500))


def test_of_equally_cheap_thresholds_the_roomiest_is_told() -> None:
    truth, first = np.array([0, 0, 1, 1]), np.array([0.9, 0.8, 0.2, 0.1])
    assert cheapest(curve(truth, np.stack([first, 1 - first], 1), 0), 1, 1) == (pytest.approx(0.5), 0)


def test_a_score_of_one_is_rejected_by_every_threshold() -> None:
    truth, first = np.array([1, 1, 0]), np.array([1.0, 1.0, 0.5])
    found = curve(truth, np.stack([first, 1 - first], 1), 0)
    threshold, cost = cheapest(found, 1, 10)
    assert (costs(found, 1, 10)[0], threshold, cost) == (1, 0.25, 20)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "no JSON object"),
        ({"labels": ["a"]}, "cannot be used"),
        ({"labels": ["a"], "keys": [], "targets": [], "scores": []}, "no predictions"),
        ({"labels": ["a", "b"], "keys": ["k"], "targets": [2], "scores": [[0.1, 0.9]]}, "not in 0..1"),
        ({"labels": ["a", "b"], "keys": ["k"], "targets": [1], "scores": [[0.1]]}, "cannot be used"),
        ({"labels": ["a", "b"], "keys": ["k"], "targets": [1], "scores": [[0.1, float("nan")]]}, "finite"),
        ({"labels": ["a"], "keys": ["k"], "targets": [[1]], "scores": [[0.5]], "multi_label": True}, "multi-label"),
    ],
)
def test_what_is_no_evaluation_is_refused(document: Any, said: str) -> None:
    with pytest.raises(Fault, match=said):
        checked(predictions_of(document, ""))


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ("", "No picture"),
        ("[]", "No picture"),
        ("{", "cannot be read"),
        ('[["s3://b/k"]]', "cannot be read"),
        ('[["http://b/k", 0, "ko", 0.5, ""]]', "not an S3 address"),
        ('[["s3://b/", 0, "ko", 0.5, ""]]', "no picture's address"),
    ],
)
def test_what_is_no_picture_is_refused(items: str, said: str) -> None:
    with pytest.raises(Fault, match=said):
        suggestions_of(items)


def test_a_picture_is_in_a_queue_once() -> None:
    old, new = {"source-ref": "s3://b/1", "x": 1}, {"source-ref": "s3://b/1", "x": 2}
    lines = merged([old, {"source-ref": "s3://b/2"}], [new]).decode().splitlines()
    assert [json.loads(line) for line in lines] == [new, {"source-ref": "s3://b/2"}]


def test_a_manifest_as_a_command_is_a_file_first() -> None:
    body = merged([], [{"source-ref": "s3://b/it's"}])
    lines = cli_code([Made("s3", "PutObject", {"Bucket": "b", "Key": "k", "Body": body})], "us-east-1")
    first, command = lines.split(" > body.bin\n")
    assert subprocess.run(["bash", "-c", first], capture_output=True, check=True).stdout == body
    assert "--body body.bin" in command


@pytest.fixture(scope="module")
def trained(warm_server: Server) -> tuple[str, str]:
    return train_with_a_mistake(warm_server)


@pytest.fixture
def looker(browser: Browser, warm_server: Server) -> Iterator[Visitor]:
    with visitor(browser, warm_server) as its:
        its.sign_in()
        yield its
        assert its.troubles == []


def opened(its: Visitor, kind: str, name: str) -> Page:
    page = its.go(f"evaluation/{kind}/{name}")
    page.wait_for_selector("[data-part=shown]:visible")
    return page


def test_a_training_tells_its_validation_predictions(warm_server: Server, trained: tuple[str, str]) -> None:
    job = warm_server.client("sagemaker").describe_training_job(TrainingJobName=trained[0])
    left = json.loads(artifact(warm_server, job, "output.tar.gz")["evaluation.json"])
    told = json.loads(artifact(warm_server, job)["metrics.json"])["validation"]
    assert f"{OK}/{WRONG}" in left["keys"]
    assert len(left["keys"]) == 11
    found = predictions_of(left, "")
    assert confusion(found.truth, decide(found.scores), 2).tolist() == told["confusion_matrix"]


@needs_chromium
def test_the_pages_figures_are_pythons(looker: Visitor) -> None:
    page = looker.go("evaluation")
    at = page.get_attribute("script[type=module]", "src") or ""
    code = """async ([at, found, chosen, miss, reject, threshold]) => {
      const its = await import(at);
      const decided = its.decide(found.scores, chosen, threshold);
      const line = its.curve(found, chosen);
      return [decided, its.decide(found.scores, null, 0), its.figures(its.confusion(found.truth, decided, found.labels.length)),
        its.costs(line, miss, reject), its.cheapest(line, miss, reject).threshold];
    }"""
    for classes in (2, 4):
        found = scored(classes, seed=classes)
        sent = found.compact()
        found = predictions_of({**sent, "targets": sent["truth"]}, "")
        module = at.replace("console.js", "elements/evaluation-figures.js")
        decided, plain, its, paid, best = page.evaluate(code, [module, sent, 1, 7, 2, 0.42])
        expected = decide(found.scores, 1, 0.42)
        line = curve(found.truth, found.scores, 1)
        assert decided == expected.tolist()
        assert plain == decide(found.scores).tolist()
        assert [each["f1"] for each in its] == pytest.approx(
            [each.f1 for each in figures(confusion(found.truth, expected, classes))]
        )
        assert paid == costs(line, 7, 2).tolist()
        assert best == pytest.approx(cheapest(line, 7, 2)[0])


@needs_chromium
def test_a_mistake_is_found_chosen_and_sent_by_the_keyboard(
    looker: Visitor, warm_server: Server, trained: tuple[str, str]
) -> None:
    name, bucket = trained
    queue = unique("look")
    page = opened(looker, "training-jobs", name)
    assert page.locator("confusion-matrix th[scope=row]").all_inner_texts() == [KO, OK]
    cell = page.get_by_role("button", name=f"1 of {OK} decided as {KO}")
    cell.focus()
    page.keyboard.press("Enter")
    tile = page.locator("image-grid [role=option]")
    assert tile.count() == 1
    assert tile.get_attribute("title") == f"{OK}/{WRONG}"
    tile.focus()  # brings it into view, where it loads
    until(lambda: tile.locator("img").evaluate("image => image.complete && image.naturalWidth") == 40)
    page.keyboard.press("Enter")
    assert page.locator("dialog.zoom p").inner_text().startswith(f"{OK}/{WRONG}: {OK} → {KO} ")
    page.keyboard.press("Escape")
    page.keyboard.press(" ")
    assert tile.get_attribute("aria-selected") == "true"
    page.fill("[name=queue]", queue)
    page.click("[data-code-of-form]")
    page.wait_for_selector("dialog#code[open]")
    code = code_of(looker)
    page.keyboard.press("Escape")
    page.focus("[data-part=send]")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/labelling/{queue}")
    assert page.locator("image-grid [role=option]").get_attribute("title") == f"s3://{bucket}/validation/{OK}/{WRONG}"
    assert looker.accessibility() == []
    s3 = warm_server.client("s3")
    at = {"Bucket": f"sagemaker-us-east-1-{warm_server.account}", "Key": f"labelling/queue/{queue}.manifest"}
    sent = s3.get_object(**at)["Body"].read()
    (line,) = [json.loads(text) for text in sent.splitlines()]
    metadata = line.pop("label-suggested-metadata")
    assert line == {"source-ref": f"s3://{bucket}/validation/{OK}/{WRONG}", "label-suggested": 0}
    assert (metadata["class-name"], metadata["present-class-name"], metadata["human-annotated"]) == (KO, OK, "no")
    assert metadata["job-name"] == f"training-jobs/{name}"
    assert metadata["confidence"] > 0.5
    s3.delete_object(**at)
    run_code(warm_server, code)
    again = json.loads(s3.get_object(**at)["Body"].read())
    assert again["source-ref"] == line["source-ref"]
    looker.go("labelling")
    assert page.locator("tr", has_text=queue).locator("td").nth(1).inner_text() == "1"
    page.click(f"text={queue}")
    page.click("button:has-text('Delete')")
    page.click("dialog#ask button[value=yes]")
    page.wait_for_url("**/labelling")
    assert "Contents" not in s3.list_objects_v2(Bucket=at["Bucket"], Prefix=at["Key"])


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_thresholds_and_costs_follow_the_fields(
    browser: Browser, warm_server: Server, trained: tuple[str, str], theme: Any
) -> None:
    with visitor(browser, warm_server, color_scheme=theme) as its:
        its.sign_in()
        page = opened(its, "training-jobs", trained[0])
        page.select_option("[data-part=class]", label=KO)
        page.locator("#threshold").fill("0")
        assert (
            page.locator("[data-part=outcome]").inner_text().startswith(f"0 of 5 {KO} missed, 6 of 6 others rejected")
        )
        page.fill("#miss", "100")
        page.fill("#reject", "7")
        page.click("[data-part=cheapest]")
        assert "0 of 5" in page.locator("[data-part=outcome]").inner_text()
        assert page.locator("[data-part=outcome]").inner_text().endswith("cost 7.")
        assert page.locator("confusion-matrix button").all_inner_texts() == ["5", "0", "1", "5"]
        assert "threshold=" in page.url
        page.reload()
        page.wait_for_selector("[data-part=shown]:visible")
        assert "1 of 6 others rejected" in page.locator("[data-part=outcome]").inner_text()
        assert its.accessibility() == []
        assert its.troubles == []


@needs_chromium
def test_a_batch_transform_is_evaluated(looker: Visitor, warm_server: Server, trained: tuple[str, str]) -> None:
    name, bucket = trained
    sagemaker = warm_server.client("sagemaker")
    address = sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"]
    batch = unique("evaluated-batch")
    sagemaker.create_model(
        ModelName=batch, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": address}
    )
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/validation"}}
    sagemaker.create_transform_job(
        TransformJobName=batch,
        ModelName=batch,
        TransformInput={"DataSource": source, "ContentType": "image/jpeg"},
        TransformOutput={"S3OutputPath": f"s3://{bucket}/scores"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    until(lambda: sagemaker.describe_transform_job(TransformJobName=batch)["TransformJobStatus"] == "Completed", 60)
    page = opened(looker, "transform-jobs", batch)
    assert page.locator("confusion-matrix button").all_inner_texts() == ["5", "0", "1", "5"]
    listed = f"0\t0\t{OK}/{WRONG}\n1\t1\t{OK}/41.jpg\n"
    warm_server.client("s3").put_object(Bucket=bucket, Key="labels.lst", Body=listed.encode())
    page.click("summary:has-text('Labels that are not folders')")
    page.fill("[name=list]", f"s3://{bucket}/labels.lst")
    page.fill("[name=classes]", "bad, good")
    page.click("button:has-text('Use these')")
    page.wait_for_selector("[data-part=shown]:visible")
    assert page.locator("confusion-matrix th[scope=row]").all_inner_texts() == ["bad", "good"]
    assert page.locator("confusion-matrix button").all_inner_texts() == ["1", "0", "0", "1"]


@needs_chromium
def test_who_may_only_look_cannot_send(browser: Browser, warm_server: Server, trained: tuple[str, str]) -> None:
    with watcher(browser, warm_server) as its:
        page = opened(its, "training-jobs", trained[0])
        assert page.locator("[data-part=send]").count() == 0
        page.click("[data-part=all]")
        assert page.locator("[data-part=count]").inner_text() == "1 chosen"
        items = json.dumps([[f"s3://{trained[1]}/x.jpg", 0, KO, 0.5, OK]])
        status, said = post(its, "labelling/queues", {"queue": unique("no"), "items": items})
        assert status == 403
        assert "AccessDenied" in said
