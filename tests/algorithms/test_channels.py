"""The four input forms give the same examples, and what is wrong with them is named by file and line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from classification_jobs import CLASSES, Job, picture

from tobo.algorithms.image_classification import channels, recordio
from tobo.algorithms.image_classification import settings as hyperparameters
from tobo.algorithms.image_classification.examples import Examples
from tobo.kit.guest import UserError

COUNT = 3
PICTURES = [(label, f"{kind}/{i}.png", picture(kind, i)) for label, kind in enumerate(CLASSES) for i in range(COUNT)]


def read(job: Job) -> tuple[Examples, Examples | None]:
    return channels.read(job.paths, hyperparameters.load(job.paths.hyperparameters))


def put_folders(job: Job) -> None:
    for _, name, data in PICTURES:
        job.add("train", name, data)


def put_list(job: Job) -> None:
    put_folders(job)
    job.add("train_lst", "train.lst", "".join(f"{i}\t{label}\t{name}\n" for i, (label, name, _) in enumerate(PICTURES)))


def put_records(job: Job) -> None:
    with job.add("train", "train.rec", b"").open("wb") as stream:
        for number, (label, _, data) in enumerate(PICTURES):
            recordio.write_record(stream, data, (float(label),), number)


def put_manifest(job: Job) -> None:
    lines = []
    for label, name, data in PICTURES:
        job.add("train", f"bucket/photos/{name}", data)
        metadata = {"class-name": CLASSES[label], "type": "groundtruth/image-classification"}
        entry = {"source-ref": f"s3://bucket/photos/{name}", "kind": label, "kind-metadata": metadata}
        lines.append(json.dumps(entry))
    job.add("train", "train.manifest", "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("put", "names"),
    [(put_folders, CLASSES), (put_list, CLASSES), (put_records, None), (put_manifest, CLASSES)],
)
def test_every_form_gives_the_same_pictures(tmp_path: Path, put: Callable[[Job], None], names: object) -> None:
    job = Job(tmp_path)
    put(job)
    train, validation = read(job)
    assert sorted((e.label, e.read()) for e in train.items) == sorted((label, data) for label, _, data in PICTURES)
    assert train.names == names and validation is None


def test_a_validation_channel_without_one_of_the_classes_keeps_their_indices(tmp_path: Path) -> None:
    job = Job(tmp_path)
    put_folders(job)
    job.add("validation", "square/1.png", picture("square", 1))
    validation = read(job)[1]
    assert validation is not None and [e.label for e in validation.items] == [1]


def test_attribute_names_choose_the_label(tmp_path: Path) -> None:
    job = Job(tmp_path)
    put_manifest(job)
    manifest = job.paths.channel("train") / "train.manifest"
    entries = [json.loads(line) for line in manifest.read_text().splitlines()]
    swapped = [{"weight": 7, **entry, "other": 1 - entry["kind"]} for entry in entries]
    manifest.write_text("\n".join(map(json.dumps, swapped)))
    job.paths.input_data_config.write_text(json.dumps({"train": {"AttributeNames": ["source-ref", "other"]}}))
    assert [e.label for e in read(job)[0].items] == [1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [("1\t0\t1", (1, 0, 1)), ("2", (0, 0, 1)), ("0\t2", (1, 0, 1)), ("0\t0\t0", (0, 0, 0))],
)
def test_multi_label_lists(tmp_path: Path, columns: str, expected: tuple[int, ...]) -> None:
    job = Job(tmp_path, num_classes=3, multi_label=1)
    job.add("train", "a.png", picture("disc", 1))
    job.add("train_lst", "a.lst", f"0\t1\t1\t1\ta.png\n1\t{columns}\ta.png\n")
    assert [e.label for e in read(job)[0].items] == [(1, 1, 1), expected]


@pytest.mark.parametrize(
    ("value", "metadata", "expected"),
    [
        ([0, 1], {"class-map": {"0": "disc", "1": "ring"}}, (1, 1)),  # Ground Truth's: both classes
        ([1], {"class-map": {"1": "ring"}}, (0, 1)),
        ([0, 1], {}, (0, 1)),  # the algorithm's own form: a flag a class
    ],
)
def test_several_classes_in_a_manifest(
    tmp_path: Path, value: list[int], metadata: dict[str, object], expected: tuple[int, ...]
) -> None:
    job = Job(tmp_path, num_classes=2, multi_label=1)
    job.add("train", "bucket/a.png", picture("disc", 1))
    reference = {"source-ref": "s3://bucket/a.png"}
    both = {**reference, "shapes": [0, 1], "shapes-metadata": {"class-map": {"0": "disc", "1": "ring"}}}
    line = {**reference, "shapes": value, "shapes-metadata": metadata}
    job.add("train", "t.manifest", f"{json.dumps(both)}\n{json.dumps(line)}\n")
    assert [e.label for e in read(job)[0].items] == [(1, 1), expected]


GOOD = "0\t0\ta.png\n1\t1\ta.png\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "2\t1\tmissing.png\n", r"train_lst/t.lst, line 3: there is no picture 'missing.png' in the channel"),
        (GOOD + "2\tcat\ta.png\n", r"train_lst/t.lst, line 3: the label 'cat' is not a whole number"),
        (GOOD + "2\t0.5\ta.png\n", r"train_lst/t.lst, line 3: the label '0.5' is not a whole number"),
        (GOOD + "2\t-1\ta.png\n", r"train_lst/t.lst, line 3: the label -1 is not in 0..1 \(num_classes=2\)"),
        (GOOD + "\n2\t2\ta.png\n", r"train_lst/t.lst, line 4: the label 2 is not in 0..1"),
        (GOOD + "2 1 a.png\n", r"train_lst/t.lst, line 3: expected 'index<TAB>label<TAB>path', found '2 1 a.png'"),
        (GOOD + "2\t1\t\n", r"train_lst/t.lst, line 3: expected"),
        (GOOD + "2\t1\t0\ta.png\n", r"train_lst/t.lst, line 3: 2 labels for one picture; set multi_label=1"),
        ("0\t0\ta.png\n1\t0\ta.png\n", r"train_lst/t.lst: none of its 2 examples has the label 1"),
        ("\n", r"train_lst/t.lst is empty"),
    ],
)
def test_lists_are_refused_by_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    job = Job(tmp_path)
    job.add("train", "a.png", picture("disc", 1))
    job.add("train_lst", "t.lst", text)
    with pytest.raises(UserError, match=said):
        read(job)


def test_windows_lists_and_floats_are_read(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.add("train", "a b.png", picture("disc", 1))
    job.add("train_lst", "t.lst", "\ufeff0\t0.000000\ta b.png\r\n1\t1.000000\ta b.png\r\n")
    assert [e.label for e in read(job)[0].items] == [0, 1]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{", r"train/m.manifest, line 2 is not JSON"),
        ("[]", r"train/m.manifest, line 2: expected a JSON object"),
        ('{"label": 1}', r"train/m.manifest, line 2: the attribute 'source-ref' is missing"),
        ('{"source-ref": "s3://b/a.png"}', r"train/m.manifest, line 2: the attribute 'label' is missing"),
        ('{"source-ref": "s3://b/z.png", "label": 1}', r"line 2: the picture 's3://b/z.png' is not in the channel"),
        ('{"source-ref": "s3://b/a.png", "label": "[1"}', r"line 2: the label '\[1' is not a list"),
        ('{"source-ref": "s3://b/a.png", "label": null}', r"line 2: the label 'None' is not a whole number"),
    ],
)
def test_manifests_are_refused_by_file_and_line(tmp_path: Path, entry: str, said: str) -> None:
    job = Job(tmp_path)
    job.add("train", "b/a.png", picture("disc", 1))
    job.add("train", "m.manifest", '{"source-ref": "s3://b/a.png", "label": "0"}\n' + entry + "\n")
    with pytest.raises(UserError, match=said):
        read(job)


@pytest.mark.parametrize(
    ("files", "hyperparameters", "said"),
    [
        ([], {}, r"The channel 'train' is missing or empty"),
        (["a.png"], {}, r"neither .rec files nor a manifest nor one folder a class"),
        (["x/a.png", "y/a.png", "z/a.png"], {}, r"has 3 class folders \(x, y, z\), but num_classes=2"),
        (["x/a.png", "y/a.png"], {"multi_label": 1}, r"cannot say several; use a .lst file"),
    ],
)
def test_folders_are_refused_by_name(
    tmp_path: Path, files: list[str], hyperparameters: dict[str, int], said: str
) -> None:
    job = Job(tmp_path, **hyperparameters)
    for file in files:
        job.add("train", file, picture("disc", 1))
    with pytest.raises(UserError, match=said):
        read(job)


def test_a_strange_class_in_validation_is_named(tmp_path: Path) -> None:
    job = Job(tmp_path)
    put_folders(job)
    job.add("validation", "hexagon/1.png", picture("disc", 1))
    with pytest.raises(UserError, match=r"'validation' has class folders that 'train' has not: hexagon"):
        read(job)


def test_a_bad_label_in_a_record_is_named(tmp_path: Path) -> None:
    job = Job(tmp_path)
    with job.add("train", "t.rec", b"").open("wb") as stream:
        recordio.write_record(stream, b"", (0.0,), 10)
        recordio.write_record(stream, b"", (5.0,), 11)
    with pytest.raises(UserError, match=r"train/t.rec, record 1 \(id 11\): the label 5 is not in 0..1"):
        read(job)
