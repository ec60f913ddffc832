"""Whatever a file holds, it is read or refused in a sentence; nothing else is raised."""

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tobo.labelling.dataset import Box, DataObject, Dataset, Label, Mask, Polygon, Region
from tobo.labelling.formats import catalog
from tobo.labelling.formats.refusal import Malformed

COLORS = (("BACKGROUND", "#ffffff"), ("ko", "#2acf59"))
OBJECTS = {
    "labels": DataObject("1.png", 64, 48, labels=(Label("ok", 0.5, True),)),
    "boxes": DataObject("2.png", 64, 48, shapes=(Box(1, 2, 3, 4, "ok", 0.5, False),)),
    "polygons": DataObject("3.png", 64, 48, shapes=(Polygon((((1, 2), (9, 3), (4, 8)),), "ko"),)),
    "regions": DataObject("4.png", 64, 48, shapes=(Region(1, 2, 2, 2, (0, 4), "ko"),)),
    "mask": DataObject("5.png", 64, 48, mask=Mask("m.png", COLORS, 0.5, True)),
}
JSON = ("manifest", "coco", "label-studio")
WHOLE = {"lst": "l.lst", "manifest": "l.manifest", "coco": "l.json", "label-studio": "t.json", "cvat": "l.xml"}
junk = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.just([]), st.just({}), st.just([[]]),
    st.just([1]), st.just({"0": 1}), st.just(-1), st.just("1e999"), st.just(10**400), st.just("\ud800"),
)  # fmt: skip


def written(name: str, home: Path) -> Path:
    """A file with a picture of each kind that the format has."""
    says = catalog.FORMATS[name].says | ({"labels"} if "label" in catalog.FORMATS[name].says else set())
    items = tuple(item for kind, item in OBJECTS.items() if kind in says)
    target = home / WHOLE.get(name, name)
    Image.new("RGB", (64, 48)).save(home / "2.png")
    catalog.write(Dataset(("ko", "ok"), items, root=home), target, name, lossy=True)
    return target


def read_or_refused(target: Path, name: str) -> None:
    with contextlib.suppress(Malformed):
        catalog.read(target, name)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [at, *(place for key in keys for place in places(value[key], (*at, key)))]


def changed(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = changed(copy[at[0]], at[1:], new)
    return copy


@pytest.mark.parametrize("name", JSON)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_value_anywhere_in_json(name: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = written(name, Path(folder))
        lines = target.read_text().splitlines()
        number = data.draw(st.integers(0, len(lines) - 1))
        value = json.loads(lines[number])
        lines[number] = json.dumps(changed(value, data.draw(st.sampled_from(places(value))), data.draw(junk)))
        target.write_text("\n".join(lines))
        read_or_refused(target, name)


@pytest.mark.parametrize("name", [*WHOLE, "voc", "yolo"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_bytes_anywhere(name: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = written(name, Path(folder))
        files = sorted(file for file in target.rglob("*") if file.is_file()) if target.is_dir() else [target]
        file = data.draw(st.sampled_from(files))
        whole = file.read_bytes()
        start = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(start, min(len(whole), start + 12)))
        new = data.draw(
            st.one_of(st.binary(max_size=4), st.sampled_from([b"-1", b"9" * 30, b"x", b"<a/>", b"nan", b"", b"\0"]))
        )
        file.write_bytes(whole[:start] + new + whole[end:])
        read_or_refused(target, name)
