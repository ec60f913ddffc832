"""Training further: the weights of an earlier job, from the `model` channel."""

import tarfile
from pathlib import Path

from tobo.algorithms.image_classification.settings import Settings
from tobo.algorithms.image_classification.weights import Weights, parse
from tobo.kit.guest import UserError

FILE = "model.safetensors"
MAX_BYTES = 2 << 30
"""The weights of a ResNet-200 take 260 MB."""


def read(folder: Path, settings: Settings) -> Weights | None:
    """The model channel's weights; None where there is no such channel. Raises UserError.

    The channel holds model.tar.gz or what was in it. From an archive only model.safetensors is read, into memory:
    nothing is unpacked, so that links, `..` and bombs in it lead nowhere.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return None
    plain = next(iter(sorted(folder.rglob(FILE))), None)
    if plain is not None:
        return parse(plain.read_bytes(), f"model/{plain.relative_to(folder)}", settings.architecture)
    for archive in sorted(folder.rglob("*.tar.gz")):
        return parse(_member(archive), f"model/{archive.name}", settings.architecture)
    raise UserError(f"The channel 'model' holds neither model.tar.gz nor {FILE}; give it the output of an earlier job.")


def _member(archive: Path) -> bytes:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if member.isfile() and member.name.removeprefix("./") == FILE:
                    if member.size > MAX_BYTES:
                        raise UserError(f"model/{archive.name}: {FILE} is larger than {MAX_BYTES >> 30} GB.")
                    stream = tar.extractfile(member)
                    return stream.read() if stream is not None else b""
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UserError(f"model/{archive.name} is not a readable archive ({error}).") from None
    raise UserError(f"model/{archive.name} holds no {FILE}; give the channel 'model' the output of an earlier job.")
