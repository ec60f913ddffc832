"""GetDeviceRegistration and GetDeployments. Source of members: API reference, Amazon SageMaker Edge Manager."""

from typing import Any

import orjson

from tobo.operations.context import Call
from tobo.operations.edge import OPEN, UNDO, device_resource, device_row, fleet_folder, told_to
from tobo.operations.registry import Asked, operation
from tobo.operations.signing import public_keys
from tobo.store.base import Row

_CACHE_SECONDS = 300


@operation("sagemaker-edge", "GetDeviceRegistration", resource=device_resource)
def get_device_registration(call: Call, asked: Asked) -> dict[str, Any]:
    """Where in S3 the device leaves what it sends home, and the public keys that bundles may be signed with.

    Raises Fault ResourceNotFound.
    """
    fleet, name = asked["DeviceFleetName"], asked["DeviceName"]
    device_row(call, fleet, name)
    described = call.context.as_house(call.space, "sagemaker", "DescribeDeviceFleet", DeviceFleetName=fleet)
    told = {
        "outputS3Uri": f"{fleet_folder(described['OutputConfig']['S3OutputLocation'], fleet, name)}/",
        "signingKeys": public_keys(call.context.settings.state, call.space.account),
    }
    return {"DeviceRegistration": orjson.dumps(told).decode(), "CacheTTL": str(_CACHE_SECONDS)}


@operation("sagemaker-edge", "GetDeployments", resource=device_resource)
def get_deployments(call: Call, asked: Asked) -> dict[str, Any]:
    """The newest command that the device has not answered, if there is one; the same answer until it has.

    State UNDEPLOY has a name of its own, so that the answer to the deployment is not taken for the answer to it.
    Raises Fault ResourceNotFound.
    """
    fleet, name = asked["DeviceFleetName"], asked["DeviceName"]
    device_row(call, fleet, name)
    newest = next(told_to(call.context, call.space, fleet, name), None)
    return {"Deployments": [_command(newest)] if newest is not None and newest.state in OPEN else []}


def _command(told: Row) -> dict[str, Any]:
    undo = told.state == "RollingBack"
    return {
        "DeploymentName": told.key.name.split("/")[0] + (UNDO if undo else ""),
        "Type": "Model",
        "FailureHandlingPolicy": told.asked["FailureHandlingPolicy"],
        "Definitions": [
            {
                "ModelHandle": model["handle"],
                "S3Url": model["uri"],
                "Checksum": {"Type": "SHA1", "Sum": model["sha1"]},
                "State": "UNDEPLOY" if undo else "DEPLOY",
            }
            for model in told.asked["Models"]
        ],
    }
