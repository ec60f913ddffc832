"""Images: what an image URI means on this machine. The registry account and the region in it do not matter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tobo.algorithms import algorithms, find_algorithm
from tobo.frameworks import FRAMEWORKS, Framework, find_framework
from tobo.kit.algorithm import Algorithm
from tobo.kit.fault import validation
from tobo.operations.bindings import Binding, find_binding
from tobo.operations.context import Context

_OWN = ("TOBO_",)
_STEERING = (*_OWN, "PYTHON", "LD_")
"""How the names of variables begin that say what code a process runs: the house's, the interpreter's, the linker's."""

_OFFERED = ("TOBO_MODEL_CACHE_BYTES",)
"""What a caller may say all the same (docs/requests.md)."""


@dataclass(frozen=True)
class Program:
    """One program of an image; all members as in compute's ProcessSpec."""

    entry: str | None = None
    argv: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    preload: tuple[str, ...] = ()


@dataclass(frozen=True)
class Image:
    """An image that runs here; None for `train` or `serve` where it is not made for that.

    `algorithm` is there for built-in ones, whose hyperparameters, channels and metrics are checked; `framework` for
    those that run the user's script. `own_code`: somebody else's code runs in it, so in a sandbox where there is one.
    """

    name: str
    train: Program | None
    serve: Program | None
    algorithm: Algorithm | None = None
    framework: Framework | None = None
    own_code: bool = True
    binding: Binding | None = None
    """Of an image that somebody bound to a program of their own."""

    def command(self, program: Program, asked: Mapping[str, Any]) -> tuple[str, ...]:
        """The command line of a `program` of a bound image, where a request may say ContainerEntrypoint and -Arguments."""
        entrypoint, arguments = asked.get("ContainerEntrypoint"), asked.get("ContainerArguments", ())
        if self.binding is None or not (entrypoint or arguments):
            return program.argv
        return (*(entrypoint or self.binding.program), *arguments)


def asked_environment(image: Image, asked: Mapping[str, str]) -> dict[str, str]:
    """What a process of an image takes from a request's Environment.

    Nobody steers a process of the house, be it one of its own images or what stands before a bound program.
    """
    steering = _STEERING if not image.own_code else _OWN if image.binding else ()
    return {name: value for name, value in asked.items() if name in _OFFERED or not name.startswith(steering)}


def find_image(context: Context, uri: str, place: str) -> Image:
    """The image that `uri`, found at the member `place` of a request, means here.

    Raises Fault ValidationException in one sentence where it is unknown, or a framework's that is not installed.
    """
    image = _bound(context, uri, place) or _built_in(uri) or _framework(uri)
    if image is None:
        known = [*sorted(algorithms()), *(pattern for framework in FRAMEWORKS for pattern in framework.patterns)]
        raise validation(
            f"The image '{uri}' at {place} is none that runs here; the repositories that do are: {', '.join(known)}. "
            "`tobo images add` binds an address to a program of your own."
        )
    return image


def _bound(context: Context, uri: str, place: str) -> Image | None:
    """Raises Fault where the image's files cannot be run."""
    binding = find_binding(context.settings.state, uri)
    if binding is None:
        return None
    if binding.root and not context.compute.sandboxes:
        raise validation(
            f"The image '{uri}' at {place} is bound to the files in {binding.root}, which run in a sandbox only; this "
            "machine has none: install bubblewrap, or bind the address to a --program of this machine."
        )
    return Image(
        uri,
        Program(argv=(*binding.program, "train"), environment=binding.environment),
        Program("tobo.inference.bridge:main", (*binding.program, "serve"), binding.environment),
        binding=binding,
    )


def _built_in(uri: str) -> Image | None:
    algorithm = find_algorithm(uri)
    if algorithm is None:
        return None
    return Image(
        algorithm.name,
        Program(algorithm.train, preload=algorithm.preload) if algorithm.train else None,
        Program(algorithm.serve),
        algorithm,
        own_code=False,
    )


def _framework(uri: str) -> Image | None:
    """Raises Fault where the framework is not installed."""
    framework = find_framework(uri)
    if framework is None:
        return None
    if missing := framework.missing():
        raise validation(
            f"The image '{uri}' needs {framework.name}, which is not installed on this machine: "
            f"pip install {missing} in the server's environment."
        )
    told = {"TOBO_FRAMEWORK": framework.name}
    return Image(
        framework.name,
        Program("tobo.frameworks.training:main", environment=told),
        Program("tobo.frameworks.serving:main", environment=told),
        framework=framework,
    )
