"""The seller's operations of tobo-market: offers published and withdrawn."""

import json
import mimetypes
import re
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tobo.catalogs import Catalog, CatalogError, Missing
from tobo.kit.archive import is_sealed
from tobo.kit.fault import Fault, validation
from tobo.kit.s3_uri import parse_s3_uri
from tobo.objects.base import ObjectInfo
from tobo.operations.context import Call
from tobo.operations.envelopes import enclose, open_envelope, own_fingerprint
from tobo.operations.images import find_image
from tobo.operations.market import digest_of, market_key, seal
from tobo.operations.offering import catalog_named, temporary_folder
from tobo.operations.registry import operation
from tobo.resources.market.api import SERVICE, anything
from tobo.resources.market.offers import (
    LARGEST_SAMPLE,
    LONGEST,
    MOST_CERTIFICATE,
    OFFER,
    Offer,
    folder_of,
    read_offer,
)
from tobo.resources.market.published import note_offer


@operation(SERVICE, "PublishOffer", resource=anything)
def publish_offer(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Writes a model package with all that a buyer wants to know into a catalogue, signed; sealed where that is asked for.

    Raises Fault ResourceNotFound, ConflictException where the version is there, ValidationException where the package is
    not approved, is not one container with an archive, or cannot be served sealed.
    """
    offer_id = "/".join(asked[name] for name in ("Publisher", "Product", "Version"))
    catalog = catalog_named(call.context, call.space, asked["Catalog"])
    package, container = _packaged(call, asked["ModelPackageName"])
    samples = [_object(call, uri, f"Samples {number}") for number, uri in enumerate(asked.get("Samples", []), 1)]
    for info in samples:
        if info.size > LARGEST_SAMPLE:
            raise validation(f"The sample {info.key} has {info.size} bytes; a sample has {LARGEST_SAMPLE} at most.")
    archive = call.context.objects.path(
        call.space, _object(call, container["ModelDataUrl"], "the package's ModelDataUrl")
    )
    if is_sealed(archive):
        raise validation("The package is a sealed one of another seller; it cannot be offered again.")
    if asked.get("Sealed"):
        _check_sealable(call, container, archive)
    certificate = _certificate(call, asked["CertificateUri"]) if asked.get("CertificateUri") else None
    key = market_key(call.context.settings.state, call.space.account)
    content = _content(asked, package, container, certificate)
    content["Published"] = call.now
    working = temporary_folder(call.context) / uuid.uuid4().hex
    try:
        with _whole_or_not_at_all(catalog, offer_id):
            identity, model = "", archive
            if asked.get("Sealed"):
                model, identity = working, seal(archive, working)
            name = "model.tar.gz.age" if identity else "model.tar.gz"
            content["Files"] = {
                "Model": {"Name": name, "Size": model.stat().st_size, "Sha256": digest_of(model)},
                "Samples": _put_samples(call, catalog, offer_id, samples),
            }
            catalog.write(f"{folder_of(offer_id)}/{name}", model)
            envelope = enclose("offer", content, key)
            digest = open_envelope("offer", envelope).digest
            note_offer(call, digest, offer_id, identity)
            catalog.write(f"{folder_of(offer_id)}/{OFFER}", envelope)
    finally:
        working.unlink(missing_ok=True)
    return {"OfferId": offer_id, "Fingerprint": own_fingerprint(key), "Digest": digest}


@operation(SERVICE, "WithdrawOffer", resource=anything)
def withdraw_offer(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Nobody subscribes to it any more; who has, keeps it. Raises Fault ResourceNotFound, ValidationException for another's."""
    offer = _own_offer(call, asked["Catalog"], asked["OfferId"])
    catalog = catalog_named(call.context, call.space, asked["Catalog"])
    try:
        catalog.remove(f"{offer.folder}/{OFFER}")
        for name in list(catalog.names(f"{offer.folder}/")):
            catalog.remove(name)
    except CatalogError as error:
        raise validation(str(error)) from None
    return {}


def _packaged(call: Call, name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """A package that may be offered, and its container. Raises Fault ValidationException."""
    package = call.call("sagemaker", "DescribeModelPackage", ModelPackageName=name)
    if package["ModelPackageStatus"] != "Completed":
        raise validation(f"The model package '{name}' is {package['ModelPackageStatus']}; offer one that is Completed.")
    if package.get("ModelApprovalStatus", "Approved") != "Approved":
        raise validation(
            f"The model package '{name}' is {package['ModelApprovalStatus']}; approve it before it is offered."
        )
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1 or not containers[0].get("ModelDataUrl"):
        raise validation(
            f"The model package '{name}' is not one container with a ModelDataUrl, which is what can be offered."
        )
    submitted = containers[0].get("Environment", {}).get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if submitted.startswith("s3://"):
        raise validation(
            f"The package's code is at {submitted}, where no buyer reaches it; put it into code/ of the model's archive."
        )
    return package, containers[0]


def _check_sealable(call: Call, container: Mapping[str, Any], archive: Path) -> None:
    image = find_image(call.context, container["Image"], "the package's Image")
    if image.binding is not None:
        raise validation(
            f"'{container['Image']}' is bound to a program of this machine; built-in and framework images serve sealed models."
        )
    with tarfile.open(archive, "r:*") as packed:
        names = {name.removeprefix("./") for name in packed.getnames()}
    if "code/requirements.txt" in names:
        raise validation(
            "The archive has code/requirements.txt, and a sealed model is served without a network; put the packages into "
            "code/ themselves."
        )


def _object(call: Call, uri: str, place: str) -> ObjectInfo:
    """An object that the caller may read. Raises Fault."""
    parsed = parse_s3_uri(uri, place)
    try:
        call.call("s3", "HeadObject", Bucket=parsed.bucket, Key=parsed.key)
    except Fault as fault:
        raise validation(f"{place} cannot be read: {uri}: {fault.message}") from None
    return call.context.objects.head(call.space, parsed.bucket, parsed.key)


def _certificate(call: Call, uri: str) -> str:
    """A JSON text, as a compilation job writes one."""
    info = _object(call, uri, "CertificateUri")
    data = call.context.objects.path(call.space, info).read_bytes() if info.size <= MOST_CERTIFICATE else b""
    try:
        return json.dumps(json.loads(data))
    except ValueError:
        raise validation(f"CertificateUri {uri} is no JSON of at most {MOST_CERTIFICATE} bytes.") from None


def _content(
    asked: Mapping[str, Any], package: Mapping[str, Any], container: Mapping[str, Any], certificate: str | None
) -> dict[str, Any]:
    """What is signed, but for time and files. Metrics are those of the request, else the figures that the package bears."""
    specification = package["InferenceSpecification"]
    metrics = asked.get("Metrics") or [
        {"Name": name, "Value": float(value)}
        for name, value in package.get("CustomerMetadataProperties", {}).items()
        if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", value)
    ]
    return {
        **{name: asked[name] for name in ("Publisher", "Product", "Version", "Title", "License")},
        "Description": asked.get("Description", ""),
        "Price": {"Currency": "USD", **asked.get("Price", {})},
        "Sealed": bool(asked.get("Sealed")),
        "Metrics": [{"Name": each["Name"], "Value": float(each["Value"])} for each in metrics],
        "Certificate": certificate,
        "Inference": {
            "Image": container["Image"],
            "Environment": dict(container.get("Environment", {})),
            "ContentTypes": specification.get("SupportedContentTypes", []),
            "ResponseTypes": specification.get("SupportedResponseMIMETypes", []),
            "InstanceTypes": specification.get("SupportedRealtimeInferenceInstanceTypes", []),
        },
    }


@contextmanager
def _whole_or_not_at_all(catalog: Catalog, offer_id: str) -> Iterator[None]:
    """Refuses a version that is there; what of an offer was written before something failed is removed again."""
    try:
        catalog.read(f"{folder_of(offer_id)}/{OFFER}", LONGEST)
    except Missing:
        pass
    except CatalogError as error:
        raise validation(str(error)) from None
    else:
        raise Fault(
            "ConflictException", f"'{offer_id}' is offered there already; a version is never changed: give another."
        )
    try:
        yield
    except BaseException as error:
        with suppress(CatalogError):  # what failed is told
            for name in list(catalog.names(f"{folder_of(offer_id)}/")):
                catalog.remove(name)
        if isinstance(error, CatalogError):
            raise validation(str(error)) from None
        raise


def _put_samples(call: Call, catalog: Catalog, offer_id: str, samples: list[ObjectInfo]) -> list[dict[str, Any]]:
    listed = []
    for number, info in enumerate(samples, 1):
        path = call.context.objects.path(call.space, info)
        name = f"{number:02}-" + re.sub("[^A-Za-z0-9._-]", "-", info.key.rsplit("/", 1)[-1])[-100:]
        catalog.write(f"{folder_of(offer_id)}/samples/{name}", path)
        kind = info.headers.get("ContentType") or ""
        if kind in ("", "binary/octet-stream"):
            kind = mimetypes.guess_type(info.key)[0] or "application/octet-stream"
        listed.append({"Name": name, "ContentType": kind, "Size": info.size, "Sha256": digest_of(path)})
    return listed


def _own_offer(call: Call, catalog: str, offer_id: str) -> Offer:
    offer = read_offer(call, catalog, offer_id)
    if offer.fingerprint != own_fingerprint(market_key(call.context.settings.state, call.space.account)):
        raise validation(f"'{offer_id}' is not signed by this account.")
    return offer
