"""The first program of the loop: old data and new labels become one training set, from which the held-out set is kept out.

Leaves in /opt/ml/processing/out: train.manifest, validation.manifest (a part of the training data, for the trainer's
own choice of an epoch), held-out.json (a ManifestFile for batch transforms), truth.json (class names by the held-out
keys) and facts.json. All labels that there ever were stay in the loop's pool, <work>/labelled.manifest.
"""

import io
import json
import tarfile
from argparse import ArgumentParser, Namespace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tobo.kit.guest import UserError
from tobo.loop.ending import run_program
from tobo.loop.pictures import Labels, joined, manifest_of, read_labels, split
from tobo.loop.source import Source

TRIES = 20
"""Until the pool is written; somebody else may write it at the same time."""


def main() -> None:
    parser = ArgumentParser()
    for name in ("train", "labels", "held-out", "group", "work", "out"):
        parser.add_argument(f"--{name}", required=True)
    run_program(parser, _gather)


def _gather(asked: Namespace) -> None:
    source = Source()
    package, classes = current_model(source.sagemaker, source, asked.group)
    held_out = read_labels(source, asked.held_out, classes)
    if not held_out:
        raise UserError(f"{asked.held_out} has no labelled picture; the held-out set is what models are compared on.")
    base, new = read_labels(source, asked.train, classes), read_labels(source, asked.labels)
    if new and not set(new.values()) & set(classes):
        raise UserError(
            f"The labels' classes ({', '.join(sorted(set(new.values())))}) are none of the current model's "
            f"({', '.join(classes)}); label with the same names."
        )
    pool = _pooled(source, f"{asked.work.rstrip('/')}/labelled.manifest", new)
    hashes = source.hashes(sorted({*held_out, *base, *pool}))
    labels, changed = joined((base, pool), hashes)
    held_out, secret = _distinct(held_out, hashes)
    kept = {picture: name for picture, name in labels.items() if hashes[picture] not in secret}
    names = [*classes, *sorted(set(kept.values()) - set(classes))]
    if odd := sorted(set(held_out.values()) - set(names)):
        raise UserError(f"The held-out set has the class '{odd[0]}', of which no picture is trained on.")
    train, validation = split(kept, hashes)
    facts = {
        "current": package,
        "current_classes": classes,
        "classes": len(names),
        "class_names": names,
        "train": len(train),
        "validation": len(validation),
        "held_out": len(held_out),
        "held_out_set": _digest(held_out, hashes),
        "new_labels": len(new),
        "changed_labels": changed,
        "left_out": len(labels) - len(kept),
    }
    write(Path(asked.out), train, validation, held_out, names, facts)
    print(json.dumps(facts, indent=1), flush=True)


def _distinct(held_out: Labels, hashes: dict[str, str]) -> tuple[Labels, set[str]]:
    """(one address for each different picture, the hashes): the same picture twice is no evidence twice."""
    first: dict[str, str] = {}
    for picture, name in sorted(held_out.items()):
        known = first.setdefault(hashes[picture], picture)
        if held_out[known] != name:
            raise UserError(f"{known} and {picture} are the same picture and have different labels; mend one of them.")
    return {picture: held_out[picture] for picture in first.values()}, set(first)


def _digest(held_out: Labels, hashes: dict[str, str]) -> str:
    """The same for the same pictures with the same labels, wherever they lie: which comparisons may be compared."""
    lines = sorted(f"{hashes[picture]} {name}\n" for picture, name in held_out.items())
    return sha256("".join(lines).encode()).hexdigest()[:12]


def write(
    out: Path, train: Labels, validation: Labels, held_out: Labels, names: list[str], facts: dict[str, Any]
) -> None:
    """The files that the steps behind read. Raises UserError where the held-out pictures lie in several buckets."""
    out.mkdir(parents=True, exist_ok=True)
    buckets = {picture.removeprefix("s3://").partition("/")[0] for picture in held_out}
    if len(buckets) > 1:
        raise UserError(f"The held-out pictures lie in the buckets {', '.join(sorted(buckets))}; put them into one.")
    prefix = f"s3://{buckets.pop()}/"
    truth = {picture[len(prefix) :]: name for picture, name in sorted(held_out.items())}
    (out / "train.manifest").write_bytes(manifest_of(train, names))
    (out / "validation.manifest").write_bytes(manifest_of(validation, names))
    (out / "held-out.json").write_text(json.dumps([{"prefix": prefix}, *truth]))
    (out / "truth.json").write_text(json.dumps({"prefix": prefix, "labels": truth}))
    (out / "facts.json").write_text(json.dumps(facts))


def current_model(sagemaker: Any, source: Source, group: str) -> tuple[str, list[str]]:
    """(ARN of the newest approved version, its class names in the order of its scores)."""
    asked = {"ModelPackageGroupName": group, "ModelApprovalStatus": "Approved", "MaxResults": 1}
    found = sagemaker.list_model_packages(**asked, SortBy="CreationTime", SortOrder="Descending")
    if not found["ModelPackageSummaryList"]:
        raise UserError(f"The group '{group}' has no approved version; approve the model that is to be improved.")
    arn = found["ModelPackageSummaryList"][0]["ModelPackageArn"]
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    address = package["InferenceSpecification"]["Containers"][0].get("ModelDataUrl", "")
    archive = source.read(address)
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            file = packed.extractfile("labels.json")
            assert file is not None
            return arn, [str(name) for name in json.load(file)]
    except (tarfile.TarError, KeyError, ValueError, AssertionError):
        raise UserError(f"{address} has no labels.json with the class names of {arn}.") from None


def _pooled(source: Source, address: str, new: Labels) -> Labels:
    """The labels of all earlier runs with the new ones over them, written back."""
    for _ in range(TRIES):
        known = source.read_with_tag(address)
        text, tag = known if known else (b"", None)
        there: Labels = read_labels(source, address) if known else {}
        pool = {**there, **new}
        body = manifest_of(pool, sorted(set(pool.values())))
        if body == text or source.write(address, body, tag):
            return pool
    raise UserError(f"{address} is being written by others all the time; start the execution again.")


if __name__ == "__main__":
    main()
