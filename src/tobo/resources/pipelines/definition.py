"""Pipeline definitions: JSON of version 2020-12-01 read into parameters and steps; all that cannot be run is refused.

Source: the JSON schema of pipeline definitions (aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import orjson

from tobo.kit.fault import validation
from tobo.resources.pipelines.conditions import problems_of
from tobo.resources.pipelines.fitting import misfits
from tobo.resources.pipelines.functions import NAMES, functions_in, gets_in, split_path
from tobo.resources.pipelines.step_types import KEYS, MAKING_NOTHING, MORE_KEYS, RESOURCES

VERSION = "2020-12-01"

EXECUTION = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
)
"""What {"Get": "Execution.x"} may ask."""

_TOP = frozenset({"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"})
_PARAMETER = frozenset({"Name", "Type", "DefaultValue", "EnumValues"})
TYPES: Mapping[str, type | tuple[type, ...]] = {"String": str, "Integer": int, "Float": (int, float), "Boolean": bool}


@dataclass(frozen=True)
class Step:
    """`condition` is the Condition step in whose branch it is, "" where in none; it runs where that one's outcome is
    `branch`. `property_files`: (OutputName, FilePath) by PropertyFileName."""

    name: str
    type: str
    arguments: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str = ""
    branch: bool = True
    display_name: str = ""
    description: str = ""
    property_files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    queue: str = ""

    @cached_property
    def needs(self) -> frozenset[str]:
        """The steps that must have succeeded before."""
        read = {str(split_path(path)[1]) for path in gets_in(self.arguments) if path.startswith("Steps.")}
        return frozenset({*self.depends_on, *read, *filter(None, [self.condition])})


@dataclass(frozen=True)
class Definition:
    """`parameters` by name, as they are defined; `steps` in the order of the text, those in branches behind theirs."""

    parameters: Mapping[str, Mapping[str, Any]]
    steps: tuple[Step, ...]
    experiment: Mapping[str, Any]

    @cached_property
    def by_name(self) -> Mapping[str, Step]:
        return {step.name: step for step in self.steps}


@lru_cache(64)
def read_definition(text: str) -> Definition:
    """Raises Fault ValidationException that lists everything which cannot be run here."""
    try:
        document = orjson.loads(text)
    except ValueError as error:
        raise validation(f"PipelineDefinition is not JSON ({error}).") from None
    if not isinstance(document, dict) or document.get("Version") != VERSION:
        raise validation(f'PipelineDefinition has to be a JSON object with "Version": "{VERSION}".')
    document = {key: value for key, value in document.items() if value is not None}  # an SDK's way of saying nothing
    problems = [f"'{key}' is no member of a definition" for key in sorted(document.keys() - _TOP)]
    parameters = _parameters(document.get("Parameters") or [], problems)
    steps = tuple(_steps(document.get("Steps") or [], problems, "", True))
    definition = Definition(parameters, steps, document.get("PipelineExperimentConfig") or {})
    if not problems:
        problems = [*_references(definition)]
    if not steps and not problems:
        problems = ["there are no Steps"]
    if not problems:
        problems = _circles(definition)
    if problems:
        raise validation(f"PipelineDefinition cannot be run here: {'; '.join(problems)}.")
    return definition


def _parameters(given: Any, problems: list[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, dict) or not isinstance(one.get("Name"), str) or one.get("Type") not in TYPES:
            problems.append(f"a parameter has a Name and a Type of {', '.join(TYPES)}: {_short(one)}")
            continue
        name, kind = one["Name"], one["Type"]
        if odd := one.keys() - _PARAMETER:
            problems.append(f"parameter '{name}': {', '.join(sorted(odd))} is no member of a parameter")
        if name in found:
            problems.append(f"there are two parameters '{name}'")
        if "DefaultValue" in one and not _is_a(one["DefaultValue"], kind):
            problems.append(f"parameter '{name}': the DefaultValue {_short(one['DefaultValue'])} is no {kind}")
        found[name] = one
    return found


def _is_a(value: Any, kind: str) -> bool:
    """Whether a JSON value is of a parameter's type; true and false are no numbers."""
    return isinstance(value, TYPES[kind]) and (kind == "Boolean" or not isinstance(value, bool))


def _steps(given: Any, problems: list[str], condition: str, branch: bool) -> Iterator[Step]:
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, dict) or not isinstance(one.get("Name"), str) or not one["Name"]:
            problems.append(f"a step has a Name, a Type and Arguments: {_short(one)}")
            continue
        name, kind, arguments = one["Name"], one.get("Type"), one.get("Arguments")
        place = f"step '{name}'"
        if kind not in RESOURCES and kind not in MAKING_NOTHING:
            problems.append(
                f"{place}: the type {kind} is not built; those that are: {', '.join((*RESOURCES, *MAKING_NOTHING))}"
            )
            continue
        if not isinstance(arguments, dict):
            problems.append(f"{place} has no Arguments")
            continue
        known = KEYS | MORE_KEYS.get(str(kind), frozenset())
        if one.get("CacheConfig") == {"Enabled": False}:
            known |= {"CacheConfig"}
        given_keys = {key for key, value in one.items() if value is not None}
        problems += [f"{place}: {key} is not supported; leave it out" for key in sorted(given_keys - known)]
        depends = one.get("DependsOn") or []
        if not isinstance(depends, list) or not all(isinstance(name, str) for name in depends):
            problems.append(f"{place}: DependsOn has to be a list of steps' names")
            depends = []
        kept = {"Conditions": arguments.get("Conditions", [])} if kind == "Condition" else arguments
        yield Step(
            name,
            str(kind),
            kept,
            tuple(depends),
            condition,
            branch,
            str(one.get("DisplayName") or ""),
            str(one.get("Description") or ""),
            _property_files(one.get("PropertyFiles") or [], place, problems),
            str(one.get("SqsQueueUrl") or ""),
        )
        if kind == "Callback":
            continue  # its arguments are for whoever answers
        if kind == "Condition":
            yield from _branches(name, arguments, problems)
        elif kind == "Fail":
            if arguments.keys() - {"ErrorMessage"}:
                problems.append(f"{place}: the Arguments of Fail are an ErrorMessage and nothing else")
        else:
            problems += [f"{place}: {words}" for words in misfits(str(kind), arguments)]


def _branches(name: str, arguments: Mapping[str, Any], problems: list[str]) -> Iterator[Step]:
    if odd := arguments.keys() - {"Conditions", "IfSteps", "ElseSteps"}:
        problems.append(f"step '{name}': {', '.join(sorted(odd))} is no argument of a Condition")
    conditions = arguments.get("Conditions")
    if not isinstance(conditions, list) or not conditions:
        problems.append(f"step '{name}' has no Conditions")
    else:
        for condition in conditions:
            problems += problems_of(condition, f"step '{name}'")
    yield from _steps(arguments.get("IfSteps") or [], problems, name, True)
    yield from _steps(arguments.get("ElseSteps") or [], problems, name, False)


def _property_files(given: Any, place: str, problems: list[str]) -> dict[str, tuple[str, str]]:
    try:
        return {one["PropertyFileName"]: (one["OutputName"], one["FilePath"]) for one in given}
    except (KeyError, TypeError):
        problems.append(f"{place}: each of PropertyFiles has PropertyFileName, OutputName and FilePath")
        return {}


def _references(definition: Definition) -> Iterator[str]:
    """What names a step, a parameter or a function that is not there."""
    names = [step.name for step in definition.steps]
    yield from (f"there are two steps '{name}'" for name in sorted({name for name in names if names.count(name) > 1}))
    for step in definition.steps:
        place = f"step '{step.name}'"
        yield from (f"{place} depends on '{name}', which is no step" for name in step.depends_on if name not in names)
        yield from _functions(definition, step.arguments, place)
    yield from _functions(definition, definition.experiment, "PipelineExperimentConfig")


def _functions(definition: Definition, value: Any, place: str) -> Iterator[str]:
    for name, argument in functions_in(value):
        if name not in NAMES:
            yield f"{place}: the function {name} is none of {', '.join(NAMES)}"
        elif name == "Std:Join" and not (isinstance(argument, dict) and isinstance(argument.get("Values"), list)):
            yield f"{place}: Std:Join has to have On and a list of Values"
        elif name == "Std:JsonGet" and not (isinstance(argument, dict) and isinstance(argument.get("Path"), str)):
            yield f"{place}: Std:JsonGet has to have a PropertyFile or S3Uri, and a Path"
    for path in gets_in(value):
        if words := _unknown(definition, path):
            yield f"{place}: {words}"


def _unknown(definition: Definition, path: str) -> str:
    """Why a Get finds nothing; "" where it may."""
    try:
        root, *rest = split_path(path)
    except ValueError as error:
        return str(error)
    if root == "Parameters":
        return "" if len(rest) == 1 and rest[0] in definition.parameters else f"'{path}' is no parameter"
    if root == "Execution":
        return "" if len(rest) == 1 and rest[0] in EXECUTION else f"'{path}' is none of {', '.join(EXECUTION)}"
    step = definition.by_name.get(str(rest[0])) if root == "Steps" and len(rest) > 1 else None
    if step is None:
        return f"'{path}' names no step, parameter or execution variable"
    if rest[1] == "PropertyFiles" and (len(rest) != 3 or rest[2] not in step.property_files):
        return f"'{path}' is no property file of the step '{step.name}'"
    if step.type == "Callback":
        return "" if rest[1] == "OutputParameters" else f"'{path}': a Callback has OutputParameters['name'] only"
    return "" if step.type in RESOURCES else f"'{path}': a step of type {step.type} has no properties"


def _circles(definition: Definition) -> list[str]:
    left, done = dict(definition.by_name), set[str]()
    while ready := [name for name, step in left.items() if step.needs <= done]:
        for name in ready:
            del left[name]
        done |= set(ready)
    return [f"the steps {', '.join(sorted(left))} wait for one another"] if left else []


def _short(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()[:80]
