"""What the work page needs of tobo-labeling: pictures without rights in S3, guesses of the manifest, repeated skips."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import READ_ONLY
from tests.support.labelling import bucket_of, claim, create, labeler, labeling_job, picture, put_lines, worker


def guesses(server: Server, kind: str, line: dict[str, Any], **more: Any) -> Any:
    """The guess that comes with a job's only item."""
    bucket = bucket_of(server, 1)
    told = {"source-ref": f"s3://{bucket}/photos/000.png", **line}
    arn = create(server, labeling_job(server, bucket, kind, source=put_lines(server, bucket, [told]), **more))
    found = claim(labeler(server), arn)[0].get("Guess")
    return None if found is None else json.loads(found)


def test_a_worker_sees_pictures_without_rights_in_s3(server: Server) -> None:
    bucket = bucket_of(server, {"photos/a.png": picture()})
    arn = create(server, labeling_job(server, bucket))
    assert worker(server).get_source(LabelingJobArn=arn, ItemNumber=0)["Body"] == picture()
    with pytest.raises(ClientError, match="has no picture 1"):
        worker(server).get_source(LabelingJobArn=arn, ItemNumber=1)
    with pytest.raises(ClientError, match="ClaimTasks"):
        worker(server, statement=READ_ONLY).get_source(LabelingJobArn=arn, ItemNumber=0)
    server.client("s3").delete_object(Bucket=bucket, Key="photos/a.png")
    with pytest.raises(ClientError, match=r"NoSuchKey|not exist"):
        worker(server).get_source(LabelingJobArn=arn, ItemNumber=0)


def test_boxes_of_the_manifest_are_adjusted_and_verified(server: Server) -> None:
    box = {"class_id": 1, "left": 4, "top": 5, "width": 20, "height": 10}
    size = {"width": 64, "height": 48, "depth": 3}
    line = {
        "first": {"annotations": [box], "image_size": [size]},
        "first-metadata": {"type": "groundtruth/object-detection", "class-map": {"1": "ko"}, "objects": []},
    }
    sides = {name: box[name] for name in ("left", "top", "width", "height")}
    wanted = [{**sides, "label": "ko"}]
    for kind in ("AdjustmentBoundingBox", "VerificationBoundingBox"):
        assert guesses(server, kind, line)["boundingBoxes"] == wanted
    assert guesses(server, "BoundingBox", line) is None


def test_the_attribute_that_is_audited_is_named(server: Server) -> None:
    """Of two earlier jobs' boxes those of the named one; without a name, or where a line has none of it, as ever."""
    size = {"width": 64, "height": 48, "depth": 3}
    line: dict[str, Any] = {}
    for name, left in (("first", 1), ("second", 9)):
        box = {"class_id": 0, "left": left, "top": 5, "width": 20, "height": 10}
        line[name] = {"annotations": [box], "image_size": [size]}
        line[f"{name}-metadata"] = {"type": "groundtruth/object-detection", "class-map": {"0": "ko"}}

    def left(**more: Any) -> int:
        return int(guesses(server, "AdjustmentBoundingBox", line, **more)["boundingBoxes"][0]["left"])

    assert (left(), left(audits="first"), left(audits="second")) == (9, 1, 9)
    assert guesses(server, "VerificationBoundingBox", line, audits="third") is None
    for audits, said in (("label", "are both 'label'"), (7, "auditLabelAttributeName in 's3://.*' is 7")):
        with pytest.raises(ClientError, match=f"ValidationException.*{said}"):
            guesses(server, "AdjustmentBoundingBox", line, audits=audits)


def test_what_a_model_says_is_a_guess(server: Server) -> None:
    meta = {"class-name": "ko", "confidence": 0.61, "type": "groundtruth/image-classification"}
    line = {"label-suggested": 1, "label-suggested-metadata": meta}
    assert guesses(server, "ImageMultiClass", line) == {"label": "ko", "confidence": 0.61}
    assert guesses(server, "ImageMultiClass", {"label-suggested": 1}) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"first": "s3://nowhere/mask.png", "first-metadata": {"type": "groundtruth/semantic-segmentation"}},
        {"first": 3, "first-metadata": {"type": "groundtruth/semantic-segmentation", "internal-color-map": {}}},
        {"first": {}, "first-metadata": {"type": "groundtruth/object-detection"}},
    ],
)
def test_a_label_that_cannot_be_read_is_none(server: Server, broken: dict[str, Any]) -> None:
    for kind in ("AdjustmentSemanticSegmentation", "AdjustmentBoundingBox"):
        name = "label-ref" if kind.endswith("Segmentation") else "label"
        assert guesses(server, kind, broken, LabelAttributeName=name) is None


def test_a_skip_that_is_sent_again_counts_once(server: Server) -> None:
    arn = create(server, labeling_job(server, bucket_of(server, 1)))
    client = labeler(server)
    claim(client, arn)
    for _ in range(3):
        assert client.skip_task(LabelingJobArn=arn, ItemNumber=0, Reason="dark")["State"] == "open"
    assert client.list_items(LabelingJobArn=arn)["Items"][0]["Skips"] == 1
    claim(client, arn)
    assert client.skip_task(LabelingJobArn=arn, ItemNumber=0, Reason="dark")["State"] == "failed"
