"""What CreateNotebookInstance and UpdateNotebookInstance refuse, and in which words a Describe has what they ask for."""

import importlib.util
from collections.abc import Mapping
from typing import Any

from tobo.compute.instances import instance
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.resources.notebook_instances.rules import check_tags

DEFAULTS: Mapping[str, Any] = {
    "DirectInternetAccess": "Enabled",
    "VolumeSizeInGB": 5,
    "RootAccess": "Enabled",
    "PlatformIdentifier": "notebook-al2-v3",
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
}

_RENAMED = {
    "LifecycleConfigName": "NotebookInstanceLifecycleConfigName",
    "SecurityGroupIds": "SecurityGroups",
}
_DROPPED = {
    "DisassociateLifecycleConfig": "NotebookInstanceLifecycleConfigName",
    "DisassociateDefaultCodeRepository": "DefaultCodeRepository",
    "DisassociateAdditionalCodeRepositories": "AdditionalCodeRepositories",
    "DisassociateAcceleratorTypes": "AcceleratorTypes",
}


def has_notebooks() -> bool:
    """Whether the server has what the extra `notebooks` installs."""
    return all(importlib.util.find_spec(name) is not None for name in ("jupyterlab", "aiohttp", "websockets"))


def check_installed() -> None:
    """Raises Fault ResourceLimitExceeded where the server has no JupyterLab."""
    if not has_notebooks():
        raise Fault(
            "ResourceLimitExceeded",
            "JupyterLab is not installed beside this server; pip install 'tobo[notebooks]' brings it.",
        )


def described(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a request as a Describe has them; None for what it takes away."""
    kept = {_RENAMED.get(name, name): value for name, value in asked.items() if name not in _DROPPED}
    return kept | {member: None for name, member in _DROPPED.items() if asked.get(name)}


def check_request(call: Call, asked: Mapping[str, Any]) -> None:
    """Raises Fault ValidationException for a machine, a script or a repository that is not there."""
    check_tags({tag["Key"]: tag["Value"] for tag in asked.get("Tags", [])})
    if asked.get("AcceleratorTypes"):
        raise validation("AcceleratorTypes: AWS has ended Elastic Inference and there is none here; leave it out.")
    if "InstanceType" in asked:
        instance(asked["InstanceType"])
    if name := asked.get("LifecycleConfigName"):
        call.call("sagemaker", "DescribeNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName=name)
    for repository in repositories(asked):
        if not repository.startswith("https://"):
            call.call("sagemaker", "DescribeCodeRepository", CodeRepositoryName=repository)


def repositories(settings: Mapping[str, Any]) -> list[str]:
    """Addresses or names of code repositories, the default one first."""
    default = settings.get("DefaultCodeRepository")
    return [*([default] if default else []), *(settings.get("AdditionalCodeRepositories") or [])]
