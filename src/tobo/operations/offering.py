"""The catalogues of this server by name, as `tobo market add` keeps them in the state folder.

One JSON file, read at each use: what was added a moment ago holds for the next request. Who has the state folder decides
which folders and buckets the server reads and writes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tobo.catalogs import Address, Catalog, open_catalog
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.signing import replace_file


def catalogs_file(state: Path) -> Path:
    return state / "catalogs.json"


def read_addresses(state: Path) -> dict[str, Address]:
    """By name, in order."""
    try:
        told = json.loads(catalogs_file(state).read_bytes())
    except FileNotFoundError:
        return {}
    return {name: Address(**given) for name, given in sorted(told.items())}


def write_addresses(state: Path, addresses: Mapping[str, Address]) -> None:
    """Replaces them all, in one step."""
    text = json.dumps({name: asdict(address) for name, address in addresses.items()}, indent=1)
    replace_file(catalogs_file(state), text.encode(), 0o644)


def catalog_named(context: Context, space: Namespace, name: str) -> Catalog:
    """Raises Fault ResourceNotFound."""
    addresses = read_addresses(context.settings.state)
    if name not in addresses:
        known = ", ".join(addresses) or "none"
        raise Fault(
            "ResourceNotFound",
            f"There is no catalogue '{name}'; known: {known}. `tobo market add NAME ADDRESS` makes one known.",
        )
    return open_catalog(addresses[name], context.objects, space, temporary_folder(context))


def temporary_folder(context: Context) -> Path:
    """For files on their way into the object store."""
    folder = context.settings.state / "market" / "temporary"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
