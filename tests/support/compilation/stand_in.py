"""DescribeCompilationJob of rows that a test has inserted, for a server whose own compiler is not to run."""

from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import TABLE, Asked, operation
from tobo.store.base import Key

KIND = "compilation-job"


def describe_compilation_job(call: Call, asked: Asked) -> dict[str, Any]:
    row = call.context.store.get(Key(call.space, KIND, asked["CompilationJobName"]))
    if row is None:
        raise Fault("ResourceNotFound", f"There is no compilation job '{asked['CompilationJobName']}'.")
    return {**row.asked, **row.found, "CompilationJobStatus": row.status}


if ("sagemaker", "DescribeCompilationJob") not in TABLE:
    operation("sagemaker", "DescribeCompilationJob")(describe_compilation_job)
