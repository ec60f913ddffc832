#!/usr/bin/env python3
"""A server's state with something of everything in it, for looking at the console: `tools/console_world.py STATE`.

`--screenshots FOLDER [NAME ...]` takes pictures of it instead, of all screens or of those named, and leaves nothing behind. Everything is real: photos of drawn
marbles, trainings that end well and badly, an endpoint that answers, a tuning job, a batch transform, a compilation, a
fleet, people who label, a registry, a market. It takes one to two minutes.
"""

import base64
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.exceptions import ClientError
from console_market import market

from tobo.algorithms.image_classification.recipes import IMAGE
from tobo.cli.demo import recipe_of
from tobo.cli.story.connection import Connection, connected
from tobo.cli.story.photos import Collection, marbles
from tobo.cli.story.rollout import build, plan
from tobo.cli.story.serving import deploy
from tobo.cli.story.training import INSTANCE, Place, create_job, find_place, upload
from tobo.console.reaper_rules import EXAMPLES
from tobo.console.screens.flow_definitions import TEMPLATE
from tobo.edge.outbox import Outbox
from tobo.loop.definition import loop_definition, loop_description, validation_data
from tobo.settings import Settings
from tobo.wire.models import OWN

PHOTOS = 240
TAGS = [{"Key": "project", "Value": "marbles"}, {"Key": "owner", "Value": "line-operators"}]


def build_world(connection: Connection, state: Path) -> None:
    """All of it, in the order of the story."""
    collection = marbles(PHOTOS)
    place = find_place(connection, "marbles")
    upload(connection, place, collection)
    labelling(connection, place)
    learning(connection, place)
    human_review(connection, place)
    own_template(connection, place)
    trainings(connection, place, collection)
    deploy(connection, "marbles-1", place.role)
    traffic(connection, "marbles-1", collection)
    batch(connection, place)
    tuning(connection, place)
    edge(connection, place)
    registry(connection)
    market(connection, place, state)
    improvement(connection, place, collection)
    house(connection)
    notebooks(connection, place)
    people(connection)


def trainings(connection: Connection, place: Place, collection: Collection) -> None:
    """One that ends well, one that is stopped, one whose data is broken."""
    sagemaker = connection.client("sagemaker")
    create_job(connection, place, "marbles-1", collection, recipe_of(False, 4))
    sagemaker.add_tags(
        ResourceArn=sagemaker.describe_training_job(TrainingJobName="marbles-1")["TrainingJobArn"], Tags=TAGS
    )
    _over(lambda: sagemaker.describe_training_job(TrainingJobName="marbles-1"), "TrainingJobStatus")
    connection.client("s3").put_object(
        Bucket=place.bucket, Key="broken/train_lst/train.lst", Body=b"0\t0\tno-such-photo.jpg\n"
    )
    create_job(connection, Place(place.bucket, "broken", place.role), "marbles-broken", collection, recipe_of(False, 2))
    create_job(connection, place, "marbles-too-long", collection, recipe_of(False, 500))
    time.sleep(3)
    sagemaker.stop_training_job(TrainingJobName="marbles-too-long")
    for name in ("marbles-broken", "marbles-too-long"):
        _over(lambda name=name: sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")  # type: ignore[misc]


def traffic(connection: Connection, endpoint: str, collection: Collection) -> None:
    """Requests that are answered, and some that are not."""
    runtime = connection.client("sagemaker-runtime")
    for picture in collection.unseen:
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="image/jpeg", Body=picture.read())
    for _ in range(3):
        with contextlib.suppress(ClientError):
            runtime.invoke_endpoint(EndpointName=endpoint, ContentType="image/jpeg", Body=b"no picture")


def notebooks(connection: Connection, place: Place) -> None:
    """One in service that ran a script, one whose repository cannot be had."""
    sagemaker = connection.client("sagemaker")
    script = "#!/bin/bash\nset -eu\ngit config --global user.name 'Line 1'\ngit config --global pull.rebase true\n"
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="plots",
        OnStart=[{"Content": base64.b64encode(script.encode()).decode()}],
    )
    git = {"RepositoryUrl": "https://127.0.0.1:1/counting.git", "Branch": "main"}
    sagemaker.create_code_repository(CodeRepositoryName="counting", GitConfig=git)
    wanted = {"InstanceType": "ml.t3.medium", "RoleArn": place.role}
    rules = [{"Key": "tobo:idle-stop-minutes", "Value": "60"}, {"Key": "tobo:stop-at", "Value": "20:00"}]
    sagemaker.create_notebook_instance(
        NotebookInstanceName="marbles-lab", LifecycleConfigName="plots", Tags=[*TAGS, *rules], **wanted
    )
    sagemaker.create_notebook_instance(NotebookInstanceName="counting", DefaultCodeRepository="counting", **wanted)
    for name in ("marbles-lab", "counting"):
        _over(
            lambda name=name: sagemaker.describe_notebook_instance(NotebookInstanceName=name), "NotebookInstanceStatus"
        )  # type: ignore[misc]


def house(connection: Connection) -> None:
    """Who is told of what, limits of what may be spent, and rules about what is forgotten, of which one is on."""
    sns, events, budgets = (connection.client(service) for service in ("sns", "events", "budgets"))
    topic = sns.create_topic(Name="line", Attributes={"DisplayName": "Line 1"})["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1:9/hook")
    policy = json.dumps({"rejects": [{"numeric": [">", 5]}]})
    sns.subscribe(
        TopicArn=topic, Protocol="apprise", Endpoint="json://127.0.0.1:9/", Attributes={"FilterPolicy": policy}
    )
    pattern = {"detail-type": ["SageMaker Training Job State Change"], "detail": {"TrainingJobStatus": ["Failed"]}}
    events.put_rule(Name="failed-trainings", EventPattern=json.dumps({"source": ["aws.sagemaker"], **pattern}))
    events.put_targets(Rule="failed-trainings", Targets=[{"Id": "line", "Arn": topic}])
    account = topic.split(":")[4]
    subscribers = [{"SubscriptionType": "SNS", "Address": topic}]
    told = {"NotificationType": "FORECASTED", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    for name, amount, filters in (("marbles", "20", ["user:project$marbles"]), ("all-of-it", "0.01", [])):
        budgets.create_budget(
            AccountId=account,
            Budget={
                "BudgetName": name,
                "BudgetType": "COST",
                "TimeUnit": "MONTHLY",
                "BudgetLimit": {"Amount": amount, "Unit": "USD"},
                "CostFilters": {"TagKeyValue": filters} if filters else {},
            },
            NotificationsWithSubscribers=[{"Notification": told, "Subscribers": subscribers}],
            ResourceTags=[{"Key": "tobo:refuse", "Value": "true"}] if filters else [],
        )
    reaping(connection, topic)


def reaping(connection: Connection, topic: str) -> None:
    """A week of grace: nobody who looks at this world shall lose its endpoint."""
    reaper = connection.client("tobo-reaper")
    rules = [dict(rule) for _, rule in EXAMPLES.values()]
    rules[0] |= {"GraceMinutes": 10_080, "TopicArn": topic, "Enabled": True}
    for rule in rules:
        reaper.put_rule(Rule=rule)
    while not reaper.list_cases()["Cases"]:
        time.sleep(0.5)


def batch(connection: Connection, place: Place) -> None:
    sagemaker = connection.client("sagemaker")
    sagemaker.create_transform_job(
        TransformJobName="marbles-batch",
        ModelName="marbles-1",
        TransformInput={
            "ContentType": "image/jpeg",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": place.uri("validation/")}},
        },
        TransformOutput={"S3OutputPath": place.uri("batch")},
        TransformResources={"InstanceType": INSTANCE, "InstanceCount": 1},
    )
    _over(lambda: sagemaker.describe_transform_job(TransformJobName="marbles-batch"), "TransformJobStatus")


def tuning(connection: Connection, place: Place) -> None:
    """Eight short trainings of two hyperparameters."""
    sagemaker = connection.client("sagemaker")
    trained = sagemaker.describe_training_job(TrainingJobName="marbles-1")
    fixed = {
        name: value for name, value in trained["HyperParameters"].items() if name not in ("learning_rate", "optimizer")
    }
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="marbles-tuning",
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [
                    {"Name": "learning_rate", "MinValue": "0.0001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
                ],
                "CategoricalParameterRanges": [{"Name": "optimizer", "Values": ["sgd", "adam"]}],
                "IntegerParameterRanges": [{"Name": "mini_batch_size", "MinValue": "8", "MaxValue": "32"}],
            },
        },
        TrainingJobDefinition={
            "StaticHyperParameters": {
                **{name: value for name, value in fixed.items() if name != "mini_batch_size"},
                "epochs": "1",
            },
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": place.role,
            "InputDataConfig": trained["InputDataConfig"],
            "OutputDataConfig": {"S3OutputPath": place.uri("output")},
            "ResourceConfig": {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )
    name = "marbles-tuning"
    _over(
        lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
        "HyperParameterTuningJobStatus",
    )


def edge(connection: Connection, place: Place) -> None:
    """A compiled model, packaged, on its way to the first of two devices."""
    sagemaker = connection.client("sagemaker")
    version = build(connection, place, "marbles-1", "1.0", "rasp4b")
    sagemaker.create_device_fleet(
        DeviceFleetName="line", RoleArn=place.role, OutputConfig={"S3OutputLocation": place.uri("fleet")}
    )
    sagemaker.register_devices(
        DeviceFleetName="line",
        Devices=[{"DeviceName": f"line-{number}", "Description": "Kitchen"} for number in (1, 2)],
    )
    plan(connection, "marbles-1-0", "line", version, [["line-1"], ["line-2"]])
    sagemaker.start_edge_deployment_stage(EdgeDeploymentPlanName="marbles-1-0", StageName="stage-1")
    heartbeats(connection)
    frames(connection, place)


def heartbeats(connection: Connection) -> None:
    """What the first device did in the last half hour; its scores drift at the end."""
    device = connection.client("sagemaker-edge")
    now = time.time() // 60 * 60
    for minute in range(30):
        at = now - (29 - minute) * 60
        told = [("Decisions", 90.0 + minute % 7), ("Rejects", 3.0 + minute % 4), ("ScoreDrift", 0.05 + minute * 0.006)]
        metrics = [{"MetricName": name, "Value": value, "Timestamp": at} for name, value in told]
        metrics += [
            {"MetricName": "Latency", "Value": value + minute % 3, "Timestamp": at, "Dimension": name}
            for name, value in (("p50", 9.0), ("p99", 14.0))
        ]
        device.send_heartbeat(
            AgentVersion="1.0",
            DeviceName="line-1",
            DeviceFleetName="line",
            AgentMetrics=metrics,
            Models=[{"ModelName": "marbles", "ModelVersion": "0.9", "LatestInference": at}],
        )


def frames(connection: Connection, place: Place) -> None:
    """What the first device kept and sent home, from its outbox."""
    s3 = connection.client("s3")

    class Home:
        def put(self, uri: str, body: bytes, content_type: str) -> None:
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)

    about = {"at": time.time(), "number": 2718, "verdict": "ko", "reason": "class", "label": "ko", "margin": 0.12}
    about |= {"scores": {"ko": 0.56, "ok": 0.44}, "kept": "margin"}
    counts = {"kind": "counts", "from": time.time() - 60, "at": time.time(), "decisions": 95, "rejects": 5, "late": 0}
    with TemporaryDirectory() as folder:
        outbox = Outbox(Path(folder), 1 << 24)
        for id in outbox.append([{**counts, "labels": {"ok": 90, "ko": 5}}, {"kind": "frame", **about}])[1:]:
            outbox.keep(id, marbles(40).unseen[1].read(), {"id": id, **about})
        outbox.send(Home(), place.uri("fleet/line/line-1/"))  # type: ignore[arg-type]


def people(connection: Connection) -> None:
    """Somebody who may only look."""
    iam = connection.client("iam")
    iam.create_user(UserName="watcher")
    allowed = {
        "Effect": "Allow",
        "Action": ["sagemaker:List*", "sagemaker:Describe*", "s3:Get*", "s3:List*"],
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="watcher", PolicyName="look", PolicyDocument=document)
    iam.create_access_key(UserName="watcher")


def labelling(connection: Connection, place: Place) -> None:
    """Three people at one job: most agree, of some a reviewer has to decide, and there is more to do."""
    instructions = "ko: chipped, cracked or dirty. When in doubt, skip."
    categories = {"review": {"below": 0.7}, "instructions": {"shortInstruction": instructions}}
    arn = _labelling_job(connection, place, "marbles-by-hand", "validation/", 3, categories)
    for person, careless in (("ann", 0), ("bob", 9), ("eve", 3)):
        for number, task in enumerate(_claimed(_worker(connection, person), arn, 24)):
            truth = _truth(task)
            wrong = careless and number % careless == 2
            _say(_worker(connection, person), arn, task, {"ok": "ko", "ko": "ok"}[truth] if wrong else truth, number)


def learning(connection: Connection, place: Place) -> None:
    """A job with a machine's help, from its first round to its model."""
    algorithm = "arn:aws:sagemaker:us-east-1:027400017018:labeling-job-algorithm-specification/image-classification"
    config = {"LabelingJobAlgorithmSpecificationArn": algorithm}
    arn = _labelling_job(
        connection,
        place,
        "marbles-with-help",
        "train/",
        1,
        {"machine": {"accuracy": 0.8}},
        LabelingJobAlgorithmsConfig=config,
    )
    ann = _worker(connection, "ann")
    with contextlib.suppress(ann.exceptions.TaskGone):  # the job is over when it asks for nothing more
        while ann.describe_learning(LabelingJobArn=arn)["Phase"] != "Over":
            for number, task in enumerate(ann.claim_tasks(LabelingJobArn=arn, MaxResults=50)["Tasks"]):
                _say(ann, arn, task, _truth(task), number)
            time.sleep(0.2)


def _labelling_job(
    connection: Connection, place: Place, name: str, source: str, workers: int, categories: dict[str, Any], **more: Any
) -> str:
    """The ARN of a new job that asks whether marbles are whole."""
    key = f"categories/{name}.json"
    body = json.dumps({"labels": [{"label": "ok"}, {"label": "ko"}], **categories}).encode()
    connection.client("s3").put_object(Bucket=place.bucket, Key=key, Body=body)
    functions = "arn:aws:lambda:us-east-1:432418664414:function"
    created = connection.client("sagemaker").create_labeling_job(
        LabelingJobName=name,
        LabelAttributeName="label",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": place.uri(source)}}},
        OutputConfig={"S3OutputPath": place.uri("labelled")},
        RoleArn=place.role,
        LabelCategoryConfigS3Uri=f"s3://{place.bucket}/{key}",
        HumanTaskConfig={
            "WorkteamArn": team(connection),
            "UiConfig": {},
            "PreHumanTaskLambdaArn": f"{functions}:PRE-ImageMultiClass",
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f"{functions}:ACS-ImageMultiClass"},
            "TaskTitle": "Whole or not?",
            "TaskDescription": "Is the marble whole?",
            "NumberOfHumanWorkersPerDataObject": workers,
            "TaskTimeLimitInSeconds": 300,
        },
        **more,
    )
    return str(created["LabelingJobArn"])


def _truth(task: dict[str, Any]) -> str:
    """A picture's folder is its class."""
    return str(json.loads(task["Source"])["source-ref"].split("/")[-2])


def _say(worker: Any, arn: str, task: dict[str, Any], label: str, number: int) -> None:
    body = json.dumps({"label": label})
    seconds = 1.1 + number % 7 * 0.3
    worker.answer_task(LabelingJobArn=arn, ItemNumber=task["ItemNumber"], Body=body, Seconds=seconds)


def human_review(connection: Connection, place: Place) -> None:
    """A team that looks at doubtful marbles: of some it has said what they are, others wait."""
    sagemaker, a2i = connection.client("sagemaker"), connection.client("sagemaker-a2i-runtime")
    ui = sagemaker.create_human_task_ui(HumanTaskUiName="marbles", UiTemplate={"Content": TEMPLATE})
    flow = sagemaker.create_flow_definition(
        FlowDefinitionName="doubtful-marbles",
        HumanLoopConfig={
            "WorkteamArn": team(connection),
            "HumanTaskUiArn": ui["HumanTaskUiArn"],
            "TaskTitle": "Doubtful marbles",
            "TaskDescription": "The model is unsure: is the marble whole?",
            "TaskCount": 1,
        },
        OutputConfig={"S3OutputPath": place.uri("reviewed")},
        RoleArn=place.role,
    )["FlowDefinitionArn"]
    _over(lambda: sagemaker.describe_flow_definition(FlowDefinitionName="doubtful-marbles"), "FlowDefinitionStatus")
    photos = connection.client("s3").list_objects_v2(Bucket=place.bucket, Prefix="marbles/validation/")["Contents"]
    for number, photo in enumerate(photos[:9]):
        content = {"taskObject": f"s3://{place.bucket}/{photo['Key']}", "prediction": [0.45, 0.55], "confidence": 0.55}
        a2i.start_human_loop(
            HumanLoopName=f"marble-{number}",
            FlowDefinitionArn=flow,
            HumanLoopInput={"InputContent": json.dumps(content)},
        )
    for task in _claimed(_worker(connection, "ann"), flow, 3):
        _worker(connection, "ann").answer_task(
            LabelingJobArn=flow, ItemNumber=task["ItemNumber"], Body='{"class": {"label": "ok"}}', Seconds=2.3
        )


def own_template(connection: Connection, place: Place) -> None:
    """A job whose workers see a page of its author's."""
    template = """<crowd-form>
  <crowd-image-classifier name="marble" src="{{ task.input.taskObject | grant_read_access }}" header="How is this marble?"
    categories='["whole", "chipped", "cracked", "dirty"]'>
    <short-instructions>Turn it in your mind: a chip is at the rim, a crack goes through.</short-instructions>
    <full-instructions header="What counts as dirty"><p>Dust and fingerprints do not; paint does.</p></full-instructions>
  </crowd-image-classifier>
  <crowd-slider name="sure" label="How sure are you?" min="0" max="10" value="5"></crowd-slider>
  <crowd-checkbox name="seen" value="glare">Glare</crowd-checkbox><crowd-checkbox name="seen" value="blur">Blur</crowd-checkbox>
  <crowd-input name="note" label="What else is odd about it?"></crowd-input>
</crowd-form>"""
    address = place.uri("templates/marble.liquid.html")
    key = address.removeprefix(f"s3://{place.bucket}/")
    connection.client("s3").put_object(Bucket=place.bucket, Key=key, Body=template.encode())
    connection.client("sagemaker").create_labeling_job(
        LabelingJobName="marbles-in-words",
        LabelAttributeName="marble",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": place.uri("validation/")}}},
        OutputConfig={"S3OutputPath": place.uri("described")},
        RoleArn=place.role,
        HumanTaskConfig={
            "WorkteamArn": team(connection),
            "UiConfig": {"UiTemplateS3Uri": address},
            "TaskTitle": "How is this marble?",
            "TaskDescription": "A class, and what else there is to say.",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 300,
        },
    )


@cache
def team(connection: Connection) -> str:
    """The ARN of a team of one person, who signs in with a password."""
    sagemaker, cognito = connection.client("sagemaker"), connection.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="workers")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="labelling")["UserPoolClient"]["ClientId"]
    cognito.create_group(UserPoolId=pool, GroupName="line")
    cognito.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="ada", GroupName="line")
    members = [{"CognitoMemberDefinition": {"UserPool": pool, "UserGroup": "line", "ClientId": client}}]
    made = sagemaker.create_workteam(WorkteamName="line", Description="At the belt", MemberDefinitions=members)
    return str(made["WorkteamArn"])


@cache
def _worker(connection: Connection, name: str) -> Any:
    """A client of tobo-labeling in the name of a new user."""
    iam = connection.client("iam")
    iam.create_user(UserName=name)
    allowed = {"Effect": "Allow", "Action": "tobo-labeling:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=name, PolicyName="label", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.session.Session().client(
        "tobo-labeling",
        region_name="us-east-1",
        endpoint_url=iam.meta.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def _claimed(worker: Any, arn: str, count: int) -> list[dict[str, Any]]:
    while not (tasks := worker.claim_tasks(LabelingJobArn=arn, MaxResults=count)["Tasks"]):
        time.sleep(0.1)
    return list(tasks)


def registry(connection: Connection) -> None:
    """Two versions, of which one is approved."""
    sagemaker = connection.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName="marbles-1")
    sagemaker.create_model_package_group(
        ModelPackageGroupName="marbles", ModelPackageGroupDescription="Whole marbles and others"
    )
    container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    metrics = {one["MetricName"].replace(":", " "): f"{one['Value']:.4g}" for one in job["FinalMetricDataList"]}
    arns = [
        sagemaker.create_model_package(
            ModelPackageGroupName="marbles",
            ModelPackageDescription=words,
            InferenceSpecification={"Containers": [container]},
            CustomerMetadataProperties={"training job": "marbles-1", **metrics},
        )["ModelPackageArn"]
        for words in ("The first one", "With the metallic ones")
    ]
    sagemaker.update_model_package(
        ModelPackageArn=arns[0], ModelApprovalStatus="Approved", ApprovalDescription="Nothing missed in a day's marbles"
    )


def improvement(connection: Connection, place: Place, collection: Collection) -> None:
    """A loop that has learned what a person said of new frames."""
    s3, sagemaker = connection.client("s3"), connection.client("sagemaker")
    truth = {place.uri(f"new/{one.name}"): one.name.split("/")[0] for one in collection.unseen}
    for one in collection.unseen:
        s3.put_object(Bucket=place.bucket, Key=f"{place.prefix}/new/{one.name}", Body=one.read())
    lines = "".join(json.dumps({"source-ref": address}) + "\n" for address in truth)
    s3.put_object(Bucket=place.bucket, Key="new.manifest", Body=lines.encode())
    described = sagemaker.describe_labeling_job(LabelingJobName="marbles-by-hand")
    asked = {name: described[name] for name in ("LabelAttributeName", "OutputConfig", "RoleArn", "HumanTaskConfig")}
    asked["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = 1
    arn = sagemaker.create_labeling_job(
        LabelingJobName="new-frames",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{place.bucket}/new.manifest"}}},
        LabelCategoryConfigS3Uri=described["LabelCategoryConfigS3Uri"],
        **asked,
    )["LabelingJobArn"]
    left = len(truth)
    while left:
        for task in _claimed(_worker(connection, "ann"), arn, 10):
            said = {"label": truth[json.loads(task["Source"])["source-ref"]]}
            given = {"LabelingJobArn": arn, "ItemNumber": task["ItemNumber"], "Body": json.dumps(said), "Seconds": 1.0}
            _worker(connection, "ann").answer_task(**given)
            left -= 1
    job = sagemaker.describe_training_job(TrainingJobName="marbles-1")
    text = loop_definition(job, "marbles", validation_data(job), place.uri("loop"))
    name, words = "improve-marbles", loop_description("marbles-1")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, PipelineDescription=words, RoleArn=place.role)
    given = [{"Name": "LabelingJob", "Value": "new-frames"}]
    arn = sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given)["PipelineExecutionArn"]
    while sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Executing":
        time.sleep(0.5)


def _over(describe: Callable[[], dict[str, Any]], member: str) -> None:
    while describe()[member] in ("Initializing", "InProgress", "Stopping", "Pending"):
        time.sleep(0.5)


def main(arguments: Sequence[str]) -> None:
    os.environ["AWS_DATA_PATH"] = str(OWN)  # the workers' service is tobo's own
    if arguments[:1] == ["--screenshots"]:
        from screenshots import take_all

        with TemporaryDirectory() as state, connected(Settings.read(state=Path(state))) as connection:
            build_world(connection, Path(state))
            take_all(Path(state), Path(arguments[1]), arguments[2:])
    else:
        with connected(Settings.read(state=Path(arguments[0]))) as connection:
            build_world(connection, Path(arguments[0]))
        print(f"There is a world in {arguments[0]}. Serve it: tobo serve --state {arguments[0]}")


if __name__ == "__main__":
    main(sys.argv[1:])
