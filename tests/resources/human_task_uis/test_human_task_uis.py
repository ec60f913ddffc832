"""Human task UIs with boto3: templates that are kept, rendered, and refused; hostile ones are stopped."""

import hashlib
import html
import json
import re
import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.jobs import ROLE
from tests.support.unique import unique

TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-image-classifier
    name="class"
    src="{{ task.input.source-ref | grant_read_access }}"
    header="{{ task.input.header }}"
    categories="{{ task.input.labels | to_json | escape }}">
    <full-instructions>{% for label in task.input.labels %}<b>{{ label }}</b>{% endfor %}</full-instructions>
  </crowd-image-classifier>
</crowd-form>
"""


@pytest.fixture(scope="module")
def sagemaker(server: Server) -> Any:
    return server.client("sagemaker")


def render(sagemaker: Any, template: str, task: Any = None) -> Any:
    return sagemaker.render_ui_template(
        UiTemplate={"Content": template}, Task={"Input": json.dumps({} if task is None else task)}, RoleArn=ROLE
    )


def content(sagemaker: Any, template: str, task: Any = None) -> str:
    answer = render(sagemaker, template, task)
    assert answer["Errors"] == []
    return str(answer["RenderedContent"])


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        return bytes(answer.read())


def test_a_task_ui_from_birth_to_end(server: Server, sagemaker: Any) -> None:
    name = unique("marbles")
    tags = [{"Key": "line", "Value": "1"}]
    arn = sagemaker.create_human_task_ui(HumanTaskUiName=name, UiTemplate={"Content": TEMPLATE}, Tags=tags)
    arn = arn["HumanTaskUiArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{server.account}:human-task-ui/{name}"
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    found = sagemaker.describe_human_task_ui(HumanTaskUiName=name)
    assert found["HumanTaskUiStatus"] == "Active" and found["HumanTaskUiArn"] == arn
    assert found["UiTemplate"]["ContentSha256"] == hashlib.sha256(TEMPLATE.encode()).hexdigest()
    assert fetched(found["UiTemplate"]["Url"]).decode() == TEMPLATE
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.create_human_task_ui(HumanTaskUiName=name, UiTemplate={"Content": "<form>another</form>"})
    assert fetched(found["UiTemplate"]["Url"]).decode() == TEMPLATE
    task = {"Input": json.dumps({"header": "<Which>?"})}
    answer = sagemaker.render_ui_template(HumanTaskUiArn=arn, Task=task, RoleArn=ROLE)
    assert 'header="&lt;Which&gt;?"' in answer["RenderedContent"]
    sagemaker.delete_human_task_ui(HumanTaskUiName=name)
    for ask in (sagemaker.describe_human_task_ui, sagemaker.delete_human_task_ui):
        with pytest.raises(ClientError, match=f"ResourceNotFound.*There is no human task UI '{name}'"):
            ask(HumanTaskUiName=name)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.render_ui_template(HumanTaskUiArn=arn, Task=task, RoleArn=ROLE)


def test_pages(server: Server) -> None:
    sagemaker = server.client("sagemaker", region="mx-central-1")
    names = [unique(f"page-{number}") for number in range(3)]
    before = datetime.now(UTC)
    for name in names:
        sagemaker.create_human_task_ui(HumanTaskUiName=name, UiTemplate={"Content": "<form></form>"})
    paginator = sagemaker.get_paginator("list_human_task_uis")
    pages = list(paginator.paginate(CreationTimeAfter=before, SortOrder="Ascending", PaginationConfig={"PageSize": 1}))
    assert [one["HumanTaskUiName"] for page in pages for one in page["HumanTaskUiSummaries"]] == names
    token = sagemaker.list_human_task_uis(MaxResults=1)["NextToken"]
    with pytest.raises(ClientError, match="NextToken belongs to a request with other filters"):
        sagemaker.list_human_task_uis(SortOrder="Ascending", NextToken=token)


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("<form>{% for %}</form>", r"InvalidLiquid.*line 1: missing expression"),
        ("<form>\n\n{{ task.input.x | no_such }}</form>", r"InvalidLiquid.*line 3: unknown filter 'no_such'"),
        ("<form>{% if a %}</form>", r"InvalidLiquid.*endif"),
        ("<form>{{ a", r"InvalidLiquid"),
        ("just words {{ a }}", r"InvalidHtml.*no HTML element"),
        ("{{ '<form>' }}", r"InvalidHtml.*no HTML element"),
        ("<p>\n<crowd-form>{% if a %}\n{% endif %}", r"InvalidHtml.*line 2: <crowd-form> never ends"),
        ("<p></crowd-form>", r"InvalidHtml.*line 1: </crowd-form> ends what never began"),
        ("{{" * 60_000, r"LimitExceeded|InvalidLiquid"),
        ("<" * 128_000, r"InvalidHtml|LimitExceeded"),
        ("<form>" + "{% if a %}" * 12_000 + "</form>", r"LimitExceeded|InvalidLiquid"),
        ("<form>{{ a" + "[a" * 40_000 + "]" * 40_000 + "}}</form>", r"LimitExceeded|InvalidLiquid"),
    ],
)
def test_what_is_no_template(sagemaker: Any, template: str, sentence: str) -> None:
    name = unique("bad")
    with pytest.raises(ClientError, match=rf"(?s)ValidationException.*{sentence}"):
        sagemaker.create_human_task_ui(HumanTaskUiName=name, UiTemplate={"Content": template})
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_human_task_ui(HumanTaskUiName=name)


def test_built_in_templates_are_taken(sagemaker: Any) -> None:
    """In both branches of an if, and with Liquid in the middle of a tag."""
    template = """<crowd-form>{% if task.input.a %}<crowd-input name="x" {% if b %}required{% endif %} value="{{ a | append: ">" }}">
    {% else %}<crowd-input name="x">{% endif %}</crowd-input></crowd-form>"""
    sagemaker.create_human_task_ui(HumanTaskUiName=unique("good"), UiTemplate={"Content": template})


@pytest.mark.parametrize(
    ("template", "task", "wanted"),
    [
        ("{{ task.input.x }}", {"x": "<b a='1'>&"}, "&lt;b a=&#39;1&#39;&gt;&amp;"),
        ("{{ task.input.x | skip_autoescape }}", {"x": "<b>"}, "<b>"),
        ("{{ task.input.x | escape }}", {"x": "<b>"}, "&lt;b&gt;"),
        ("{{ task.input.x | to_json }}", {"x": ["a", {"b": 1}]}, "[&#34;a&#34;, {&#34;b&#34;: 1}]"),
        ("{{ task.input.x | to_json | skip_autoescape }}", {"x": "</script>&"}, '"\\u003c/script\\u003e\\u0026"'),
        ("{{ task.input.missing }}{{ nothing.at.all }}", {}, ""),
        ("{% for x in task.input.l %}{{ forloop.index }}{{ x }}{% endfor %}", {"l": ["א", "<"]}, "1א2&lt;"),
        ("{{ task.input }}", {"__class__": "mine"}, "{&#39;__class__&#39;: &#39;mine&#39;}"),
        ("{{ task.__class__ }}{{ task.input.__init__.__globals__ }}", {}, ""),
        ("{% capture c %}{{ task.input.x }}{% endcapture %}{{ c }}", {"x": "<"}, "&lt;"),
    ],
)
def test_what_is_rendered(sagemaker: Any, template: str, task: Any, wanted: str) -> None:
    assert content(sagemaker, template, task) == wanted


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in (1..100000000) %}{% endfor %}",
        "{% for i in (1..1000) %}{% for j in (1..1000) %}{% endfor %}{% endfor %}",
        "{% for i in (1..40000) %}a{% for j in (1..1) %}bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb{% endfor %}{% endfor %}",
        "{% assign a = 'xxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 60 + "{{ a | size }}",
        "{{ 'x'" + "| replace: 'x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'" * 40 + "}}",
        "{% assign a = 9 %}" + "{% assign a = a | times: a %}" * 60,
        "{% for i in (1..40000) %}{% endfor %}" * 3000,
    ],
)
def test_a_hostile_template_is_stopped(sagemaker: Any, template: str) -> None:
    answer = render(sagemaker, template)
    assert [error["Code"] for error in answer["Errors"]] in (["LimitExceeded"], ["RenderingError"])
    assert answer["RenderedContent"] == "" and len(answer["Errors"][0]["Message"]) < 1000
    assert content(sagemaker, "still {{ 'here' }}") == "still here"


def test_errors_are_told_and_not_raised(sagemaker: Any) -> None:
    for template, code, message in (
        ("{% for %}", "InvalidLiquid", "line 1: missing expression"),
        ("a\n{{ 1 | divided_by: 0 }}", "RenderingError", "line 2: divided_by: can't divide by 0"),
        ("{% include '/etc/passwd' %}", "RenderingError", "/etc/passwd"),
    ):
        answer = render(sagemaker, template)
        assert answer["RenderedContent"] == ""
        [error] = answer["Errors"]
        assert error["Code"] == code and message in error["Message"]
    answer = sagemaker.render_ui_template(UiTemplate={"Content": "x"}, Task={"Input": "{nonsense"}, RoleArn=ROLE)
    assert answer["Errors"][0]["Code"] == "InvalidTaskInput"
    with pytest.raises(ClientError, match="either a UiTemplate or a HumanTaskUiArn"):
        sagemaker.render_ui_template(Task={"Input": "{}"}, RoleArn=ROLE)
    aws = "arn:aws:sagemaker:us-east-1:394669845002:human-task-ui/VideoObjectTracking"
    with pytest.raises(ClientError, match=r"ResourceNotFound.*AWS's own task UIs are not here"):
        sagemaker.render_ui_template(HumanTaskUiArn=aws, Task={"Input": "{}"}, RoleArn=ROLE)


def test_grant_read_access(server: Server, sagemaker: Any) -> None:
    """The address works without a key; for what the caller may not read itself there is none."""
    bucket, key = unique("photos"), "a b/ü<&>.jpg"
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=b"a photo")
    task = {"source-ref": f"s3://{bucket}/{key}", "labels": ["ok", "k'o"], "header": "?"}
    page = content(sagemaker, TEMPLATE, task)
    [address] = re.findall(r'src="(http://[^"]+)"', page)
    assert fetched(html.unescape(address)) == b"a photo"
    assert 'categories="[&#34;ok&#34;, &#34;k&#39;o&#34;]"' in page
    for uri in ("/etc/passwd", "https://example.com/a.jpg", "s3://", f"s3://{bucket}", ""):
        answer = render(sagemaker, "<p>{{ task.input.x | grant_read_access }}</p>", {"x": uri})
        assert answer["RenderedContent"] == "<p></p>"
        assert [error["Code"] for error in answer["Errors"]] == ["GrantReadAccessFailed"]
    may_render = {"Effect": "Allow", "Action": "sagemaker:RenderUiTemplate", "Resource": "*"}
    access, secret = limited_user(server, unique("renders"), may_render)
    limited = server.client("sagemaker", aws_access_key_id=access, aws_secret_access_key=secret)
    answer = render(limited, TEMPLATE, task)
    assert 'src=""' in answer["RenderedContent"]
    assert f"may not read 's3://{bucket}/{key}'" in answer["Errors"][0]["Message"]
