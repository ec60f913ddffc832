"""What is written is read again as it was, in each format that can say it; and from one format over another and back."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import labelled
from tests.support.labelled import MANY, NAMES, classified, draw_pictures

from tobo.labelling.dataset import Box, DataObject, Dataset, Label, Mask, Polygon, Region, Shape
from tobo.labelling.formats import catalog
from tobo.labelling.formats.fitting import fit
from tobo.labelling.formats.geometry import bounds
from tobo.labelling.formats.options import Options

NAME_OF = {"lst": "l.lst", "manifest": "l.manifest", "coco": "l.json", "label-studio": "l.json", "cvat": "l.xml"}
SHAPES: dict[str, tuple[str, st.SearchStrategy[Shape]]] = {
    "boxes": ("manifest coco voc yolo label-studio cvat", labelled.boxes),
    "polygons": ("manifest coco yolo label-studio cvat", labelled.polygons()),
    "boxes and polygons": ("manifest coco label-studio cvat", st.one_of(labelled.boxes, labelled.polygons())),
    "polygons of parts": ("coco", labelled.polygons(3)),
    "regions": ("coco cvat", labelled.regions),
}


def there_and_back(dataset: Dataset, name: str, home: Path, options: Options = Options()) -> Dataset:  # noqa: B008
    target = home / NAME_OF.get(name, name)
    catalog.write(dataset, target, name, options)
    assert catalog.guess(target) == name
    return catalog.read(target, name, Options(classes=dataset.classes, attribute=options.attribute))


def marked(dataset: Dataset, **marks: object) -> Dataset:
    """With the same origin or confidence on every label."""
    objects = []
    for item in dataset.objects:
        labels = item.labels and tuple(replace(one, **marks) for one in item.labels)  # type: ignore[arg-type]
        shapes = item.shapes and tuple(replace(one, **marks) for one in item.shapes)  # type: ignore[arg-type]
        objects.append(replace(item, labels=labels, shapes=shapes))
    return replace(dataset, objects=tuple(objects))


def read_back(dataset: Dataset, name: str) -> Dataset:
    """What a format makes of labels without origin and confidence.

    A manifest has no word for unknown: they are a person's, and certain. Label Studio's annotations are people's.
    """
    marks: dict[str, dict[str, object]] = {
        "manifest": {"human": True, "confidence": 1},
        "label-studio": {"human": True},
    }
    return marked(dataset, **marks.get(name, {}))


def plain(dataset: Dataset) -> Dataset:
    """Without where its pictures lie, and without when and by which job it was made."""
    objects = tuple(replace(item, made=None, job=None) for item in dataset.objects)
    return replace(dataset, root=None, objects=objects)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, (names, _) in SHAPES.items() for name in names.split()]
)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_shapes(kind: str, name: str, data: st.DataObject) -> None:
    dataset = data.draw(labelled.shaped(SHAPES[kind][1]))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if name == "yolo":
            draw_pictures(dataset, home / "pictures")
        back = there_and_back(replace(dataset, root=home / "pictures"), name, home)
    assert plain(back) == plain(read_back(dataset, name))


@pytest.mark.parametrize("names", [NAMES, MANY], ids=["hard names", "300 classes"])
@pytest.mark.parametrize(
    ("name", "multi"),
    [
        *((name, False) for name in ("folders", "lst", "manifest", "label-studio")),
        *((name, True) for name in ("lst", "manifest", "label-studio")),
    ],
)
def test_classes(name: str, multi: bool, names: tuple[str, ...], tmp_path: Path) -> None:
    if name == "folders":
        names = tuple(one for one in names if "/" not in one)
    dataset = classified(multi, names)
    root = tmp_path / "pictures"
    draw_pictures(dataset, root)
    back = there_and_back(replace(dataset, root=root), name, tmp_path)
    if name == "folders":
        assert {(item.source, item.labels) for item in back.objects} == {
            (f"{item.labels[0].name}/{Path(item.source).name}", item.labels) for item in dataset.objects if item.labels
        }
        assert back.classes == dataset.classes
    else:
        assert plain(back) == plain(read_back(dataset, name))


@pytest.mark.parametrize("multi", [False, True])
def test_tags_of_cvat(multi: bool, tmp_path: Path) -> None:
    """Beside the sizes, which CVAT always has."""
    dataset = classified(multi)
    sized = replace(dataset, objects=tuple(replace(item, width=7, height=5) for item in dataset.objects))
    assert plain(there_and_back(sized, "cvat", tmp_path)) == plain(sized)


def test_origins_and_confidences(tmp_path: Path) -> None:
    """In the formats that say them."""
    human, machine = Label("ok", 0.75, True), Label("ko", 0.5, False)
    boxed = Box(1, 2, 3, 4, "ko", 0.25, False), Box(2, 3, 4, 5, "ok", 0.5, False)
    dataset = Dataset(
        ("ko", "ok"),
        (
            DataObject(
                "s3://parts/1.png", labels=(human,), made="2026-01-02T03:04:05.678901", job="labeling-job/first"
            ),
            DataObject("s3://parts/2.png", labels=(machine,), made="2026-01-02T03:04:06", job="labeling-job/second"),
            DataObject("s3://parts/3.png"),
            DataObject("s3://parts/4.png", 64, 48, shapes=boxed, made="2026-01-02T03:04:07", job="labeling-job/second"),
        ),
    )
    assert replace(there_and_back(dataset, "manifest", tmp_path), root=None) == dataset
    whole = replace(dataset, objects=dataset.objects[:3])
    assert plain(there_and_back(whole, "label-studio", tmp_path)) == plain(whole)
    [shaped] = (item for item in dataset.objects if item.shapes)
    only = replace(dataset, objects=(shaped,))
    back = there_and_back(only, "cvat", tmp_path)
    assert back.objects[0].shapes == tuple(replace(box, confidence=None) for box in boxed)


def test_a_picture_of_people_and_machines(tmp_path: Path) -> None:
    boxed = Box(1, 2, 3, 4, "ko", 0.25, False), Box(2, 3, 4, 5, "ok", None, True)
    dataset = Dataset(("ko", "ok"), (DataObject("1.png", 64, 48, shapes=boxed),))
    assert plain(there_and_back(dataset, "label-studio", tmp_path)) == dataset
    losses = catalog.write(dataset, tmp_path / "mixed.manifest", "manifest")
    assert [loss.grave for loss in losses] == [False] and "people and of machines" in losses[0].sentence


def test_pictures_that_nobody_has_looked_at_are_not_pictures_of_nothing(tmp_path: Path) -> None:
    asked = (
        DataObject("1.png", 64, 48),
        DataObject("2.png", 64, 48, shapes=()),
        DataObject("3.png", 64, 48, shapes=(Box(1, 2, 3, 4, "ok"),)),
    )
    dataset = Dataset(("ok",), asked, root=tmp_path / "pictures")
    draw_pictures(dataset, tmp_path / "pictures")
    for name in ("manifest", "label-studio", "yolo"):
        back = there_and_back(dataset, name, tmp_path)
        answers = [None if item.shapes is None else len(item.shapes) for item in back.objects]
        assert answers == [None, 0, 1], name


def test_masks(tmp_path: Path) -> None:
    colors = (("BACKGROUND", "#ffffff"), ("scratch", "#2acf59"), ("dent", "#f28333"))
    mask = Mask("s3://parts/masks/1.png", colors, 0.9, True)
    dataset = Dataset(("scratch", "dent"), (DataObject("s3://parts/1.png", mask=mask),))
    assert plain(there_and_back(dataset, "manifest", tmp_path, Options(attribute="defects"))) == dataset
    again = catalog.read(tmp_path / "l.manifest", "manifest", Options(attribute="defects-ref"))
    assert plain(again) == dataset


def test_classes_and_shapes_of_one_picture(tmp_path: Path) -> None:
    item = DataObject("1.png", 64, 48, (Label("ko"),), (Box(1, 2, 3, 4, "scratch"),))
    dataset = Dataset(("ko", "scratch"), (item,))
    assert plain(there_and_back(dataset, "manifest", tmp_path)) == read_back(dataset, "manifest")
    assert plain(there_and_back(dataset, "cvat", tmp_path)) == dataset


@settings(max_examples=25, deadline=None)
@given(dataset=labelled.shaped(st.one_of(labelled.boxes, labelled.polygons(2), labelled.regions)))
def test_coco_over_voc_loses_nothing_that_voc_can_say(dataset: Dataset) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        catalog.write(dataset, home / "first.json", "coco")
        first = catalog.read(home / "first.json", "coco")
        catalog.write(first, home / "voc", "voc", lossy=True)
        over = catalog.read(home / "voc", "voc", Options(classes=first.classes))
        catalog.write(over, home / "second.json", "coco")
        second = catalog.read(home / "second.json", "coco")
    said, _ = fit(first, catalog.FORMATS["voc"].says)
    assert all(isinstance(shape, Box) for item in second.objects for shape in item.shapes or ())
    assert boxes_of(second) == boxes_of(said)
    assert second.classes == first.classes and [one.source for one in second.objects] == [
        one.source for one in first.objects
    ]


def boxes_of(dataset: Dataset) -> list[list[tuple[float, float, float, float, str]]]:
    """To a millionth of a pixel: what a difference of coordinates is good for."""
    return [
        [(*(round(edge, 6) for edge in bounds(shape)), shape.name) for shape in item.shapes or ()]
        for item in dataset.objects
    ]


@settings(max_examples=15, deadline=None)
@given(dataset=labelled.shaped(labelled.boxes))
def test_boxes_go_round_through_every_format(dataset: Dataset) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        draw_pictures(dataset, home / "pictures")
        now = replace(dataset, root=home / "pictures")
        for name in ("manifest", "coco", "label-studio", "cvat", "yolo", "voc"):
            target = home / name / NAME_OF.get(name, "folder")
            catalog.write(now, target, name, Options(), lossy=True)
            now = catalog.read(target, name, Options(classes=dataset.classes, pictures=home / "pictures"))
    assert boxes_of(now) == boxes_of(dataset)


def test_turned_boxes_become_polygons(tmp_path: Path) -> None:
    """A quarter turn: CVAT turns about the middle, Label Studio about the upper left corner; both clockwise."""
    (tmp_path / "c.xml").write_text(
        '<annotations><image id="0" name="1.png" width="100" height="100">'
        '<box label="ok" xtl="40" ytl="40" xbr="60" ybr="50" rotation="90"/></image></annotations>'
    )
    [shape] = catalog.read(tmp_path / "c.xml", "cvat").objects[0].shapes or ()
    assert shape == Polygon((((55, 35), (55, 55), (45, 55), (45, 35)),), "ok")
    value = '{"x":40,"y":40,"width":20,"height":10,"rotation":90,"rectanglelabels":["ok"]}'
    result = f'{{"type":"rectanglelabels","original_width":100,"original_height":100,"value":{value}}}'
    (tmp_path / "l.json").write_text(f'[{{"data":{{"image":"1.png"}},"annotations":[{{"result":[{result}]}}]}}]')
    [shape] = catalog.read(tmp_path / "l.json", "label-studio").objects[0].shapes or ()
    assert shape == Polygon((((40, 40), (40, 60), (30, 60), (30, 40)),), "ok", human=True)


def test_crowds_stay_crowds(tmp_path: Path) -> None:
    crowd = Region(2, 3, 2, 2, (0, 3, 1), "marble", crowd=True)
    dataset = Dataset(("marble",), (DataObject("1.png", 64, 48, shapes=(crowd,)),))
    assert plain(there_and_back(dataset, "coco", tmp_path)) == dataset
