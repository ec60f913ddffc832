"""The operations on human task UIs. Source: API reference, Create/Describe/List/DeleteHumanTaskUi, RenderUiTemplate."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from tobo.kit.arn import Arn, parse_arn
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri
from tobo.operations.context import Call
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row, known_row, remove_row
from tobo.operations.worker_tasks import rendering
from tobo.operations.worker_tasks.granting import granter, one_object
from tobo.operations.worker_tasks.pages import TASK_UI as KIND
from tobo.store.base import Row
from tobo.wire.body import Body

_FIRST_REGION = "us-east-1"
"""The one that CreateBucket does not want named."""


@operation("sagemaker", "CreateHumanTaskUi")
def create_human_task_ui(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Fault ResourceInUse, ValidationException for what is no Liquid or no HTML."""
    content = asked["UiTemplate"]["Content"]
    if errors := rendering.check(content):
        raise validation(f"UiTemplate.Content is no template ({errors[0]['Code']}): {errors[0]['Message']}")
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    _keep_text(call, _uri(call, asked["HumanTaskUiName"], sha256), content.encode())
    found = {"ContentSha256": sha256}
    row = add_row(call, KIND, asked["HumanTaskUiName"], asked, _taken, state="Active", found=found)
    return {"HumanTaskUiArn": row.arn}


@operation("sagemaker", "DescribeHumanTaskUi")
def describe_human_task_ui(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """UiTemplate.Url is an address of the template's text that works for an hour."""
    row = known_row(call, KIND, asked["HumanTaskUiName"], _missing)
    address = one_object(call, _execution_role(call), _uri(call, row.key.name, row.found["ContentSha256"]))
    template = {"Url": address, "ContentSha256": row.found["ContentSha256"]}
    return {**_head(row), "HumanTaskUiStatus": "Active", "UiTemplate": template}


@operation("sagemaker", "ListHumanTaskUis")
def list_human_task_uis(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "HumanTaskUiSummaries", _head)


@operation("sagemaker", "DeleteHumanTaskUi")
def delete_human_task_ui(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With the object of its text. Raises Fault ResourceNotFound."""
    row = known_row(call, KIND, asked["HumanTaskUiName"], _missing)
    uri = _uri(call, row.key.name, row.found["ContentSha256"])
    try:
        call.context.as_house(call.space, "s3", "DeleteObject", Bucket=uri.bucket, Key=uri.key)
    except Fault as fault:
        if fault.status != 404:
            raise
    remove_row(call, KIND, row.key.name, _missing)
    return {}


@operation("sagemaker", "RenderUiTemplate", resource=lambda call, asked: asked.get("HumanTaskUiArn") or "*")
def render_ui_template(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong with a template or a task is told in Errors; so is an object that caller or role may not read.

    Raises Fault ResourceNotFound, ValidationException for a request that names no template.
    """
    if ("UiTemplate" in asked) == ("HumanTaskUiArn" in asked):
        raise validation("RenderUiTemplate needs either a UiTemplate or a HumanTaskUiArn; give one of them.")
    content = asked["UiTemplate"]["Content"] if "UiTemplate" in asked else _content(call, asked["HumanTaskUiArn"])
    try:
        task_input = orjson.loads(asked["Task"]["Input"])
    except ValueError as error:
        return {
            "RenderedContent": "",
            "Errors": [{"Code": "InvalidTaskInput", "Message": f"Task.Input is no JSON: {error}"}],
        }
    rendered = rendering.render(content, task_input, granter(call, asked["RoleArn"]))
    return {"RenderedContent": rendered.content, "Errors": rendered.errors}


def _content(call: Call, arn: str) -> str:
    name, account = parse_arn(arn).name, parse_arn(arn).account
    if account != call.space.account:
        raise Fault(
            "ResourceNotFound",
            f"'{arn}' is not of this account; AWS's own task UIs are not here: give the template itself as UiTemplate.",
        )
    content: str = known_row(call, KIND, name, _missing).asked["UiTemplate"]["Content"]
    return content


def _keep_text(call: Call, uri: S3Uri, text: bytes) -> None:
    """As an object of the account's default bucket, which is made where it is missing."""
    house = call.context.as_house
    try:
        house(call.space, "s3", "HeadBucket", Bucket=uri.bucket)
    except Fault as fault:
        if fault.status != 404:
            raise
        region = call.space.region
        where = {} if region == _FIRST_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            house(call.space, "s3", "CreateBucket", Bucket=uri.bucket, **where)
        except Fault as made:
            if made.code != "BucketAlreadyOwnedByYou":
                raise
    kind = "text/plain; charset=utf-8"
    house(call.space, "s3", "PutObject", Bucket=uri.bucket, Key=uri.key, Body=Body(len(text), text), ContentType=kind)


def _uri(call: Call, name: str, sha256: str) -> S3Uri:
    """Where a template's text is: another text of the same name does not overwrite it."""
    bucket = f"sagemaker-{call.space.region}-{call.space.account}"
    return S3Uri(bucket, f"human-task-uis/{name}/{sha256}.liquid.html")


def _execution_role(call: Call) -> str:
    """Any name will do for the house: what does not exist stands for the account's execution role."""
    return str(Arn("iam", "", call.space.account, "role/service-role/AmazonSageMaker-ExecutionRole"))


def _head(row: Row) -> dict[str, Any]:
    return {"HumanTaskUiName": row.key.name, "HumanTaskUiArn": row.arn, "CreationTime": row.created}


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"A human task UI of this name exists ({arn}); delete it or choose another name.")


def _missing(arn: str) -> Fault:
    return Fault("ResourceNotFound", f"There is no human task UI '{arn.rsplit('/', 1)[-1]}'.")
