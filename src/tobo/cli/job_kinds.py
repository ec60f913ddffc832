"""The kinds of jobs, and how each is listed, described and stopped through the API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tobo.cli.client import fail

OVER = frozenset({"Completed", "Failed", "Stopped"})


class Kind(StrEnum):
    """What --kind takes."""

    training = "training"
    tuning = "tuning"
    transform = "transform"
    processing = "processing"
    compilation = "compilation"


_WORDS = {word.upper(): word for word in ("Starting", "InProgress", "Completed", "Failed", "Stopping", "Stopped")}


@dataclass(frozen=True)
class JobKind:
    """`noun` in the API's words; `group` is the log group, "" where jobs of the kind have no log of their own.

    `capitals`: the API writes this kind's statuses in capitals; here they are written as all others.
    """

    noun: str
    python: str
    group: str = ""
    capitals: bool = False

    def describe(self, sagemaker: Any, name: str) -> dict[str, Any] | None:
        """The description, None where there is no such job."""
        from botocore.exceptions import ClientError

        try:
            found: dict[str, Any] = getattr(sagemaker, f"describe_{self.python}")(**{f"{self.noun}Name": name})
        except ClientError as error:
            if _is_missing(error):
                return None
            raise
        return found

    def stop(self, sagemaker: Any, name: str) -> None:
        getattr(sagemaker, f"stop_{self.python}")(**{f"{self.noun}Name": name})

    def summaries(self, sagemaker: Any, filters: Mapping[str, Any], limit: int) -> Iterator[dict[str, Any]]:
        """The newest first, at most `limit`; none where the server has no such jobs."""
        from botocore.exceptions import ClientError

        listing = getattr(sagemaker, f"list_{self.python}s")
        if self.capitals and "StatusEquals" in filters:
            filters = {**filters, "StatusEquals": str(filters["StatusEquals"]).upper()}
        token: dict[str, str] = {}
        while limit > 0:
            asked = {**filters, **token, "SortBy": "CreationTime", "SortOrder": "Descending"}
            try:
                page = listing(MaxResults=min(limit, 100), **asked)
            except ClientError as error:
                if error.response["Error"]["Code"] == "NotImplemented":
                    return
                raise
            found = page[f"{self.noun}Summaries"]
            yield from found
            limit -= len(found)
            if "NextToken" not in page:
                return
            token = {"NextToken": page["NextToken"]}

    def name(self, job: Mapping[str, Any]) -> str:
        return str(job[f"{self.noun}Name"])

    def status(self, job: Mapping[str, Any]) -> str:
        told = str(job[f"{self.noun}Status"])
        return _WORDS.get(told, told) if self.capitals else told

    def end(self, job: Mapping[str, Any]) -> Any:
        """When it was over, None before."""
        names = (
            "TrainingEndTime",
            "HyperParameterTuningEndTime",
            "TransformEndTime",
            "ProcessingEndTime",
            "CompilationEndTime",
        )
        return next((job[name] for name in names if name in job), None)


KINDS: Mapping[Kind, JobKind] = {
    Kind.training: JobKind("TrainingJob", "training_job", "/aws/sagemaker/TrainingJobs"),
    Kind.tuning: JobKind("HyperParameterTuningJob", "hyper_parameter_tuning_job"),
    Kind.transform: JobKind("TransformJob", "transform_job", "/aws/sagemaker/TransformJobs"),
    Kind.processing: JobKind("ProcessingJob", "processing_job", "/aws/sagemaker/ProcessingJobs"),
    Kind.compilation: JobKind("CompilationJob", "compilation_job", "/aws/sagemaker/CompilationJobs", capitals=True),
}


def find_job(sagemaker: Any, name: str, kind: Kind | None) -> tuple[Kind, dict[str, Any]]:
    """The job of this name, whatever kind it is; ends the command where there is none, or several and no kind is given."""
    found = [
        (one, job)
        for one, of in KINDS.items()
        if kind in (None, one) and (job := of.describe(sagemaker, name)) is not None
    ]
    if not found:
        fail(f"There is no {f'{kind} ' if kind else ''}job '{name}'; `tobo jobs` lists those that are there.")
    if len(found) > 1:
        kinds = " and a ".join(one for one, _ in found)
        fail(f"There is a {kinds} job '{name}'; say which one you mean with --kind.")
    return found[0]


def _is_missing(error: Any) -> bool:
    """Each kind has an error of its own for a name that is not there."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return code in ("ResourceNotFound", "NotImplemented") or "not found" in message or "Could not find" in message
