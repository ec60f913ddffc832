"""Endpoints: the list, one endpoint with its variants and figures, and photos that are dropped on it."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from tobo.console import prices
from tobo.console.choices import names_of
from tobo.console.endpoint_curves import FIGURES, course
from tobo.console.lists import addresses, list_request
from tobo.console.reading import small_member
from tobo.console.routing import Screen, posted, shown
from tobo.console.serving import hourly, is_paused, variants_of
from tobo.console.snippets import File, Made
from tobo.console.visit import Visit, fields_of, url, whole
from tobo.kit.fault import Fault

STATUSES = ("InService", "Creating", "Updating", "Failed", "Deleting", "OutOfService")
PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp")


@shown("/endpoints")
def _list(visit: Visit) -> Response:
    asked = list_request(visit, STATUSES)
    found = visit.call("sagemaker", "ListEndpoints", **asked)
    return visit.page(
        "endpoints/list.html",
        endpoints=found["Endpoints"],
        next_token=found.get("NextToken"),
        asked=asked,
        statuses=STATUSES,
        at=addresses(visit, "endpoints"),
    )


@shown("/endpoints/{name}")
def _page(visit: Visit) -> Response:
    name = visit.path["name"]
    endpoint = visit.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    variants = variants_of(visit, endpoint)
    return visit.page(
        "endpoints/endpoint.html",
        endpoint=endpoint,
        name=name,
        variants=variants,
        hourly=hourly(variants),
        source=prices.SOURCE,
        alarms=_alarms(visit, name),
        configs=names_of(visit, "ListEndpointConfigs", "EndpointConfigs", "EndpointConfigName"),
        invocation=[Made("sagemaker-runtime", "InvokeEndpoint", _invocation(name, File("photo.jpg"), "image/jpeg"))],
        figures=FIGURES,
        paused=is_paused(variants),
        pausable=any(one.get("DesiredInstanceCount") is not None for one in variants),
    )


@posted("/endpoints/{name}/invoke")
def _invoke(visit: Visit) -> Response:
    """A photo's bytes -> {"scores": [[label, score], ...], "ms", "raw"}; labels are those of the variant's model."""
    name = visit.path["name"]
    kind = visit.request.headers.get("content-type", "")
    if not visit.body:
        raise Fault("ValidationException", "Nothing was sent; drop a photo.")
    started = time.perf_counter()
    found = visit.quietly("sagemaker-runtime", "InvokeEndpoint", **_invocation(name, visit.body, kind))
    took = (time.perf_counter() - started) * 1000
    raw = bytes(found["Body"])
    return JSONResponse(
        {
            "scores": _labelled(visit, name, found.get("InvokedProductionVariant", ""), raw),
            "ms": round(took, 1),
            "raw": raw[:20_000].decode("utf-8", "replace"),
            "variant": found.get("InvokedProductionVariant", ""),
        }
    )


@posted("/endpoints/{name}/variants")
def _weigh(visit: Visit) -> Response:
    """Weights and instances of each variant; 0 instances pause it."""
    name, fields = visit.path["name"], fields_of(visit.form)
    wanted = []
    for field, value in fields.items():
        kind, _, variant = field.partition(".")
        if kind == "weight":
            one: dict[str, Any] = {"VariantName": variant, "DesiredWeight": _number(value, "The weight")}
            if f"count.{variant}" in fields:
                one["DesiredInstanceCount"] = whole(fields, f"count.{variant}", "Instances")
            wanted.append(one)
    visit.change(
        "sagemaker", "UpdateEndpointWeightsAndCapacities", EndpointName=name, DesiredWeightsAndCapacities=wanted
    )
    return visit.done(url("endpoints", name), f"Endpoint {name} changes its variants.")


@posted("/endpoints/{name}/update")
def _update(visit: Visit) -> Response:
    name, config = visit.path["name"], fields_of(visit.form).get("config", "")
    visit.change("sagemaker", "UpdateEndpoint", EndpointName=name, EndpointConfigName=config)
    return visit.done(url("endpoints", name), f"Endpoint {name} changes over to {config}.")


@posted("/endpoints/{name}/delete")
def _delete(visit: Visit) -> Response:
    name = visit.path["name"]
    visit.change("sagemaker", "DeleteEndpoint", EndpointName=name)
    return visit.done(url("endpoints"), f"Endpoint {name} is being deleted.")


@posted("/endpoints/{name}/pause")
def _pause(visit: Visit) -> Response:
    """No instances of any variant: its processes go, the endpoint stays."""
    name = visit.path["name"]
    _resize(visit, name, lambda variant: 0)
    return visit.done(url("endpoints", name), f"Endpoint {name} pauses: it answers nothing until it is started again.")


@posted("/endpoints/{name}/start")
def _start(visit: Visit) -> Response:
    """As many instances as the configuration begins with; one where it was deleted."""
    name = visit.path["name"]
    _resize(visit, name, lambda variant: variant.get("InitialInstanceCount") or 1)
    return visit.done(url("endpoints", name), f"Endpoint {name} starts again.")


@shown("/endpoints/{name}/curves")
def _curves(visit: Visit) -> Response:
    """?figure=latency: the last hour, a point a minute."""
    return JSONResponse(course(visit, visit.path["name"], visit.query.get("figure", "")))


def _resize(visit: Visit, name: str, count: Callable[[Mapping[str, Any]], int]) -> None:
    endpoint = visit.quietly("sagemaker", "DescribeEndpoint", EndpointName=name)
    wanted = [
        {"VariantName": one["VariantName"], "DesiredInstanceCount": count(one)}
        for one in variants_of(visit, endpoint)
        if one.get("DesiredInstanceCount") is not None
    ]
    if not wanted:
        raise Fault("ValidationException", f"Endpoint {name} is serverless: it has nothing running while nobody asks.")
    visit.change(
        "sagemaker", "UpdateEndpointWeightsAndCapacities", EndpointName=name, DesiredWeightsAndCapacities=wanted
    )


def _invocation(name: str, body: Any, kind: str) -> dict[str, Any]:
    return {"EndpointName": name, "ContentType": kind or "application/octet-stream", "Body": body}


def _labelled(visit: Visit, endpoint: str, variant: str, raw: bytes) -> list[list[Any]]:
    """[label, score], the highest first; nothing for what is no list of numbers."""
    try:
        scores = json.loads(raw)
    except ValueError:
        return []
    if not isinstance(scores, list) or not all(isinstance(score, int | float) for score in scores):
        return []
    labels = _labels(visit, endpoint, variant)
    if len(labels) != len(scores):
        labels = [str(number) for number in range(len(scores))]
    return sorted(([label, score] for label, score in zip(labels, scores, strict=True)), key=lambda pair: -pair[1])


def _labels(visit: Visit, endpoint: str, variant: str) -> list[str]:
    try:
        found = visit.quietly("sagemaker", "DescribeEndpoint", EndpointName=endpoint)
        config = visit.quietly("sagemaker", "DescribeEndpointConfig", EndpointConfigName=found["EndpointConfigName"])
        its = next(one for one in config["ProductionVariants"] if one["VariantName"] == variant)
        model = visit.quietly("sagemaker", "DescribeModel", ModelName=its["ModelName"])
    except (Fault, StopIteration, KeyError):
        return []
    content = small_member(visit, model.get("PrimaryContainer", {}).get("ModelDataUrl", ""), "labels.json")
    try:
        labels = json.loads(content or b"[]")
    except ValueError:
        return []
    return [str(label) for label in labels] if isinstance(labels, list) else []


def _alarms(visit: Visit, endpoint: str) -> list[dict[str, Any]]:
    """Those that look at the endpoint's metrics."""
    try:
        found = visit.quietly("cloudwatch", "DescribeAlarms")["MetricAlarms"]
    except Fault:
        return []
    return [one for one in found if {"Name": "EndpointName", "Value": endpoint} in one.get("Dimensions", [])]


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise Fault("ValidationException", f"{what}: '{text[:40]}' is no number from 0 on.")
    return value


SCREENS: tuple[Screen, ...] = (_list, _page, _invoke, _weigh, _pause, _start, _update, _delete, _curves)
