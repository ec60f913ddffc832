"""botocore's service models, loaded when first asked for and kept without their documentation."""

import gc
import gzip
import sys
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from botocore.exceptions import UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel, Shape, StructureShape

from tobo.kit.fault import Fault

_PROSE = frozenset({"documentation", "deprecatedMessage"})


class _ModelFiles(JSONFileLoader):
    """Reads a model file three times as fast as botocore's own reader, and drops the prose, which nobody reads."""

    def load_file(self, file_path: str) -> Any:
        plain, packed = Path(f"{file_path}.json"), Path(f"{file_path}.json.gz")
        if plain.is_file():
            return _without_prose(orjson.loads(plain.read_bytes()))
        if packed.is_file():
            return _without_prose(orjson.loads(gzip.decompress(packed.read_bytes())))
        return None


def _without_prose(node: Any) -> Any:
    """The same tree without documentation texts; equal strings are one object."""
    if isinstance(node, dict):
        # A structure may have a member that is called "documentation": its value is a mapping, the prose is a text.
        return {
            sys.intern(key): _without_prose(value)
            for key, value in node.items()
            if key not in _PROSE or not isinstance(value, str)
        }
    if isinstance(node, list):
        return [_without_prose(item) for item in node]
    return sys.intern(node) if isinstance(node, str) else node


OWN = Path(__file__).parent / "services"
"""Models of what AWS has no API for, such as the workers' side of labelling; boto3 reads them with AWS_DATA_PATH."""

_loader = Loader(extra_search_paths=[str(OWN)], file_loader=_ModelFiles())


@cache
def description(service: str) -> dict[str, Any]:
    """The model file of a service, prose left out; raises Fault UnknownOperationException where botocore has none."""
    try:
        found = dict(_loader.load_service_model(service, "service-2"))
        gc.freeze()  # it stays for good: the collector need not look at it, which halts all requests for 0.1 s each time
        return found
    except UnknownServiceError:
        raise Fault("UnknownOperationException", f"There is no service '{service}'; name one of AWS's.") from None


@cache
def service_model(service: str) -> ServiceModel:
    """The model of a service by botocore's name of it (`sagemaker-runtime`, `logs`); raises Fault where it has none."""
    return ServiceModel(description(service), service_name=service)


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    """The model of one operation; raises Fault UnknownOperationException where the service has no such operation."""
    try:
        return service_model(service).operation_model(operation)
    except OperationNotFoundError:
        raise Fault("UnknownOperationException", f"Service '{service}' has no operation '{operation}'.") from None


@cache
def _error_shapes(service: str) -> dict[str, str]:
    """Shape name of every modelled error, by shape name and by the code it has on the wire."""
    found: dict[str, str] = {}
    for name, shape in description(service)["shapes"].items():
        if shape.get("exception"):
            found[name] = name
            found.setdefault(shape.get("error", {}).get("code", name), name)
    return found


@cache
def error_shape(service: str, code: str) -> StructureShape | None:
    """The modelled error that `code` (shape name or wire code) means in this service, or None."""
    name = _error_shapes(service).get(code)
    if name is None:
        return None
    shape = service_model(service).shape_for(name)
    assert isinstance(shape, StructureShape)
    return shape


def wire_name(shape: Shape, default: str) -> str:
    """What a member is called on the wire: its locationName, else its own name."""
    return str(shape.serialization.get("name", default))
