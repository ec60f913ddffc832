"""The container contract of one job: its folders, configuration files and environment.

Source: SageMaker Developer Guide, "How Amazon SageMaker AI provides training information".
"""

import os
from collections.abc import Mapping
from typing import Any

import orjson

from tobo.compute.instances import instance
from tobo.kit.paths import MlPaths
from tobo.operations.context import Context
from tobo.operations.images import Image, asked_environment
from tobo.operations.job_process import JobProcess
from tobo.store.base import Row

HOST, GROUP_NAME = "algo-1", "homogeneousCluster"

PROCESS = JobProcess("jobs", "/aws/sagemaker/TrainingJobs", HOST, grace=120.0)
"""The grace is that of the API reference, StopTrainingJob."""


def write_configuration(paths: MlPaths, row: Row) -> None:
    """hyperparameters.json, resourceconfig.json, inputdataconfig.json and the metadata that SDKs read inside jobs."""
    paths.make()
    (paths.output / "intermediate").mkdir(exist_ok=True)
    asked = row.asked
    machine = asked["ResourceConfig"]
    channels = {channel["ChannelName"]: _channel(channel) for channel in asked.get("InputDataConfig", [])}
    for file, content in (
        (paths.hyperparameters, asked.get("HyperParameters", {})),
        (
            paths.resource_config,
            {
                "current_host": HOST,
                "hosts": [HOST],
                "current_instance_type": machine["InstanceType"],
                "current_group_name": GROUP_NAME,
                "instance_groups": [
                    {"instance_group_name": GROUP_NAME, "instance_type": machine["InstanceType"], "hosts": [HOST]}
                ],
                "network_interface_name": "lo",
            },
        ),
        (paths.input_data_config, channels),
        (
            paths.metadata / "resource-metadata.json",
            {"ResourceArn": row.arn, "ResourceName": row.key.name, "ExecutionRoleArn": asked["RoleArn"]},
        ),
    ):
        file.write_bytes(orjson.dumps(content))


def environment(
    context: Context, row: Row, image: Image, paths: MlPaths, credentials: Mapping[str, str]
) -> dict[str, str]:
    """What the job's process, which sees its tree at `paths`, finds; what the user's Environment may say wins over ours."""
    asked = row.asked
    machine = instance(asked["ResourceConfig"]["InstanceType"])
    cpus = max(1, min(int(machine.vcpus), os.cpu_count() or 1))
    channels = [channel["ChannelName"] for channel in asked.get("InputDataConfig", [])]
    hyperparameters = asked.get("HyperParameters", {})
    found = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(paths.root),
        "TOBO_ML_ROOT": str(paths.root),
        "TOBO_FEATURES": str(context.settings.state / "features"),
        "TRAINING_JOB_NAME": row.key.name,
        "TRAINING_JOB_ARN": row.arn,
        "AWS_REGION": row.key.space.region,
        "AWS_DEFAULT_REGION": row.key.space.region,
        "AWS_ENDPOINT_URL": f"http://{context.settings.host}:{context.settings.port}",
        "OMP_NUM_THREADS": str(cpus),
        # Two spinning threads on a busy machine cost more than ten times the work (learning.md).
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONUNBUFFERED": "1",
        "SM_HOSTS": orjson.dumps([HOST]).decode(),
        "SM_CURRENT_HOST": HOST,
        "SM_NUM_CPUS": str(cpus),
        "SM_NUM_GPUS": "0",
        "SM_CHANNELS": orjson.dumps(channels).decode(),
        "SM_HPS": orjson.dumps(hyperparameters).decode(),
        "SM_MODEL_DIR": str(paths.model),
        "SM_OUTPUT_DATA_DIR": str(paths.output_data),
        "SM_INPUT_DIR": str(paths.input),
        "SM_INPUT_CONFIG_DIR": str(paths.config),
        **{f"SM_CHANNEL_{name.upper()}": str(paths.channel(name)) for name in channels},
        **{f"SM_HP_{name.upper()}": value for name, value in hyperparameters.items() if "=" not in name},
        **credentials,
    }
    if context.settings.pretrained:
        found["TOBO_PRETRAINED"] = context.settings.pretrained
    return found | asked_environment(image, asked.get("Environment", {}))


def _channel(channel: Mapping[str, Any]) -> dict[str, Any]:
    source = channel["DataSource"]["S3DataSource"]
    return {
        "TrainingInputMode": channel.get("InputMode", "File"),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
        **({"AttributeNames": source["AttributeNames"]} if "AttributeNames" in source else {}),
    }
