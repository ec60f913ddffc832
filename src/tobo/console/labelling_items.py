"""What a labelling job's pages show of its items: where a picture lies, and answers in words and outlines."""

import json
from collections.abc import Mapping
from typing import Any

from tobo.console.visit import url
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import parse_s3_uri

STATES = {
    "waiting": "Waiting",
    "open": "Open",
    "conflict": "Conflicts",
    "labelled": "Labelled",
    "machine": "By machine",
    "failed": "Failed",
}
"""The states of items, and what tabs call them."""

TONES = {"labelled": "good", "machine": "good", "failed": "bad", "conflict": "warn", "open": "busy"}


def item_of(told: Mapping[str, Any], attribute: str) -> dict[str, Any]:
    """An item of ListItems as templates show it."""
    source, result = json.loads(told["Source"]), json.loads(told.get("Result") or "{}")
    address = source.get("source-ref", "")
    return {
        "number": told["ItemNumber"],
        "state": told["State"],
        "tone": TONES.get(told["State"], "quiet"),
        "answers": told.get("Answers", 0),
        "skips": told.get("Skips", 0),
        "uri": address,
        "name": address.rsplit("/", 1)[-1],
        "picture": preview(address),
        "text": str(source.get("source", "")),
        "said": in_words(result["answer"]) if "answer" in result else result.get("reason", ""),
        "drawing": drawing(result.get("answer", {})),
        "confidence": result.get("confidence"),
        "reviewed": bool(result.get("reviewed")),
        "gold": source.get(f"{attribute}-gold"),
    }


def answer_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of ListAnswers as templates show it."""
    body = json.loads(told["Body"])
    return {
        "who": told["Worker"].rsplit("/", 1)[-1],
        "arn": told["Worker"],
        "at": told["AnsweredAt"],
        "seconds": told.get("Seconds"),
        "review": told.get("Role") == "review",
        "said": in_words(body),
        "drawing": drawing(body),
        "mask": body.get("labeledImage", {}).get("pngImageData"),
    }


def preview(address: str) -> str:
    """Where the console shows the picture; "" for what has none."""
    try:
        at = parse_s3_uri(address, "source-ref")
    except Fault:
        return ""
    return url("s3", "preview", bucket=at.bucket, key=at.key) if at.key else ""


def in_words(answer: Mapping[str, Any]) -> str:
    """ko; ok, ko; 2 boxes: ko, ok; 3 words: person."""
    if "annotationsFromAllWorkers" in answer:
        return " / ".join(one["annotationData"]["content"] for one in answer["annotationsFromAllWorkers"])
    if set(answer) == {"answerContent"}:
        return json.dumps(answer["answerContent"], ensure_ascii=False)
    if "label" in answer:
        return str(answer["label"])
    if "labels" in answer:
        return ", ".join(answer["labels"]) or "none"
    if "labelMappings" in answer:
        return "painted: " + (", ".join(answer["labelMappings"]) or "nothing")
    for member, one, many in (
        ("boundingBoxes", "box", "boxes"),
        ("polygons", "polygon", "polygons"),
        ("entities", "entity", "entities"),
    ):
        if member in answer:
            found = answer[member]
            names = ", ".join(dict.fromkeys(str(each["label"]) for each in found))
            return f"{len(found)} {one if len(found) == 1 else many}" + (f": {names}" if names else "")
    return ""


def drawing(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The size of the picture, and its outlines: (class, points "x,y x,y ..."); None of answers without outlines."""
    size = answer.get("inputImageProperties")
    if not size or not ("boundingBoxes" in answer or "polygons" in answer):
        return None
    outlines = [(box["label"], _corners(box)) for box in answer.get("boundingBoxes", ())]
    outlines += [
        (one["label"], " ".join(f"{vertex['x']},{vertex['y']}" for vertex in one["vertices"]))
        for one in answer.get("polygons", ())
    ]
    return {"width": size["width"], "height": size["height"], "outlines": outlines}


def _corners(box: Mapping[str, Any]) -> str:
    left, top = box["left"], box["top"]
    right, bottom = left + box["width"], top + box["height"]
    return f"{left},{top} {right},{top} {right},{bottom} {left},{bottom}"
