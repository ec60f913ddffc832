"""Creating a training job: a form from what the algorithm declares, or from another job."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from tobo.algorithms import algorithms
from tobo.algorithms.image_classification.recipes import IMAGE, OWN_PHOTOS, RECIPE
from tobo.console import prices
from tobo.console.alike import alike
from tobo.console.choices import default_bucket, own_role
from tobo.console.hyperparameters import declared
from tobo.console.routing import Screen, posted, shown
from tobo.console.visit import Visit, fields_of, url, whole
from tobo.kit.fault import Fault
from tobo.operations.pricing import list_price
from tobo.wire.models import operation_model

CHANNELS = ("train", "validation", "train_lst", "validation_lst", "model")
INSTANCES = ("ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge", "ml.c5.xlarge", "ml.c5.2xlarge", "ml.g4dn.xlarge", "local")

HYPER = "hyper."
"""What hyperparameters' fields begin with, so that none is taken for a member of the request."""


@shown("/training-jobs/create")
def _form(visit: Visit) -> Response:
    """?clone=job fills it in with that job's request, ?image= chooses another image; what is typed already comes along.

    ?manifest=&attribute=&samples=&classes= fill in an augmented manifest, as a labelling job writes it, and a recipe.
    """
    cloned = visit.query.get("clone", "")
    job: dict[str, Any] = _on_manifest(visit.query)
    if cloned:
        job = visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=cloned)
    image = visit.query.get("image") or _image_of(visit, job.get("AlgorithmSpecification", {})) or IMAGE
    basic, rest = declared(image)
    values = {**job.get("HyperParameters", {}), **_hyperparameters(visit.query)}
    named = {one.name for one in (*basic, *rest)}
    extra = "\n".join(f"{name}={value}" for name, value in job.get("HyperParameters", {}).items() if name not in named)
    resources = job.get("ResourceConfig", {})
    return visit.page(
        "training_jobs/create.html",
        cloned=cloned,
        image=image,
        basic=basic,
        rest=rest,
        values=values,
        extra=visit.query.get("extra", extra),
        images=[IMAGE, *(f"{name}:1" for name in algorithms() if name not in IMAGE)],
        channels=_channels(job),
        attributes=_attributes(job),
        output=job.get("OutputDataConfig", {}).get("S3OutputPath") or f"s3://{default_bucket(visit)}/output",
        role=job.get("RoleArn") or own_role(visit),
        resources=resources,
        instances=[*INSTANCES, *([kind] if (kind := resources.get("InstanceType")) and kind not in INSTANCES else [])],
        seconds=job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 3600),
        name=_next_name(cloned) if cloned else "",
        buckets=_buckets(visit),
        hyper=HYPER,
        tags=_tags(visit, job),
    )


@shown("/training-jobs/price")
def _price(visit: Visit) -> Response:
    """What the job could cost at AWS at most."""
    query = visit.query
    seconds, count = _asked(query.get("seconds", ""), 0), _asked(query.get("instance_count", ""), 1)
    kind = query.get("instance_type", "")
    values = {
        "hourly": list_price(kind),
        "most": prices.cost(kind, seconds, count),
        "seconds": seconds,
        "source": prices.SOURCE,
        "kind": kind,
        "alike": alike(visit, query.get("image", ""), kind, count, _hyperparameters(query)),
    }
    return visit.page("training_jobs/price.html", **values)


@posted("/training-jobs/create")
def _create(visit: Visit) -> Response:
    fields = fields_of(visit.form)
    asked = request_of(fields)
    if cloned := fields.get("clone"):
        asked = like(visit.quietly("sagemaker", "DescribeTrainingJob", TrainingJobName=cloned), asked)
    visit.change("sagemaker", "CreateTrainingJob", **asked)
    name = asked["TrainingJobName"]
    return visit.done(url("training-jobs", name), f"Training job {name} was created.")


def request_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """CreateTrainingJob's members from the form's fields; fields that are empty are left out. Raises Fault."""
    hyper = _hyperparameters(fields) | _lines(fields.get("extra", ""), "Further hyperparameters")
    attributes = [name for name in re.split(r"[\s,]+", fields.get("attributes", "")) if name]
    channels = [
        {
            "ChannelName": name,
            "DataSource": {"S3DataSource": _source(name, address, attributes)},
        }
        for name in CHANNELS
        if (address := fields.get(f"channel.{name}"))
    ]
    tags = [{"Key": key, "Value": value} for key, value in _lines(fields.get("tags", ""), "Tags").items()]
    asked: dict[str, Any] = {
        "TrainingJobName": fields.get("name", ""),
        "RoleArn": fields.get("role", ""),
        "AlgorithmSpecification": {"TrainingImage": fields.get("image", ""), "TrainingInputMode": "File"},
        "HyperParameters": hyper,
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": fields.get("output", "")},
        "ResourceConfig": {
            "InstanceType": fields.get("instance_type", ""),
            "InstanceCount": whole(fields, "instance_count", "Instances"),
            "VolumeSizeInGB": whole(fields, "volume", "Volume"),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": whole(fields, "seconds", "At most")},
    }
    return asked | ({"Tags": tags} if tags else {})


def _source(channel: str, address: str, attributes: Sequence[str]) -> dict[str, Any]:
    """A channel's S3DataSource: with attributes, pictures come by the lines of an augmented manifest, a file."""
    if attributes and channel in ("train", "validation") and not address.endswith("/"):
        return {"S3DataType": "AugmentedManifestFile", "S3Uri": address, "AttributeNames": list(attributes)}
    return {"S3DataType": "S3Prefix", "S3Uri": address}


def _image_of(visit: Visit, specification: Mapping[str, Any]) -> str:
    """A described job's image; of one that names an algorithm that algorithm's, "" where it is gone."""
    uri = specification.get("TrainingImage")
    if uri or not specification.get("AlgorithmName"):
        return uri or ""
    made = visit.attempt("sagemaker", "DescribeAlgorithm", AlgorithmName=specification["AlgorithmName"])
    return made["TrainingSpecification"]["TrainingImage"] if made else ""


def like(job: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The request that made `job`, with what the form says over it: what the form has no field for stays as it was."""
    shape = operation_model("sagemaker", "CreateTrainingJob").input_shape
    found = {name: job[name] for name in (shape.members if shape else ()) if name in job}
    for name, value in asked.items():
        if name == "InputDataConfig":
            found[name] = _channels_like(found.get(name, []), value)
        elif name == "HyperParameters" or not isinstance(value, Mapping):
            found[name] = value
        elif name == "AlgorithmSpecification":
            before = {member: given for member, given in found.get(name, {}).items() if member != "AlgorithmName"}
            found[name] = {**value, **before, "TrainingImage": value["TrainingImage"]}
        else:
            found[name] = {**found.get(name, {}), **value}
    return found


def _channels_like(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A channel keeps its content type, kind of data and so on; those that the form does not know stay."""
    known = {one["ChannelName"]: one for one in now}
    kept = []
    for one in before:
        name = one["ChannelName"]
        if name in known:
            given = known.pop(name)["DataSource"]["S3DataSource"]
            source = one.get("DataSource", {}).get("S3DataSource", {"S3DataType": "S3Prefix"})
            changed = given if "AttributeNames" in given else {"S3Uri": given["S3Uri"]}
            kept.append({**one, "DataSource": {"S3DataSource": {**source, **changed}}})
        elif name not in CHANNELS:
            kept.append(dict(one))
    return [*kept, *map(dict, known.values())]


def _hyperparameters(fields: Mapping[str, str]) -> dict[str, str]:
    """Those of a form's fields that were filled in otherwise than they are by default."""
    found = {name.removeprefix(HYPER): value for name, value in fields.items() if name.startswith(HYPER)}
    return {name: value for name, value in found.items() if value != fields.get(f"default.{name}", "")}


def _tags(visit: Visit, job: Mapping[str, Any]) -> str:
    """A job's tags, one a line."""
    if "TrainingJobArn" not in job:
        return ""
    try:
        found = visit.quietly("sagemaker", "ListTags", ResourceArn=job["TrainingJobArn"])["Tags"]
    except Fault:
        return ""
    return "\n".join(f"{tag['Key']}={tag['Value']}" for tag in found)


def _lines(text: str, what: str) -> dict[str, str]:
    """name=value, one a line."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            name, equals, value = line.partition("=")
            if not equals or not name.strip():
                raise Fault("ValidationException", f"{what}, line {number}: '{line[:80]}' is not name=value.")
            found[name.strip()] = value.strip()
    return found


def _asked(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _on_manifest(query: Mapping[str, str]) -> dict[str, Any]:
    """A request to train on an augmented manifest; {} where the address names none."""
    if not (manifest := query.get("manifest")):
        return {}
    counts = {"num_classes": query.get("classes"), "num_training_samples": query.get("samples")}
    source = _source("train", manifest, ("source-ref", query.get("attribute") or "label"))
    return {
        "HyperParameters": RECIPE | OWN_PHOTOS | {name: value for name, value in counts.items() if value},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
    }


def _attributes(job: Mapping[str, Any]) -> str:
    """What the first channel that is an augmented manifest takes of its lines."""
    sources = [one.get("DataSource", {}).get("S3DataSource", {}) for one in job.get("InputDataConfig", [])]
    return ", ".join(next((source["AttributeNames"] for source in sources if source.get("AttributeNames")), []))


def _channels(job: Mapping[str, Any]) -> dict[str, str]:
    found = dict.fromkeys(CHANNELS, "")
    for one in job.get("InputDataConfig", []):
        if one["ChannelName"] in found:
            found[one["ChannelName"]] = one.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", "")
    return found


def _next_name(name: str) -> str:
    """marbles-1 -> marbles-2; marbles -> marbles-2."""
    stem, _, number = name.rpartition("-")
    return f"{stem}-{int(number) + 1}" if stem and number.isdigit() else f"{name}-2"


def _buckets(visit: Visit) -> list[str]:
    try:
        return [f"s3://{one['Name']}/" for one in visit.quietly("s3", "ListBuckets")["Buckets"]]
    except Fault:
        return []


SCREENS: tuple[Screen, ...] = (_form, _price, _create)
