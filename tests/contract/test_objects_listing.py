"""The object store's promise: listing by prefix and delimiter, in pages."""

from pathlib import Path

import pytest
from tests.contract.conftest import HOME, put

from tobo.kit.clock import SetClock
from tobo.objects.base import Objects
from tobo.objects.folder import FolderObjects

KEYS = ["/lead", "../up", "a", "a//b", "a/b", "a/b/c", "b/", "b/1", "b/2", "c.txt", "é", "日本/語", "\U0001f600"]

LISTINGS = [
    # prefix, delimiter, after -> keys, prefixes
    ("", "", "", KEYS, []),
    ("", "/", "", ["a", "c.txt", "é", "\U0001f600"], ["../", "/", "a/", "b/", "日本/"]),
    ("a", "/", "", ["a"], ["a/"]),
    ("a/", "/", "", ["a/b"], ["a//", "a/b/"]),
    ("b/", "/", "", ["b/", "b/1", "b/2"], []),
    ("", "/", "a", ["c.txt", "é", "\U0001f600"], ["a/", "b/", "日本/"]),
    ("", "/", "a/", ["c.txt", "é", "\U0001f600"], ["b/", "日本/"]),
    ("", "/", "b/1", ["c.txt", "é", "\U0001f600"], ["b/", "日本/"]),
    ("", "", "b/1", ["b/2", "c.txt", "é", "日本/語", "\U0001f600"], []),
    ("", "txt", "", [key for key in KEYS if key != "c.txt"], ["c.txt"]),
    ("日", "本/", "", [], ["日本/"]),
    ("none", "/", "", [], []),
    ("b", "/", "zzz", [], []),
    ("b/", "//", "a", ["b/", "b/1", "b/2"], []),
]


@pytest.mark.parametrize(("prefix", "delimiter", "after", "keys", "prefixes"), LISTINGS)
def test_listing(
    objects: Objects, prefix: str, delimiter: str, after: str, keys: list[str], prefixes: list[str]
) -> None:
    for key in reversed(KEYS):
        put(objects, key)
    page = objects.list(HOME, "photos", prefix, delimiter, after)
    in_order = sorted(keys, key=str.encode)
    assert [found.key for found in page.objects] == in_order
    assert (page.prefixes, page.next_after) == (prefixes, None)
    assert page.objects == [objects.head(HOME, "photos", key) for key in in_order]
    paged = [step for size in (1, 2, 3) for step in [_paged(objects, prefix, delimiter, after, size)]]
    assert paged == [(in_order, prefixes)] * 3
    assert objects.list(HOME, "photos", prefix, delimiter, after, 0) == ([], [], None)


def _paged(objects: Objects, prefix: str, delimiter: str, after: str, size: int) -> tuple[list[str], list[str]]:
    keys: list[str] = []
    prefixes: list[str] = []
    following: str | None = after
    while following is not None:
        page = objects.list(HOME, "photos", prefix, delimiter, following, size)
        assert len(page.objects) + len(page.prefixes) <= size
        keys += [found.key for found in page.objects]
        prefixes += page.prefixes
        following = page.next_after
    return keys, prefixes


def test_common_prefixes_cost_what_they_are_not_what_is_under_them(tmp_path: Path) -> None:
    """100,000 keys under two prefixes: SQLite takes a handful of steps, not a walk over the keys."""
    objects = FolderObjects(tmp_path / "objects", SetClock())
    try:
        objects.create_bucket(HOME, "photos", {})
        put(objects, "seed")
        with objects._index.writing() as db:
            seed = db.execute("SELECT bucket, size, etag, modified, blob, details FROM objects").fetchone()
            keys = (f"{folder}/{number}".encode() for folder in ("train", "validation") for number in range(50_000))
            db.executemany(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)", ((seed[0], key, *seed[1:]) for key in keys)
            )
        steps: list[int] = []
        objects._index.reader().set_progress_handler(lambda: steps.append(1), 100)
        page = objects.list(HOME, "photos", delimiter="/")
        assert ([found.key for found in page.objects], page.prefixes) == (["seed"], ["train/", "validation/"])
        assert len(steps) < 10
    finally:
        objects.close()
