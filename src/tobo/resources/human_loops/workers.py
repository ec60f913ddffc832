"""The workers' side of human loops, in tobo's own service `tobo-labeling`: a flow definition is a work, each loop an item of it.

An answer is final: with the last one that is wanted the loop is over, and there is nothing to be taken back. Who may do
what is policy on the work team's ARN, as with labelling jobs.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.work import SERVICE, answers_told, items_page, listed_work, work_operation
from tobo.operations.worker_tasks.pages import make_page, template_of
from tobo.resources.human_loops.api import KIND
from tobo.resources.human_loops.flows import flow_of
from tobo.store.base import Key, Row
from tobo.tasks.base import Answer, Gone, Item, Task

WORK = "flow-definition"

MOST_SECONDS = 86_400.0
"""That an answer is said to have taken."""


def _team(call: Call, asked: Mapping[str, Any]) -> str:
    """The flow's work team; the flow itself where there is none."""
    try:
        return str(_flow(call, asked)["HumanLoopConfig"]["WorkteamArn"])
    except Fault:
        return str(asked["LabelingJobArn"])


@listed_work
def list_work(call: Call) -> list[dict[str, Any]]:
    """The flow definitions whose loops the caller may answer, the oldest first."""
    found = []
    for name in _names(call):
        flow = call.context.as_house(call.space, "sagemaker", "DescribeFlowDefinition", FlowDefinitionName=name)
        human = flow["HumanLoopConfig"]
        if flow["FlowDefinitionStatus"] in ("Active", "Deleting") and call.principal.allows(
            f"{SERVICE}:ClaimTasks", human["WorkteamArn"]
        ):
            counts = call.context.tasks.counts(flow["FlowDefinitionArn"])
            found.append(
                {
                    **_head(flow),
                    "Open": counts.get("open", 0),
                    "Conflicts": 0,
                    "Done": counts.get("labelled", 0),
                    "Total": sum(counts.values()),
                    "MayReview": False,
                }
            )
    return found


@work_operation("DescribeWork", WORK, _team)
def describe_work(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the task is, how many loops there are, and what the caller has done of them."""
    flow = _flow(call, asked)
    arn = flow["FlowDefinitionArn"]
    own = next((one for one in call.context.tasks.efforts(arn) if one.worker == call.principal.arn), None)
    return {
        **_head(flow),
        "Labels": [],
        "Instructions": "",
        "TaskTimeLimitInSeconds": flow["HumanLoopConfig"]["TaskTimeLimitInSeconds"],
        "OwnTemplate": True,
        "MayReview": False,
        "Counts": {state.capitalize(): count for state, count in call.context.tasks.counts(arn).items()},
        "Own": {
            "Worker": call.principal.arn,
            "Answers": own.answers if own else 0,
            "Skips": own.skips if own else 0,
            "Seconds": own.seconds if own else 0.0,
        },
    }


@work_operation("ClaimTasks", WORK, _team)
def claim_tasks(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller holds already, then more, up to MaxResults (1); there is nothing to be reviewed once more."""
    flow = _flow(call, asked)
    if asked.get("Role") == "review":
        return {"Tasks": []}
    until, most = call.now + _limit(flow), asked.get("MaxResults") or 1
    tasks = call.context.tasks.claim(flow["FlowDefinitionArn"], call.principal.arn, most, call.now, until)
    return {"Tasks": [_task(task, loop) for task in tasks if (loop := _loop_of(call, task.source))]}


@work_operation("RenderTask", WORK, _team, f"{SERVICE}:ClaimTasks")
def render_task(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A loop in the flow's template: its page, what is wrong with it, and the pictures that it may load.

    `Host` is what the browser calls this server, as the addresses in the page work under that name alone. Raises Fault
    ResourceNotFound.
    """
    flow, settings = _flow(call, asked), call.context.settings
    item = call.context.tasks.item(flow["FlowDefinitionArn"], asked["ItemNumber"])
    loop = None if item is None else _loop_of(call, item.source)
    if loop is None:
        raise Fault("ResourceNotFound", f"'{flow['FlowDefinitionName']}' has no loop {asked['ItemNumber']}.")
    template = template_of(call, flow["HumanLoopConfig"]["HumanTaskUiArn"])
    host = asked.get("Host") or settings.reached(settings.port)
    return make_page(call, template, _content(loop), flow["RoleArn"], host).told()


@work_operation("KeepTask", WORK, _team)
def keep_task(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps a draft; the task's time limit begins anew. Raises Fault TaskGone."""
    flow = _flow(call, asked)
    until, number = call.now + _limit(flow), asked["ItemNumber"]
    _object(asked["Draft"], "draft")
    try:
        call.context.tasks.keep(flow["FlowDefinitionArn"], number, call.principal.arn, until, asked["Draft"])
    except Gone as gone:
        raise _gone(gone) from None
    return {"Until": until}


@work_operation("ReleaseTasks", WORK, _team)
def release_tasks(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Others may have them; drafts are kept for the caller."""
    call.context.tasks.release(_flow(call, asked)["FlowDefinitionArn"], asked["ItemNumbers"], call.principal.arn)
    return {}


@work_operation("AnswerTask", WORK, _team)
def answer_task(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Written to the disk before this returns; sent again it counts once. Body: the form's fields, as a JSON object.

    Raises Fault TaskGone, ValidationException.
    """
    arn = _flow(call, asked)["FlowDefinitionArn"]
    text = json.dumps(_object(asked["Body"], "answer"), ensure_ascii=False)
    seconds = min(max(asked.get("Seconds") or 0.0, 0.0), MOST_SECONDS)
    try:
        item = call.context.tasks.answer(arn, Answer(asked["ItemNumber"], call.principal.arn, text, call.now, seconds))
    except Gone as gone:
        raise _gone(gone) from None
    if item.answers < item.wanted:
        return {"State": item.state}
    call.context.tasks.settle(arn, [(item.number, "labelled", "")])
    _wake(call, item)
    return {"State": "labelled"}


@work_operation("SkipTask", WORK, _team)
def skip_task(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """To the caller the loop comes last from now on; others are asked until it expires. Raises Fault TaskGone."""
    arn = _flow(call, asked)["FlowDefinitionArn"]
    try:
        item = call.context.tasks.skip(arn, asked["ItemNumber"], call.principal.arn, asked["Reason"], call.now)
    except Gone as gone:
        raise _gone(gone) from None
    return {"State": item.state}


@work_operation("ListItems", WORK, lambda call, asked: str(asked["LabelingJobArn"]))
def list_items(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The loops that were not deleted, in the order of their start, with what became of them."""
    return items_page(call, _flow(call, asked)["FlowDefinitionArn"], asked)


@work_operation("ListAnswers", WORK, lambda call, asked: str(asked["LabelingJobArn"]))
def list_answers(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of a loop so far; also where its output could not be written."""
    return answers_told(call, _flow(call, asked)["FlowDefinitionArn"], asked)


def _names(call: Call) -> Iterator[str]:
    asked: dict[str, Any] = {"SortOrder": "Ascending", "MaxResults": 100}
    while True:
        page = call.context.as_house(call.space, "sagemaker", "ListFlowDefinitions", **asked)
        yield from (flow["FlowDefinitionName"] for flow in page["FlowDefinitionSummaries"])
        if "NextToken" not in page:
            return
        asked["NextToken"] = page["NextToken"]


def _flow(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return flow_of(call.context, call.space, asked["LabelingJobArn"])
    except Fault as fault:
        raise Fault("ResourceNotFound", fault.message) from None


def _head(flow: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "LabelingJobArn": flow["FlowDefinitionArn"],
        "LabelingJobName": flow["FlowDefinitionName"],
        "Title": flow["HumanLoopConfig"]["TaskTitle"],
        "Description": flow["HumanLoopConfig"]["TaskDescription"],
        "TaskType": "HumanLoop",
        "Status": flow["FlowDefinitionStatus"],
    }


def _loop_of(call: Call, source: str) -> Row | None:
    """The loop of an item; None where it was deleted meanwhile."""
    return call.context.store.get(Key(call.space, KIND, json.loads(source)["HumanLoopName"]))


def _wake(call: Call, item: Item) -> None:
    if loop := _loop_of(call, item.source):
        call.context.wake(loop)


def _limit(flow: Mapping[str, Any]) -> float:
    return float(flow["HumanLoopConfig"]["TaskTimeLimitInSeconds"])


def _task(task: Task, loop: Row) -> dict[str, Any]:
    source = {"HumanLoopName": loop.key.name, "InputContent": _content(loop)}
    told = {"ItemNumber": task.number, "Source": json.dumps(source, ensure_ascii=False)}
    return {**told, "Since": task.since, "Until": task.until, **({"Draft": task.draft} if task.draft else {})}


def _content(loop: Row) -> Any:
    return json.loads(loop.asked["HumanLoopInput"]["InputContent"])


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise validation(f"The {what} is no JSON object: {text[:80]}.")
    return told


def _gone(gone: Gone) -> Fault:
    return Fault("TaskGone", f"It is too late for this task: {gone}.", 409)
