"""tobo loop: a pipeline that makes a better model of new labels, compares it honestly and proposes it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tobo.cli.client import fail, speaking

app = typer.Typer(help="Improves a model with new labels: label, train, compare, propose.", no_args_is_help=True)

StateOption = Annotated[Path | None, typer.Option(help="The server's state folder.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The pipeline's name. One that is there is updated.")],
    training_job: Annotated[str, typer.Option(help="The job that made the current model; its settings are kept.")],
    held_out: Annotated[
        str, typer.Option(help="Labelled pictures that are never trained on: s3://bucket/folder/ or a manifest.")
    ],
    group: Annotated[str, typer.Option(help="The model package group; NAME unless said.")] = "",
    work: Annotated[str, typer.Option(help="A folder in S3; <job's output>/loops/NAME unless said.")] = "",
    endpoint: Annotated[str, typer.Option(help="The endpoint that an execution may update where it is told to.")] = "",
    deploy_if_better: Annotated[
        bool, typer.Option("--deploy-if-better", help="Deploy a model that is significantly better without asking.")
    ] = False,
    state: StateOption = None,
) -> None:
    """Creates the pipeline. Where the group has no approved version, the job's model becomes its first one."""
    if deploy_if_better and not endpoint:
        raise typer.BadParameter("--deploy-if-better has to know where: give --endpoint.")
    from tobo.kit.guest import UserError
    from tobo.loop.definition import loop_definition, loop_description

    with speaking(state) as server:
        sagemaker = server.client("sagemaker")
        job = sagemaker.describe_training_job(TrainingJobName=training_job)
        group = group or name
        work = work or f"{job['OutputDataConfig']['S3OutputPath'].rstrip('/')}/loops/{name}"
        target = _endpoint(sagemaker, endpoint) if endpoint else None
        try:
            text = loop_definition(job, group, held_out, work, target, deploy_if_better)
            _ensure_approved(sagemaker, group, job)
        except UserError as error:
            fail(str(error))
        asked = {"PipelineName": name, "PipelineDefinition": text, "RoleArn": job["RoleArn"]}
        asked["PipelineDescription"] = loop_description(training_job)
        try:
            sagemaker.update_pipeline(**asked)
        except sagemaker.exceptions.ResourceNotFound:
            sagemaker.create_pipeline(**asked)
    print(f"The pipeline {name} is there; start it with `tobo loop start {name} --labeling-job ...`.")


@app.command()
def start(
    name: Annotated[str, typer.Argument(help="The pipeline's name.")],
    labeling_job: Annotated[str, typer.Option(help="Its labels are learned once it is over; it may still run.")],
    deploy_if_better: Annotated[
        bool | None,
        typer.Option(
            "--deploy-if-better/--propose-only", help="For this execution; as the pipeline says unless given."
        ),
    ] = None,
    state: StateOption = None,
) -> None:
    """Starts an execution, which waits for the labelling job."""
    given = [{"Name": "LabelingJob", "Value": labeling_job}]
    if deploy_if_better is not None:
        given.append({"Name": "DeployIfBetter", "Value": str(deploy_if_better).lower()})
    with speaking(state) as server:
        sagemaker = server.client("sagemaker")
        sagemaker.describe_labeling_job(LabelingJobName=labeling_job)  # refused here rather than in the first step
        answer = sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given)
    print(answer["PipelineExecutionArn"])


def _ensure_approved(sagemaker: Any, group: str, job: dict[str, Any]) -> None:
    """A group with an approved version, which is what new models are compared with. Raises UserError without a model."""
    from tobo.loop.definition import first_version

    groups = sagemaker.list_model_package_groups(NameContains=group, MaxResults=100)["ModelPackageGroupSummaryList"]
    if not any(one["ModelPackageGroupName"] == group for one in groups):
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    if approved["ModelPackageSummaryList"]:
        return
    sagemaker.create_model_package(**first_version(job, group))
    print(f"The model of {job['TrainingJobName']} is the first version of {group}, and approved.")


def _endpoint(sagemaker: Any, name: str) -> dict[str, Any]:
    """What a new configuration of the endpoint is like: the machines of its first variant."""
    config = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    variant = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
    kept = {member: variant[member] for member in ("InstanceType", "InitialInstanceCount") if member in variant}
    return {"EndpointName": name, **kept}
