"""What is wrong with a file is said in one sentence: which file, which line or entry, which value, and what would mend it."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tobo.labelling.formats import catalog
from tobo.labelling.formats.options import Options
from tobo.labelling.formats.refusal import Malformed


def refused(file: Path, name: str, options: Options = Options()) -> str:  # noqa: B008
    with pytest.raises(Malformed) as caught:
        catalog.read(file, name, options)
    sentence = str(caught.value)
    assert str(file if file.is_file() else file.parent) in sentence and "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("0\t0\ta.png\n1\tb.png\n", ["line 2", "index<TAB>label<TAB>path", r"'1\tb.png'"]),
        ("0\t0.5\ta.png\n", ["line 1", "'0.5'", "whole number"]),
        ("0\t-1\ta.png\n", ["line 1", "'-1'"]),
        ("x\t0\ta.png\n", ["line 1", "'x'"]),
        (f"0\t{10**30}\ta.png\n", ["class index", "below 100000"]),
        ("\n", ["empty"]),
        (b"0\t0\t\xff.png\n", ["byte 4", "UTF-8"]),
    ],
)
def test_lst(text: str | bytes, named: list[str], tmp_path: Path) -> None:
    file = tmp_path / "l.lst"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    said = refused(file, "lst")
    assert all(word in said for word in named), said


def test_an_index_beyond_the_classes(tmp_path: Path) -> None:
    file = tmp_path / "l.lst"
    file.write_text("0\t2\ta.png\n")
    said = refused(file, "lst", Options(classes=("ko", "ok")))
    assert "index 2" in said and "--classes has only 2 names" in said


METADATA = {"type": "groundtruth/image-classification", "class-name": "ok", "human-annotated": "yes"}
BOXES = {"type": "groundtruth/object-detection", "class-map": {"0": "ok"}, "objects": [{"confidence": 1}]}
BOX = {"class_id": 0, "left": 1, "top": 2, "width": 3, "height": 4}


def line(**members: Any) -> str:
    return json.dumps({"source-ref": "s3://b/1.png", **members})


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ("{", ["not JSON"]),
        ("[]", ["JSON object"]),
        (json.dumps({"label": 1}), ['"source-ref" is missing']),
        (line(**{"label": "x", "label-metadata": METADATA}), ["label", "'x'", "whole number"]),
        (line(**{"label": 0, "label-metadata": {**METADATA, "class-name": "ko"}}), ["class 0", "'ko'", "'ok'"]),
        (line(**{"label": 1, "label-metadata": {**METADATA, "class-name": "a\nb"}}), ["control characters"]),
        (line(**{"label": 0, "label-metadata": {**METADATA, "confidence": 7}}), ["confidence is 7", "0 to 1"]),
        (line(**{"label": 0, "label-metadata": {**METADATA, "human-annotated": "maybe"}}), ["'maybe'", '"yes" or "no"']),
        (line(**{"b": {"annotations": [BOX, BOX]}, "b-metadata": BOXES}), ["1 entries for 2 annotations"]),
        (line(**{"b": {"annotations": [{**BOX, "width": 0}]}, "b-metadata": BOXES}), ["annotations[0]", "width is 0"]),
        (line(**{"b": {"annotations": [{**BOX, "class_id": 5}]}, "b-metadata": BOXES}), ["class 5", "class-map"]),
        (line(**{"b": {"annotations": [{**BOX, "left": None}]}, "b-metadata": BOXES}), ["left is missing"]),
        (
            line(**{"m-ref": "m.png", "m-ref-metadata": {
                "type": "groundtruth/semantic-segmentation",
                "internal-color-map": {"1": {"class-name": "x", "hex-color": "red"}}}}),
            ["'red'", "#2acf59"],
        ),
        (
            line(**{name: {"annotations": [BOX]} if not name.endswith("-metadata") else BOXES
                    for name in ("b", "b-metadata", "adjusted", "adjusted-metadata")}),
            ["b and adjusted both hold shapes", "--attribute"],
        ),
    ],
)  # fmt: skip
def test_manifest(bad: str, named: list[str], tmp_path: Path) -> None:
    file = tmp_path / "l.manifest"
    file.write_text(f"{line(**{'label': 0, 'label-metadata': METADATA})}\n\n{bad}\n")
    said = refused(file, "manifest")
    assert "line 3" in said and all(word in said for word in named), said


def test_an_attribute_that_no_line_has(tmp_path: Path) -> None:
    file = tmp_path / "l.manifest"
    file.write_text(line(label=0))
    assert "'quality'" in (said := refused(file, "manifest", Options(attribute="quality"))) and "label" in said


def coco(**members: Any) -> dict[str, Any]:
    annotation = {"id": 7, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
    image = {"id": 1, "file_name": "1.png", "width": 8, "height": 6}
    whole = {"images": [image], "annotations": [annotation], "categories": [{"id": 1, "name": "ok"}]}
    return whole | members


def annotated(**members: Any) -> dict[str, Any]:
    return coco(annotations=[{**coco()["annotations"][0], **members}])


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ([], ["JSON object"]),
        (coco(images=None), ['"images" is missing']),
        (coco(images=coco()["images"] * 2), ["images[1]", "the id 1"]),
        (coco(categories=[{"id": 1, "name": " "}]), ["categories[0]", "' '"]),
        (coco(categories=[{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]), ["two classes", "'a'"]),
        (coco(annotations=coco()["annotations"] * 2), ["annotations[1] (id 7)", "another annotation"]),
        (annotated(image_id=9), ["annotations[0] (id 7)", "image_id 9"]),
        (annotated(category_id=9), ["annotations[0] (id 7)", "category_id 9"]),
        (annotated(bbox=[1, 2, 3]), ["[1, 2, 3]", "[left, top, width, height]"]),
        (annotated(bbox=[1, 2, -3, 4]), ["-3", "above 0"]),
        (annotated(bbox=[1, 2, "NaN", 4]), ["'NaN'"]),
        (annotated(segmentation=[[1, 2, 3, 4]]), ["polygon of 4 numbers"]),
        (annotated(segmentation={"size": [6, 8], "counts": [47]}), ["add up to 47", "48"]),
        (annotated(segmentation={"size": [6, 8], "counts": "~~"}), ["cannot be unrolled"]),
        (annotated(segmentation={"size": [6, 9], "counts": [54]}), ["9 x 6 pixels", "8 x 6"]),
        (annotated(segmentation={"size": [6, 8], "counts": [50, -2]}), ["-2", "whole number"]),
    ],
)
def test_coco(bad: Any, named: list[str], tmp_path: Path) -> None:
    file = tmp_path / "l.json"
    file.write_text(json.dumps(bad))
    said = refused(file, "coco")
    assert all(word in said for word in named), said


def test_runs_ask_for_no_more_memory_than_a_picture_has(tmp_path: Path) -> None:
    file = tmp_path / "l.json"
    huge = {"size": [1 << 20, 1 << 20], "counts": [1 << 40]}
    whole = annotated(segmentation=huge)
    whole["images"][0] |= {"width": None, "height": None}
    file.write_text(json.dumps(whole))
    assert "pixels are more than" in refused(file, "coco")


def test_json_that_ends_early_is_named_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "l.json"
    file.write_text('{"images": [\n  {"id": 1,\n')
    assert "line 3" in refused(file, "coco")


VOC = """<annotation>
  <filename>1.png</filename>
  <size><width>8</width><height>6</height></size>
  <object>
    <name>ok</name>
    <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>
  </object>
</annotation>"""


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("</annotation>", "", ["line 8", "not XML"]),
        ("annotation>", "other>", ["line 1 <other>", "expected <annotation>"]),
        ("<filename>1.png</filename>", "", ["line 1 <annotation>", "<filename> is missing"]),
        ("<width>8", "<width>wide", ["line 3 <size>", "<width> is 'wide'"]),
        ("<name>ok</name>", "", ["line 4 <object>", "name is missing"]),
        ("<xmin>1", "<xmin>one", ["line 6 <bndbox>", "<xmin> is 'one'"]),
        ("<xmax>3", "<xmax>1", ["line 6 <bndbox>", "enclose nothing"]),
        ("bndbox>", "box>", ["line 4 <object>", "<bndbox> is missing"]),
        ("<annotation>", '<!DOCTYPE a [<!ENTITY e "x">]>\n<annotation>', ["entities", "EntitiesForbidden"]),
        ("<annotation>", '<!DOCTYPE a [<!ENTITY e SYSTEM "/etc/passwd">]>\n<annotation>', ["entities"]),
    ],
)
def test_voc(old: str, new: str, named: list[str], tmp_path: Path) -> None:
    file = tmp_path / "1.xml"
    file.write_text(VOC.replace(old, new))
    said = refused(file, "voc")
    assert all(word in said for word in named), said


CVAT = """<annotations>
  <meta><task><labels><label><name>ok</name></label></labels></task></meta>
  <image id="0" name="1.png" width="8" height="6">
    <box label="ok" source="manual" xtl="1" ytl="2" xbr="3" ybr="4"/>
    <polygon label="ok" points="1,2;3,4;5,1"/>
    <mask label="ok" rle="1, 3" left="0" top="0" width="2" height="2"/>
  </image>
</annotations>"""


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('xbr="3"', 'xbr="1"', ["line 4 <box>", "enclose nothing"]),
        ('xtl="1"', "", ["line 4 <box>", "xtl is missing"]),
        ('source="manual"', 'source="alien"', ["line 4 <box>", "'alien'"]),
        (";5,1", "", ["line 5 <polygon>", "3 points"]),
        ("3,4", "3,x", ["line 5 <polygon>", "'x'"]),
        ('rle="1, 3"', 'rle="1, 4"', ["line 6 <mask>", "add up to 5"]),
        ('label="ok" points', 'label="new" points', ["'new'", "the file's own list"]),
        ('name="1.png"', 'name=""', ["line 3 <image>", "name"]),
        ("annotations>", "other>", ["line 1 <other>"]),
    ],
)
def test_cvat(old: str, new: str, named: list[str], tmp_path: Path) -> None:
    file = tmp_path / "1.xml"
    file.write_text(CVAT)
    catalog.read(file, "cvat")
    file.write_text(CVAT.replace(old, new))
    said = refused(file, "cvat")
    assert all(word in said for word in named), said


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("0 0.5 0.5 0.1\n", ["line 1", "4 columns"]),
        ("0 0.5 0.5 0.1 0.1\n3 0.5 0.5 0.1 0.1", ["line 2", "class 3", "2 classes"]),
        ("0 12 0.5 0.1 0.1\n", ["line 1", "share 12", "0 to 1"]),
        ("ok 0.5 0.5 0.1 0.1\n", ["line 1", "'ok'"]),
        ("0 0.5 0.5 0 0.1\n", ["line 1", "width", "above 0"]),
        ("0 0.1 0.1 0.2 0.2 0.3 0.1 0.2\n", ["line 1", "8 columns"]),
    ],
)
def test_yolo(text: str, named: list[str], tmp_path: Path) -> None:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (8, 6)).save(tmp_path / "images" / "1.png")
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images\nnames: [ko, ok]\n")
    (tmp_path / "labels" / "1.txt").write_text(text)
    with pytest.raises(Malformed) as caught:
        catalog.read(tmp_path, "yolo")
    assert all(word in str(caught.value) for word in ["labels/1.txt", *named]), caught.value


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("train: images\nnames: [a, a]\n", ["two classes", "'a'"]),
        ("train: images\nnames: {0: a, 2: b}\n", ["names", "without gaps"]),
        ("train: elsewhere\nnames: [a]\n", ["train", "'elsewhere'"]),
        ("names: [a]\n", ["neither train nor val"]),
        ("train: [\n", ["line 2", "not YAML"]),
        ("train: !!python/object/apply:os.system ['true']\nnames: [a]\n", ["not YAML"]),
    ],
)
def test_data_yaml(text: str, named: list[str], tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "data.yaml").write_text(text)
    said = refused(tmp_path / "data.yaml", "yolo")
    assert all(word in said for word in named), said


RECTANGLE = {"x": 1, "y": 2, "width": 3, "height": 4, "rectanglelabels": ["ok"]}


def task(kind: str = "rectanglelabels", value: Any = None, **members: Any) -> dict[str, Any]:
    result = {"type": kind, "original_width": 8, "original_height": 6, "value": value or RECTANGLE, **members}
    return {"data": {"image": "1.png"}, "annotations": [{"result": [result]}]}


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"data": {}}, ['no member of "data"']),
        (task(value={**RECTANGLE, "x": "left"}), ["result[0]", "'left'"]),
        (task(value={**RECTANGLE, "width": 0}), ["result[0]", "width is 0"]),
        (task(value={**RECTANGLE, "rectanglelabels": []}), ["expected one class"]),
        (task(original_width=None), ["original_width"]),
        (task("polygonlabels", {"points": [[1, 2]], "polygonlabels": ["ok"]}), ["3 or more"]),
        (task("choices", {"choices": ["ok", "ok"]}), ["twice"]),
    ],
)
def test_label_studio(bad: Any, named: list[str], tmp_path: Path) -> None:
    file = tmp_path / "l.json"
    file.write_text(json.dumps([task(), bad]))
    said = refused(file, "label-studio")
    assert all(word in said for word in ["task 1", *named]), said


def test_folders(tmp_path: Path) -> None:
    assert "no subfolder" in refused(tmp_path, "folders")
    assert "does not exist" in refused(tmp_path / "none", "folders")
    (tmp_path / "ok").mkdir()
    Image.new("RGB", (2, 2)).save(tmp_path / "ok" / "1.png")
    assert "'ok'" in refused(tmp_path, "folders", Options(classes=("good", "bad")))


def test_a_picture_that_is_none(tmp_path: Path) -> None:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    (tmp_path / "images" / "1.png").write_text("no picture")
    (tmp_path / "data.yaml").write_text("train: images\nnames: [ok]\n")
    with pytest.raises(Malformed, match=r"images/1\.png: not a picture that can be read"):
        catalog.read(tmp_path, "yolo")
