"""Without a server: who is right where, what chance would do, and how pictures are joined, split and kept apart."""

import json
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tobo.kit.guest import UserError
from tobo.loop.compare import decided
from tobo.loop.definition import loop_definition, training_data
from tobo.loop.gather import _digest, _distinct
from tobo.loop.judging import compare, mcnemar
from tobo.loop.pictures import _of_manifest, joined, manifest_of, split
from tobo.resources.pipelines.definition import read_definition


@pytest.mark.parametrize(
    ("current", "new", "p_value"),
    [(0, 0, 1.0), (1, 1, 1.0), (0, 5, 0.0625), (5, 0, 0.0625), (1, 9, 0.02148), (0, 20, 1.907e-06), (10, 12, 0.8318)],
)
def test_mcnemar(current: int, new: int, p_value: float) -> None:
    """The values are those of R's binom.test(new, current + new)$p.value."""
    assert mcnemar(current, new) == pytest.approx(p_value, rel=1e-3)


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_the_chance_of_what_is_as_uneven(current: int, new: int) -> None:
    thrown = current + new
    as_uneven = sum(comb(thrown, k) for k in range(thrown + 1) if abs(2 * k - thrown) >= abs(new - current))
    assert mcnemar(current, new) == pytest.approx(as_uneven / 2**thrown, rel=1e-3)


def told(outcomes: str) -> dict[str, object]:
    """A letter a picture: b both right, n only the new model, c only the current one, w none."""
    truth = {f"s3://b/{n}": "ok" for n in range(len(outcomes))}
    current = {f"s3://b/{n}": "ok" if one in "bc" else "ko" for n, one in enumerate(outcomes)}
    new = {f"s3://b/{n}": "ok" if one in "bn" else "ko" for n, one in enumerate(outcomes)}
    return compare(truth, current, new, ["ko", "ok"])


@pytest.mark.parametrize(
    ("outcomes", "better", "not_worse", "verdict"),
    [
        ("b" * 9 + "n" * 8, True, True, "The new model is better: of 8 pictures on which exactly one is right, the new model is on 8 (p = 0.0078)."),
        ("b" * 9 + "nnc", False, True, "The new model got more right, but it may be chance"),
        ("b" * 9 + "ncc", False, False, "The current model got more right, but it may be chance"),
        ("c" * 8, False, False, "The current model is better"),
        ("bbnc", False, True, "Equally good on 4 pictures: each alone is right on 1."),
        ("n" * 40, True, True, "(p < 0.0001)"),
    ],
)  # fmt: skip
def test_verdicts(outcomes: str, better: bool, not_worse: bool, verdict: str) -> None:
    found = told(outcomes)
    assert (found["better"], found["not_worse"]) == (better, not_worse)
    assert verdict in str(found["verdict"])


def test_the_document() -> None:
    found = told("bnncw")
    assert [found[name] for name in ("both_right", "both_wrong", "only_new_right", "only_current_right")] == [
        1,
        1,
        2,
        1,
    ]
    assert found["new"] == {"right": 3, "accuracy": 0.6, "recall": {"ok": 0.6}, "confusion": [[0, 0], [2, 3]]}
    changed = {"picture": "s3://b/1", "truth": "ok", "current": "ko", "new": "ok"}
    assert found["changed"][0] == changed and len(found["changed"]) == 3  # type: ignore[index,arg-type]


def test_a_picture_without_an_answer_is_named() -> None:
    with pytest.raises(UserError, match="The new model has no answer for 1 pictures, among them s3://b/1"):
        compare({"s3://b/1": "ok"}, {"s3://b/1": "ok"}, {}, ["ok"])


def test_the_newest_label_of_a_picture_counts() -> None:
    hashes = {"s3://b/1": "x", "s3://b/copy": "x", "s3://b/2": "y"}
    labels, changed = joined([{"s3://b/1": "ok", "s3://b/2": "ok"}, {"s3://b/copy": "ko"}], hashes)
    assert (labels, changed) == ({"s3://b/1": "ko", "s3://b/2": "ok"}, 1)


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 999), st.sampled_from(["a", "b"]), min_size=1, max_size=60), st.integers(0, 999))
def test_a_split_is_the_same_again_and_hardly_moved_by_one_picture(found: dict[int, str], more: int) -> None:
    labels = {f"s3://b/{n}": name for n, name in found.items()}
    hashes = {f"s3://b/{n}": f"{n * 7919 % 1000:03}" for n in range(1000)}
    train, validation = split(labels, hashes)
    assert {**train, **validation} == labels and not train.keys() & validation.keys()
    assert set(train.values()) == set(labels.values())
    again, _ = split(dict(reversed(labels.items())), hashes)
    assert again == train
    moved = split({**labels, f"s3://b/{more}": "a"}, hashes)[1].keys() ^ validation.keys()
    assert len(moved) <= 2 or f"s3://b/{more}" in labels


def test_manifests_are_read_as_people_and_models_write_them() -> None:
    lines = [
        {"source-ref": "s3://b/1", "label": 1, "label-metadata": {"class-name": "ok"}},
        {"source-ref": "s3://b/2", "label-suggested": 0, "label-suggested-metadata": {"class-name": "ko"}},
        {"source-ref": "s3://b/3", "mine-metadata": {"class-name": "ko"}},
    ]
    text = "\n".join(map(json.dumps, lines)).encode()
    assert dict(_of_manifest(text, "m")) == {"s3://b/1": "ok"}
    twice = {**lines[0], "other": 0, "other-metadata": {"class-name": "ko"}}
    with pytest.raises(UserError, match="m, line 1: the labels label, other say different classes"):
        dict(_of_manifest(json.dumps(twice).encode(), "m"))
    with pytest.raises(UserError, match="m, line 2: expected a JSON object with 'source-ref'"):
        dict(_of_manifest(b'\n{"a": 1}', "m"))
    written = manifest_of({"s3://b/2": "ok", "s3://b/1": "ko"}, ["ko", "ok"])
    assert dict(_of_manifest(written, "m")) == {"s3://b/1": "ko", "s3://b/2": "ok"}


def test_a_held_out_picture_counts_once() -> None:
    hashes = {"s3://b/1": "x", "s3://b/2": "x", "s3://b/3": "y"}
    kept, secret = _distinct({"s3://b/2": "ok", "s3://b/1": "ok", "s3://b/3": "ko"}, hashes)
    moved = _digest({"s3://c/9": "ok", "s3://b/3": "ko"}, {"s3://c/9": "x", "s3://b/3": "y"})
    assert _digest(kept, hashes) == moved != _digest({"s3://b/3": "ko"}, hashes)
    assert (kept, secret) == ({"s3://b/1": "ok", "s3://b/3": "ko"}, {"x", "y"})
    with pytest.raises(UserError, match="s3://b/1 and s3://b/2 are the same picture and have different labels"):
        _distinct({"s3://b/1": "ok", "s3://b/2": "ko"}, hashes)


def test_answers_that_are_no_scores_are_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg.out").write_text("[0.2, 0.8]")
    (tmp_path / "2.jpg.out").write_text('{"prediction": [0.7, 0.3]}')
    assert decided(tmp_path, "s3://b/", ["ko", "ok"]) == {"s3://b/a/1.jpg": "ok", "s3://b/2.jpg": "ko"}
    with pytest.raises(UserError, match=r"2 scores for 2.jpg, but it has 3 classes"):
        decided(tmp_path, "s3://b/", ["a", "b", "c"])
    (tmp_path / "2.jpg.out").write_text("<html>")
    with pytest.raises(UserError, match=r"answer for 2.jpg is no list of scores"):
        decided(tmp_path, "s3://b/", ["ko", "ok"])


JOB = {
    "TrainingJobName": "j",
    "RoleArn": "arn:aws:iam::111122223333:role/any",
    "AlgorithmSpecification": {"TrainingImage": "image-classification:1", "TrainingInputMode": "File"},
    "HyperParameters": {"num_classes": "2"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/t"}}}],
}  # fmt: skip


def test_the_definition_can_be_run_and_deploys_only_where_told() -> None:
    quiet = read_definition(loop_definition(JOB, "g", "s3://b/h/", "s3://b/work/"))
    assert not {"Endpoint", "EndpointConfig"} & {step.type for step in quiet.steps}
    assert "DeployIfBetter" not in quiet.parameters and quiet.parameters["TrainingData"]["DefaultValue"] == "s3://b/t/"
    told = read_definition(loop_definition(JOB, "g", "s3://b/h/", "s3://b/work/", {"EndpointName": "e"}))
    assert told.parameters["DeployIfBetter"]["DefaultValue"] is False
    assert "Deploy" in told.by_name["RegisterDeployed"].needs


def test_training_data_of_other_forms_are_refused() -> None:
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://b/m"}},
    }
    for job in ({**JOB, "InputDataConfig": [channel]}, {**JOB, "InputDataConfig": []}):
        with pytest.raises(UserError, match="tobo labels convert"):
            training_data(job)


def test_a_job_that_names_an_algorithm_is_no_beginning() -> None:
    """The loop's steps name the image; what the algorithm said of it then may be gone."""
    named = {**JOB, "AlgorithmSpecification": {"AlgorithmName": "marbles", "TrainingInputMode": "File"}}
    with pytest.raises(UserError, match="names an algorithm"):
        loop_definition(named, "g", "s3://b/h/", "s3://b/work/")
