"""Accessibility: axe-core on pages that have something in them, in both themes; the frame's test has the empty lists."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Request, expect
from tests.conftest import Server
from tests.support.algorithms import algorithm
from tests.support.browser import Visitor, needs_chromium, visitor
from tests.support.console_jobs import train_with_a_mistake
from tests.support.fleets import Fleet, metric, stage
from tests.support.jobs import IMAGE, ROLE
from tests.support.notebooks import TYPE
from tests.support.reaping import UNTAGGED, reaper
from tests.support.tuning import await_tuning, tuning_job

pytestmark = [needs_chromium, pytest.mark.xdist_group("training")]


@dataclass(frozen=True)
class World:
    """A server with one of everything: `name` is that of the job, its endpoint, compilation, tuning job, alarm, topic, event rule, budget, reaper rule
    and of what its notebook begins with."""

    server: Server
    name: str
    bucket: str
    fleet: Fleet
    plan: str
    other: str

    def path(self, page: str) -> str:
        """A page of PAGES, its names filled in."""
        named = {"name": self.name, "bucket": self.bucket, "fleet": self.fleet.name, "plan": self.plan}
        return page.format(**named, other=self.other)


PAGES = {
    "job": ("training-jobs/{name}", "live-chart .u-over"),
    "job-compared": ("training-jobs/{name}?with={other}", "live-chart .u-over"),
    "create": ("training-jobs/create", "#price:has-text('an hour')"),
    "clone": ("training-jobs/create?clone={name}", "#price:has-text('an hour')"),
    "wizard": ("wizard", "photo-wizard"),
    "wizard-watched": ("wizard/{name}", "#step-deploy"),
    "tuning": ("tuning-jobs/{name}", "parallel-coords svg"),
    "tuning-create": ("tuning-jobs/create?training_job={name}", "table"),
    "algorithm": ("algorithms/{name}", "table"),
    "improve": ("pipelines/improve?training_job={name}", "form"),
    "evaluation": ("evaluation/training-jobs/{name}", "confusion-matrix table"),
    "endpoint": ("endpoints/{name}", "live-chart"),
    "endpoint-create": ("endpoints/create?training_job={name}", "#price:has-text('an hour')"),
    "model": ("models/{name}", "h1"),
    "certificate": ("compilation-jobs/{name}", "table"),
    "compile": ("compilation-jobs/create?training_job={name}", "form"),
    "transform-create": ("transform-jobs/create?model={name}", "form"),
    "fleet": ("fleets/{fleet}", "table"),
    "device": ("devices/{fleet}/cam-1", "canvas"),
    "enroll": ("enroll?fleet={fleet}&device=cam-9", ".code-box"),
    "plan": ("deployment-plans/{plan}", "progress"),
    "plan-create": ("deployment-plans/create?fleet={fleet}", "table"),
    "packaging-create": ("packaging-jobs/create", "form"),
    "alarm": ("alarms/{name}", "h1"),
    "notebook": ("notebooks/{name}", ".notice.bad"),
    "lifecycle-config": ("lifecycle-configs/{name}", "pre.code"),
    "lifecycle-config-create": ("lifecycle-configs/create", "form"),
    "code-repository": ("code-repositories/{name}", "h1"),
    "code-repository-create": ("code-repositories/create", "form"),
    "notebook-create": ("notebooks/create", "#price:has-text('an hour')"),
    "folder": ("s3/{bucket}?prefix=train/", "table"),
    "roles": ("roles", "table"),
    "costs": ("costs", ".spending svg"),
    "budget": ("budgets/{name}", "meter"),
    "budget-create": ("budgets/create", "form"),
    "topic": ("topics/{name}", "table"),
    "event-rule": ("event-rules/{name}", ".code-box"),
    "event-rule-create": ("event-rules/create", "form"),
    "reaper": ("reaper", ".planned pre, .planned p"),
    "reaper-rule": ("reaper/{name}", ".planned p"),
    "reaper-create": ("reaper/create?like=nights", "form"),
    "error": ("training-jobs/none-of-this-name", ".refusal"),
}
"""Name -> the path, and what is there once the page has drawn itself."""

EMPTY = ("", "notebooks", "training-jobs", "tuning-jobs", "algorithms", "evaluation", "pipelines", "models", "endpoints", "transform-jobs",
         "compilation-jobs", "fleets", "devices", "packaging-jobs", "deployment-plans", "alarms", "flow-definitions",
         "reaper", "topics", "event-rules", "lifecycle-configs", "code-repositories", "market/subscriptions",
         "packages")  # fmt: skip
"""Lists that have nothing to show in a region where nobody was."""


@pytest.fixture(scope="module")
def world(warm_server: Server) -> Iterator[World]:
    """Made through the API, one beside the other where they take time."""
    sagemaker, (name, bucket) = warm_server.client("sagemaker"), train_with_a_mistake(warm_server)
    artefact = sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_compilation_job(
        CompilationJobName=name,
        RoleArn=ROLE,
        InputConfig={"S3Uri": artefact, "DataInputConfig": '{"pictures": [1, 32, 32, 3]}', "Framework": "PYTORCH"},
        OutputConfig={"S3OutputLocation": f"s3://{bucket}/compiled", "TargetDevice": "ml_m5"},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.create_algorithm(**algorithm(name))
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artefact}
    )
    machine = {"ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[{"VariantName": "AllTraffic", **machine}],
        ShadowProductionVariants=[{"VariantName": "watching", "InitialVariantWeight": 0.5, **machine}],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.create_hyper_parameter_tuning_job(**tuning_job(name[:32], bucket))
    sns = warm_server.client("sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1:9/hook")
    warm_server.client("cloudwatch").put_metric_alarm(
        AlarmName=name, Namespace="AWS/SageMaker", MetricName="ModelLatency", Statistic="Average", Period=60,
        Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}],
        Threshold=5, ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, AlarmActions=[topic],
    )  # fmt: skip
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name, OnStart=[{"Content": "dHJ1ZQ=="}]
    )
    git = {"RepositoryUrl": "https://127.0.0.1:1/none.git"}
    sagemaker.create_code_repository(CodeRepositoryName=name, GitConfig=git)
    sagemaker.create_notebook_instance(
        NotebookInstanceName=name, InstanceType=TYPE, RoleArn=ROLE, LifecycleConfigName=name, DefaultCodeRepository=name
    )
    warm_server.client("budgets").create_budget(
        AccountId=warm_server.account,
        Budget={
            "BudgetName": name,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "20", "Unit": "USD"},
        },
    )
    warm_server.client("events").put_rule(Name=name, EventPattern='{"source": ["line-1"]}')
    warm_server.client("events").put_targets(Rule=name, Targets=[{"Id": "mail", "Arn": topic}])
    reaper(warm_server).put_rule(Rule={**UNTAGGED, "RuleName": name})
    fleet = Fleet(warm_server)
    fleet.register("cam-1", "cam-2")
    figures = [metric("Decisions", 120), metric("Rejects", 6), metric("Latency", 9.5, Dimension="p50")]
    fleet.beat("cam-1", AgentMetrics=figures, Models=[{"ModelName": "marbles", "ModelVersion": "1.0"}])
    plan = fleet.plan(stage("all"))
    trials = await_tuning(sagemaker, name[:32])["BestTrainingJob"]["TrainingJobName"]
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    yield World(warm_server, name, bucket, fleet, plan, trials)
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.fixture(scope="module", params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, world: World) -> Iterator[Visitor]:
    with visitor(browser, world.server, color_scheme=request.param) as its:
        its.sign_in()
        yield its


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_one_thing_are_accessible(themed: Visitor, world: World, page: str) -> None:
    path, drawn = PAGES[page]
    asked: list[str] = []
    note: Callable[[Request], None] = lambda request: asked.append(request.url)  # noqa: E731
    themed.page.goto("about:blank")  # else the stream of the page that is left may count as this one's
    themed.page.on("request", note)
    shown = themed.go(world.path(path))
    expect(shown.locator(drawn).first).to_be_attached(timeout=90_000)
    shown.wait_for_load_state("load")
    themed.page.remove_listener("request", note)
    files = [address for address in asked if "/s3/preview" not in address]
    assert len(files) <= 15, files
    assert shown.locator("h1").count() == 1
    assert themed.accessibility() == []
    assert not shown.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_one_thing_fit_a_phone(browser: Browser, world: World, page: str) -> None:
    path, drawn = PAGES[page]
    with visitor(browser, world.server, viewport={"width": 390, "height": 844}) as its:
        its.sign_in()
        shown = its.go(world.path(path))
        expect(shown.locator(drawn).first).to_be_attached(timeout=90_000)
        shown.evaluate("for (const each of document.querySelectorAll('main details')) each.open = true")
        assert shown.evaluate("document.documentElement.scrollWidth") <= 390
        assert its.accessibility() == []  # of what is folded up on a page, too


@pytest.mark.parametrize("path", EMPTY)
def test_lists_without_anything_are_accessible(themed: Visitor, path: str) -> None:
    where = {"name": "tobo_region", "value": "eu-north-1", "url": themed.server.endpoint}
    themed.context.add_cookies([where])
    try:
        shown = themed.go(path)
        assert shown.locator(".empty, .notice, p.quiet").count() >= 1
        assert themed.accessibility() == []
    finally:
        themed.context.clear_cookies(name="tobo_region")


@pytest.mark.parametrize(("opener", "opened"), [("main [data-open='#code']", "#code"), ("[data-palette]", ".palette")])
def test_what_opens_over_a_page_is_accessible(themed: Visitor, world: World, opener: str, opened: str) -> None:
    shown = themed.go(f"training-jobs/{world.name}")
    shown.locator(opener).first.click()
    expect(shown.locator(opened)).to_be_visible()
    assert themed.accessibility() == []


def test_axe_would_say_what_is_wrong(themed: Visitor) -> None:
    shown = themed.go("training-jobs/create")
    shown.evaluate("document.querySelectorAll('label').forEach(label => label.remove())")
    assert any(finding.startswith("label:") for finding in themed.accessibility())
