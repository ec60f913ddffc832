"""Labelling jobs over the wire: from CreateLabelingJob to the output manifest, with workers at work."""

import base64
import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image
from tests.conftest import Server
from tests.support.labelling import (
    FUNCTIONS,
    REVIEWER,
    bucket_of,
    claim,
    create,
    ended,
    labeler,
    labeling_job,
    output_of,
    picture,
    put_lines,
    say,
    wait,
    worker,
)
from tests.support.unique import unique
from tests.support.workforces import team_of


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_photos_are_labelled_one_after_another(server: Server) -> None:
    bucket = bucket_of(server, 5)
    request = labeling_job(server, bucket)
    arn = create(server, request)
    its = worker(server)
    seen = []
    for number in range(5):
        [task] = claim(its, arn)
        seen.append(json.loads(task["Source"])["source-ref"])
        assert say(its, arn, task, {"label": "ko" if number % 2 else "ok"}) == "labelled"
    assert seen == [f"s3://{bucket}/photos/{n:03}.png" for n in range(5)]
    job = ended(server, request["LabelingJobName"])
    assert job["LabelingJobStatus"] == "Completed" and job["LabelCounters"] == {
        "TotalLabeled": 5, "HumanLabeled": 5, "MachineLabeled": 0, "FailedNonRetryableError": 0, "Unlabeled": 0,
    }  # fmt: skip
    lines = output_of(server, job)
    assert [line["label"] for line in lines] == [0, 1, 0, 1, 0]
    assert lines[1]["source-ref"] == seen[1]
    metadata = lines[1]["label-metadata"]
    assert metadata.pop("creation-date")[:2] == "20"
    assert metadata == {
        "class-name": "ko",
        "confidence": 1.0,
        "type": "groundtruth/image-classification",
        "human-annotated": "yes",
        "job-name": f"labeling-job/{request['LabelingJobName']}",
    }
    place = f"out/{request['LabelingJobName']}/annotations/worker-response/iteration-1/3/"
    s3 = server.client("s3")
    [kept] = s3.list_objects_v2(Bucket=bucket, Prefix=place)["Contents"]
    told = json.loads(s3.get_object(Bucket=bucket, Key=kept["Key"])["Body"].read())
    assert told["answers"][0]["answerContent"] == {"crowd-image-classifier": {"label": "ko"}}
    assert told["answers"][0]["timeSpentInSeconds"] == 1.5 and "user/worker-" in told["answers"][0]["workerId"]


def test_workers_are_blind_to_each_other_and_the_majority_counts(server: Server) -> None:
    request = labeling_job(server, bucket_of(server, 2), workers=3, consolidation="majority")
    arn = create(server, request)
    said = [["ok", "ok", "ko"], ["ko", "ko", "ko"]]
    for number in range(3):
        its = worker(server)
        for task in claim(its, arn, 2):
            assert "Answers" not in task and "Draft" not in task
            state = say(its, arn, task, {"label": said[task["ItemNumber"]][number]})
            assert state == ("labelled" if number == 2 else "open")
        assert its.claim_tasks(LabelingJobArn=arn, MaxResults=5)["Tasks"] == []
        with pytest.raises(ClientError) as refused:
            its.list_answers(LabelingJobArn=arn, ItemNumber=0)
        assert code_of(refused) == "AccessDeniedException"
    lines = output_of(server, ended(server, request["LabelingJobName"]))
    assert [(line["label-metadata"]["class-name"], line["label-metadata"]["confidence"]) for line in lines] == [
        ("ok", pytest.approx(2 / 3, abs=1e-3)),
        ("ko", 1.0),
    ]


def test_no_more_workers_than_answers_are_wanted(server: Server) -> None:
    arn = create(server, labeling_job(server, bucket_of(server, 1), workers=2))
    first, second, third = (worker(server) for _ in range(3))
    [task] = claim(first, arn)
    claim(second, arn)
    assert third.claim_tasks(LabelingJobArn=arn)["Tasks"] == []
    assert claim(first, arn)[0]["ItemNumber"] == task["ItemNumber"]  # who loads the page again has it still
    first.release_tasks(LabelingJobArn=arn, ItemNumbers=[0])
    assert len(third.claim_tasks(LabelingJobArn=arn)["Tasks"]) == 1


def test_a_lease_that_ends_gives_the_task_back_and_loses_nothing(server: Server) -> None:
    """The shortest time limit of the API is 30 s; the draft begins it anew."""
    arn = create(server, labeling_job(server, bucket_of(server, 2), seconds=30))  # the second keeps the job going
    first, second = worker(server), worker(server)
    [task] = claim(first, arn)
    until = first.keep_task(LabelingJobArn=arn, ItemNumber=0, Draft='{"label": "ko"}')["Until"]
    assert until >= task["Until"]
    first.release_tasks(LabelingJobArn=arn, ItemNumbers=[0])
    assert claim(second, arn)[0]["ItemNumber"] == task["ItemNumber"]
    assert say(first, arn, task, {"label": "ko"}) == "labelled"  # late, and not lost
    with pytest.raises(ClientError) as late:
        say(second, arn, task, {"label": "ok"})
    assert code_of(late) == "TaskGone" and "labelled" in str(late.value)


def test_an_answer_is_taken_back(server: Server) -> None:
    request = labeling_job(server, bucket_of(server, 2))
    arn, its = create(server, request), worker(server)
    [task] = claim(its, arn)
    say(its, arn, task, {"label": "ko"})
    reopened = its.reopen_task(LabelingJobArn=arn, ItemNumber=task["ItemNumber"])["Task"]
    assert json.loads(reopened["Draft"]) == {"label": "ko"}
    say(its, arn, reopened, {"label": "ok"})
    [other] = claim(its, arn)
    say(its, arn, other, {"label": "ko"})
    lines = output_of(server, ended(server, request["LabelingJobName"]))
    assert [line["label-metadata"]["class-name"] for line in lines] == ["ok", "ko"]
    with pytest.raises(ClientError) as late:
        its.reopen_task(LabelingJobArn=arn, ItemNumber=0)
    assert code_of(late) == "TaskGone"


def test_conflicts_go_to_a_reviewer(server: Server) -> None:
    request = labeling_job(server, bucket_of(server, 1), workers=2, review=0.9)
    arn = create(server, request)
    for label in ("ok", "ko"):
        its = worker(server)
        [task] = claim(its, arn)
        state = say(its, arn, task, {"label": label})
    assert state == "conflict"
    with pytest.raises(ClientError) as refused:
        its.claim_tasks(LabelingJobArn=arn, Role="review")
    assert code_of(refused) == "AccessDeniedException"
    reviewer = worker(server, "reviewer", REVIEWER)
    [work] = [one for one in reviewer.list_work()["Work"] if one["LabelingJobArn"] == arn]
    assert (work["Conflicts"], work["MayReview"]) == (1, True)
    [task] = claim(reviewer, arn, Role="review")
    assert [(one["Worker"], json.loads(one["Body"])["label"]) for one in task["Answers"]] == [
        ("worker 1", "ok"), ("worker 2", "ko"),
    ]  # fmt: skip
    assert say(reviewer, arn, task, {"label": "ko"}, Role="review") == "labelled"
    [line] = output_of(server, ended(server, request["LabelingJobName"]))
    assert line["label-metadata"]["class-name"] == "ko" and line["label-metadata"]["reviewed"] == "yes"


def test_what_is_skipped_comes_last_and_is_given_up(server: Server) -> None:
    request = labeling_job(server, bucket_of(server, 2))
    arn, its = create(server, request), worker(server)
    [task] = claim(its, arn)
    assert its.skip_task(LabelingJobArn=arn, ItemNumber=task["ItemNumber"], Reason="too dark")["State"] == "open"
    [other] = claim(its, arn)
    assert other["ItemNumber"] != task["ItemNumber"]
    say(its, arn, other, {"label": "ok"})
    [again] = claim(its, arn)
    assert its.skip_task(LabelingJobArn=arn, ItemNumber=again["ItemNumber"], Reason="too dark")["State"] == "failed"
    job = ended(server, request["LabelingJobName"])
    assert job["LabelCounters"]["FailedNonRetryableError"] == 1 and len(output_of(server, job)) == 1
    [effort] = labeler(server).list_efforts(LabelingJobArn=arn)["Efforts"]
    assert (effort["Answers"], effort["Skips"], effort["Seconds"]) == (1, 2, 1.5)


def test_broken_pictures_are_counted_and_asked_of_nobody_else(server: Server) -> None:
    bucket = bucket_of(
        server, {"photos/a.png": b"no picture", "photos/b.png": picture()[:70], "photos/c.png": picture()}
    )
    request = labeling_job(server, bucket)
    arn, its = create(server, request), worker(server)
    states = []
    for task in claim(its, arn, 3):
        number = task["ItemNumber"]
        states.append(its.skip_task(LabelingJobArn=arn, ItemNumber=number, Reason="not shown", Broken=True)["State"])
    assert states == ["failed", "failed", "open"]  # the third one can be shown: the worker was mistaken
    [left] = claim(its, arn)
    say(its, arn, left, {"label": "ok"})
    assert ended(server, request["LabelingJobName"])["LabelCounters"]["FailedNonRetryableError"] == 2
    failed = labeler(server).list_items(LabelingJobArn=arn, State="failed")["Items"]
    assert "a.png' is no picture" in json.loads(failed[0]["Result"])["reason"]


@pytest.mark.parametrize(
    ("kind", "answer", "value", "metadata"),
    [
        ("ImageMultiClassMultiLabel", {"labels": ["ko", "ok"]}, [0, 1], {"class-map": {"0": "ok", "1": "ko"}}),
        (
            "BoundingBox",
            {
                "boundingBoxes": [{"left": 3, "top": 4, "width": 10, "height": 12, "label": "ko"}],
                "inputImageProperties": {"width": 64, "height": 48},
            },
            {
                "image_size": [{"width": 64, "height": 48, "depth": 3}],
                "annotations": [{"class_id": 1, "left": 3, "top": 4, "width": 10, "height": 12}],
            },
            {"class-map": {"1": "ko"}, "objects": [{"confidence": 1.0}], "type": "groundtruth/object-detection"},
        ),
        (
            "Polygon",
            {
                "polygons": [{"label": "ok", "vertices": [{"x": 1, "y": 1}, {"x": 9, "y": 1}, {"x": 5, "y": 7.5}]}],
                "inputImageProperties": {"width": 64, "height": 48},
            },
            {
                "image_size": [{"width": 64, "height": 48, "depth": 3}],
                "annotations": [{"class_id": 0, "vertices": [{"x": 1, "y": 1}, {"x": 9, "y": 1}, {"x": 5, "y": 7.5}]}],
            },
            {"class-map": {"0": "ok"}},
        ),
    ],
)  # fmt: skip
def test_each_kind_of_answer(
    server: Server, kind: str, answer: dict[str, Any], value: Any, metadata: dict[str, Any]
) -> None:
    request = labeling_job(server, bucket_of(server, 1), kind)
    arn, its = create(server, request), worker(server)
    say(its, arn, claim(its, arn)[0], answer)
    [line] = output_of(server, ended(server, request["LabelingJobName"]))
    assert line["label"] == value
    assert metadata.items() <= line["label-metadata"].items()


def test_masks(server: Server) -> None:
    """Three paint; at each pixel two win."""
    bucket = bucket_of(server, 1)
    request = labeling_job(server, bucket, "SemanticSegmentation", workers=3)
    arn = create(server, request)
    for right in (20, 30, 40):
        mask = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
        mask.paste((255, 0, 0, 255), (10, 10, right, 20))
        out = io.BytesIO()
        mask.save(out, "PNG")
        its = worker(server)
        answer = {
            "labeledImage": {"pngImageData": base64.b64encode(out.getvalue()).decode()},
            "labelMappings": {"ko": {"color": "#FF0000"}},
            "inputImageProperties": {"width": 64, "height": 48},
        }
        say(its, arn, claim(its, arn)[0], answer)
    [line] = output_of(server, ended(server, request["LabelingJobName"]))
    key = line["label-ref"].removeprefix(f"s3://{bucket}/")
    with Image.open(io.BytesIO(server.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())) as found:
        assert found.size == (64, 48)
        painted = {(x, y) for x in range(64) for y in range(48) if found.getpixel((x, y)) == (255, 0, 0, 255)}
    assert painted == {(x, y) for x in range(10, 30) for y in range(10, 20)}
    assert line["label-ref-metadata"]["internal-color-map"]["2"]["class-name"] == "ko"


def test_texts_and_names(server: Server) -> None:
    bucket = bucket_of(server)
    source = put_lines(server, bucket, [{"source": "Anna <b>lives</b> in Paris"}, {"source": "שלום"}])
    request = labeling_job(server, bucket, "NamedEntityRecognition", ("person", "<i>place</i>"), source=source)
    arn, its = create(server, request), worker(server)
    first, second = claim(its, arn, 2)
    spans = [
        {"startOffset": 21, "endOffset": 26, "label": "<i>place</i>"},
        {"startOffset": 0, "endOffset": 4, "label": "person"},
    ]
    say(its, arn, first, {"entities": spans})
    say(its, arn, second, {"entities": []})
    lines = output_of(server, ended(server, request["LabelingJobName"]))
    assert lines[0]["source"] == "Anna <b>lives</b> in Paris"
    assert [one["label"] for one in lines[0]["label"]["annotations"]["entities"]] == ["person", "<i>place</i>"]
    assert lines[1]["source"] == "שלום" and lines[1]["label"]["annotations"]["entities"] == []


def test_a_job_goes_on_where_another_ended(server: Server) -> None:
    """Chaining: what has the label is kept; other members of a line are carried through."""
    bucket = bucket_of(server, 3)
    first = labeling_job(server, bucket, StoppingConditions={"MaxHumanLabeledObjectCount": 1})
    arn, its = create(server, first), worker(server)
    say(its, arn, claim(its, arn)[0], {"label": "ko"})
    done = output_of(server, ended(server, first["LabelingJobName"]))
    assert len(done) == 1
    rest = [{"source-ref": f"s3://{bucket}/photos/{n:03}.png", "camera": "left"} for n in (1, 2)]
    source = put_lines(server, bucket, [*done, *rest])
    # What had the label already does not count among what people may label.
    request = labeling_job(server, bucket, source=source, StoppingConditions={"MaxHumanLabeledObjectCount": 2})
    arn = create(server, request)
    for task in claim(its, arn, 5):
        assert json.loads(task["Source"])["camera"] == "left"
        say(its, arn, task, {"label": "ok"})
    lines = output_of(server, ended(server, request["LabelingJobName"]))
    assert [line["label"] for line in lines] == [1, 0, 0] and lines[2]["camera"] == "left"
    assert lines[0]["label-metadata"]["job-name"] == f"labeling-job/{first['LabelingJobName']}"


def test_a_stopped_job_keeps_what_was_said(server: Server) -> None:
    request = labeling_job(server, bucket_of(server, 3))
    arn, its = create(server, request), worker(server)
    [task] = claim(its, arn)
    say(its, arn, task, {"label": "ko"})
    server.client("sagemaker").stop_labeling_job(LabelingJobName=request["LabelingJobName"])
    job = ended(server, request["LabelingJobName"])
    assert job["LabelingJobStatus"] == "Stopped" and job["LabelCounters"]["Unlabeled"] == 2
    assert [line["label"] for line in output_of(server, job)] == [1]
    with pytest.raises(ClientError) as late:
        its.claim_tasks(LabelingJobArn=arn)
    assert code_of(late) == "TaskGone"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"source-ref": "s3://b/a.png"}', "{nonsense"], "line 2 is not JSON"),
        (['["a"]'], "line 1 is no JSON object"),
        (['{"image": "s3://b/a.png"}'], "line 1 needs either source-ref"),
        (['{"source-ref": "a.png"}'], "line 1: 'a.png' at source-ref is not an S3 address"),
        (['{"source": "a text"}'], "line 1 has a text"),
        ([], "There is nothing to label"),
    ],
)
def test_manifests_that_are_none(server: Server, lines: list[str], said: str) -> None:
    bucket = bucket_of(server)
    request = labeling_job(server, bucket, source=put_lines(server, bucket, lines))
    server.client("sagemaker").create_labeling_job(**request)
    job = ended(server, request["LabelingJobName"])
    assert job["LabelingJobStatus"] == "Failed" and said in job["FailureReason"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"label": "<b>maybe</b>"}, "is none of this job's"),
        ({"labels": ["ok"]}, "null at label is none"),
        ([1], "is no JSON object"),
    ],
)
def test_answers_that_are_none(server: Server, answer: Any, said: str) -> None:
    arn, its = create(server, labeling_job(server, bucket_of(server, 1))), worker(server)
    [task] = claim(its, arn)
    with pytest.raises(ClientError) as refused:
        say(its, arn, task, answer)
    assert code_of(refused) == "ValidationException" and said in str(refused.value)
    assert say(its, arn, task, {"label": "ok"}) == "labelled"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"LabelAttributeName": "source-ref"}, "which manifests use themselves"),
        ({"LabelAttributeName": "mask-ref"}, "is for segmentations only"),
        ({"LabelCategoryConfigS3Uri": "s3://no-such-bucket-here/c.json"}, "LabelCategoryConfigS3Uri"),
        (
            {"InputConfig": {"DataSource": {"SnsDataSource": {"SnsTopicArn": "arn:aws:sns:us-east-1:123456789012:t"}}}},
            "streaming jobs",
        ),
    ],
)
def test_requests_that_are_refused(server: Server, changes: dict[str, Any], said: str) -> None:
    request = labeling_job(server, bucket_of(server, 1), **changes)
    with pytest.raises(ClientError) as refused:
        server.client("sagemaker").create_labeling_job(**request)
    assert code_of(refused) == "ValidationException" and said in str(refused.value)


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("PreHumanTaskLambdaArn", "arn:aws:lambda:us-east-1:123456789012:function:mine", "is no built-in function"),
        ("PreHumanTaskLambdaArn", f"{FUNCTIONS}:PRE-BoundingBox", "two task types"),
        ("WorkteamArn", "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default", "work on AWS only"),
        (
            "WorkteamArn",
            "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/everybody",
            "there is no work team 'arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/everybody'",
        ),
        (
            "WorkteamArn",
            "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/no-such-team",
            "/no-such-team' in us-east-1",
        ),
    ],
)
def test_tasks_that_are_refused(server: Server, member: str, value: str, said: str) -> None:
    request = labeling_job(server, bucket_of(server, 1))
    request["HumanTaskConfig"][member] = value
    with pytest.raises(ClientError) as refused:
        server.client("sagemaker").create_labeling_job(**request)
    assert code_of(refused) == "ValidationException" and said in str(refused.value)


def test_lists_and_pages(server: Server) -> None:
    bucket = bucket_of(server, 7)
    sagemaker, mark = server.client("sagemaker"), unique("listed")
    team = team_of(server, mark)
    names = []
    for number in range(3):
        request = labeling_job(server, bucket, LabelingJobName=f"{mark}-{number}")
        request["HumanTaskConfig"]["WorkteamArn"] = team
        arn = create(server, request)
        names.append(request["LabelingJobName"])
    pages = sagemaker.get_paginator("list_labeling_jobs").paginate(
        NameContains=mark, SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 1}
    )
    found = [job for page in pages for job in page["LabelingJobSummaryList"]]
    assert [job["LabelingJobName"] for job in found] == names and found[0]["LabelCounters"]["Unlabeled"] == 7
    pages = sagemaker.get_paginator("list_labeling_jobs_for_workteam").paginate(
        WorkteamArn=team, PaginationConfig={"PageSize": 2}
    )
    found = [job for page in pages for job in page["LabelingJobSummaryList"]]
    assert {job["LabelingJobName"] for job in found} == set(names) and found[0]["LabelCounters"]["Total"] == 7
    with pytest.raises(ClientError) as taken:
        sagemaker.create_labeling_job(**request)
    assert code_of(taken) == "ResourceInUse"
    with pytest.raises(ClientError) as missing:
        sagemaker.describe_labeling_job(LabelingJobName="nobody")
    assert code_of(missing) == "ResourceNotFound"
    root, items, token = labeler(server), [], {}
    while True:
        page = root.list_items(LabelingJobArn=arn, MaxResults=3, **token)
        items += page["Items"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert [item["ItemNumber"] for item in items] == list(range(7))
    assert root.describe_work(LabelingJobArn=arn)["Labels"] == ["ok", "ko"]


def test_a_killed_server_loses_no_answer_and_doubles_none(fresh_server: Any) -> None:
    server = fresh_server()
    request = labeling_job(server, bucket_of(server, 12), workers=2)
    arn = create(server, request)
    first, second = worker(server), worker(server)
    keys = [client._request_signer._credentials for client in (first, second)]
    for task in claim(first, arn, 12):
        say(first, arn, task, {"label": "ok"})
    held = claim(second, arn, 6)
    say(second, arn, held[0], {"label": "ok"})
    server.kill()
    server.start()
    first, second = (labeler(server, (key.access_key, key.secret_key)) for key in keys)
    assert first.claim_tasks(LabelingJobArn=arn, MaxResults=12)["Tasks"] == []
    again = claim(second, arn, 12)
    assert {task["ItemNumber"] for task in held[1:]} <= {task["ItemNumber"] for task in again} and len(again) == 11
    for task in again:
        say(second, arn, task, {"label": "ok"})
    job = ended(server, request["LabelingJobName"])
    assert job["LabelCounters"]["HumanLabeled"] == 12
    efforts = labeler(server).list_efforts(LabelingJobArn=arn)["Efforts"]
    assert [effort["Answers"] for effort in efforts] == [12, 12]


def test_items_are_offered_a_few_at_a_time(server: Server) -> None:
    arn = create(server, labeling_job(server, bucket_of(server, 6), most=2))
    first, second = worker(server), worker(server)
    claim(first, arn)
    assert len(first.claim_tasks(LabelingJobArn=arn, MaxResults=10)["Tasks"]) == 2
    assert second.claim_tasks(LabelingJobArn=arn)["Tasks"] == []
    wait(server, arn.rsplit("/", 1)[-1], lambda job: job["LabelCounters"]["Unlabeled"] == 6)


def test_a_team_that_a_job_asks_is_not_deleted(server: Server) -> None:
    sagemaker, name = server.client("sagemaker"), unique("asked")
    request = labeling_job(server, bucket_of(server, 2))
    request["HumanTaskConfig"]["WorkteamArn"] = team_of(server, name)
    create(server, request)
    with pytest.raises(ClientError, match=f"ResourceInUse.*{request['LabelingJobName']}"):
        sagemaker.delete_workteam(WorkteamName=name)
    sagemaker.stop_labeling_job(LabelingJobName=request["LabelingJobName"])
    ended(server, request["LabelingJobName"])
    assert sagemaker.delete_workteam(WorkteamName=name)["Success"] is True
    with pytest.raises(ClientError, match=f"ValidationException.*there is no work team '.*{name}'"):
        sagemaker.create_labeling_job(**{**request, "LabelingJobName": unique("late")})
