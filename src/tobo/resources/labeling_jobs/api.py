"""The operations on labelling jobs. Source: API reference, Create/Describe/List/StopLabelingJob."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.jobs import Jobs
from tobo.operations.listing import list_rows
from tobo.operations.registry import operation
from tobo.operations.rows import add_row
from tobo.resources.labeling_jobs import states
from tobo.resources.labeling_jobs.learning import begun, provisional
from tobo.resources.labeling_jobs.requests import check_request, initial_model
from tobo.store.base import Row

KIND = "labeling-job"

LIFETIME = 864_000
"""Seconds that tasks are offered to workers; TaskAvailabilityLifetimeInSeconds' documented default, ten days."""

AT_A_TIME = 1000
"""Items that are offered at a time; MaxConcurrentTaskCount's documented default."""


@operation("sagemaker", "CreateLabelingJob")
def create_labeling_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The classes are read and fixed here. Raises Fault ResourceInUse, ValidationException."""
    kind, categories, template = check_request(call, asked)
    learned = {}
    if config := asked.get("LabelingJobAlgorithmsConfig"):
        model = config.get("InitialActiveLearningModelArn")
        learned["_learning"] = begun(categories.machine_accuracy, initial_model(call, model) if model else "")
    human = {
        "TaskAvailabilityLifetimeInSeconds": LIFETIME,
        "MaxConcurrentTaskCount": AT_A_TIME,
        **asked["HumanTaskConfig"],
    }
    row = add_row(
        call,
        KIND,
        asked["LabelingJobName"],
        {**asked, "HumanTaskConfig": human},
        _taken,
        state="Initializing",
        found={
            "WorkteamArn": human["WorkteamArn"],
            "_type": kind.name,
            "_labels": list(categories.labels),
            "_instructions": categories.instructions,
            "_review_below": categories.review_below,
            "_consolidation": categories.consolidation,
            **learned,
            **({"_template": template.text, "_field": template.field} if template else {}),
            "_audits": categories.audits,
        },
        todo=("load",),
    )
    return {"LabelingJobArn": row.arn}


@operation("sagemaker", "DescribeLabelingJob")
def describe_labeling_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With the counters as they are now."""
    row = JOBS.row(call, asked)
    answer = JOBS.describe(call, asked)
    tags = [{"Key": key, "Value": value} for key, value in row.tags.items()]
    return {**answer, "JobReferenceCode": reference(row), "LabelCounters": counters(call, row), "Tags": tags}


@operation("sagemaker", "ListLabelingJobs")
def list_labeling_jobs(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first unless asked otherwise."""
    return list_rows(call, KIND, asked, "LabelingJobSummaryList", lambda row: _summary(call, row))


@operation("sagemaker", "ListLabelingJobsForWorkteam", resource=lambda call, asked: str(asked["WorkteamArn"]))
def list_labeling_jobs_for_workteam(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Those that name the team, newest first."""
    filters = {name: value for name, value in asked.items() if name != "JobReferenceCodeContains"}
    contained = asked.get("JobReferenceCodeContains")
    answer = list_rows(
        call,
        KIND,
        filters,
        "LabelingJobSummaryList",
        lambda row: _team_summary(call, row),
        where={"WorkteamArn": asked["WorkteamArn"]},
    )
    if contained:
        kept = [one for one in answer["LabelingJobSummaryList"] if contained in one["JobReferenceCode"]]
        answer["LabelingJobSummaryList"] = kept
    return answer


@operation("sagemaker", "StopLabelingJob")
def stop_labeling_job(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was labelled so far becomes the output. Stopping a stopping job changes nothing."""
    return JOBS.stop(call, asked)


def counters(call: Call, row: Row) -> dict[str, int]:
    """LabelCounters: what was labelled, by whom, what cannot be, and what is left."""
    kept = row.found.get("_counters")
    return counters_of(row, kept if isinstance(kept, dict) else call.context.tasks.counts(row.arn))


def counters_of(row: Row, counts: Mapping[str, int]) -> dict[str, int]:
    """LabelCounters of how many items there are in each state; labels that a round's machine gives count while it stands."""
    human, machine, failed = (counts.get(state, 0) for state in ("labelled", "machine", "failed"))
    there = provisional(row)
    return {
        "TotalLabeled": human + machine + there,
        "HumanLabeled": human,
        "MachineLabeled": machine + there,
        "FailedNonRetryableError": failed,
        "Unlabeled": sum(counts.get(state, 0) for state in ("waiting", "open", "conflict")) - there,
    }


def reference(row: Row) -> str:
    """JobReferenceCode: what workers can name the job by."""
    return f"{row.id:08x}"


def _summary(call: Call, row: Row) -> dict[str, Any]:
    human = row.asked["HumanTaskConfig"]
    after = human.get("AnnotationConsolidationConfig", {})
    functions = {
        name: from_[name]
        for name, from_ in (("PreHumanTaskLambdaArn", human), ("AnnotationConsolidationLambdaArn", after))
        if name in from_
    }
    found = {name: row.found[name] for name in ("FailureReason", "LabelingJobOutput") if name in row.found}
    return {
        **JOBS.head(row),
        **found,
        "LabelCounters": counters(call, row),
        "WorkteamArn": human["WorkteamArn"],
        **functions,
        "InputConfig": row.asked["InputConfig"],
    }


def _team_summary(call: Call, row: Row) -> dict[str, Any]:
    counted = counters(call, row)
    return {
        "LabelingJobName": row.key.name,
        "JobReferenceCode": reference(row),
        "WorkRequesterAccountId": row.key.space.account,
        "CreationTime": row.created,
        "LabelCounters": {
            "HumanLabeled": counted["HumanLabeled"],
            "PendingHuman": counted["Unlabeled"],
            "Total": sum(counted.values()) - counted["TotalLabeled"],
        },
        "NumberOfHumanWorkersPerDataObject": row.asked["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"],
    }


def _taken(arn: str) -> Fault:
    return Fault("ResourceInUse", f"There is a labeling job of this name already ({arn}); choose another.")


def _missing(arn: str) -> Fault:
    name = arn.rsplit("/", 1)[-1]
    return Fault("ResourceNotFound", f"There is no labeling job '{name}'; ListLabelingJobs tells those that are there.")


JOBS = Jobs("LabelingJob", KIND, "labeling job", states.TERMINAL, _missing)
