"""Tuning in the console: what its figures say, and its pages in a real browser on a real search."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser
from scipy import stats
from tests.conftest import Server
from tests.support.browser import Visitor, needs_chromium, visitor
from tests.support.console_jobs import code_of, post, run_code, watcher
from tests.support.jobs import IMAGE, QUICK, training_job, upload_photos, wait
from tests.support.tuning import await_tuning, trials
from tests.support.unique import unique

from tobo.console.tuning import Axis, axes_of, importance, ranks
from tobo.console.tuning_form import request_of, rows_of
from tobo.kit.fault import Fault

pytestmark = pytest.mark.xdist_group("training")


def trial(objective: float | None, **tuned: str) -> dict[str, Any]:
    final = {} if objective is None else {"FinalHyperParameterTuningJobObjectiveMetric": {"Value": objective}}
    return {"TrainingJobName": "t", "TrainingJobStatus": "Completed", "TunedHyperParameters": tuned, **final}


def test_ranks_are_scipys() -> None:
    values = np.random.default_rng(0).integers(0, 9, 40).astype(float)
    assert (ranks(values) == stats.rankdata(values)).all()


@pytest.mark.parametrize("noise", [0.0, 0.3, 3.0])
def test_importance_of_a_number_is_the_adjusted_square_of_spearmans_correlation(noise: float) -> None:
    random = np.random.default_rng(7)
    values = random.random(30)
    outcomes = np.exp(values) + noise * random.random(30)
    rho = stats.spearmanr(values, outcomes).statistic
    found = importance([Axis("x")], [trial(y, x=str(x)) for x, y in zip(values, outcomes, strict=True)])
    assert found["x"] == pytest.approx(max(0.0, 1 - (1 - rho**2) * 29 / 28))


def test_importance_of_a_category_is_the_adjusted_eta_squared_of_ranks() -> None:
    random = np.random.default_rng(3)
    groups = random.integers(0, 3, 24)
    outcomes = groups + random.random(24) * 2
    split = [stats.rankdata(outcomes)[groups == group] for group in range(3)]
    value = stats.kruskal(*[outcomes[groups == group] for group in range(3)]).statistic
    eta = value / 23  # Kruskal-Wallis' H is (n - 1) eta squared of the ranks
    assert len(split) == 3
    axis = Axis("c", choices=("a", "b", "c"))
    found = importance([axis], [trial(y, c="abc"[group]) for group, y in zip(groups, outcomes, strict=True)])
    assert found["c"] == pytest.approx(1 - (1 - eta) * 23 / 21)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [trial(1.0, x="1"), trial(2.0, x="2"), trial(3.0, x="3")],
        [trial(None, x="1")] * 9,
        [trial(1.0, x=str(x)) for x in range(9)],
        [trial(float(y), x="1") for y in range(9)],
    ],
)
def test_importance_is_not_told_where_nothing_can_be_known(rows: list[dict[str, Any]]) -> None:
    assert importance([Axis("x")], rows) == {"x": None}


def test_axes_follow_the_ranges() -> None:
    ranges = {
        "ContinuousParameterRanges": [
            {"Name": "rate", "MinValue": "0.001", "MaxValue": "1", "ScalingType": "Auto"},
            {"Name": "momentum", "MinValue": "0.5", "MaxValue": "0.999", "ScalingType": "Auto"},
        ],
        "IntegerParameterRanges": [{"Name": "size", "MinValue": "8", "MaxValue": "32"}],
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b", "a"]}],
        "AutoParameters": [{"Name": "decay", "ValueHint": "1"}],
    }
    job = {"HyperParameterTuningJobConfig": {"ParameterRanges": ranges}}
    found = {axis.name: axis for axis in axes_of(job, [trial(1.0, decay="2"), trial(1.0, decay="4")])}
    assert found["rate"].scale == "Logarithmic"
    assert found["momentum"].scale == "ReverseLogarithmic"
    assert (found["size"].low, found["size"].high, found["size"].scale) == (8, 32, "Linear")
    assert found["kind"].choices == ("a", "b")
    assert (found["decay"].low, found["decay"].high) == (2, 4)


JOB = {"AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"}, "HyperParameters": QUICK}
RATE = {"name.0": "learning_rate", "kind.0": "Continuous", "low.0": "0.001", "high.0": "0.1"}
FORM = {"name": "t", "most": "3", "parallel": "1", "metric": "validation:accuracy", **RATE}


def test_the_form_asks_what_is_filled_in() -> None:
    rows = {row.name: row for row in rows_of(JOB)}
    assert (rows["learning_rate"].low, rows["learning_rate"].high) == ("0.005", "0.5")
    assert "epochs" not in rows
    more = {"name.1": "optimizer", "kind.1": "Categorical", "values.1": "sgd, adam", "minutes": "2", "early": "on"}
    asked = request_of({**FORM, **more}, JOB)
    config = asked["HyperParameterTuningJobConfig"]
    assert config["ResourceLimits"] == {
        "MaxNumberOfTrainingJobs": 3,
        "MaxParallelTrainingJobs": 1,
        "MaxRuntimeInSeconds": 120,
    }
    assert config["ParameterRanges"]["CategoricalParameterRanges"] == [{"Name": "optimizer", "Values": ["sgd", "adam"]}]
    assert config["TrainingJobEarlyStoppingType"] == "Auto"
    fixed = asked["TrainingJobDefinition"]["StaticHyperParameters"]
    assert fixed == {name: value for name, value in QUICK.items() if name != "learning_rate"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"low.0": "", "high.0": ""}, "No hyperparameter has a range"),
        ({"high.0": ""}, "'learning_rate' has one end only"),
        ({"kind.0": "Odd"}, "'Odd' of 'learning_rate'"),
        ({"kind.0": "Categorical"}, "'learning_rate' has no values"),
        ({"most": "many"}, "Training jobs is 'many'"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused(changed: dict[str, str], said: str) -> None:
    fields = {name: value for name, value in {**FORM, **changed}.items() if value}
    with pytest.raises(Fault, match=said):
        request_of(fields, JOB)


@pytest.fixture(scope="module")
def trained(warm_server: Server) -> str:
    """A training job that can be tuned."""
    bucket, name = unique("console-tuning"), unique("base")
    upload_photos(warm_server, bucket)
    sagemaker = warm_server.client("sagemaker")
    sagemaker.create_training_job(**training_job(name, bucket, HyperParameters={**QUICK, "epochs": "1"}))
    assert wait(sagemaker, name)["TrainingJobStatus"] == "Completed"
    return name


@pytest.fixture
def looker(browser: Browser, warm_server: Server) -> Iterator[Visitor]:
    with visitor(browser, warm_server) as its:
        its.sign_in()
        yield its
        assert its.troubles == []


@pytest.fixture(scope="module")
def tuned(warm_server: Server, trained: str) -> str:
    """A search of four trials over learning rate and optimizer, as the form asks for it."""
    sagemaker = warm_server.client("sagemaker")
    name = unique("tuned")[:32]
    more = {"name.1": "optimizer", "kind.1": "Categorical", "values.1": "sgd,adam", "strategy": "Random"}
    job = sagemaker.describe_training_job(TrainingJobName=trained)
    asked = request_of({**FORM, **more, "name": name, "most": "4", "parallel": "2", "seed": "1"}, job)
    sagemaker.create_hyper_parameter_tuning_job(**asked)
    assert await_tuning(sagemaker, name)["HyperParameterTuningJobStatus"] == "Completed"
    return name


@needs_chromium
def test_from_a_training_job_to_the_best_one_deployed(looker: Visitor, warm_server: Server, trained: str) -> None:
    sagemaker = warm_server.client("sagemaker")
    name, copied = unique("form")[:32], unique("copied")[:32]
    page = looker.go("tuning-jobs/create")
    page.click(f"a:has-text('{trained}')")
    page.fill("[name=name]", copied)
    page.fill("[name=most]", "2")
    page.get_by_label("Values of optimizer").fill("sgd, adam")
    page.click("[data-code-of-form]")
    page.wait_for_selector("dialog#code[open]")
    run_code(warm_server, code_of(looker))
    page.keyboard.press("Escape")
    page.fill("[name=name]", name)
    page.click("button[type=submit]:has-text('Create tuning job')")
    page.wait_for_url(f"**/tuning-jobs/{name}")
    best = page.get_by_role("link", name="Deploy the best")
    best.wait_for(timeout=90_000)  # the page tells it by itself
    page.wait_for_function("document.querySelectorAll('#trials [data-trial]').length === 2", timeout=90_000)
    for each in (name, copied):
        assert await_tuning(sagemaker, each)["HyperParameterTuningJobStatus"] == "Completed"
    told = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    page.reload()
    top = told["BestTrainingJob"]["TrainingJobName"]
    assert best.get_attribute("href") == f"/_tobo/console/endpoints/create?training_job={top}"
    theirs = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=copied)
    for member in ("HyperParameterTuningJobConfig", "TrainingJobDefinition"):
        assert theirs[member] == told[member]


@needs_chromium
def test_a_brush_keeps_lines_and_rows(looker: Visitor, warm_server: Server, tuned: str) -> None:
    found = {each["TrainingJobName"]: each for each in trials(warm_server.client("sagemaker"), tuned)}
    page = looker.go(f"tuning-jobs/{tuned}")
    page.wait_for_selector("parallel-coords [data-grip]")
    assert page.locator("parallel-coords [data-line]").count() == 4
    rows = page.locator("#trials [data-trial]:visible")
    assert rows.count() == 4

    grip = page.get_by_role("slider", name="optimizer at least")
    grip.focus()
    page.keyboard.press("ArrowUp")
    kept = {name for name, each in found.items() if each["TunedHyperParameters"]["optimizer"] == "adam"}
    assert set(rows.evaluate_all("rows => rows.map(row => row.dataset.trial)")) == kept
    assert page.locator("parallel-coords .line.out").count() == 4 - len(kept)
    assert page.locator("[data-count]").inner_text() == f"{len(kept)} of 4 trials"
    assert page.evaluate("document.activeElement.getAttribute('data-grip')") == "1-0"
    page.keyboard.press("Escape")
    assert rows.count() == 4

    zone = page.locator("parallel-coords .zone").first.bounding_box()
    assert zone is not None
    middle = zone["x"] + zone["width"] / 2
    page.mouse.move(middle, zone["y"] + zone["height"] - 8)
    page.mouse.down()
    page.mouse.move(middle, zone["y"] + zone["height"] / 2)
    page.mouse.up()
    low = {name for name, each in found.items() if float(each["TunedHyperParameters"]["learning_rate"]) < 0.0101}
    low -= {name for name, each in found.items() if float(each["TunedHyperParameters"]["learning_rate"]) < 0.00125}
    assert set(rows.evaluate_all("rows => rows.map(row => row.dataset.trial)")) == low
    page.click("text=Clear filters")
    assert rows.count() == 4

    name = next(iter(found))
    page.locator(f"[data-trial='{name}']").hover()
    assert page.locator("parallel-coords .line.on").count() == 1
    assert page.locator(f"[data-line='{name}'] .line.on").count() == 1
    page.click("#trials th button:has-text('learning_rate')")
    page.click("#trials th button:has-text('learning_rate')")
    ordered = rows.evaluate_all("rows => rows.map(row => row.dataset.trial)")
    assert ordered == sorted(found, key=lambda each: float(found[each]["TunedHyperParameters"]["learning_rate"]))


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["tuning-jobs", "tuning-jobs/{tuned}", "tuning-jobs/create", "tuning-jobs/create?training_job={trained}"]
)
def test_pages_are_accessible(
    browser: Browser, warm_server: Server, tuned: str, trained: str, theme: Any, path: str
) -> None:
    with visitor(browser, warm_server, color_scheme=theme) as its:
        its.sign_in()
        its.go(path.format(tuned=tuned, trained=trained))
        its.page.wait_for_selector("parallel-coords [data-grip]" if path.endswith("{tuned}") else "main table")
        assert its.accessibility() == []
        assert its.troubles == []


@needs_chromium
def test_markup_in_values_and_names_stays_text(looker: Visitor, tuned: str) -> None:
    page = looker.go(f"tuning-jobs/{tuned}")
    page.wait_for_selector("parallel-coords [data-grip]")
    odd = "<img src=x onerror=alert(1)>"
    drawing = {
        "axes": [{"name": odd, "choices": [odd, "b"]}],
        "trials": [{"name": odd, "status": odd, "values": [odd], "objective": 0.5}],
        "objective": {"name": odd, "maximise": True},
        "best": None,
    }
    page.evaluate("drawing => document.querySelector('parallel-coords').take(drawing)", drawing)
    assert page.locator("parallel-coords img").count() == 0
    assert odd in page.locator("parallel-coords .title title").first.evaluate("title => title.textContent")


@needs_chromium
def test_who_may_only_look_can_neither_create_nor_stop(browser: Browser, warm_server: Server, tuned: str) -> None:
    with watcher(browser, warm_server) as its:
        page = its.go(f"tuning-jobs/{tuned}")
        page.wait_for_selector("parallel-coords [data-grip]")
        assert page.locator("a:has-text('Deploy the best')").count() == 0
        assert page.locator("main form").count() == 0
        assert its.go("tuning-jobs").locator("main a:has-text('Create tuning job')").count() == 0
        for path, form in ((f"tuning-jobs/{tuned}/stop", {}), (f"tuning-jobs/{tuned}/delete", {})):
            status, said = post(its, path, {"any": "1", **form})
            assert status in (400, 403)
            assert "AccessDenied" in said


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_elements_stand_in_the_style_guide(browser: Browser, warm_server: Server, theme: Any) -> None:
    with visitor(browser, warm_server, color_scheme=theme) as its:
        its.sign_in()
        page = its.go("styleguide")
        page.wait_for_selector("parallel-coords [data-grip]")
        assert page.locator("confusion-matrix button").count() == 4
        assert page.locator("image-grid [role=option]").count() == 3
        assert page.locator("parallel-coords .line.pending").count() == 1
        assert its.accessibility() == []
        assert its.troubles == []
