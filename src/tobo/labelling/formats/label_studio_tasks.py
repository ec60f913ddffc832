"""Tasks of Label Studio, written."""

from typing import Any

from tobo.labelling.dataset import Box, DataObject, Dataset, Label, Polygon, Shape
from tobo.labelling.formats.pictures import sized
from tobo.labelling.formats.refusal import Unsayable, shown


def task_of(item: DataObject, number: int, dataset: Dataset) -> dict[str, Any]:
    """A picture's task; wholly a machine's labels are its predictions, others its annotations."""
    item = sized(item, dataset.root) if item.shapes else item
    data: dict[str, Any] = {"image": item.source}
    if item.width and item.height:
        data |= {"width": item.width, "height": item.height}
    task: dict[str, Any] = {"id": number, "data": data, "annotations": [], "predictions": []}
    if item.labels is None and item.shapes is None:
        return task
    marks: tuple[Label | Shape, ...] = (*(item.labels or ()), *(item.shapes or ()))
    by_machine = bool(marks) and all(mark.human is False for mark in marks)
    results = [{**_common(item, place, by_machine, mark), **_told(item, mark)} for place, mark in enumerate(marks, 1)]
    scores = [mark.confidence for mark in marks if mark.confidence is not None]
    if by_machine:
        task["predictions"] = [{"result": results, **({"score": min(scores)} if scores else {})}]
    else:
        task["annotations"] = [{"result": results, "was_cancelled": False, "ground_truth": False}]
    return task


def _common(item: DataObject, place: int, by_machine: bool, mark: Label | Shape) -> dict[str, Any]:
    told: dict[str, Any] = {"id": f"r{place}", "to_name": "image", "image_rotation": 0}
    if item.width and item.height:
        told |= {"original_width": item.width, "original_height": item.height}
    if mark.human is not None and not by_machine:
        told["origin"] = "manual" if mark.human else "prediction"
    return told if mark.confidence is None else {**told, "score": mark.confidence}


def _told(item: DataObject, mark: Label | Shape) -> dict[str, Any]:
    if isinstance(mark, Label):
        return {"from_name": "choice", "type": "choices", "value": {"choices": [mark.name]}}
    across, down = (item.width or 1) / 100, (item.height or 1) / 100
    if isinstance(mark, Box):
        value: dict[str, Any] = {
            "x": mark.left / across,
            "y": mark.top / down,
            "width": mark.width / across,
            "height": mark.height / down,
            "rotation": 0,
            "rectanglelabels": [mark.name],
        }
        return {"from_name": "box", "type": "rectanglelabels", "value": value}
    if isinstance(mark, Polygon) and len(mark.parts) == 1:
        points = [[x / across, y / down] for x, y in mark.parts[0]]
        value = {"points": points, "closed": True, "polygonlabels": [mark.name]}
        return {"from_name": "polygon", "type": "polygonlabels", "value": value}
    raise Unsayable(f"Label Studio's JSON cannot hold the {type(mark).__name__.lower()} of {shown(mark.name)}.")
