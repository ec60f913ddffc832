"""The kinds of labelling tasks, by the names of AWS' built-in functions. Source: API reference, HumanTaskConfig."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tobo.kit.fault import validation

Shape = Literal["class", "classes", "boxes", "polygons", "mask", "spans", "fields"]


@dataclass(frozen=True)
class TaskType:
    """`name` as in the functions' names (PRE-<name>, ACS-<name>), `shape` of the answer, `crowd` the element whose answer
    it is, `metadata` the type that the output manifest tells. `text`: about texts and not pictures, None for either.
    `adjusts`: the worker begins with a label that is there.
    """

    name: str
    shape: Shape
    crowd: str
    metadata: str
    text: bool | None = False
    adjusts: bool = False
    verifies: bool = False


PASS_THROUGH = "PassThrough"
"""The type of a custom template: no function changes what goes into it, or what workers say."""

_CLASSIFIER, _SELECT = "crowd-image-classifier", "crowd-image-classifier-multi-select"
_BOXES, _POLYGON, _MASK = "boundingBox", "crowd-polygon", "crowd-semantic-segmentation"

TYPES: Mapping[str, TaskType] = {
    its.name: its
    for its in (
        TaskType("ImageMultiClass", "class", _CLASSIFIER, "groundtruth/image-classification"),
        TaskType("ImageMultiClassMultiLabel", "classes", _SELECT, "groundtruth/image-classification-multilabel"),
        TaskType("BoundingBox", "boxes", _BOXES, "groundtruth/object-detection"),
        TaskType("Polygon", "polygons", _POLYGON, "groundtruth/polygon"),
        TaskType("SemanticSegmentation", "mask", _MASK, "groundtruth/semantic-segmentation"),
        TaskType("TextMultiClass", "class", "crowd-classifier", "groundtruth/text-classification", text=True),
        TaskType(
            "TextMultiClassMultiLabel",
            "classes",
            "crowd-classifier-multi-select",
            "groundtruth/text-classification-multilabel",
            text=True,
        ),
        TaskType("NamedEntityRecognition", "spans", "crowd-entity-annotation", "groundtruth/text-span", text=True),
        TaskType("VerificationBoundingBox", "class", _CLASSIFIER, "groundtruth/label-verification", verifies=True),
        TaskType(
            "VerificationSemanticSegmentation", "class", _CLASSIFIER, "groundtruth/label-verification", verifies=True
        ),
        TaskType("AdjustmentBoundingBox", "boxes", _BOXES, "groundtruth/object-detection", adjusts=True),
        TaskType("AdjustmentSemanticSegmentation", "mask", _MASK, "groundtruth/semantic-segmentation", adjusts=True),
        TaskType(PASS_THROUGH, "fields", "", "groundtruth/custom", text=None),
    )
}
"""Polygon is tobo's own: on AWS polygons are drawn in custom templates, whose answers go through as they are (PassThrough)."""


def task_type(asked: Mapping[str, Any]) -> TaskType:
    """Of a HumanTaskConfig; raises Fault ValidationException where its functions are not built-in ones, or differ."""
    human = asked["HumanTaskConfig"]
    before = human.get("PreHumanTaskLambdaArn")
    after = human.get("AnnotationConsolidationConfig", {}).get("AnnotationConsolidationLambdaArn")
    if (before is None or after is None) and "UiTemplateS3Uri" not in human["UiConfig"]:
        raise validation(
            "HumanTaskConfig names no functions; give PreHumanTaskLambdaArn and AnnotationConsolidationLambdaArn, e.g."
            " arn:aws:lambda:us-east-1:432418664414:function:PRE-ImageMultiClass and ...:ACS-ImageMultiClass."
        )
    names = {_name(before, "PRE-", "PreHumanTaskLambdaArn"), _name(after, "ACS-", "AnnotationConsolidationLambdaArn")}
    if len(names) > 1:
        raise validation(f"The functions are of two task types, {' and '.join(sorted(names))}; name those of one.")
    return TYPES[names.pop()]


def _name(arn: str | None, prefix: str, member: str) -> str:
    """A function that is not named does nothing, as on AWS."""
    if arn is None:
        return PASS_THROUGH
    function = arn.rsplit(":", 1)[-1]
    name = function.removeprefix(prefix)
    if not function.startswith(prefix) or name not in TYPES:
        raise validation(
            f"HumanTaskConfig.{member} '{arn}' is no built-in function that tobo has; it ends with {prefix}<type>, the"
            f" types being {', '.join(TYPES)}. Own functions have to run on AWS Lambda, which is not here; for a template"
            f" of your own name PRE-{PASS_THROUGH} and ACS-{PASS_THROUGH}, and its answers are kept as they are."
        )
    return name
