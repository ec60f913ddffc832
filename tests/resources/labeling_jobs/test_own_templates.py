"""Labelling jobs with a template of their own: what is taken and refused, what is rendered, and what is written."""

import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.labelling import (
    FUNCTIONS,
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

FORM = '<crowd-form><crowd-input name="word" label="{{ task.input.source }}"></crowd-input></crowd-form>'
PLAIN = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-image-classifier name="crowd-image-classifier" src="{{ task.input.taskObject | grant_read_access }}"
 header="?" categories="{{ task.input.labels | to_json | escape }}"><full-instructions header="x">y</full-instructions>
 <short-instructions>z</short-instructions></crowd-image-classifier></crowd-form>"""
MORE = PLAIN.replace("</crowd-form>", '<crowd-input name="why"></crowd-input></crowd-form>')
SCRIPTED = PLAIN + "<script>document.title = 1</script>"


def with_template(server: Server, template: str | bytes, kind: str = "PassThrough", **changes: Any) -> dict[str, Any]:
    """A request for CreateLabelingJob whose template is put there."""
    bucket = changes.pop("bucket", None) or bucket_of(server, 1)
    body = template.encode() if isinstance(template, str) else template
    server.client("s3").put_object(Bucket=bucket, Key="task.liquid.html", Body=body)
    request = labeling_job(server, bucket, kind, **changes)
    request["HumanTaskConfig"]["UiConfig"] = {"UiTemplateS3Uri": f"s3://{bucket}/task.liquid.html"}
    return request


def answers_of(server: Server, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The files of worker-response, in their order."""
    s3, bucket = server.client("s3"), request["OutputConfig"]["S3OutputPath"].split("/")[2]
    prefix = f"out/{request['LabelingJobName']}/annotations/worker-response/"
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


def test_answers_go_through_as_they_are(server: Server) -> None:
    """Two workers, each in his own words, consolidated by nobody, as Ground Truth hands them on; without any class."""
    bucket = bucket_of(server)
    source = put_lines(server, bucket, [{"source": "a <b>", "line": 7, "label-gold-x": 1}])
    request = with_template(server, FORM, bucket=bucket, source=source, workers=2)
    del request["LabelCategoryConfigS3Uri"]
    arn = create(server, request)
    its = [worker(server, "one"), worker(server, "two")]
    said = [{"word": "first", "deep": {"is": [1, None, "ü"]}}, {"word": "second"}]
    for who, words in zip(its, said, strict=True):
        work = who.describe_work(LabelingJobArn=arn)
        assert work["OwnTemplate"] and work["Labels"] == [] and work["TaskType"] == "PassThrough"
        [task] = claim(who, arn)
        say(who, arn, task, words)
    [line] = output_of(server, ended(server, request["LabelingJobName"]))
    assert {name: line[name] for name in ("source", "line")} == {"source": "a <b>", "line": 7}
    told = line["label"]["annotationsFromAllWorkers"]
    assert [json.loads(one["annotationData"]["content"]) for one in told] == said
    assert ["one" in one["workerId"] for one in told] == [True, False]
    metadata = line["label-metadata"]
    assert metadata["type"] == "groundtruth/custom" and metadata["human-annotated"] == "yes"
    assert metadata["job-name"] == f"labeling-job/{request['LabelingJobName']}"
    [answers] = answers_of(server, request)
    assert [one["answerContent"] for one in answers["answers"]] == said


def test_functions_that_are_not_named_do_nothing(server: Server) -> None:
    request = with_template(server, FORM)
    human = request["HumanTaskConfig"]
    del human["PreHumanTaskLambdaArn"], human["AnnotationConsolidationConfig"]
    arn = create(server, request)
    assert labeler(server).describe_work(LabelingJobArn=arn)["TaskType"] == "PassThrough"
    found = server.client("sagemaker").list_labeling_jobs(NameContains=request["LabelingJobName"])
    [summary] = found["LabelingJobSummaryList"]
    assert "PreHumanTaskLambdaArn" not in summary and summary["LabelingJobStatus"] == "InProgress"
    [task] = claim(labeler(server), arn)
    say(labeler(server), arn, task, {})  # a form that says nothing says that
    ended(server, request["LabelingJobName"])
    assert [one["answerContent"] for one in answers_of(server, request)[0]["answers"]] == [{}]


@pytest.mark.parametrize(
    ("template", "shown"), [(PLAIN, False), (MORE, True), (SCRIPTED, True), (PLAIN.replace("?", "Which?"), False)]
)
def test_built_in_tasks_show_what_asks_for_more(server: Server, template: str, shown: bool) -> None:
    arn = create(server, with_template(server, template, "ImageMultiClass"))
    assert labeler(server).describe_work(LabelingJobArn=arn)["OwnTemplate"] is shown


def test_a_built_in_task_is_consolidated_out_of_its_form(server: Server) -> None:
    request = with_template(server, MORE, "ImageMultiClass", workers=3)
    arn = create(server, request)
    for number, label in enumerate(("ko", "ok", "ko")):
        its = worker(server)
        [task] = claim(its, arn)
        say(its, arn, task, {"crowd-image-classifier": {"label": label}, "why": f"reason {number}"})
    [line] = output_of(server, ended(server, request["LabelingJobName"]))
    assert line["label"] == 1 and line["label-metadata"]["class-name"] == "ko"
    [answers] = answers_of(server, request)
    assert sorted(one["answerContent"]["why"] for one in answers["answers"]) == [f"reason {n}" for n in range(3)]
    assert {"crowd-image-classifier": {"label": "ok"}, "why": "reason 1"} in [
        one["answerContent"] for one in answers["answers"]
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"why": "because"}, "The answer has no 'crowd-image-classifier', which is what the template's form asks for."),
        ({"crowd-image-classifier": {"label": "?"}}, "is none of this job's"),
        ({"crowd-image-classifier": "ok"}, "no JSON object"),
        ([1], "no JSON object"),
        ("{nonsense", "not JSON"),
        ('{"crowd-image-classifier": {"label": "ok"}, "why": NaN}', "not JSON"),
    ],
)
def test_answers_that_are_none(server: Server, answer: Any, said: str) -> None:
    arn = create(server, with_template(server, MORE, "ImageMultiClass"))
    its = labeler(server)
    claim(its, arn)
    body = answer if isinstance(answer, str) else json.dumps(answer)
    with pytest.raises(ClientError, match=said):
        its.answer_task(LabelingJobArn=arn, ItemNumber=0, Body=body, Seconds=1.0)


def test_a_task_is_rendered_for_who_may_claim_it(server: Server) -> None:
    """With the job's role, under the name that the browser has for the server; the known answer is not shown."""
    bucket = bucket_of(server, 2)
    lines = [{"source-ref": f"s3://{bucket}/photos/{n:03}.png", "size": n} for n in range(2)]
    template = PLAIN.replace("?", "{{ task.input.size }} {{ task.input | to_json }}") + '<input name="more">'
    gold = [{**line, "label-gold": "ok"} for line in lines]
    request = with_template(server, template, "ImageMultiClass", bucket=bucket, source=put_lines(server, bucket, gold))
    arn = create(server, request)
    told = worker(server).render_task(LabelingJobArn=arn, ItemNumber=1)
    assert told["Errors"] == [] and told["Pictures"] == [f"/{bucket}/photos/001.png"]
    assert 'header="1 {' in told["Content"] and "gold" not in told["Content"]
    path = told["Content"].split('src="/')[1].split('"')[0].replace("&amp;", "&")
    with urllib.request.urlopen(f"{server.endpoint}/{path}") as answer:
        assert answer.read().startswith(b"\x89PNG")
    elsewhere = labeler(server).render_task(LabelingJobArn=arn, ItemNumber=1, Host="boxes.example:8443")
    assert elsewhere["Pictures"] == told["Pictures"] and elsewhere["Content"] != told["Content"]
    nobody = worker(server, statement={"Effect": "Allow", "Action": "tobo-labeling:ListWork", "Resource": "*"})
    with pytest.raises(ClientError, match="AccessDenied"):
        nobody.render_task(LabelingJobArn=arn, ItemNumber=1)
    with pytest.raises(ClientError, match=r"ResourceNotFound.*has no item 9"):
        labeler(server).render_task(LabelingJobArn=arn, ItemNumber=9)
    plain = create(server, labeling_job(server, bucket))
    with pytest.raises(ClientError, match=r"ValidationException.*has no template of its own"):
        labeler(server).render_task(LabelingJobArn=plain, ItemNumber=0)


def test_a_template_outlives_its_object(server: Server) -> None:
    request = with_template(server, FORM)
    arn = create(server, request)
    bucket = request["OutputConfig"]["S3OutputPath"].split("/")[2]
    server.client("s3").delete_object(Bucket=bucket, Key="task.liquid.html")
    assert "crowd-input" in labeler(server).render_task(LabelingJobArn=arn, ItemNumber=0)["Content"]


def test_more_pictures_than_a_page_may_have(server: Server) -> None:
    """So many are granted, and the error says so."""
    many = (
        "<crowd-form>{% for n in (1..201) %}{{ task.input.taskObject | append: n | grant_read_access | size }} "
        '{% endfor %}<crowd-input name="x"></crowd-input></crowd-form>'
    )
    arn = create(server, with_template(server, many))
    told = labeler(server).render_task(LabelingJobArn=arn, ItemNumber=0)
    assert len(told["Pictures"]) == 200
    assert [one["Message"] for one in told["Errors"]] == ["grant_read_access: a task's page has at most 200 objects."]


@pytest.mark.parametrize(
    ("template", "kind", "said"),
    [
        ("<crowd-form>{% for %}</crowd-form>", "PassThrough", r"task.liquid.html' is no template \(InvalidLiquid\)"),
        ("just words", "PassThrough", r"InvalidHtml"),
        (b"\xff\xfe<form>", "PassThrough", "is no text in UTF-8"),
        ("<form>" + "x" * 128_000, "PassThrough", "has 128006 characters; a template has at most 128000"),
        (FORM, "ImageMultiClass", "has no <crowd-image-classifier name=...>, whose answer a ImageMultiClass task is"),
        (
            '<crowd-form><crowd-image-classifier src="x"></crowd-image-classifier></crowd-form>',
            "ImageMultiClass",
            "name=",
        ),
        (MORE, "BoundingBox", "has no <crowd-bounding-box name"),
    ],
)
def test_templates_that_are_none(server: Server, template: str | bytes, kind: str, said: str) -> None:
    with pytest.raises(ClientError, match=rf"ValidationException.*HumanTaskConfig.UiConfig.UiTemplateS3Uri.*{said}"):
        create(server, with_template(server, template, kind))


def test_requests_that_are_refused(server: Server) -> None:
    bucket = bucket_of(server, 1)
    custom = labeling_job(server, bucket, "PassThrough")
    with pytest.raises(ClientError, match="UiTemplateS3Uri is missing; a custom task is what its template shows"):
        create(server, custom)
    missing = with_template(server, FORM)
    missing["HumanTaskConfig"]["UiConfig"] = {"UiTemplateS3Uri": f"s3://{bucket}/none.html"}
    with pytest.raises(ClientError, match=r"ValidationException.*UiTemplateS3Uri: .*none.html"):
        create(server, missing)
    own = with_template(server, FORM)
    own["HumanTaskConfig"]["PreHumanTaskLambdaArn"] = "arn:aws:lambda:us-east-1:123456789012:function:mine"
    with pytest.raises(ClientError, match=r"Own functions have to run on AWS Lambda, which is not here; .*PassThrough"):
        create(server, own)
    mixed = with_template(server, FORM)
    mixed["HumanTaskConfig"]["PreHumanTaskLambdaArn"] = f"{FUNCTIONS}:PRE-ImageMultiClass"
    with pytest.raises(ClientError, match="two task types, ImageMultiClass and PassThrough"):
        create(server, mixed)


def test_a_known_answer_needs_a_known_form(server: Server) -> None:
    bucket = bucket_of(server, 1)
    source = put_lines(server, bucket, [{"source-ref": f"s3://{bucket}/photos/000.png", "label-gold": {"word": "x"}}])
    request = with_template(server, FORM, bucket=bucket, source=source)
    server.client("sagemaker").create_labeling_job(**request)
    job = ended(server, request["LabelingJobName"])
    assert job["LabelingJobStatus"] == "Failed"
    assert "A custom template's answer has no form by which one is known; take the member away." in job["FailureReason"]
