"""Offers as a catalogue holds them: one folder a version, `offers/<publisher>/<product>/<version>/`.

`offer.json` is a signed envelope (operations/envelopes.py); every other file is in it with its size and sha256, so that
one signature covers all. It is written last and removed first: an offer that can be read is whole.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tobo.catalogs import Catalog, CatalogError, Missing
from tobo.kit.fault import Fault, validation
from tobo.operations.context import Call
from tobo.operations.envelopes import BadEnvelope, Opened, open_envelope
from tobo.operations.market import digest_of
from tobo.operations.offering import catalog_named, read_addresses
from tobo.wire.checking import checker

OFFERS, OFFER = "offers", "offer.json"
LONGEST = 1 << 20
"""Bytes of an envelope."""
MOST_BYTES = 20 << 30
"""Of an artefact, as of any archive that is unpacked (kit/archive.py)."""
MOST_SAMPLES, LARGEST_SAMPLE = 20, 5 << 20
MOST_CERTIFICATE = 200_000
"""Characters."""

_ID = re.compile(r"[a-z0-9](-*[a-z0-9])*/[a-z0-9](-*[a-z0-9])*/[a-z0-9]([.-]*[a-z0-9])*")


@dataclass(frozen=True)
class Offer:
    """One that was found as it was signed. `id` is publisher/product/version."""

    id: str
    catalog: str
    content: Mapping[str, Any]
    fingerprint: str
    digest: str

    @property
    def folder(self) -> str:
        return folder_of(self.id)

    @property
    def model(self) -> Mapping[str, Any]:
        """The archive: {Name, Size, Sha256}."""
        found: Mapping[str, Any] = self.content["Files"]["Model"]
        return found

    @property
    def sealed(self) -> bool:
        return bool(self.content["Sealed"])

    def sample(self, name: str) -> Mapping[str, Any]:
        """Raises Fault ResourceNotFound."""
        for each in self.content["Files"]["Samples"]:
            if each["Name"] == name:
                return dict(each)
        raise Fault("ResourceNotFound", f"The offer '{self.id}' has no sample '{name}'.")


def folder_of(offer_id: str) -> str:
    return f"{OFFERS}/{offer_id}"


def read_offer(call: Call, catalog: str, offer_id: str) -> Offer:
    """Raises Fault ResourceNotFound, or ValidationException where it is not as it was signed."""
    found = _found(catalog_named(call.context, call.space, catalog), catalog, offer_id)
    if isinstance(found, Offer):
        return found
    raise found


def _found(opened: Catalog, catalog: str, offer_id: str) -> Offer | Fault:
    try:
        envelope = open_envelope("offer", opened.read(f"{folder_of(offer_id)}/{OFFER}", LONGEST))
        return _checked(catalog, offer_id, envelope)
    except Missing:
        return Fault("ResourceNotFound", f"The catalogue '{catalog}' has no offer '{offer_id}'.")
    except CatalogError as error:
        return validation(str(error))
    except BadEnvelope as bad:
        return validation(f"The offer '{offer_id}' in the catalogue '{catalog}' is refused: {bad}")


def _checked(catalog: str, offer_id: str, envelope: Opened) -> Offer:
    """Raises BadEnvelope where the offer lies in another's place, or is not what PublishOffer would have taken."""
    content = envelope.content
    try:
        told = f"{content['Publisher']}/{content['Product']}/{content['Version']}"
        plain = _is_plain(content)
    except (KeyError, TypeError, ValueError):
        plain, told = False, ""
    if not plain:
        raise BadEnvelope("it lacks what an offer has; it was made by another version of tobo, or by something else.")
    if told != offer_id:
        raise BadEnvelope(f"it says that it is '{told[:160]}', and lies in another's place.")
    return Offer(offer_id, catalog, content, envelope.fingerprint, envelope.digest)


def _is_plain(content: Mapping[str, Any]) -> bool:
    """Whether what a stranger signed has the types and lengths that everything here reckons with."""
    files, inference = content["Files"], content["Inference"]
    certificate = content["Certificate"]
    return (
        fits("PublishOfferRequest", {**content, "Catalog": "any", "ModelPackageName": "any"})
        and fits("Inference", inference)
        and isinstance(inference["Image"], str)
        and isinstance(inference.get("Environment", {}), dict)
        and isinstance(content["Description"], str)
        and isinstance(content["Metrics"], list)
        and isinstance(content["Sealed"], bool)
        and isinstance(content["Price"], dict)
        and all(0 <= (content["Price"].get(name) or 0) < 1e9 for name in ("PerInstanceHour", "PerInference"))
        and is_moment(content["Published"])
        and (certificate is None or (isinstance(certificate, str) and len(certificate) <= MOST_CERTIFICATE))
        and fits("Samples", files["Samples"])
        and len(files["Samples"]) <= MOST_SAMPLES
        and all(isinstance(each["Size"], int) and each["Size"] >= 0 for each in (files["Model"], *files["Samples"]))
        and all(isinstance(each["Name"], str) for each in (files["Model"], *files["Samples"]))
        and all(re.fullmatch("[0-9a-f]{64}", each["Sha256"]) for each in (files["Model"], *files["Samples"]))
    )


def fits(shape: str, value: Any) -> bool:
    """Whether a stranger's value is as the service's model has this shape."""
    return not checker("tobo-market", shape)(value)


def is_moment(value: Any) -> bool:
    """Whether it is a time that has a date (epoch seconds): years from 1970 to 9999."""
    return isinstance(value, int | float) and 0 <= value < 253_402_300_800


def all_offers(call: Call, only: str | None = None) -> Iterator[tuple[str, str, Offer | Fault]]:
    """(catalogue, id, offer or why it is refused) of every offer of every catalogue, or of one.

    A catalogue that cannot be read gives one line, with no id.
    """
    names = [only] if only else list(read_addresses(call.context.settings.state))
    for name in names:
        opened = catalog_named(call.context, call.space, name)
        try:
            files = [file for file in opened.names(f"{OFFERS}/") if file.endswith(f"/{OFFER}")]
        except CatalogError as error:
            yield name, "", validation(str(error))
            continue
        for file in files:
            offer_id = file.removeprefix(f"{OFFERS}/").removesuffix(f"/{OFFER}")
            if _ID.fullmatch(offer_id):
                yield name, offer_id, _found(opened, name, offer_id)


def fetch(call: Call, offer: Offer, path: Path) -> None:
    """The offer's archive as a new file. Raises Fault where it is not the one that was signed."""
    opened, model = catalog_named(call.context, call.space, offer.catalog), offer.model
    try:
        opened.fetch(f"{offer.folder}/{model['Name']}", path, min(int(model["Size"]), MOST_BYTES))
        if digest_of(path) == model["Sha256"]:
            return
    except CatalogError as error:
        path.unlink(missing_ok=True)
        raise validation(f"The model of '{offer.id}' cannot be had: {error}") from None
    path.unlink()
    raise validation(f"The model of '{offer.id}' is not the one that its seller signed; nothing of it was taken.")


def read_sample(call: Call, offer: Offer, name: str) -> tuple[bytes, str]:
    """(bytes, content type). Raises Fault where it is not the one that was signed."""
    sample = offer.sample(name)
    opened = catalog_named(call.context, call.space, offer.catalog)
    try:
        data = opened.read(f"{offer.folder}/samples/{name}", min(int(sample["Size"]), LARGEST_SAMPLE))
    except CatalogError as error:
        raise validation(f"The sample cannot be had: {error}") from None
    if hashlib.sha256(data).hexdigest() != sample["Sha256"]:
        raise validation(f"The sample '{name}' of '{offer.id}' is not the one that its seller signed.")
    return data, str(sample.get("ContentType") or "application/octet-stream")
