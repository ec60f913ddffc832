"""The market's vocabulary that several nouns share: sealed models and what opens them, subscriptions, counted use.

A sealed archive is an age file (age-encryption.org/v1) for a key pair of its own. The seller keeps the identity; a grant
carries it to one buyer, sealed for the identity of the buyer's server, which is in <state>/market/<account>/identity.age
(0600) and leaves it never. It is opened in memory when a replica starts, and handed to that replica alone.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.signing import key_folder, made_once, signing_key
from tobo.store.base import Query, Row
from tobo.telemetry.base import Point

if TYPE_CHECKING:
    import pyrage
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PURPOSE = "market"
SUBSCRIPTION = "market-subscription"
NAMESPACE, INFERENCES, PACKAGE = "tobo/Market", "Inferences", "ModelPackageArn"


def market_key(state: Path, account: str) -> "Ed25519PrivateKey":
    """What an account signs offers, requests, grants and statements with."""
    return signing_key(state, account, PURPOSE)


def own_identity(state: Path, account: str) -> "pyrage.x25519.Identity":
    """What grants are sealed for; made at first use."""
    import pyrage

    folder = key_folder(state, account, PURPOSE)
    kept = made_once(folder, "identity.age", lambda: str(pyrage.x25519.Identity.generate()).encode())
    return pyrage.x25519.Identity.from_str(kept.decode())


def seal(source: Path, target: Path) -> str:
    """Encrypts a file for a new key pair; the identity that opens it."""
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    pyrage.encrypt_file(str(source), str(target), [identity.to_public()])
    return str(identity)


def seal_key(key: str, recipient: str) -> str:
    """An identity for one reader, in Base64. Raises ValueError where `recipient` is none."""
    import pyrage

    try:
        return base64.b64encode(pyrage.encrypt(key.encode(), [pyrage.x25519.Recipient.from_str(recipient)])).decode()
    except pyrage.RecipientError as error:
        raise ValueError(f"'{recipient[:100]}' is no age recipient ({error})") from None


def open_key(context: Context, account: str, sealed: str) -> str:
    """The other side of `seal_key`, for this account. Raises ValueError where it was sealed for somebody else."""
    import pyrage

    try:
        key: bytes = pyrage.decrypt(base64.b64decode(sealed), [own_identity(context.settings.state, account)])
        return key.decode()
    except (pyrage.DecryptError, ValueError):
        raise ValueError("it was made for another server's account") from None


def digest_of(path: Path) -> str:
    """sha256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unlock(context: Context, space: Namespace, container: Mapping[str, Any], archive: Path) -> str:
    """What opens a sealed archive, for a replica of a container_of (operations/artifacts.py).

    Raises Fault where no subscription holds, or where the container is not as the seller made it: other variables or
    another image could make a replica tell what it holds.
    """
    digest = digest_of(archive)
    rows = context.store.page(Query(space, SUBSCRIPTION, where={"_artifact": digest}, status="Active", limit=100)).rows
    held = [row for row in rows if not is_over(row, context.clock.now())]
    if not held:
        raise Fault(
            "ClientError",
            "The model is sealed, and no subscription of this account and region opens it: subscribe to its offer, or see "
            "with `tobo market subscriptions` whether yours has ended.",
        )
    terms = held[0].found["_terms"]
    if container["Image"] != terms["Image"] or container["Environment"] != terms["Environment"]:
        raise Fault(
            "ClientError",
            "The model is sealed and served with its seller's image and Environment alone; make the model from its "
            "ModelPackageName, without an Environment.",
        )
    try:
        return open_key(context, space.account, held[0].found["_key"])
    except ValueError as error:
        raise Fault("ClientError", f"The grant of subscription {held[0].key.name} does not open: {error}.") from None


def is_over(row: Row, now: float) -> bool:
    """Whether a subscription's time is up."""
    ends = row.found.get("Ends")
    return ends is not None and ends <= now


def counted(package: str, at: float, count: int) -> Point:
    """`count` inferences of a model package, as a metric."""
    return Point(NAMESPACE, INFERENCES, {PACKAGE: package}, at, float(count), "Count")


def price_of(price: Mapping[str, Any]) -> str:
    """In words: "$0.40 an instance hour + $0.0002 an inference"; "free"."""
    parts = [
        f"${_plain(price[name])} {words}"
        for name, words in (("PerInstanceHour", "an instance hour"), ("PerInference", "an inference"))
        if price.get(name)
    ]
    return " + ".join(parts) or "free"


def _plain(dollars: float) -> str:
    """Cents at least, and six digits where they are fractions: 0.40, 0.0002, 1500.00."""
    text = f"{dollars:.6f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents:0<2}" if float(text) else f"{dollars:.3g}"
