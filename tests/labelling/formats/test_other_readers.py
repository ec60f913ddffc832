"""What others' readers make of our files, and what we make of files as others write them."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO

from tobo.labelling.dataset import Box, DataObject, Dataset, Label, Mask, Polygon, Region
from tobo.labelling.formats import catalog, runs
from tobo.labelling.formats.geometry import area, bounds, cropped
from tobo.labelling.formats.options import Options


@given(
    st.integers(1, 30).flatmap(lambda high: st.lists(st.lists(st.booleans(), min_size=high, max_size=high), min_size=1))
)
def test_runs_are_those_of_coco(columns: list[list[bool]]) -> None:
    """Packed and unpacked, against COCO's own code."""
    bitmap = np.array(columns, dtype=np.bool_).T
    theirs = coco_masks.encode(np.asfortranarray(bitmap.astype(np.uint8)))
    lengths = runs.encode(bitmap.T.ravel())
    assert runs.pack(lengths) == theirs["counts"].decode()
    assert tuple(runs.unpack(theirs["counts"].decode())) == lengths
    assert (runs.decode(lengths, bitmap.size) == bitmap.T.ravel()).all()


@given(st.lists(st.integers(0, 1 << 27), min_size=1, max_size=12))
def test_long_runs_survive_packing(lengths: list[int]) -> None:
    assert runs.unpack(runs.pack(lengths)) == lengths


def test_pycocotools_reads_what_we_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Boxes, areas and pixels are what it finds, too."""
    inside = np.zeros((48, 64), dtype=np.bool_)
    inside[10:20, 30:50] = True
    inside[12, 33] = False
    shapes = (
        Box(1.5, 2, 30, 40.25, "ok"),
        Polygon((((10, 10), (30, 10), (30, 30), (10, 30)), ((40, 10), (50, 10), (50, 20))), "ko"),
        cropped(inside, "ko", None, None),
    )
    dataset = Dataset(
        ("ko", "ok"), (DataObject("0.png", 64, 48, shapes=()), DataObject("1.png", 64, 48, shapes=shapes))
    )
    catalog.write(dataset, tmp_path / "l.json", "coco")
    found = COCO(str(tmp_path / "l.json"))
    capsys.readouterr()
    assert [one["name"] for one in found.loadCats(found.getCatIds())] == ["ko", "ok"]
    told = found.loadAnns(found.getAnnIds(imgIds=2))
    assert [one["bbox"] for one in told] == [list(bounds(shape)) for shape in shapes]
    assert [one["area"] for one in told] == [30 * 40.25, 450, 199] == [area(shape) for shape in shapes]
    assert (found.annToMask(told[2]).astype(bool) == inside).all()
    assert found.annToMask(told[1]).sum() == pytest.approx(450, rel=0.05)
    assert found.getAnnIds(imgIds=1) == []


def test_runs_that_pycocotools_wrote(tmp_path: Path) -> None:
    bitmap = np.zeros((48, 64), dtype=np.uint8)
    bitmap[3:9, 5:7] = 1
    packed = coco_masks.encode(np.asfortranarray(bitmap))
    annotation = {
        "id": 1, "image_id": 1, "category_id": 3, "iscrowd": 1,
        "segmentation": {"size": packed["size"], "counts": packed["counts"].decode()},
    }  # fmt: skip
    whole = {
        "images": [{"id": 1, "file_name": "1.png", "width": 64, "height": 48}],
        "annotations": [annotation],
        "categories": [{"id": 3, "name": "ko"}, {"id": 1, "name": "ok"}],
    }
    (tmp_path / "l.json").write_text(json.dumps(whole))
    dataset = catalog.read(tmp_path / "l.json", "coco")
    assert dataset.classes == ("ok", "ko")
    assert dataset.objects[0].shapes == (Region(5, 3, 2, 6, (0, 12), "ko", crowd=True),)


def test_voc_and_cvat_as_plain_xml(tmp_path: Path) -> None:
    """The names with markup and right-to-left writing are what a plain parser finds; so are the numbers."""
    dataset = Dataset(
        ("<b>&", "חריטה"),
        (DataObject("a/1.png", 64, 48, shapes=(Box(1, 2.5, 3, 4, "<b>&"), Box(0, 0, 9, 9, "חריטה"))),),
    )
    catalog.write(dataset, tmp_path / "voc", "voc")
    root = ElementTree.parse(tmp_path / "voc" / "Annotations" / "a" / "1.xml").getroot()
    assert [one.text for one in root.iterfind("object/name")] == ["<b>&", "חריטה"]
    assert [root.findtext(f"object/bndbox/{edge}") for edge in ("xmin", "ymin", "xmax", "ymax")] == [
        "1",
        "2.5",
        "4",
        "6.5",
    ]
    assert (root.findtext("filename"), root.findtext("size/width"), root.findtext("size/depth")) == (
        "a/1.png",
        "64",
        "3",
    )
    catalog.write(dataset, tmp_path / "c.xml", "cvat")
    root = ElementTree.parse(tmp_path / "c.xml").getroot()
    assert root.findtext("version") == "1.1"
    assert [one.text for one in root.iterfind("meta/task/labels/label/name")] == ["<b>&", "חריטה"]
    [first, _] = root.iterfind("image/box")
    assert {edge: float(first.attrib[edge]) for edge in ("xtl", "ytl", "xbr", "ybr")} == {
        "xtl": 1,
        "ytl": 2.5,
        "xbr": 4,
        "ybr": 6.5,
    }


def test_yolo_as_its_trainers_read_it(tmp_path: Path) -> None:
    """Each picture's labels lie where the last `images` of its path is `labels`."""
    Image.new("RGB", (64, 48)).save(tmp_path / "1.png")
    dataset = Dataset(("ko", "ok"), (DataObject("1.png", shapes=(Box(16, 12, 32, 24, "ok"),)),), root=tmp_path)
    assert catalog.write(dataset, tmp_path / "set", "yolo") == ()
    told = yaml.safe_load((tmp_path / "set" / "data.yaml").read_text())
    assert told["names"] == {0: "ko", 1: "ok"}
    [picture] = (tmp_path / "set" / told["train"]).iterdir()
    assert (picture.parent.parent / "labels" / f"{picture.stem}.txt").read_text() == "1 0.5 0.5 0.5 0.5\n"


def test_yolo_as_roboflow_writes_it(tmp_path: Path) -> None:
    """Splits in folders of their own, ../ in front, a list of names, a prediction's sixth column."""
    for split, number in (("train", 1), ("valid", 2)):
        for name in ("images", "labels"):
            (tmp_path / split / name).mkdir(parents=True)
        Image.new("RGB", (100, 50)).save(tmp_path / split / "images" / f"{number}.jpg")
        (tmp_path / split / "labels" / f"{number}.txt").write_text("1 0.5 0.5 0.2 0.4 0.75\n")
    (tmp_path / "data.yaml").write_text("train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['ko', 'ok']\n")
    dataset = catalog.read(tmp_path, "yolo")
    box = Box(40, 15, 20, 20, "ok", 0.75, False)
    assert [(item.source, item.shapes) for item in dataset.objects] == [
        ("train/images/1.jpg", (box,)),
        ("valid/images/2.jpg", (box,)),
    ]
    [loss] = dataset.left_out
    assert not loss.grave and "train, val" in loss.sentence


MANIFEST = [
    {
        "source-ref": "s3://b/1.jpg",
        "species": "0",
        "species-metadata": {
            "class-name": "dog", "confidence": 0.0, "type": "groundtruth/image-classification",
            "job-name": "identify", "human-annotated": "yes", "creation-date": "2018-10-18T22:18:13.527256",
        },
    },
    {
        "source-ref": "s3://b/2.jpg",
        "things": [1, 0, 8],
        "things-metadata": {
            "job-name": "labeling-job/things", "class-map": {"1": "bicycle", "0": "person", "8": "clothing"},
            "human-annotated": "yes", "creation-date": "2020-02-27T21:36:25.000201",
            "confidence-map": {"1": 0.95, "0": 0.77, "8": 0.2}, "type": "groundtruth/image-classification-multilabel",
        },
    },
    {
        "source-ref": "s3://b/3.png",
        "boxes": {
            "image_size": [{"width": 500, "height": 400, "depth": 3}],
            "annotations": [{"class_id": 5, "left": 161, "top": 250, "width": 30, "height": 30}],
        },
        "boxes-metadata": {
            "objects": [{"confidence": 0.9}], "class-map": {"0": "dog", "5": "bone"}, "human-annotated": "no",
            "type": "groundtruth/object-detection", "creation-date": "2018-10-18T22:18:13.527256", "job-name": "toys",
        },
        "verify": "1",
        "verify-metadata": {"class-name": "bad", "type": "groundtruth/label-verification", "human-annotated": "yes"},
    },
    {
        "source-ref": "s3://b/4.png",
        "streets-ref": "s3://b/out/4.png",
        "streets-ref-metadata": {
            "internal-color-map": {
                "0": {"class-name": "BACKGROUND", "confidence": 0.9, "hex-color": "#ffffff"},
                "1": {"class-name": "road", "confidence": 0.9, "hex-color": "#f28333"},
            },
            "type": "groundtruth/semantic-segmentation", "human-annotated": "yes",
            "creation-date": "2018-10-18T22:18:13.527256", "job-name": "label-city-streets",
        },
    },
]  # fmt: skip
"""One line of each documented kind (SageMaker Developer Guide, "Labeling job output data"), its values ours."""


def test_ground_truths_own_lines(tmp_path: Path) -> None:
    found = []
    for number, line in enumerate(MANIFEST):
        file = tmp_path / f"{number}.manifest"
        file.write_text(json.dumps(line))
        found.append(catalog.read(file, "manifest"))
    single, several, boxed, masked = found
    assert single.classes == ("dog",) and not single.multi
    assert single.objects[0].labels == (Label("dog", 0.0, True),) and single.objects[0].job == "identify"
    assert several.multi and several.classes[:2] == ("person", "bicycle") and several.classes[8] == "clothing"
    assert several.objects[0].labels == tuple(
        Label(name, confidence, True) for name, confidence in (("bicycle", 0.95), ("person", 0.77), ("clothing", 0.2))
    )
    assert boxed.classes == ("dog", "1", "2", "3", "4", "bone"), "an index keeps its place"
    assert boxed.objects[0].shapes == (Box(161, 250, 30, 30, "bone", 0.9, False),)
    assert (boxed.objects[0].width, boxed.objects[0].labels) == (500, None), "a verification is no label"
    colors = (("BACKGROUND", "#ffffff"), ("road", "#f28333"))
    assert masked.objects[0].mask == Mask("s3://b/out/4.png", colors, 0.9, True) and masked.classes == ("road",)


@pytest.mark.parametrize(("number", "attribute"), [*enumerate(["species", "things", "boxes", "streets-ref"])])
def test_lines_are_written_in_ground_truths_form(number: int, attribute: str, tmp_path: Path) -> None:
    """Member for member; but for the class index, which is a number, and names of classes that no picture has."""
    file = tmp_path / "read.manifest"
    file.write_text(json.dumps(MANIFEST[number]))
    dataset = catalog.read(file, "manifest", Options(attribute=attribute))
    catalog.write(dataset, tmp_path / "written.manifest", "manifest", Options(attribute=attribute))
    [line] = (tmp_path / "written.manifest").read_text().splitlines()
    wanted = {key: value for key, value in MANIFEST[number].items() if not key.startswith("verify")}
    told = json.loads(line)
    if attribute == "species":
        assert told.pop("species") == int(str(wanted.pop("species")))
    if attribute == "boxes":
        assert told["boxes-metadata"].pop("class-map") == {"5": "bone"}
        told["boxes-metadata"]["class-map"] = {"0": "dog", "5": "bone"}
    assert told == wanted


def test_masks_become_regions(tmp_path: Path) -> None:
    """A mask's PNG, of one color a class, as runs of COCO."""
    picture = Image.new("RGB", (64, 48), "#ffffff")
    ImageDraw.Draw(picture).rectangle((10, 20, 29, 24), fill="#f28333")
    (tmp_path / "out").mkdir()
    picture.quantize(4).save(tmp_path / "out" / "4.png")
    (tmp_path / "l.manifest").write_text(json.dumps(MANIFEST[3]))
    dataset = catalog.read(tmp_path / "l.manifest", "manifest", Options(pictures=tmp_path))
    losses = catalog.write(dataset, tmp_path / "l.json", "coco")
    assert [loss.grave for loss in losses if "masks" in loss.sentence] == [False]
    [region] = catalog.read(tmp_path / "l.json", "coco").objects[0].shapes or ()
    assert bounds(region) == (10, 20, 20, 5) and area(region) == 100 and region.name == "road"


def test_label_studio_as_it_exports(tmp_path: Path) -> None:
    """Local files' addresses, the newest of two annotations, other results left out and counted."""

    def rectangle(x: float) -> dict[str, object]:
        value = {"x": x, "y": 50, "width": 12.5, "height": 25, "rotation": 0, "rectanglelabels": ["ok"]}
        return {"type": "rectanglelabels", "original_width": 64, "original_height": 48, "value": value}

    brush = {"type": "brushlabels", "value": {"format": "rle", "rle": [0], "brushlabels": ["ok"]}}
    annotations = [
        {"result": [rectangle(25)], "updated_at": "2026-01-02T00:00:00Z", "was_cancelled": False},
        {"result": [rectangle(50), brush], "updated_at": "2026-01-03T00:00:00Z", "was_cancelled": False},
        {"result": [], "updated_at": "2026-01-04T00:00:00Z", "was_cancelled": True},
    ]
    task = {"id": 1, "data": {"picture": "/data/local-files/?d=photos%2F1.png"}, "annotations": annotations}
    (tmp_path / "l.json").write_text(json.dumps([task]))
    dataset = catalog.read(tmp_path / "l.json", "label-studio")
    assert dataset.objects == (DataObject("photos/1.png", 64, 48, shapes=(Box(32, 24, 8, 12, "ok", None, True),)),)
    assert [(loss.grave, loss.sentence[:9]) for loss in dataset.left_out] == [(True, "1 results"), (False, "1 tasks h")]
