"""Channels: what of a bucket lands where below /opt/ml/input/data/<channel>, on the real object store."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tobo.kit.arn import Namespace
from tobo.kit.clock import SystemClock
from tobo.kit.fault import Fault
from tobo.objects.base import ObjectInfo, Objects
from tobo.objects.folder import FolderObjects
from tobo.operations.channels import lay_out_channel
from tobo.operations.sources import relative_key
from tobo.wire.body import Body

SPACE = Namespace("111122223333", "us-east-1")


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[Objects]:
    store = FolderObjects(tmp_path / "objects", SystemClock())
    store.create_bucket(SPACE, "photos", {})
    yield store
    store.close()


def put(objects: Objects, key: str, data: bytes | str) -> None:
    data = data.encode() if isinstance(data, str) else data
    objects.put(SPACE, ObjectInfo("photos", key, 0, "", 0.0), Body(len(data), data))


def channel(uri: str, kind: str = "S3Prefix", **more: Any) -> dict[str, Any]:
    source = {"S3Uri": uri, "S3DataType": kind}
    for member in ("S3DataDistributionType", "AttributeNames"):
        if member in more:
            source[member] = more.pop(member)
    return {"ChannelName": "train", "DataSource": {"S3DataSource": source}, **more}


def laid(objects: Objects, tmp_path: Path, asked: dict[str, Any], **share: int) -> dict[str, bytes]:
    folder = tmp_path / "channel"
    lay_out_channel(objects, SPACE, asked, folder, **share)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("key", "prefix", "expected"),
    [
        ("data/train/a.jpg", "data/train", "a.jpg"),
        ("data/train/a.jpg", "data/train/", "a.jpg"),
        ("data/train/ok/a.jpg", "data/train/", "ok/a.jpg"),
        ("data/train2/a.jpg", "data/train", "train2/a.jpg"),
        ("data/train.rec", "data/train.rec", "train.rec"),
        ("a.jpg", "", "a.jpg"),
        ("x/a.jpg", "", "x/a.jpg"),
        ("part-0001", "part-", "part-0001"),
    ],
)
def test_relative_key(key: str, prefix: str, expected: str) -> None:
    assert relative_key(key, prefix) == expected


def test_a_prefix_keeps_its_folders_and_costs_no_copy(objects: Objects, tmp_path: Path) -> None:
    for key in ("in/ok/a.jpg", "in/ko/b.jpg", "in/", "in/ok/", "other/c.jpg"):
        put(objects, key, key)
    asked = channel("s3://photos/in/")
    assert laid(objects, tmp_path, asked) == {"ko/b.jpg": b"in/ko/b.jpg", "ok/a.jpg": b"in/ok/a.jpg"}
    assert (tmp_path / "channel/ok/a.jpg").stat().st_nlink == 2
    assert laid(objects, tmp_path, asked) == laid(objects, tmp_path, asked)


def test_more_objects_than_a_page(objects: Objects, tmp_path: Path) -> None:
    for number in range(1100):
        put(objects, f"in/{number:04}", str(number))
    assert len(laid(objects, tmp_path, channel("s3://photos/in/"))) == 1100


def test_shards_are_disjoint_and_whole(objects: Objects, tmp_path: Path) -> None:
    for number in range(7):
        put(objects, f"in/{number}", str(number))
    asked = channel("s3://photos/in/", S3DataDistributionType="ShardedByS3Key")
    shards = [set(laid(objects, tmp_path / str(host), asked, host=host, hosts=3)) for host in range(3)]
    assert sorted(map(len, shards)) == [2, 2, 3] and set().union(*shards) == {str(n) for n in range(7)}


def test_a_manifest_names_its_files(objects: Objects, tmp_path: Path) -> None:
    put(objects, "in/ok/a.jpg", "a")
    put(objects, "in/b.jpg", "b")
    put(objects, "in/unnamed.jpg", "c")
    put(objects, "m.json", json.dumps([{"prefix": "s3://photos/in/"}, "ok/a.jpg", "b.jpg"]))
    asked = channel("s3://photos/m.json", "ManifestFile")
    assert laid(objects, tmp_path, asked) == {"b.jpg": b"b", "ok/a.jpg": b"a"}


def test_an_augmented_manifest_comes_with_its_pictures(objects: Objects, tmp_path: Path) -> None:
    put(objects, "in/a.jpg", "a")
    line = json.dumps({"source-ref": "s3://photos/in/a.jpg", "label": 1})
    put(objects, "out/output", line + "\n")
    asked = channel("s3://photos/out/output", "AugmentedManifestFile", AttributeNames=["source-ref", "label"])
    found = laid(objects, tmp_path, asked)
    assert found == {"output.manifest": (line + "\n").encode(), "photos/in/a.jpg": b"a"}


def test_gzip_is_taken_off(objects: Objects, tmp_path: Path) -> None:
    put(objects, "in/a.csv.gz", gzip.compress(b"1,2"))
    assert laid(objects, tmp_path, channel("s3://photos/in/", CompressionType="Gzip")) == {"a.csv": b"1,2"}


@pytest.mark.parametrize(
    ("keys", "asked", "says"),
    [
        ([], channel("s3://photos/in/"), "no object at 's3://photos/in/'"),
        ([], channel("s3://nowhere/in/"), "nowhere"),
        (["in/../a"], channel("s3://photos/in/"), "in/../a"),
        (["in/a", "in/a/b"], channel("s3://photos/in/"), "in/a"),
        (["in/" + "x" * 300], channel("s3://photos/in/"), "cannot be a file's path"),
        (["m.json"], channel("s3://photos/m.json", "ManifestFile"), "is not a manifest"),
        ([], channel("s3://photos/m.json", "ManifestFile"), "m.json"),
        (["m"], channel("s3://photos/m", "AugmentedManifestFile", AttributeNames=["source-ref"]), "line 1"),
        (["in/a.gz"], channel("s3://photos/in/", CompressionType="Gzip"), "in/a.gz' is not gzip"),
    ],
)
def test_what_cannot_be_laid_out_says_channel_place_and_reason(
    objects: Objects, tmp_path: Path, keys: list[str], asked: dict[str, Any], says: str
) -> None:
    for key in keys:
        put(objects, key, "not what it should be")
    with pytest.raises(Fault) as refused:
        laid(objects, tmp_path, asked)
    assert says in refused.value.message and "channel 'train'" in refused.value.message


def test_an_augmented_manifest_with_a_missing_picture_names_the_line(objects: Objects, tmp_path: Path) -> None:
    put(objects, "in/a.jpg", "a")
    put(objects, "m", "\n".join(json.dumps({"source-ref": f"s3://photos/in/{n}.jpg", "label": 1}) for n in "ab"))
    with pytest.raises(Fault, match=r"line 2: 's3://photos/in/b\.jpg'"):
        laid(
            objects, tmp_path, channel("s3://photos/m", "AugmentedManifestFile", AttributeNames=["source-ref", "label"])
        )
