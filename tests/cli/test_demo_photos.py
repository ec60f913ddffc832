"""The story's photos: drawn ones and folders of one's own, split, listed, and refused where they will not do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tobo.cli.story.photos import LEAST, Collection, Picture, lst, marbles, own, split
from tobo.kit.fault import Fault


def save(file: Path, colour: tuple[int, int, int] = (10, 200, 30)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (24, 16), colour).save(file)


def folder_of(root: Path, **classes: int) -> Path:
    """`root` with that many PNG photos in each class's subfolder."""
    root.mkdir(exist_ok=True)
    for label, count in classes.items():
        for index in range(count):
            save(root / label / f"{index}.png")
    return root


def names(pictures: tuple[Picture, ...]) -> set[str]:
    return {picture.name for picture in pictures}


def parts(collection: Collection) -> list[set[str]]:
    return [names(part) for part in (collection.train, collection.validation, collection.unseen)]


def test_marbles_are_split_and_repeatable() -> None:
    drawn = marbles(100)
    assert drawn.classes == ("ko", "ok")
    assert (len(drawn.train), len(drawn.validation), len(drawn.unseen)) == (80, 20, 25)
    assert not names(drawn.train) & names(drawn.validation)
    seen = {picture.read() for picture in drawn.train + drawn.validation}
    assert len(seen) == 100
    assert not seen & {picture.read() for picture in drawn.unseen}
    assert marbles(100) == drawn
    assert marbles(100, seed=1) != drawn


def test_own_photos_are_split_class_by_class(tmp_path: Path) -> None:
    collection = own(folder_of(tmp_path, round=50, square=10, triangle=5))
    assert collection.classes == ("round", "square", "triangle")
    train, validation, unseen = parts(collection)
    assert len(train | validation | unseen) == len(train) + len(validation) + len(unseen) == 65
    counts = [
        sum(name.startswith(f"{label}/") for name in part) for label in collection.classes for part in parts(collection)
    ]
    assert counts == [32, 8, 10, 6, 2, 2, 3, 1, 1]
    assert collection.left_out == ()
    assert own(tmp_path) == collection


def test_photos_in_subfolders_of_a_class_keep_their_path(tmp_path: Path) -> None:
    folder_of(tmp_path, a=5, b=5)
    save(tmp_path / "a" / "monday" / "0.jpg")
    (tmp_path / "a" / "notes.txt").write_text("not a photo")
    collection = own(tmp_path)
    found = {p.name: p for part in (collection.train, collection.validation, collection.unseen) for p in part}
    assert found["a/monday/0.jpg"].label == "a"
    assert found["a/monday/0.jpg"].content_type == "image/jpeg"
    assert found["b/0.png"].content_type == "image/png"
    assert len(found) == 11


def test_unreadable_photos_are_named_and_left_out(tmp_path: Path) -> None:
    folder_of(tmp_path, a=7, b=7)
    (tmp_path / "a" / "empty.jpg").touch()
    (tmp_path / "b" / "text.png").write_text("no picture at all")
    whole = (tmp_path / "b" / "0.png").read_bytes()
    (tmp_path / "b" / "half.png").write_bytes(whole[: len(whole) // 2])
    save(tmp_path / "a" / "tab\there.png")
    collection = own(tmp_path)
    assert len(collection.left_out) == 4
    for name in ("a/empty.jpg", "b/text.png", "b/half.png", "a/tab\\there.png"):
        assert sum(name in sentence for sentence in collection.left_out) == 1
    assert sum(len(part) for part in parts(collection)) == 14


def nothing(root: Path) -> Path:
    return root / "missing"


def empty(root: Path) -> Path:
    return root


def only_loose_photos(root: Path) -> Path:
    save(root / "0.png")
    return root


def one_class(root: Path) -> Path:
    return folder_of(root, ok=9)


def too_few(root: Path) -> Path:
    return folder_of(root, ko=LEAST - 1, ok=9)


def unreadable(root: Path) -> Path:
    folder_of(root, ok=9)
    (root / "ko").mkdir()
    for index in range(9):
        (root / "ko" / f"{index}.jpg").write_bytes(b"\xff\xd8 broken")
    return root


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (nothing, "is not a folder"),
        (empty, "has no subfolder with photos"),
        (only_loose_photos, "has no subfolder with photos"),
        (one_class, "has photos of one class only ('ok')"),
        (too_few, f"Class 'ko' of .* has {LEAST - 1} usable photos; at least {LEAST} are needed"),
        (unreadable, "Class 'ko' of .* has 0 usable photos (left out: 'ko/0.jpg' .*'ko/1.jpg'"),
    ],
)
def test_folders_that_will_not_do(prepare: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    with pytest.raises(Fault, match=message.replace("(", r"\(").replace(")", r"\)")):
        own(prepare(tmp_path))


def test_too_few_marbles_for_both_classes() -> None:
    with pytest.raises(Fault, match="Class 'ko' of the drawn marbles"):
        marbles(4)


@pytest.mark.parametrize(("counts", "taken"), [((10, 10), 4), ((5, 5), 2), ((2, 2), 2), ((100, 3), 21)])
def test_split_takes_a_share_of_each_class(counts: tuple[int, int], taken: int) -> None:
    pictures = [
        Picture(f"{label}/{i}", label, b"") for label, count in zip("ab", counts, strict=True) for i in range(count)
    ]
    rest, part = split(pictures, 0.2, 7)
    assert len(part) == taken
    assert {picture.label for picture in part} == {picture.label for picture in rest} == {"a", "b"}
    assert names(rest) | names(part) == {picture.name for picture in pictures}


def test_lst_lines_are_index_label_path() -> None:
    pictures = (Picture("ok/7.jpg", "ok", b""), Picture("ko/with space.jpg", "ko", b""))
    assert lst(pictures, ("ko", "ok")) == "0\t1\tok/7.jpg\n1\t0\tko/with space.jpg\n"
