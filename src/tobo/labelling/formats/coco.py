"""COCO: one JSON file of `images`, `annotations` (bbox, polygons or runs) and `categories`.

The object detection form of cocodataset.org's "Data format". An annotation with a segmentation is read as that; its bbox
is what encloses it. A `score`, as in files of detections, is the confidence.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tobo.labelling.dataset import Box, DataObject, Dataset, Loss, Point, Polygon, Region, Shape
from tobo.labelling.formats import runs
from tobo.labelling.formats.geometry import area, bitmap, bounds, cropped
from tobo.labelling.formats.naming import check_unique, ordered
from tobo.labelling.formats.options import DEFAULT, Options
from tobo.labelling.formats.pictures import root_of, sized
from tobo.labelling.formats.refusal import Malformed, Place, Unsayable, shown
from tobo.labelling.formats.text_files import read_json, write_text

SAYS = frozenset({"boxes", "polygons", "mixed", "parts", "regions", "crowd", "confidence"})


def read(source: Path, options: Options = DEFAULT) -> Dataset:
    """Classes in the order of the categories' ids. Raises Malformed naming the entry and its id."""
    place = Place(str(source))
    told = place.members(read_json(source), "the file")
    categories = _categories(place, told.get("categories"))
    images = _images(place, told.get("images"))
    shapes: dict[int, list[Shape]] = {number: [] for number in images}
    points = seen = 0
    known: set[int] = set()
    for number, entry in enumerate(place.items(told.get("annotations", []), '"annotations"')):
        at = place.inside(f"annotations[{number}]")
        annotation = at.members(entry, "the annotation")
        identity = annotation.get("id")
        if identity is not None:
            at = Place(at.file, f"{at.at} (id {shown(identity)})")
            if at.whole(identity, "id") in known:
                at.refuse("another annotation has this id; give each an id of its own.")
            known.add(at.whole(identity, "id"))
        image = at.whole(annotation.get("image_id"), "image_id")
        if image not in images:
            at.refuse(f'image_id {image} is not in "images"; add the picture or drop the annotation.')
        category = at.whole(annotation.get("category_id"), "category_id")
        if category not in categories:
            at.refuse(f'category_id {category} is not in "categories"; add the category there.')
        points += "keypoints" in annotation
        seen += 1
        shapes[image].append(_shape(at, annotation, categories[category], images[image]))
    names = tuple(categories[number] for number in sorted(categories))
    classes = ordered(names, options.classes, place, names)
    objects = tuple(
        DataObject(image.source, image.width, image.height, shapes=tuple(shapes[number]))
        for number, image in images.items()
    )
    left_out = (Loss(f"{points} of {seen} annotations have key points, which are left out."),) if points else ()
    root = root_of(source, [item.source for item in objects], options.pictures)
    return Dataset(classes, objects, root=root, left_out=left_out)


def write(dataset: Dataset, target: Path, options: Options = DEFAULT) -> tuple[Loss, ...]:
    """Ids count from 1; categories in the order of the classes. Raises Unsayable where a region's picture has no size."""
    ids = {name: number for number, name in enumerate(dataset.classes, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, item in enumerate(dataset.objects, 1):
        item = sized(item, dataset.root)
        images.append({"id": number, "file_name": item.source, "width": item.width, "height": item.height})
        for shape in item.shapes or ():
            annotation = {"id": len(annotations) + 1, "image_id": number, "category_id": ids[shape.name]}
            annotations.append(annotation | _told(shape, item))
    categories = [{"id": number, "name": name, "supercategory": ""} for name, number in ids.items()]
    whole = {"info": {}, "licenses": [], "images": images, "annotations": annotations, "categories": categories}
    write_text(target, json.dumps(whole, ensure_ascii=False))
    return ()


def _categories(place: Place, value: Any) -> dict[int, str]:
    found: dict[int, str] = {}
    for number, entry in enumerate(place.items(value, '"categories"')):
        at = place.inside(f"categories[{number}]")
        category = at.members(entry, "the category")
        identity = at.whole(category.get("id"), "id")
        if identity in found:
            at.refuse(f"another category has the id {identity}; give each an id of its own.")
        found[identity] = at.name(category.get("name"))
    check_unique(tuple(found.values()), place)
    return found


def _images(place: Place, value: Any) -> dict[int, DataObject]:
    found: dict[int, DataObject] = {}
    for number, entry in enumerate(place.items(value, '"images"')):
        at = place.inside(f"images[{number}]")
        image = at.members(entry, "the image")
        identity = at.whole(image.get("id"), "id")
        if identity in found:
            at.refuse(f"another image has the id {identity}; give each an id of its own.")
        width, height = at.size(image.get("width"), "width"), at.size(image.get("height"), "height")
        found[identity] = DataObject(at.text(image.get("file_name"), "file_name"), width, height)
    return found


def _shape(place: Place, annotation: dict[str, Any], name: str, image: DataObject) -> Shape:
    confidence = place.confidence(annotation.get("score"))
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        return _region(place, segmentation, name, confidence, bool(annotation.get("iscrowd")), image)
    if segmentation:
        parts = place.items(segmentation, "segmentation")
        return Polygon(tuple(_part(place, part) for part in parts), name, confidence)
    bbox = place.items(annotation.get("bbox"), "bbox")
    if len(bbox) != 4:
        place.refuse(f"bbox is {shown(bbox)}; expected [left, top, width, height].")
    left, top = (place.number(value, "bbox") for value in bbox[:2])
    width, height = (place.positive(value, "width and height of bbox") for value in bbox[2:])
    return Box(left, top, width, height, name, confidence)


def _part(place: Place, value: Any) -> tuple[Point, ...]:
    numbers = [
        place.number(one, "a coordinate of segmentation") for one in place.items(value, "a part of segmentation")
    ]
    if len(numbers) < 6 or len(numbers) % 2:
        place.refuse(f"a polygon of {len(numbers)} numbers; expected x and y of 3 points or more.")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _region(
    place: Place, told: dict[str, Any], name: str, confidence: float | None, crowd: bool, image: DataObject
) -> Region:
    size = place.items(told.get("size"), "size of segmentation")
    if len(size) != 2:
        place.refuse(f"size of segmentation is {shown(size)}; expected [height, width].")
    height, width = (place.whole(value, "size of segmentation", 1) for value in size)
    if (image.width or width, image.height or height) != (width, height):
        place.refuse(
            f"the segmentation is of {width} x {height} pixels, its picture of {image.width} x {image.height}."
        )
    counts = told.get("counts")
    try:
        lengths = runs.unpack(counts) if isinstance(counts, str) else _lengths(place, counts)
        whole = runs.decode(lengths, width * height).reshape(width, height).T
    except Malformed:
        raise
    except ValueError as error:
        place.refuse(f"segmentation cannot be unrolled: {error}.")
    return cropped(whole, name, confidence, None, crowd)


def _lengths(place: Place, counts: Any) -> list[int]:
    return [place.whole(one, "a count") for one in place.items(counts, "counts of segmentation")]


def _told(shape: Shape, item: DataObject) -> dict[str, Any]:
    segmentation: Any = []
    if isinstance(shape, Polygon):
        segmentation = [[value for point in part for value in point] for part in shape.parts]
    elif isinstance(shape, Region):
        segmentation = _counts(shape, item)
    told: dict[str, Any] = {
        "bbox": list(bounds(shape)),
        "area": area(shape),
        "iscrowd": int(isinstance(shape, Region) and shape.crowd),
        "segmentation": segmentation,
    }
    return told if shape.confidence is None else {**told, "score": shape.confidence}


def _counts(region: Region, item: DataObject) -> dict[str, Any]:
    width, height = item.width or 0, item.height or 0
    if region.left + region.width > width or region.top + region.height > height:
        raise Unsayable(
            f"A region of {shown(region.name)} reaches out of its picture '{item.source}'; correct one of them."
        )
    whole = np.zeros((height, width), dtype=np.bool_)
    whole[region.top : region.top + region.height, region.left : region.left + region.width] = bitmap(region)
    return {"size": [height, width], "counts": runs.pack(runs.encode(whole.T.ravel()))}
