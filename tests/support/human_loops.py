"""Flow definitions and human loops for tests: a team, a task UI, a bucket, and loops that workers answer."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conftest import Server
from tests.support.jobs import ROLE
from tests.support.unique import unique
from tests.support.workforces import Pool, make_pool

TEMPLATE = """<crowd-form>
  <crowd-image-classifier name="class" src="{{ task.input.taskObject | grant_read_access }}"
    categories="{{ task.input.labels | to_json | escape }}" header="{{ task.input.header }}"></crowd-image-classifier>
</crowd-form>"""


@dataclass(frozen=True)
class Review:
    """A team, a task UI and a bucket in a region of its own."""

    server: Server
    region: str
    pool: Pool
    bucket: str
    team: str
    ui: str

    @property
    def sagemaker(self) -> Any:
        return self.server.client("sagemaker", region=self.region)

    @property
    def a2i(self) -> Any:
        return self.server.client("sagemaker-a2i-runtime", region=self.region)

    def request(self, **human: Any) -> dict[str, Any]:
        """A request for CreateFlowDefinition; `human` are members of its HumanLoopConfig."""
        return {
            "FlowDefinitionName": unique("marbles"),
            "HumanLoopConfig": {
                "WorkteamArn": self.team,
                "HumanTaskUiArn": self.ui,
                "TaskTitle": "Marbles",
                "TaskDescription": "Is it whole?",
                "TaskCount": 1,
                **human,
            },
            "OutputConfig": {"S3OutputPath": f"s3://{self.bucket}/reviews"},
            "RoleArn": ROLE,
        }

    def flow(self, **human: Any) -> str:
        """The ARN of a new flow definition that is Active."""
        request = self.request(**human)
        arn: str = self.sagemaker.create_flow_definition(**request)["FlowDefinitionArn"]
        told = self.wait_flow(
            request["FlowDefinitionName"], lambda flow: flow["FlowDefinitionStatus"] != "Initializing"
        )
        assert told["FlowDefinitionStatus"] == "Active", told
        return arn

    def loop(self, flow: str, content: Any = None) -> str:
        """The name of a new loop."""
        name = unique("loop")
        self.a2i.start_human_loop(
            HumanLoopName=name, FlowDefinitionArn=flow, HumanLoopInput={"InputContent": json.dumps(content or {"n": 1})}
        )
        return name

    def wait_flow(self, name: str, found: Callable[[Any], bool]) -> Any:
        return waited(lambda: self.sagemaker.describe_flow_definition(FlowDefinitionName=name), found)

    def wait_loop(self, name: str, *statuses: str) -> Any:
        """The loop's description once it has one of these statuses; by default once it is over."""
        wanted = statuses or ("Completed", "Failed", "Stopped")
        return waited(
            lambda: self.a2i.describe_human_loop(HumanLoopName=name), lambda loop: loop["HumanLoopStatus"] in wanted
        )

    def output(self, name: str) -> Any:
        uri = self.a2i.describe_human_loop(HumanLoopName=name)["HumanLoopOutput"]["OutputS3Uri"]
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return json.loads(
            self.server.client("s3", region=self.region).get_object(Bucket=bucket, Key=key)["Body"].read()
        )


def make_review(server: Server, region: str) -> Review:
    """`region` is a real one, and no other test's."""
    pool, bucket = make_pool(server, region), unique("reviews")
    pool.group("marbles")
    sagemaker = server.client("sagemaker", region=region)
    constraint = {"LocationConstraint": region}
    server.client("s3", region=region).create_bucket(Bucket=bucket, CreateBucketConfiguration=constraint)
    team = sagemaker.create_workteam(
        WorkteamName="marbles", Description="Looks at marbles.", MemberDefinitions=[pool.member("marbles")]
    )["WorkteamArn"]
    ui = sagemaker.create_human_task_ui(HumanTaskUiName="marbles", UiTemplate={"Content": TEMPLATE})["HumanTaskUiArn"]
    return Review(server, region, pool, bucket, team, ui)


def waited(ask: Callable[[], Any], found: Callable[[Any], bool], seconds: float = 30) -> Any:
    """What `ask` gives once `found` says so of it."""
    deadline = time.monotonic() + seconds
    while not found(told := ask()):
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    return told
