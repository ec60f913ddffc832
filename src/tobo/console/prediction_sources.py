"""Where predictions come from: a training job's output data, or a batch transform's outputs beside labelled pictures."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tobo.console.evaluation import Predictions, checked, predictions_of
from tobo.console.reading import BadArchive, read_member, read_object
from tobo.console.visit import Visit
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import S3Uri, parse_s3_uri

FILE = "evaluation.json"

MOST_BYTES = 200 << 20
"""Of an archive, and of the file in it."""

MOST_OUTPUTS = 10_000
"""Outputs of a batch transform that one page reads, one object each."""


def of_training(visit: Visit, name: str) -> Predictions:
    """The validation predictions that a training job left. Raises Fault where there are none."""
    job = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
    config = job["OutputDataConfig"]
    output = parse_s3_uri(config["S3OutputPath"], "OutputDataConfig.S3OutputPath").below(name, "output")
    plain = config.get("CompressionType") == "NONE"
    at = output.below("output", FILE) if plain else output.below("output.tar.gz")
    try:
        if visit.quietly("s3", "HeadObject", Bucket=at.bucket, Key=at.key)["ContentLength"] > MOST_BYTES:
            raise validation(f"{at} has more than {MOST_BYTES >> 20} MiB, which a page does not read.")
        text = read_object(visit, at.bucket, at.key) if plain else read_member(visit, at, FILE, MOST_BYTES)
    except BadArchive as error:
        raise validation(f"output.tar.gz of {name} cannot be read ({error}).") from None
    except Fault as fault:
        if fault.status != 404:
            raise
        raise _none(name, f"there is no {at}") from None
    if text is None:
        raise _none(name, f"its output.tar.gz holds no {FILE}")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise validation(f"{FILE} of {name} is not JSON ({error}).") from None
    if not isinstance(document, Mapping) or document.get("records"):  # pictures in a .rec file have no address
        return predictions_of(document, "")
    return predictions_of(document, _base_of_channel(visit, job, str(document.get("channel", "validation"))))


def _none(name: str, why: str) -> Fault:
    return Fault(
        "ResourceNotFound",
        f"{name} has left no predictions ({why}). Image classification leaves them where it has a validation channel; "
        "train again, or run a batch transform over labelled pictures and evaluate that.",
        404,
    )


def _base_of_channel(visit: Visit, job: Mapping[str, Any], name: str) -> str:
    """What stands before a key in a picture's address; "" where keys are addresses, or there are no single pictures."""
    for channel in job.get("InputDataConfig", []):
        source = channel.get("DataSource", {}).get("S3DataSource", {})
        if channel["ChannelName"] != name:
            continue
        if source.get("S3DataType") == "S3Prefix":
            return str(base_of(visit, parse_s3_uri(source["S3Uri"], f"channel '{name}'")))
        if source.get("S3DataType") == "ManifestFile":
            at = parse_s3_uri(source["S3Uri"], f"channel '{name}'")
            try:
                return str(json.loads(read_object(visit, at.bucket, at.key))[0]["prefix"])
            except (ValueError, LookupError, TypeError):
                raise validation(f"{at} is no manifest any more; its first member must be a prefix.") from None
    return ""


def base_of(visit: Visit, uri: S3Uri) -> S3Uri:
    """The folder that an S3Prefix' files are told relative to: the prefix, or its last folder where it is no folder."""
    if not uri.key or uri.key.endswith("/"):
        return uri
    below = visit.quietly("s3", "ListObjectsV2", Bucket=uri.bucket, Prefix=f"{uri.key}/", MaxKeys=1)
    return S3Uri(uri.bucket, f"{uri.key}/" if below["KeyCount"] else uri.key[: uri.key.rfind("/") + 1])


def of_transform(visit: Visit, name: str, listed: str | None, classes: Sequence[str]) -> Predictions:
    """Outputs of a batch transform; the truth is each picture's first folder, or stands in the .lst at `listed`.

    `classes` are the model's, in its order; the sorted folders where none are given. Raises Fault.
    """
    job = visit.quietly("sagemaker", "DescribeTransformJob", TransformJobName=name)
    source = job["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] != "S3Prefix" or job["TransformInput"].get("SplitType", "None") != "None":
        raise validation(
            f"{name} did not score whole objects of one prefix; an evaluation needs one picture an object."
        )
    base = base_of(visit, parse_s3_uri(source["S3Uri"], "TransformInput"))
    outputs = _outputs(visit, parse_s3_uri(job["TransformOutput"]["S3OutputPath"], "TransformOutput").below(""))
    if not outputs:
        raise validation(f"{name} has no outputs at {job['TransformOutput']['S3OutputPath']}; has it completed?")
    if listed:
        truth, named = _listed(visit, listed)
    else:
        named = tuple(sorted({key.split("/")[0] for key in outputs if "/" in key}))
        truth = {key: named.index(key.split("/")[0]) for key in outputs if "/" in key}
    keys = [key for key in outputs if key in truth]
    if not keys:
        raise validation(f"No output of {name} has a label: put one folder a class below {base}, or name a .lst file.")
    scores = [outputs[key] for key in keys]
    labels = tuple(classes) or named
    if any(len(row) != len(labels) for row in scores):
        raise validation(
            f"The model of {name} gives {len(scores[0])} scores, but there are {len(labels)} classes "
            f"({', '.join(labels[:5])}); write its class names in their order."
        )
    if classes and not listed:
        if odd := sorted(set(named) - set(labels)):
            raise validation(f"The folder '{odd[0]}' is none of the classes {', '.join(labels[:5])}.")
        truth = {key: labels.index(named[index]) for key, index in truth.items()}
    indices = np.array([truth[key] for key in keys], np.int64)
    return checked(Predictions(labels, str(base), tuple(keys), indices, np.array(scores, np.float64)))


def _outputs(visit: Visit, folder: S3Uri) -> dict[str, list[float]]:
    """Scores by the picture's path; what holds none is left out."""
    found: dict[str, list[float]] = {}
    token: dict[str, str] = {}
    while True:
        page = visit.quietly("s3", "ListObjectsV2", Bucket=folder.bucket, Prefix=folder.key, **token)
        for entry in page["Contents"]:
            if entry["Key"].endswith(".out") and len(found) < MOST_OUTPUTS:
                scores = _scores(read_object(visit, folder.bucket, entry["Key"]))
                if scores is not None:
                    found[entry["Key"][len(folder.key) : -len(".out")]] = scores
        if "NextContinuationToken" not in page or len(found) >= MOST_OUTPUTS:
            return found
        token = {"ContinuationToken": page["NextContinuationToken"]}


def _scores(text: bytes) -> list[float] | None:
    """`[0.1, 0.9]` or `{"prediction": [0.1, 0.9]}`."""
    try:
        value = json.loads(text)
        row = value["prediction"] if isinstance(value, dict) else value
        return [float(score) for score in row]
    except (ValueError, KeyError, TypeError):
        return None


def _listed(visit: Visit, text: str) -> tuple[dict[str, int], tuple[str, ...]]:
    """(class index by path, class names) of a .lst file: lines of index, label and path, tabs between."""
    at = parse_s3_uri(text, "the list of labels")
    truth: dict[str, int] = {}
    for number, line in enumerate(read_object(visit, at.bucket, at.key).decode("utf-8", "replace").splitlines(), 1):
        columns = line.split("\t")
        if not line.strip():
            continue
        try:
            truth[columns[2].strip()] = int(float(columns[1]))
        except (IndexError, ValueError):
            raise validation(f"{text}, line {number}: expected 'index<TAB>label<TAB>path'.") from None
    folders = {index: key.split("/")[0] for key, index in truth.items() if "/" in key}
    names = tuple(folders.get(index, str(index)) for index in range(max(truth.values(), default=-1) + 1))
    alike = len(set(names)) < len(names)
    return truth, tuple(map(str, range(len(names)))) if alike else names
