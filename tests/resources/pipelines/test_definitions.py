"""Definitions without a server: what is read from them, what is refused, and what their functions come to."""

import json
from typing import Any

import pytest
from tests.support.pipelines import definition, get, json_get, script_step, step

from tobo.kit.fault import Fault
from tobo.kit.states import states_of
from tobo.resources.pipelines import states
from tobo.resources.pipelines.conditions import holds
from tobo.resources.pipelines.definition import read_definition
from tobo.resources.pipelines.fitting import fitted
from tobo.resources.pipelines.functions import follow_path, split_path
from tobo.wire.models import service_model

FAIL = step("F", "Fail", {"ErrorMessage": "no"})


def test_states_are_the_models_and_every_one_ends() -> None:
    enum = set(service_model("sagemaker").shape_for("PipelineExecutionStatus").enum)
    assert set(states.STATUS.values()) <= enum
    assert states_of(states.TABLE) == states.STATUS.keys()
    for state in states.STATUS.keys() - states.TERMINAL:
        assert (state, "failed") in states.TABLE
    assert {event for state, event in states.TABLE if state in states.TERMINAL} == {"retry"}
    assert ("Succeeded", "retry") not in states.TABLE


def test_order_comes_from_what_steps_read() -> None:
    said = {"Std:Join": {"On": " ", "Values": [json_get("A", "x"), get("Steps.B.ProcessingJobArn")]}}
    test = {"Type": "Equals", "LeftValue": 1, "RightValue": get("Parameters.P")}
    text = definition(
        step(
            "If",
            "Condition",
            {"Conditions": [test], "IfSteps": [step("F", "Fail", {"ErrorMessage": said})], "ElseSteps": []},
        ),
        script_step("A", "b", "1"),
        script_step("B", "b", "1", DependsOn=["A"]),
        parameters={"P": ("Integer", 1)},
    )
    found = read_definition(text)
    assert {one.name: one.needs for one in found.steps} == {
        "If": frozenset(), "F": {"If", "A", "B"}, "A": frozenset(), "B": {"A"},
    }  # fmt: skip
    assert (found.by_name["F"].condition, found.by_name["F"].branch) == ("If", True)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("{", "is not JSON"),
        ("[]", '"Version": "2020-12-01"'),
        ('{"Version": "1999-01-01", "Steps": []}', '"Version": "2020-12-01"'),
        (definition(), "there are no Steps"),
        (definition(FAIL, Extra=1), "'Extra' is no member of a definition"),
        (definition(step("L", "Lambda", {})), "step 'L': the type Lambda is not built; those that are: Training,"),
        (definition({**FAIL, "RetryPolicies": []}), "step 'F': RetryPolicies is not supported"),
        (definition({**FAIL, "CacheConfig": {"Enabled": True}}), "step 'F': CacheConfig is not supported"),
        (definition(FAIL, FAIL), "there are two steps 'F'"),
        (definition({"Name": "F", "Type": "Fail"}), "step 'F' has no Arguments"),
        (definition({"Type": "Fail"}), "a step has a Name"),
        (definition({**FAIL, "DependsOn": ["G"]}), "step 'F' depends on 'G', which is no step"),
        (definition({**FAIL, "DependsOn": ["F"]}), "the steps F wait for one another"),
        (definition(step("F", "Fail", {"ErrorMessage": get("Parameters.P")})), "'Parameters.P' is no parameter"),
        (definition(step("F", "Fail", {"ErrorMessage": get("Steps.G.x")})), "names no step"),
        (definition(step("F", "Fail", {"ErrorMessage": get("Execution.Weather")})), "none of StartDateTime"),
        (definition(step("F", "Fail", {"ErrorMessage": {"Std:Upper": "a"}})), "the function Std:Upper is none of Get"),
        (definition(step("F", "Fail", {"ErrorMessage": {"Std:Join": ["a"]}})), "Std:Join has to have"),
        (definition(step("F", "Fail", {"ErrorMessage": {"Std:JsonGet": {}}})), "Std:JsonGet has to have"),
        (definition(step("F", "Fail", {"ErrorMessage": json_get("F", "x")})), "no property file of the step 'F'"),
        (definition(step("F", "Fail", {"Sentence": "a"})), "an ErrorMessage and nothing else"),
        (definition(FAIL, step("G", "Fail", {"ErrorMessage": get("Steps.F.x")})), "type Fail has no properties"),
        (definition(step("C", "Condition", {"IfSteps": []})), "step 'C' has no Conditions"),
        (definition(step("C", "Condition", {"Conditions": [{"Type": "Like"}]})), "the condition 'Like' is none of"),
        (
            definition(step("C", "Condition", {"Conditions": [{"Type": "Not", "Expression": {"Type": "Equals"}}]})),
            "a condition Equals has the members LeftValue",
        ),
        (definition(step("T", "Training", {"Colour": 1})), "Arguments.Colour is no member of CreateTrainingJobRequest"),
        (
            definition(step("T", "Training", {"ResourceConfig": {"Speed": 1}})),
            "Arguments.ResourceConfig.Speed is no member of ResourceConfig",
        ),
        (definition(step("E", "Endpoint", {"EndpointName": "e"})), "step 'E': Arguments.EndpointConfigName is missing"),
        (definition(step("L", "LabelingJob", {})), "Arguments.LabelingJobName is missing"),
        (definition(FAIL, parameters={"P": ("Complex", None)}), "a Type of String, Integer"),
        (definition(FAIL, parameters={"P": ("Integer", "one")}), 'the DefaultValue "one" is no Integer'),
        (definition(FAIL, parameters={"P": ("Integer", True)}), "the DefaultValue true is no Integer"),
    ],
)  # fmt: skip
def test_refused(text: str, refusal: str) -> None:
    with pytest.raises(Fault) as refused:
        read_definition(text)
    assert refused.value.code == "ValidationException" and refusal in refused.value.message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Fault) as refused:
        read_definition(definition(step("L", "Lambda", {}), step("E", "EMR", {}), Extra=1))
    assert all(word in refused.value.message for word in ("Lambda", "EMR", "Extra"))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", 1),
        ("list[1].c", 2),
        ("Outputs['train'].S3Uri", "s3://t"),
        ('Metrics["validation:accuracy"].Value', 0.5),
        ("map['odd key']", 3),
    ],
)
def test_paths(path: str, found: Any) -> None:
    document = {
        "a": {"b": 1},
        "list": [0, {"c": 2}],
        "Outputs": [{"OutputName": "test", "S3Uri": "s3://x"}, {"OutputName": "train", "S3Uri": "s3://t"}],
        "Metrics": [{"MetricName": "validation:accuracy", "Value": 0.5}],
        "map": {"odd key": 3},
    }
    assert follow_path(document, split_path(path)) == found


@pytest.mark.parametrize("path", ["", "a..b", "a b", "a[x]", "a]"])
def test_no_paths(path: str) -> None:
    with pytest.raises(ValueError):
        split_path(path)


@pytest.mark.parametrize(
    ("kind", "left", "right", "held"),
    [
        ("Equals", "a", "a", True),
        ("GreaterThan", 2, 1.5, True),
        ("GreaterThanOrEqualTo", 1, 1, True),
        ("LessThan", 1, 1, False),
        ("LessThanOrEqualTo", 1, 1, True),
    ],
)
def test_conditions(kind: str, left: Any, right: Any, held: bool) -> None:
    assert holds({"Type": kind, "LeftValue": left, "RightValue": right}) is held
    assert holds({"Type": "Not", "Expression": {"Type": kind, "LeftValue": left, "RightValue": right}}) is not held


def test_a_text_and_a_number_are_not_compared() -> None:
    with pytest.raises(Fault, match="cannot compare 'a' with 1"):
        holds({"Type": "LessThan", "LeftValue": "a", "RightValue": 1})


def test_values_fit_the_model() -> None:
    asked = {"HyperParameters": {"epochs": 2, "rate": 0.5, "on": True}, "ResourceConfig": {"InstanceCount": "1"}}
    made = fitted("Training", asked)
    assert made["HyperParameters"] == {"epochs": "2", "rate": "0.5", "on": "True"}
    assert made["ResourceConfig"] == {"InstanceCount": 1}


def test_a_condition_of_the_sdk_is_read() -> None:
    """As sagemaker.workflow writes it."""
    document = {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [{"Name": "Least", "Type": "Float", "DefaultValue": 1}],
        "PipelineExperimentConfig": {
            "ExperimentName": get("Execution.PipelineName"),
            "TrialName": get("Execution.PipelineExecutionId"),
        },
        "Steps": [FAIL],
    }
    assert read_definition(json.dumps(document)).parameters["Least"]["DefaultValue"] == 1
