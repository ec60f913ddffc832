"""From photos that nobody has named to a trained model, with boto3 alone: the output manifest is a training channel."""

import json

import pytest
from tests.conftest import Server
from tests.support.jobs import QUICK, channel, photo, training_job, wait
from tests.support.labelling import bucket_of, claim, create, ended, labeling_job, say, worker
from tests.support.processes import until
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("training")


def test_a_labelling_jobs_output_is_trained_on_without_conversion(warm_server: Server) -> None:
    """Eyes are the key's number here: `photo` is red for even ones (ko) and green for odd ones (ok)."""
    bucket = bucket_of(warm_server, {f"photos/{n}.jpg": photo(n) for n in range(24)})
    request = labeling_job(warm_server, bucket, labels=("ko", "ok"))
    arn, its = create(warm_server, request), worker(warm_server)
    for task in claim(its, arn, 24):
        number = int(json.loads(task["Source"])["source-ref"].rsplit("/", 1)[-1].removesuffix(".jpg"))
        say(its, arn, task, {"label": ("ko", "ok")[number % 2]})
    job = ended(warm_server, request["LabelingJobName"])
    output = job["LabelingJobOutput"]["OutputDatasetS3Uri"]
    source = {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["source-ref", "label"]}
    channels = [channel(name, output, source=source) for name in ("train", "validation")]
    sagemaker, name = warm_server.client("sagemaker"), unique("on-labels")
    hyperparameters = {**QUICK, "num_training_samples": str(job["LabelCounters"]["TotalLabeled"]), "epochs": "4"}
    sagemaker.create_training_job(
        **training_job(name, bucket, HyperParameters=hyperparameters, InputDataConfig=channels)
    )
    trained = wait(sagemaker, name, seconds=180)
    assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
    metrics = {one["MetricName"]: one["Value"] for one in trained["FinalMetricDataList"]}
    assert metrics["validation:accuracy"] == 1.0
    # and lineage knows from which photos the model comes
    uri = trained["ModelArtifacts"]["S3ModelArtifacts"]
    until(lambda: sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"] != [])
    [model] = sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"]

    def led() -> list[dict[str, str]]:
        asked = {"StartArns": [model["ArtifactArn"]], "Direction": "Ascendants"}
        return list(sagemaker.query_lineage(**asked)["Vertices"])

    until(lambda: "LabelingJob" in [each["Type"] for each in led()])
    sources = {
        sagemaker.describe_artifact(ArtifactArn=each["Arn"])["Source"]["SourceUri"]
        for each in led()
        if each["Type"] == "DataSet"
    }
    assert {output, request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]} <= sources
