"""The form that creates a labelling job: what it proposes, and the request that its fields make."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from tobo.console.visit import whole
from tobo.kit.fault import validation

FUNCTIONS = "arn:aws:lambda:{region}:432418664414:function"
"""Where Ground Truth's built-in functions are; the part behind it counts."""

CONSOLIDATIONS = (
    ("dawid-skene", "By how good each worker is (Dawid-Skene)"),
    ("majority", "By the majority"),
)


CUSTOM = "PassThrough"
"""The task type that is nothing but its template."""


class Task(NamedTuple):
    """A task type, by the name in its functions' ARNs; `icon` a symbol of icons.svg."""

    name: str
    title: str
    words: str
    icon: str


TASKS = (
    Task("ImageMultiClass", "Image classification", "One class a picture: this marble is broken.", "image"),
    Task("ImageMultiClassMultiLabel", "Several classes", "Every class that a picture shows.", "images"),
    Task("BoundingBox", "Bounding boxes", "A box around each thing, with its class.", "box"),
    Task("Polygon", "Polygons", "An outline around each thing, corner by corner.", "activity"),
    Task("SemanticSegmentation", "Segmentation", "Every pixel painted in its class' colour.", "layers"),
    Task("TextMultiClass", "Text classification", "One class a text.", "file-text"),
    Task("TextMultiClassMultiLabel", "Several classes a text", "Every class that fits a text.", "clipboard-list"),
    Task("NamedEntityRecognition", "Named entities", "Words that are marked in a text: a person, a place.", "tag"),
    Task("VerificationBoundingBox", "Check boxes", "Are the boxes that are there right?", "badge-check"),
    Task("VerificationSemanticSegmentation", "Check masks", "Are the masks that are there right?", "shield-check"),
    Task("AdjustmentBoundingBox", "Mend boxes", "Boxes that are there, moved to where they belong.", "pencil"),
    Task("AdjustmentSemanticSegmentation", "Mend masks", "Masks that are there, painted over.", "wand-sparkles"),
    Task(CUSTOM, "A form of your own", "Whatever your template asks, kept as it is said.", "code"),
)


def categories_of(fields: Mapping[str, str]) -> bytes | None:
    """The label category file; None where there is none, as a form of one's own allows. Raises Fault ValidationException where a field cannot be meant."""
    labels = [line.strip() for line in fields.get("classes", "").splitlines() if line.strip()]
    if not labels and fields.get("task") == CUSTOM:
        return None
    if not labels:
        raise validation("There is no class; type one a line.")
    told: dict[str, Any] = {"document-version": "2018-11-28", "labels": [{"label": label} for label in labels]}
    if words := fields.get("instructions"):
        told["instructions"] = {"fullInstruction": words}
    if below := fields.get("review"):
        told["review"] = {"below": _share(below)}
    if "consolidation" in fields:
        told["consolidation"] = fields["consolidation"]
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def request_of(fields: Mapping[str, str], region: str, categories: str | None) -> dict[str, Any]:
    """CreateLabelingJob's members; `categories` is where the label category file lies, if there is one. Raises Fault."""
    kind, functions = fields.get("task", ""), FUNCTIONS.format(region=region)
    mask = kind.endswith("Segmentation") and not kind.startswith("Verification")
    title = fields.get("title", "")
    return {
        "LabelingJobName": fields.get("name", ""),
        "LabelAttributeName": fields.get("attribute") or ("label-ref" if mask else "label"),
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": fields.get("source", "")}}},
        "OutputConfig": {"S3OutputPath": fields.get("output", "")},
        "RoleArn": fields.get("role", ""),
        **({"LabelCategoryConfigS3Uri": categories} if categories else {}),
        "HumanTaskConfig": {
            "WorkteamArn": fields.get("team", ""),
            "UiConfig": {"UiTemplateS3Uri": fields["template"]} if "template" in fields else {},
            "PreHumanTaskLambdaArn": f"{functions}:PRE-{kind}",
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f"{functions}:ACS-{kind}"},
            "TaskTitle": title,
            "TaskDescription": fields.get("description") or title,
            "NumberOfHumanWorkersPerDataObject": whole(fields, "workers", "Workers an item"),
            "TaskTimeLimitInSeconds": whole(fields, "seconds", "Time limit"),
        },
    }


def _share(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise validation(f"Review below: '{text[:40]}' is no number from 0 to 1.") from None
