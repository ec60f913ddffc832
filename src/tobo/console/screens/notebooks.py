"""Notebooks: the list, a form with its price an hour, and one instance with its door, its cost and its logs."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from tobo.console import prices
from tobo.console.choices import names_of, own_role
from tobo.console.lists import Plain, plain_list
from tobo.console.navigation import listed_at
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url, whole
from tobo.kit.fault import Fault
from tobo.notebooks.repositories import without_password
from tobo.operations.pricing import list_price

INSTANCES = (
    "ml.t3.medium",
    "ml.t3.large",
    "ml.t3.xlarge",
    "ml.m5.xlarge",
    "ml.m5.2xlarge",
    "ml.c5.xlarge",
    "ml.g4dn.xlarge",
)
GROUP = "/aws/sagemaker/NotebookInstances"
IDLE_TAG, STOP_TAG = "tobo:idle-stop-minutes", "tobo:stop-at"

LIST = Plain(
    "Notebooks",
    "notebook",
    "notebook-instance",
    listed_at("notebooks"),
    ("Create notebook", "CreateNotebookInstance", "notebooks/create"),
    ("No notebooks yet", "One is JupyterLab on this machine, with boto3 ready in the first cell."),
    "NotebookInstanceStatus",
    ("InService", "Pending", "Stopping", "Stopped", "Updating", "Failed", "Deleting"),
    {
        "Instance": lambda one: one["InstanceType"],
        "At AWS": lambda one: _an_hour(one["InstanceType"]),
    },
    (("Lifecycle configurations", "lifecycle-configs"), ("Code repositories", "code-repositories")),
)


@shown("/notebooks")
def _list(visit: Visit) -> Response:
    return plain_list(visit, LIST)


@shown("/notebooks/create")
def _form(visit: Visit) -> Response:
    return visit.page("notebooks/create.html", role=own_role(visit), **_choices(visit))


@shown("/notebooks/price")
def _price(visit: Visit) -> Response:
    return visit.page(
        "notebooks/price.html", hourly=list_price(visit.query.get("instance_type", "")), source=prices.SOURCE
    )


@posted("/notebooks/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    name = fields.get("name", "")
    tags = [{"Key": key, "Value": value} for key, value in _rules(fields).items()]
    optional = {
        member: fields[field]
        for field, member in (("script", "LifecycleConfigName"), ("repository", "DefaultCodeRepository"))
        if field in fields
    }
    visit.change(
        "sagemaker",
        "CreateNotebookInstance",
        NotebookInstanceName=name,
        InstanceType=fields.get("instance_type", ""),
        RoleArn=fields.get("role", ""),
        VolumeSizeInGB=whole(fields, "volume", "Volume"),
        DirectInternetAccess="Enabled" if "internet" in fields else "Disabled",
        **optional,
        **({"Tags": tags} if tags else {}),
    )
    return visit.done(url("notebooks", name), f"Notebook {name} is starting.")


@shown("/notebooks/{name}")
def _notebook(visit: Visit) -> Response:
    """?log= chooses one of its logs; else the newest is shown."""
    name = visit.path["name"]
    found = visit.call("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=name)
    tags = visit.attempt("sagemaker", "ListTags", ResourceArn=found["NotebookInstanceArn"]) or {"Tags": []}
    rules = {tag["Key"]: tag["Value"] for tag in tags["Tags"]}
    seconds = found["_seconds"]
    settings, streams = visit.context.settings, _streams(visit, name)
    chosen = visit.query.get("log", "")
    return visit.page(
        "notebooks/notebook.html",
        notebook=found,
        name=name,
        seconds=seconds,
        hourly=list_price(found["InstanceType"]),
        cost=prices.cost(found["InstanceType"], seconds),
        source=prices.SOURCE,
        idle=rules.get(IDLE_TAG, ""),
        stop_at=rules.get(STOP_TAG, ""),
        most_idle=settings.notebook_idle_minutes,
        stops_all=settings.notebook_stop_at,
        logs=GROUP,
        streams=streams,
        shown=chosen if chosen in streams else streams[-1] if streams else "",
        repository=without_password(found.get("DefaultCodeRepository", "")),
        **_choices(visit),
    )


@posted("/notebooks/{name}/open")
def _open(visit: Visit) -> Response:
    """Leads to the notebook's own host name, by a link that works once."""
    name = visit.path["name"]
    made = visit.change("sagemaker", "CreatePresignedNotebookInstanceUrl", NotebookInstanceName=name)
    if visit.as_code:
        return visit.done(url("notebooks", name), "")
    if "hx-request" in visit.request.headers:
        return Response(status_code=204, headers={"HX-Redirect": made["AuthorizedUrl"]})
    return RedirectResponse(made["AuthorizedUrl"], 303)


@posted("/notebooks/{name}/start")
def _start(visit: Visit) -> Response:
    return _moved(visit, "StartNotebookInstance", "is starting")


@posted("/notebooks/{name}/stop")
def _stop(visit: Visit) -> Response:
    return _moved(visit, "StopNotebookInstance", "stops; its volume stays")


@posted("/notebooks/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "DeleteNotebookInstance", NotebookInstanceName=name)
    return visit.done(url("notebooks"), f"Notebook {name} is being deleted.")


@posted("/notebooks/{name}/change")
def _change(visit: Visit) -> Response:
    """The machine and the volume of a stopped one."""
    name, fields = visit.path["name"], fields_of(visit.form)
    script = fields.get("script")
    visit.change(
        "sagemaker",
        "UpdateNotebookInstance",
        NotebookInstanceName=name,
        InstanceType=fields.get("instance_type", ""),
        VolumeSizeInGB=whole(fields, "volume", "Volume"),
        **({"LifecycleConfigName": script} if script else {"DisassociateLifecycleConfig": True}),
    )
    return visit.done(url("notebooks", name), f"Notebook {name} is changed; that counts from its next start on.")


@posted("/notebooks/{name}/rules")
def _rule(visit: Visit) -> Response:
    """When it is stopped by itself: tags, which count at once."""
    name = visit.path["name"]
    found = visit.quietly("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=name)
    wanted = _rules(fields_of(visit.form))
    arn = found["NotebookInstanceArn"]
    if wanted:
        tags = [{"Key": key, "Value": value} for key, value in wanted.items()]
        visit.change("sagemaker", "AddTags", ResourceArn=arn, Tags=tags)
    if gone := [key for key in (IDLE_TAG, STOP_TAG) if key not in wanted]:
        visit.change("sagemaker", "DeleteTags", ResourceArn=arn, TagKeys=gone)
    return visit.done(url("notebooks", name), f"The rules of notebook {name} are changed.")


def _moved(visit: Visit, operation: str, said: str) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", operation, NotebookInstanceName=name)
    return visit.done(url("notebooks", name), f"Notebook {name} {said}.")


def _rules(fields: Mapping[str, str]) -> dict[str, str]:
    """The tags that a form's rules become. Raises Fault ValidationException."""
    rules = {}
    if fields.get("idle"):
        rules[IDLE_TAG] = str(whole(fields, "idle", "Minutes without work"))
    if fields.get("stop_at"):
        rules[STOP_TAG] = fields["stop_at"]
    return rules


def _choices(visit: Visit) -> dict[str, Any]:
    """What the forms propose."""
    script = "NotebookInstanceLifecycleConfigName"
    return {
        "instances": INSTANCES,
        "scripts": names_of(visit, "ListNotebookInstanceLifecycleConfigs", f"{script[:-4]}s", script),
        "repositories": names_of(visit, "ListCodeRepositories", "CodeRepositorySummaryList", "CodeRepositoryName"),
    }


def _streams(visit: Visit, name: str) -> list[str]:
    try:
        found = visit.quietly("logs", "DescribeLogStreams", logGroupName=GROUP, logStreamNamePrefix=f"{name}/")
    except Fault:
        return []
    streams = sorted(found["logStreams"], key=lambda stream: stream.get("firstEventTimestamp", 0))
    return [stream["logStreamName"] for stream in streams]


def _an_hour(instance_type: str) -> str:
    price = list_price(instance_type)
    return "–" if price is None else f"${price:g} an hour"


SCREENS: tuple[Screen, ...] = (
    _list,
    _form,
    _price,
    _create,
    _notebook,
    _open,
    _start,
    _stop,
    _delete,
    _change,
    _rule,
)
