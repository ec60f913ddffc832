"""Where the console shows what an ARN names."""

import pytest

from tobo.console import ROOT
from tobo.console.places import arn_place

SAGEMAKER = "arn:aws:sagemaker:us-east-1:111122223333"


@pytest.mark.parametrize(
    ("arn", "words", "page"),
    [
        (f"{SAGEMAKER}:endpoint/marbles", "endpoint marbles", "/endpoints/marbles"),
        (f"{SAGEMAKER}:notebook-instance/lab", "notebook instance lab", "/notebooks/lab"),
        (f"{SAGEMAKER}:hyper-parameter-tuning-job/t", "hyper parameter tuning job t", "/tuning-jobs/t"),
        (f"{SAGEMAKER}:processing-job/p", "processing job p", ""),
        ("arn:aws:sagemaker:eu-west-1:111122223333:endpoint/marbles", "endpoint marbles in eu-west-1", ""),
        ("arn:aws:sns:us-east-1:111122223333:line-1", "topic line-1", "/topics/line-1"),
        ("arn:aws:sns:eu-west-1:111122223333:line-1", "topic line-1 in eu-west-1", ""),
        ("anna@example.org", "anna@example.org", ""),
    ],
)
def test_an_arn_leads_to_its_page_or_to_none(arn: str, words: str, page: str) -> None:
    assert arn_place(arn, "us-east-1") == (words, f"{ROOT}{page}" if page else "")
