"""Tags through boto3: added at birth and later, listed in pages, deleted, bounded, and of the own namespace only."""

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.jobs import training_job, wait


def test_tags(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    born = [{"Key": "b", "Value": "1"}]
    arn = sagemaker.create_training_job(**training_job("tagged", "nowhere", Tags=born))["TrainingJobArn"]
    wait(sagemaker, "tagged")
    all_tags = [{"Key": "a", "Value": "0"}, {"Key": "b", "Value": "2"}]
    assert sagemaker.add_tags(ResourceArn=arn, Tags=list(reversed(all_tags)))["Tags"] == all_tags
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert [tag for page in pages for tag in page["Tags"]] == all_tags
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "never"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == all_tags[1:]
    with pytest.raises(ClientError, match="at most 50"):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    for unknown in (arn + "x", arn.replace("us-east-1", "eu-west-1")):
        with pytest.raises(ClientError, match="Could not find resource"):
            sagemaker.list_tags(ResourceArn=unknown)
    with pytest.raises(ClientError, match="Could not find resource"):
        server.client("sagemaker", region="eu-west-1").list_tags(ResourceArn=arn)
