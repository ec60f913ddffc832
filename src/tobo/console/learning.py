"""Pipelines that learn labels: those of the loop, known by their parameter, and how one is started."""

import secrets

from tobo.console.choices import names_of
from tobo.console.visit import Visit
from tobo.kit.fault import Fault

LABELS = "LabelingJob"
"""The parameter that names the labelling job."""

MOST = 5
"""Pipelines that a page looks into."""


def learning_pipelines(visit: Visit) -> list[str]:
    """Those among the newest; none where the key may not look at them or start one."""
    if not visit.may("sagemaker", "StartPipelineExecution"):
        return []
    newest = names_of(visit, "ListPipelines", "PipelineSummaries", "PipelineName")[:MOST]
    try:
        told = [visit.quietly("sagemaker", "DescribePipeline", PipelineName=name) for name in newest]
    except Fault:
        return []
    return [one["PipelineName"] for one in told if f'"{LABELS}"' in one["PipelineDefinition"]]


def start_learning(visit: Visit, pipeline: str, job: str) -> None:
    """An execution, which waits for the labelling job. Raises Fault."""
    given = [{"Name": LABELS, "Value": job}]
    token = secrets.token_hex(16)
    visit.change(
        "sagemaker", "StartPipelineExecution", PipelineName=pipeline, PipelineParameters=given, ClientRequestToken=token
    )
