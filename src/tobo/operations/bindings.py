"""Bound images: what a registry address runs on this machine, as `tobo images` keeps it in the state folder.

One JSON file, read when an image is resolved: what was bound a moment ago holds for the next request.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tobo.operations.signing import replace_file

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where a container's programs are looked for when its image does not say."""


@dataclass(frozen=True)
class Binding:
    """What one address runs. `program` is the command before `train` or `serve`, as an image's entry point is.

    `root` is a folder with a whole system's files ("" for this machine's own), `folder` where the program starts,
    `visible` are files and folders of this machine that it sees, read-only. `network`: its server shares the machine's network, on
    a free port; else it has one of its own, on port 8080.
    """

    program: tuple[str, ...] = ()
    root: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    visible: tuple[str, ...] = ()
    network: bool = False


def bindings_file(state: Path) -> Path:
    return state / "images.json"


def read_bindings(state: Path) -> dict[str, Binding]:
    """By address, as it was given: REGISTRY/REPOSITORY, with or without :TAG."""
    try:
        told = json.loads(bindings_file(state).read_bytes())
    except FileNotFoundError:
        return {}
    return {
        address: Binding(**{**given, "program": tuple(given["program"]), "visible": tuple(given["visible"])})
        for address, given in told.items()
    }


def write_bindings(state: Path, bindings: Mapping[str, Binding]) -> None:
    """Replaces them all, in one step."""
    text = json.dumps({address: asdict(binding) for address, binding in bindings.items()}, indent=1)
    replace_file(bindings_file(state), text.encode(), 0o644)


def find_binding(state: Path, uri: str) -> Binding | None:
    """That of the very address, else that of its repository without a tag or digest."""
    bound = read_bindings(state)
    return bound.get(uri) or bound.get(repository_address(uri))


def repository_address(uri: str) -> str:
    """An image's address without its tag or digest; a registry's port stays."""
    address = uri.partition("@")[0]
    before, slash, name = address.rpartition("/")
    return f"{before}{slash}{name.partition(':')[0]}"
