"""The SM_* variables of a training script, from the files of the container contract.

Names and forms are those of sagemaker-training-toolkit 5.1 (`environment.Environment.to_env_vars`).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tobo.frameworks import arguments
from tobo.kit.paths import MlPaths

_DEFAULT_LOG_LEVEL = 20


def training_variables(paths: MlPaths, given: Mapping[str, str], framework_module: str) -> dict[str, str]:
    """All SM_* variables of the job below `paths`; `given` is the environment that the process was started with."""
    decoded = arguments.decode(_read(paths.hyperparameters))
    hyperparameters = arguments.users(decoded)
    resources, channels = _read(paths.resource_config), _read(paths.input_data_config)
    entry_point = given.get("SAGEMAKER_PROGRAM") or decoded.get("sagemaker_program")
    host, group = resources["current_host"], resources["current_group_name"]
    groups = {one["instance_group_name"]: one for one in resources["instance_groups"]}
    own = {
        "channel_input_dirs": {name: str(paths.channel(name)) for name in channels},
        "current_host": host,
        "current_instance_group": group,
        "current_instance_group_hosts": groups[group]["hosts"],
        "current_instance_type": resources["current_instance_type"],
        "distribution_instance_groups": [],
        "framework_module": framework_module or None,
        "hosts": resources["hosts"],
        "input_config_dir": str(paths.config),
        "input_data_config": channels,
        "input_dir": str(paths.input),
        "instance_groups": list(groups),
        "instance_groups_dict": groups,
        "is_hetero": len(groups) > 1,
        "log_level": decoded.get("sagemaker_container_log_level", _DEFAULT_LOG_LEVEL),
        "model_dir": str(paths.model),
        "module_dir": str(given.get("SAGEMAKER_SUBMIT_DIRECTORY") or decoded.get("sagemaker_submit_directory", "")),
        "module_name": str(entry_point or "").removesuffix(".py"),
        "network_interface_name": resources["network_interface_name"],
        "num_cpus": int(given.get("SM_NUM_CPUS") or os.cpu_count() or 1),
        "num_gpus": int(given.get("SM_NUM_GPUS") or 0),
        "num_neurons": 0,
        "output_data_dir": str(paths.output_data),
        "output_dir": str(paths.output),
        "output_intermediate_dir": str(paths.output / "intermediate"),
        "resource_config": resources,
        "user_entry_point": entry_point,
    }
    environment = own | {
        "additional_framework_parameters": arguments.framework_parameters(decoded),
        "distribution_hosts": resources["hosts"],
        "hyperparameters": hyperparameters,
        "is_master": host == sorted(resources["hosts"])[0],
        "is_modelparallel_enabled": None,
        "is_smddpmprun_installed": False,
        "is_smddprun_installed": False,
        "job_name": given.get("TRAINING_JOB_NAME"),
        "master_hostname": sorted(resources["hosts"])[0],
        "topology": [],
    }
    del own["channel_input_dirs"]
    return arguments.variables(
        own
        | {f"channel_{name}": str(paths.channel(name)) for name in channels}
        | {f"hp_{name}": value for name, value in hyperparameters.items()}
        | {
            "channels": sorted(channels),
            "framework_params": arguments.framework_parameters(decoded),
            "hps": hyperparameters,
            "training_env": environment,
            "user_args": arguments.arguments(hyperparameters),
        }
    )


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found
