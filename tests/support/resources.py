"""A few resources of every kind that needs no running process, in a region of a test's own: for lists, tags and search."""

from typing import Any

from tests.conftest import Server
from tests.support.algorithms import algorithm
from tests.support.endpoints import variant
from tests.support.jobs import IMAGE, ROLE, training_job
from tests.support.pipelines import definition, step
from tests.support.processes import until
from tests.support.tuning import tuning_job
from tests.support.workforces import make_pool, team_of


def make_resources(server: Server, region: str, names: tuple[str, ...]) -> dict[str, str]:
    """Of each kind one a name; the ARN of the first of each kind. Jobs and endpoints fail: their data is missing."""
    sagemaker, s3 = server.client("sagemaker", region=region), server.client("s3", region=region)
    bucket = f"resources-{region}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"no archive")
    s3.put_object(Bucket=bucket, Key="categories.json", Body=b'{"labels": [{"label": "ok"}, {"label": "ko"}]}')
    pool = make_pool(server, region)
    config = {"UserPool": pool.id, "ClientId": pool.client}
    sagemaker.create_workforce(WorkforceName=names[0], CognitoConfig=config)
    for name in names:
        team_of(server, name, region)
    arns: dict[str, str] = {}
    for name in names:
        answers = [make(sagemaker, bucket, name) for make in _MAKERS]
        for answer in answers:
            arn = next(value for member, value in answer.items() if member.endswith("Arn"))
            arns.setdefault(arn.split(":", 5)[5].split("/")[0], arn)
        component = arns_of(answers, "TrialComponentArn")
        for end in (arns_of(answers, "ArtifactArn"), arns_of(answers, "ActionArn")):
            sagemaker.add_association(SourceArn=end, DestinationArn=component, AssociationType="ContributedTo")
    until(lambda: not _still_moving(sagemaker))
    return arns


def _still_moving(sagemaker: Any) -> bool:
    """Jobs in progress, endpoints that are being made: a list of statuses would change while it is read."""
    return bool(
        sagemaker.list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
        or sagemaker.list_transform_jobs(StatusEquals="InProgress")["TransformJobSummaries"]
        or sagemaker.list_hyper_parameter_tuning_jobs(StatusEquals="InProgress")["HyperParameterTuningJobSummaries"]
        or sagemaker.list_labeling_jobs(StatusEquals="Initializing")["LabelingJobSummaryList"]
        or sagemaker.list_endpoints(StatusEquals="Creating")["Endpoints"]
    )


def arns_of(answers: list[Any], member: str) -> str:
    return next(str(answer[member]) for answer in answers if member in answer)


def _transform_job(sagemaker: Any, bucket: str, name: str) -> Any:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in/"}}
    return sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={"DataSource": source, "ContentType": "image/jpeg"},
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )


def _labeling_job(sagemaker: Any, bucket: str, name: str) -> Any:
    team = sagemaker.list_workteams(SortBy="Name", SortOrder="Ascending")["Workteams"][0]["WorkteamArn"]
    functions = "arn:aws:lambda:us-east-1:432418664414:function"
    return sagemaker.create_labeling_job(
        LabelingJobName=name,
        LabelAttributeName="label",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{bucket}/nothing/"}}},
        OutputConfig={"S3OutputPath": f"s3://{bucket}/labels"},
        RoleArn=ROLE,
        LabelCategoryConfigS3Uri=f"s3://{bucket}/categories.json",
        HumanTaskConfig={
            "WorkteamArn": team,
            "UiConfig": {},
            "PreHumanTaskLambdaArn": f"{functions}:PRE-ImageMultiClass",
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f"{functions}:ACS-ImageMultiClass"},
            "TaskTitle": name,
            "TaskDescription": name,
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 60,
        },
    )


_MAKERS = (
    lambda sagemaker, bucket, name: sagemaker.create_training_job(**training_job(name, "no-such-bucket")),
    lambda sagemaker, bucket, name: sagemaker.create_hyper_parameter_tuning_job(
        **tuning_job(name, "no-such-bucket", jobs=1, parallel=1)
    ),
    lambda sagemaker, bucket, name: sagemaker.create_algorithm(**algorithm(name)),
    lambda sagemaker, bucket, name: sagemaker.create_model_package_group(ModelPackageGroupName=name),
    lambda sagemaker, bucket, name: sagemaker.create_model_package(
        ModelPackageName=name,
        InferenceSpecification={"Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}]},
    ),
    lambda sagemaker, bucket, name: sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"},
    ),
    _transform_job,
    _labeling_job,
    lambda sagemaker, bucket, name: sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinition=definition(step("F", "Fail", {"ErrorMessage": name})), RoleArn=ROLE
    ),
    lambda sagemaker, bucket, name: sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name
    ),
    lambda sagemaker, bucket, name: sagemaker.create_code_repository(
        CodeRepositoryName=name, GitConfig={"RepositoryUrl": "https://git.example.com/marbles.git"}
    ),
    lambda sagemaker, bucket, name: sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant(name)]
    ),
    lambda sagemaker, bucket, name: sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name),
    lambda sagemaker, bucket, name: sagemaker.create_experiment(ExperimentName=name),
    lambda sagemaker, bucket, name: sagemaker.create_trial(TrialName=name, ExperimentName=name),
    lambda sagemaker, bucket, name: sagemaker.create_trial_component(TrialComponentName=name),
    lambda sagemaker, bucket, name: sagemaker.create_artifact(
        ArtifactName=name, Source={"SourceUri": f"s3://{bucket}/{name}"}, ArtifactType="DataSet"
    ),
    lambda sagemaker, bucket, name: sagemaker.create_action(
        ActionName=name, Source={"SourceUri": f"s3://{bucket}/{name}"}, ActionType="Approval", Status="Completed"
    ),
    lambda sagemaker, bucket, name: sagemaker.create_context(
        ContextName=name, Source={"SourceUri": f"s3://{bucket}/{name}"}, ContextType="Project"
    ),
)
