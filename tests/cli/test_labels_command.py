"""`tobo labels convert` as somebody types it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image


def convert(*arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Without a server, and without the keys of one."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TOBO_"))}
    command = [sys.executable, "-m", "tobo", "labels", "convert", *map(str, arguments)]
    return subprocess.run(
        command, cwd=home, env={**clean, "COLUMNS": "200"}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Class folders, and a COCO file of a box and a polygon."""
    for number, name in enumerate(("ko", "ok", "ok")):
        file = tmp_path / "photos" / name / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48)).save(file)
    annotations: list[dict[str, Any]] = [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]},
        {
            "id": 2,
            "image_id": 1,
            "category_id": 2,
            "bbox": [10, 10, 20, 20],
            "segmentation": [[10, 10, 30, 10, 30, 30]],
        },
    ]
    images = [{"id": 1, "file_name": "photos/ok/1.png", "width": 64, "height": 48}]
    categories = [{"id": 1, "name": "scratch"}, {"id": 2, "name": "dent"}]
    (tmp_path / "parts.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return tmp_path


def test_folders_to_a_manifest_for_training(home: Path) -> None:
    done = convert("photos", "train.manifest", "--prefix", "s3://parts/photos", "--attribute", "quality", home=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "3 pictures, 2 classes: folders -> manifest, train.manifest\n" and done.stderr == ""
    lines = [json.loads(line) for line in (home / "train.manifest").read_text().splitlines()]
    assert [(line["source-ref"], line["quality"]) for line in lines] == [
        ("s3://parts/photos/ko/0.png", 0), ("s3://parts/photos/ok/1.png", 1), ("s3://parts/photos/ok/2.png", 1)
    ]  # fmt: skip
    back = convert("train.manifest", "again", "--pictures", "photos", home=home)
    assert back.returncode == 0, back.stderr
    assert sorted(str(file.relative_to(home / "again")) for file in (home / "again").rglob("*.png")) == [
        "ko/0.png", "ok/1.png", "ok/2.png"
    ]  # fmt: skip


def test_the_order_of_classes_can_be_said(home: Path) -> None:
    done = convert("photos", "train.lst", "--classes", "ok,ko", home=home)
    assert (home / "train.lst").read_text() == "0\t1\tko/0.png\n1\t0\tok/1.png\n2\t0\tok/2.png\n"
    assert (
        done.returncode == 0 and "Note: The names of the classes are lost; read it with --classes ok,ko" in done.stderr
    )


def test_labels_are_lost_only_when_that_is_wanted(home: Path) -> None:
    refused = convert("parts.json", "voc", "--to", "voc", home=home)
    assert refused.returncode == 1 and not (home / "voc").exists() and refused.stdout == ""
    assert "1 polygons become the boxes around them. --lossy converts the rest into voc." in refused.stderr
    done = convert("parts.json", "voc", "--to", "voc", "--lossy", home=home)
    assert done.returncode == 0 and "Lost: 1 polygons become the boxes around them." in done.stderr
    assert (home / "voc" / "JPEGImages" / "photos" / "ok" / "1.png").is_file()
    assert (home / "voc" / "Annotations" / "photos" / "ok" / "1.xml").is_file()
    refused = convert("parts.json", "yolo", "--to", "yolo", home=home)
    assert refused.returncode == 1 and "1 boxes become polygons" in refused.stderr and not (home / "yolo").exists()
    done = convert("parts.json", "yolo", "--to", "yolo", "--lossy", home=home)
    assert done.returncode == 0
    lines = (home / "yolo" / "labels" / "photos" / "ok" / "1.txt").read_text().splitlines()
    assert [len(line.split()) for line in lines] == [9, 7]


@pytest.mark.parametrize("name", ["yolo", "voc", "label-studio", "cvat"])
def test_there_and_back_over_guessed_formats(name: str, home: Path) -> None:
    whole = json.loads((home / "parts.json").read_text())
    whole["annotations"].pop()
    (home / "boxes.json").write_text(json.dumps(whole))
    target = {"label-studio": "tasks.json", "cvat": "cvat.xml"}.get(name, name)
    assert convert("boxes.json", target, "--to", name, home=home).returncode == 0
    back = convert(target, "back.json", "--to", "coco", "--classes", "scratch,dent", home=home)
    assert back.returncode == 0, back.stderr
    told = json.loads((home / "back.json").read_text())
    assert [one["bbox"] for one in told["annotations"]] == [[1, 2, 30, 40]]
    assert [one["name"] for one in told["categories"]] == ["scratch", "dent"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["none.lst", "x.manifest"], 1, "none.lst: does not exist"),
        (["parts.json", "photos/ok/x.json"], 1, "say it with --to"),
        (["parts.json", "x", "--to", "word"], 2, "'word' at --to"),
        (["parts.json", "parts.json", "--to", "coco"], 1, "'parts.json' exists"),
        (["photos", "x.lst", "--classes", "a,,b"], 2, "give each class once"),
        (["photos", "x.lst", "--classes", "a,b"], 1, "the class 'ko' is used"),
        (["photos", "x.json", "--to", "coco"], 1, "The classes of 3 whole pictures are lost"),
        (["photos", "x.lst", "--pictures", "none"], 2, "'none' at --pictures is not a folder"),
        (["photos/ok/1.png", "x.lst"], 1, "say it with --from"),
        (["parts.json", "x.lst", "--from", "lst"], 1, "parts.json, line 1: expected 'index<TAB>label<TAB>path'"),
    ],
)
def test_refusals(arguments: list[str], code: int, said: str, home: Path) -> None:
    done = convert(*arguments, home=home)
    assert done.returncode == code and said in " ".join(done.stderr.replace("│", " ").split()), done.stderr
    assert done.stdout == "" and "Traceback" not in done.stderr
