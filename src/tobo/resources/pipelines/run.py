"""One execution as it is: its definition, its steps' records, and what the functions in their arguments come to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson

from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.context import Context
from tobo.operations.sources import read_object
from tobo.resources.pipelines.definition import Definition, Step, read_definition
from tobo.resources.pipelines.functions import follow_path, function_of, split_path
from tobo.resources.pipelines.step_types import OVER, RESOURCES
from tobo.store.base import Row

Record = dict[str, Any]
"""What is kept of a step that has begun: members of a PipelineExecutionStep, and `_name`, what the resource is asked by."""


@dataclass
class Run:
    """`records` in the order in which the steps began; they are changed by whoever works at them."""

    context: Context
    row: Row
    records: list[Record] = field(default_factory=list)
    _described: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, context: Context, row: Row) -> "Run":
        return cls(context, row, [dict(record) for record in row.found.get("_steps", [])])

    @cached_property
    def definition(self) -> Definition:
        return read_definition(self.row.asked["_definition"])

    @property
    def found(self) -> dict[str, Any]:
        """What the row keeps."""
        return {"_steps": self.records}

    def sagemaker(self, operation: str, **asked: Any) -> Any:
        """Asks by the one door, as the house; raises the operation's Faults."""
        return self.context.as_house(self.row.key.space, "sagemaker", operation, **asked)

    def record(self, name: str) -> Record | None:
        return next((record for record in self.records if record["StepName"] == name), None)

    def ready(self) -> list[Step]:
        """Steps that have not begun and whose needs are met, in the definition's order."""
        begun = {record["StepName"]: record for record in self.records}
        done = {name for name, record in begun.items() if record["StepStatus"] == "Succeeded"}
        return [
            step
            for step in self.definition.steps
            if step.name not in begun and step.needs <= done and self._is_chosen(step, begun)
        ]

    def _is_chosen(self, step: Step, begun: Mapping[str, Record]) -> bool:
        if not step.condition:
            return True
        return bool(begun[step.condition]["Metadata"]["Condition"]["Outcome"] == str(step.branch))

    def waits_for_people(self, record: Record) -> bool:
        """For a labelling job, or for a callback's answer."""
        return self.definition.by_name[record["StepName"]].type in ("LabelingJob", "Callback")

    def running(self) -> list[Record]:
        return [record for record in self.records if record["StepStatus"] not in OVER]

    def name_for(self, step: Step, attempt: int, base: str = "") -> str:
        """The name of what a step makes: the same whenever it is asked for, another one in each attempt."""
        execution = self.row.key.name.rsplit("/", 1)[-1]
        seal = hashlib.sha256(f"{self.row.arn} {step.name} {attempt}".encode()).hexdigest()[:10]
        head = base or f"pipelines-{execution}-{step.name.replace('_', '-').lower()}"
        head = head[: RESOURCES[step.type].longest - 11].rstrip("-")
        return f"{head}-{seal}"

    def resolved(self, value: Any) -> Any:
        """A value with its functions done. Raises Fault where one finds nothing."""
        match function_of(value):
            case "Get":
                return self._get(str(value["Get"]))
            case "Std:Join":
                join = value["Std:Join"]
                return str(self.resolved(join.get("On", ""))).join(_text(self.resolved(one)) for one in join["Values"])
            case "Std:JsonGet":
                return self._json_get(value["Std:JsonGet"])
        if isinstance(value, Mapping):
            return {name: self.resolved(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolved(inner) for inner in value]
        return value

    def _get(self, path: str) -> Any:
        root, *rest = split_path(path)
        if root == "Parameters":
            return self.row.asked["_parameters"][str(rest[0])]
        if root == "Execution":
            return self._execution(str(rest[0]))
        try:
            return follow_path(self._properties(str(rest[0])), rest[1:])
        except LookupError as error:
            raise validation(f"'{path}' is not there: {error.args[0]}.") from None

    def _execution(self, name: str) -> str:
        pipeline, _, execution = self.row.key.name.partition("/")
        return {
            "PipelineName": pipeline,
            "PipelineArn": self.row.arn.rsplit("/execution/", 1)[0],
            "PipelineExecutionId": execution,
            "PipelineExecutionArn": self.row.arn,
            "StartDateTime": datetime.fromtimestamp(self.row.created, UTC).isoformat(),
            "CurrentDateTime": datetime.fromtimestamp(self.context.clock.now(), UTC).isoformat(),
        }[name]

    def _properties(self, name: str) -> Mapping[str, Any]:
        """What Describe answers of a step that is over; read once a look."""
        if name not in self._described:
            record = self.record(name)
            if record is not None and "Callback" in record["Metadata"]:
                return {"OutputParameters": record["_answers"]}
            if record is None or "_name" not in record:
                raise validation(f"The step '{name}' has made nothing that could be asked.")
            resource = RESOURCES[self.definition.by_name[name].type]
            self._described[name] = self.sagemaker(f"Describe{resource.noun}", **{resource.name: record["_name"]})
        return self._described[name]

    def _json_get(self, asked: Mapping[str, Any]) -> Any:
        """A value of a JSON file: a property file of a Processing step, or what lies at S3Uri."""
        file = asked.get("PropertyFile") or {}
        if function_of(file) == "Get":
            _, step, _, name = map(str, split_path(file["Get"]))
            output, path = self.definition.by_name[step].property_files[name]
            properties = self._properties(step)
            try:
                target = follow_path(properties, ["ProcessingOutputConfig", "Outputs", output, "S3Output", "S3Uri"])
            except LookupError:
                raise validation(
                    f"The step '{step}' has no output '{output}', which its property file names."
                ) from None
            uri = parse_s3_uri(str(target), f"output '{output}'").below(*path.split("/"))
        else:
            uri = parse_s3_uri(str(self.resolved(asked.get("S3Uri", ""))), "Std:JsonGet.S3Uri")
        try:
            document = orjson.loads(read_object(self.context.objects, self.row.key.space, uri))
            return follow_path(document, split_path(asked["Path"]))
        except Fault as fault:
            raise validation(f"Std:JsonGet: {fault.message.rstrip('.')} (reading {uri}).") from None
        except ValueError as error:
            raise validation(f"Std:JsonGet: {uri} or the path '{asked['Path']}' cannot be read ({error}).") from None
        except LookupError as error:
            raise validation(f"Std:JsonGet: {uri} has nothing at '{asked['Path']}': {error.args[0]}.") from None


def _text(value: Any) -> str:
    """As JSON writes it, texts without quotes."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
