"""What can be searched: the resources of the Search operation, where their rows are, and how a result is told."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tobo.kit.arn import sagemaker_arn
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.store.base import Key, Query, Row, every_row


@dataclass(frozen=True)
class Entity:
    """A searchable resource. `member` is its place in a SearchRecord, `shape` its shape there, `noun` its word in names.

    `described`: its properties are those of its Describe answer, which is made for each row that is looked at: for kinds
    of which there are few. Else they are read from the row as it is stored.
    """

    kind: str
    noun: str
    member: str
    shape: str
    described: bool = False

    @property
    def name_member(self) -> str:
        return f"{self.noun}Name"


ENTITIES: Mapping[str, Entity] = {
    "TrainingJob": Entity("training-job", "TrainingJob", "TrainingJob", "TrainingJob"),
    "HyperParameterTuningJob": Entity(
        "hyper-parameter-tuning-job",
        "HyperParameterTuningJob",
        "HyperParameterTuningJob",
        "HyperParameterTuningJobSearchEntity",
        described=True,
    ),
    "Endpoint": Entity("endpoint", "Endpoint", "Endpoint", "Endpoint", described=True),
    "Model": Entity("model", "Model", "Model", "Model"),
    "Experiment": Entity("experiment", "Experiment", "Experiment", "Experiment"),
    "ExperimentTrial": Entity("experiment-trial", "Trial", "Trial", "Trial"),
    "ExperimentTrialComponent": Entity(
        "experiment-trial-component", "TrialComponent", "TrialComponent", "TrialComponent"
    ),
}
"""By ResourceType."""


def entity_of(resource: str) -> Entity:
    """Raises Fault ValidationException for a resource of which nothing is built."""
    if resource not in ENTITIES:
        raise validation(f"Resource {resource} is not searched here; those that are: {', '.join(ENTITIES)}.")
    return ENTITIES[resource]


@dataclass(frozen=True)
class Candidate:
    """A row whose properties are asked; `answer` is its description where its entity is `described`."""

    entity: Entity
    row: Row
    answer: Mapping[str, Any] | None = None

    def top(self, name: str) -> Any:
        """A top-level property, None where there is none; Metrics and Parameters by their names, Tags by their keys."""
        row = self.row
        if name == "Tags":
            return row.tags
        if name == "Parents":
            return row.found.get("_parents")
        if name == "Metrics":
            if self.entity.member == "TrainingJob":
                return {metric["MetricName"]: metric["Value"] for metric in row.found.get("FinalMetricDataList", ())}
            return {metric["MetricName"]: metric for metric in row.found.get("Metrics", ())}
        if name == "Parameters":
            return {
                key: value.get("NumberValue", value.get("StringValue"))
                for key, value in row.asked.get("Parameters", {}).items()
            }
        if self.answer is not None:
            return self.answer.get(name)
        if name in row.found:
            return row.found[name]
        return row.asked[name] if name in row.asked else self._of_row(name)

    def _of_row(self, name: str) -> Any:
        row, noun = self.row, self.entity.noun
        match name:
            case "CreationTime":
                return row.created
            case "LastModifiedTime":
                return row.modified
            case _:
                return {f"{noun}Name": row.key.name, f"{noun}Arn": row.arn, f"{noun}Status": row.status}.get(name)


def members_of(entity: Entity, tops: Iterable[str]) -> tuple[str, ...]:
    """The members of a row that Candidate.top reads for these names, and `record` for a result."""
    if entity.described:
        return ()
    metrics = "FinalMetricDataList" if entity.member == "TrainingJob" else "Metrics"
    stored = {"Metrics": metrics, "Parents": "_parents"}
    told = ("_parents", "_source") if entity.member == "TrialComponent" else ()
    every_row_has = {"Tags", *(f"{entity.noun}{word}" for word in ("Name", "Arn", "Status"))}
    return tuple(sorted({*told, *(stored.get(top, top) for top in tops if top not in every_row_has)}))


def components_of(call: Call, experiment: str | None, trial: str | None) -> Iterator[Row]:
    """The trial components of a trial or an experiment, found by the index that their membership has."""
    store = call.context.store
    if experiment is not None:
        found = store.find_arn(sagemaker_arn(call.space, "experiment", experiment))
        if found is None:
            return
        experiment = found.key.name
    prefix = f"{experiment} "
    if trial is not None:
        found = store.find_arn(sagemaker_arn(call.space, "experiment-trial", trial))
        if found is None or experiment not in (None, found.asked["ExperimentName"]):
            return
        prefix = f"{found.asked['ExperimentName']} {found.key.name} "
    query = Query(call.space, "experiment-trial-member", name_prefix=prefix, limit=1000)
    for name in dict.fromkeys(member.asked["TrialComponentName"] for member in every_row(store, query)):
        if (component := store.get(Key(call.space, "experiment-trial-component", name))) is not None:
            yield component


def candidate(call: Call, entity: Entity, row: Row) -> Candidate | None:
    """None where the row was deleted in the meantime."""
    if not entity.described:
        return Candidate(entity, row)
    answer = _describe(call, entity, row)
    return None if answer is None else Candidate(entity, row, answer)


def record(call: Call, found: Candidate) -> dict[str, Any] | None:
    """A SearchRecord: what the resource's Describe answers, its tags, and what only Search tells."""
    row, entity = found.row, found.entity
    answer = found.answer if found.answer is not None else _describe(call, entity, row)
    if answer is None:
        return None
    told = dict(answer)
    if row.tags:
        told["Tags"] = [{"Key": key, "Value": value} for key, value in sorted(row.tags.items())]
    if entity.member == "Model":
        return {"Model": {"Model": told}}
    if entity.member == "TrialComponent":
        told |= {"Parents": row.found["_parents"]} if row.found.get("_parents") else {}
        told |= {"SourceDetail": {"SourceArn": row.found["_source"]}} if "_source" in row.found else {}
    if entity.member == "Trial":
        told |= _components(call, row)
    return {entity.member: told}


def _describe(call: Call, entity: Entity, row: Row) -> Mapping[str, Any] | None:
    # As the house: who may search sees what is found, as on AWS.
    asked = {entity.name_member: row.key.name}
    try:
        found: Mapping[str, Any] = call.context.as_house(call.space, "sagemaker", f"Describe{entity.noun}", **asked)
    except Fault:
        return None
    return found


def _components(call: Call, trial: Row) -> dict[str, Any]:
    listed = call.context.as_house(
        call.space, "sagemaker", "ListTrialComponents", TrialName=trial.key.name, MaxResults=100
    )["TrialComponentSummaries"]
    names = ("TrialComponentName", "TrialComponentArn", "TrialComponentSource", "CreationTime", "CreatedBy")
    return (
        {"TrialComponentSummaries": [{name: summary[name] for name in names if name in summary} for summary in listed]}
        if listed
        else {}
    )
