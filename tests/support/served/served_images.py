"""The images of the tests, which join a server as any third party's do: through the entry point `tobo.algorithms`.

A server finds them, and a replica their models, because this folder is in PYTHONPATH where the server is started.
"""

import os

from tobo.inference import server
from tobo.kit.algorithm import Algorithm


def image(name: str, serve: str) -> Algorithm:
    """An image that only serves; `serve` is a function of this file."""
    return Algorithm(name, (name,), (), (), (), None, f"served_images:{serve}")


NAMED = image("named-model", "named")
WORDS = image("words-model", "words")
SEVERAL = image("several-models", "several")
RECORDING = image("recording-model", "recording")
MISSING = image("missing-model", "missing")


def named() -> None:
    _serve("named_model:handler")


def words() -> None:
    _serve("words_model:words")


def several() -> None:
    _serve("words_model:named")


def recording() -> None:
    _serve("recording_model:handler")


def missing() -> None:
    _serve("nowhere:handler")


def _serve(factory: str) -> None:
    os.environ["TOBO_MODEL_SERVER"] = factory
    server.main()
