"""Human review, as who asks for it sees it: flow definitions, a new one, one of them with its loops, who is doubted, deleting."""

from typing import Any

from starlette.responses import Response

from tobo.console.choices import default_bucket, existing_bucket, names_of, own_role
from tobo.console.lists import PAGE, addresses
from tobo.console.loop_output import output_of
from tobo.console.places import s3_place
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url, whole
from tobo.kit.arn import Namespace, parse_arn, sagemaker_arn
from tobo.kit.fault import validation
from tobo.operations.review import BELOW, FLOW, SHARE

A2I = "sagemaker-a2i-runtime"

TEMPLATE = """<crowd-form>
  <crowd-image-classifier
    name="class"
    src="{{ task.input.taskObject | grant_read_access }}"
    categories='["ok", "ko"]'
    header="What is on the picture?">
    <short-instructions>The model is unsure of this one.</short-instructions>
    <full-instructions header="How to decide">Say what you see, not what the model says.</full-instructions>
  </crowd-image-classifier>
</crowd-form>
"""
"""What a new page begins with."""


@shown("/flow-definitions")
def _list(visit: Visit) -> Response:
    """The lists of Amazon A2I are sorted by time alone."""
    asked = _paged(visit)
    found = visit.call("sagemaker", "ListFlowDefinitions", **asked)
    return visit.page(
        "flow_definitions/list.html",
        flows=found["FlowDefinitionSummaries"],
        next_token=found.get("NextToken"),
        asked=asked,
        at=addresses(visit, "flow-definitions"),
    )


@shown("/flow-definitions/create")
def _form(visit: Visit) -> Response:
    teams = (visit.attempt("sagemaker", "ListWorkteams", MaxResults=100) or {}).get("Workteams", ())
    pages = (visit.attempt("sagemaker", "ListHumanTaskUis", MaxResults=100) or {}).get("HumanTaskUiSummaries", ())
    return visit.page(
        "flow_definitions/create.html",
        teams=[(team["WorkteamArn"], team["WorkteamName"]) for team in teams],
        pages=[
            ("", "A new one, from the template below"),
            *((ui["HumanTaskUiArn"], ui["HumanTaskUiName"]) for ui in pages),
        ],
        template=TEMPLATE,
        output=f"s3://{default_bucket(visit)}/human-review",
        role=own_role(visit),
    )


@posted("/flow-definitions/create")
def _create(visit: Visit) -> Response:
    """A new page is made under the flow definition's name, where none is chosen."""
    fields = fields_of(visit.form)
    name, page = fields.get("name", ""), fields.get("page", "")
    if fields.get("output", "").startswith(f"s3://{default_bucket(visit)}/"):
        existing_bucket(visit)
    if not page:
        content = {"Content": str(visit.form.get("template", ""))}
        visit.change("sagemaker", "CreateHumanTaskUi", HumanTaskUiName=name, UiTemplate=content)
        page = sagemaker_arn(Namespace(visit.principal.account, visit.region), "human-task-ui", name)
    human = {
        "WorkteamArn": fields.get("team", ""),
        "HumanTaskUiArn": page,
        "TaskTitle": fields.get("title", ""),
        "TaskDescription": fields.get("description") or fields.get("title", ""),
        "TaskCount": whole(fields, "count", "Answers a loop"),
        "TaskAvailabilityLifetimeInSeconds": whole(fields, "hours", "Hours") * 3600,
        "TaskTimeLimitInSeconds": whole(fields, "seconds", "Time limit"),
    }
    visit.change(
        "sagemaker",
        "CreateFlowDefinition",
        FlowDefinitionName=name,
        HumanLoopConfig=human,
        OutputConfig={"S3OutputPath": fields.get("output", "")},
        RoleArn=fields.get("role", ""),
    )
    return visit.done(url("flow-definitions", name), f"Flow definition {name} was created.")


@shown("/flow-definitions/{name}")
def _show(visit: Visit) -> Response:
    """?token= shows a further page of its loops."""
    name = visit.path["name"]
    flow = visit.call("sagemaker", "DescribeFlowDefinition", FlowDefinitionName=name)
    arn, asked = flow["FlowDefinitionArn"], _paged(visit)
    loops = visit.attempt(A2I, "ListHumanLoops", FlowDefinitionArn=arn, **asked)
    human = flow["HumanLoopConfig"]
    return visit.page(
        "flow_definitions/show.html",
        flow=flow,
        human=human,
        name=name,
        team=parse_arn(human["WorkteamArn"]).name,
        page_name=parse_arn(human["HumanTaskUiArn"]).name,
        loops=None if loops is None else loops["HumanLoopSummaries"],
        next_token=(loops or {}).get("NextToken"),
        asked=asked,
        at=addresses(visit, "flow-definitions", name),
        endpoints=names_of(visit, "ListEndpoints", "Endpoints", "EndpointName"),
        fleets=names_of(visit, "ListDeviceFleets", "DeviceFleetSummaries", "DeviceFleetName"),
        may_answer=visit.may("tobo-labeling", "ClaimTasks", LabelingJobArn=arn),
        place=s3_place,
    )


@posted("/flow-definitions/{name}/doubt")
def _doubt(visit: Visit) -> Response:
    """Gives an endpoint or a fleet the tags by which it starts loops of this flow definition."""
    name, fields = visit.path["name"], fields_of(visit.form)
    kind, _, of = fields.get("who", "").partition("/")
    if kind not in ("endpoint", "device-fleet") or not of:
        raise validation("Choose the endpoint or the fleet whose predictions people shall look at.")
    space = Namespace(visit.principal.account, visit.region)
    tags = {FLOW: sagemaker_arn(space, "flow-definition", name)}
    tags |= {tag: fields.get(field, "0").replace(",", ".") for field, tag in (("below", BELOW), ("share", SHARE))}
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    visit.change("sagemaker", "AddTags", ResourceArn=sagemaker_arn(space, kind, of), Tags=listed)
    return visit.done(url("flow-definitions", name), f"People look at what {of} is unsure of from now on.")


@posted("/flow-definitions/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "DeleteFlowDefinition", FlowDefinitionName=name)
    return visit.done(url("flow-definitions"), f"Flow definition {name} goes as soon as nobody works for it any more.")


@posted("/flow-definitions/{name}/loops")
def _start(visit: Visit) -> Response:
    name, fields = visit.path["name"], fields_of(visit.form)
    loop = fields.get("loop", "")
    arn = sagemaker_arn(Namespace(visit.principal.account, visit.region), "flow-definition", name)
    content = {"InputContent": fields.get("input", "{}")}
    visit.change(A2I, "StartHumanLoop", HumanLoopName=loop, FlowDefinitionArn=arn, HumanLoopInput=content)
    return visit.done(url("flow-definitions", name, "loops", loop), f"Human loop {loop} has begun.")


@shown("/flow-definitions/{name}/loops/{loop}")
def _loop(visit: Visit) -> Response:
    """With its output, where there is one that the key may read."""
    loop = visit.call(A2I, "DescribeHumanLoop", HumanLoopName=visit.path["loop"])
    return visit.page(
        "flow_definitions/loop.html", its=loop, name=visit.path["name"], output=output_of(visit, loop), place=s3_place
    )


@posted("/flow-definitions/{name}/loops/{loop}/{deed}")
def _change(visit: Visit) -> Response:
    name, loop = visit.path["name"], visit.path["loop"]
    if visit.path["deed"] == "delete":
        visit.change(A2I, "DeleteHumanLoop", HumanLoopName=loop)
        return visit.done(url("flow-definitions", name), f"Human loop {loop} was deleted; its output stays in S3.")
    visit.change(A2I, "StopHumanLoop", HumanLoopName=loop)
    return visit.done(url("flow-definitions", name, "loops", loop), f"Human loop {loop} stops.")


def _paged(visit: Visit) -> dict[str, Any]:
    """Order and page, as the address has them."""
    order = visit.query.get("order")
    asked: dict[str, Any] = {"MaxResults": PAGE, "SortOrder": "Ascending" if order == "Ascending" else "Descending"}
    return asked | ({"NextToken": visit.query["token"]} if visit.query.get("token") else {})


SCREENS: tuple[Screen, ...] = (_list, _form, _create, _doubt, _delete, _start, _change, _loop, _show)
