"""The backbone in the package: made from pictures drawn by formulas (tools/pretrain), so that nothing is downloaded.

backbones/README.md is its model card.
"""

import hashlib
from pathlib import Path

from tobo.kit.guest import UserError

NAME = "formula"
"""What the hyperparameter `pretrained_weights` calls it."""

SHA256 = {"mobilenetv2_100": "90d0f6d9cf77716e5cc4abc8ea3fead9d12969f083b0b334065f0f4bf59cf318"}
"""By architecture; a file whose hash is another one is not loaded."""


def file(architecture: str) -> Path:
    """Where the weights of an architecture lie."""
    return Path(__file__).with_name("backbones") / f"{architecture}.safetensors"


def read(architecture: str) -> bytes:
    """The checked file's bytes; raises UserError where it is damaged, or where there is none of that architecture."""
    if architecture not in SHA256:
        raise UserError(
            f"pretrained_weights='{NAME}' are weights of {', '.join(SHA256)}, not of {architecture}; "
            f"set backbone=mobilenet_v2, or name weights of {architecture}."
        )
    path = file(architecture)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"'{path}', which tobo brings, cannot be read ({error.strerror}); install tobo again."
        ) from None
    if (found := hashlib.sha256(data).hexdigest()) != SHA256[architecture]:
        raise UserError(
            f"'{path}' is not as tobo brings it (its sha256 is {found[:16]}..., not {SHA256[architecture][:16]}...); "
            f"install tobo again, or name other weights with pretrained_weights."
        )
    return data
