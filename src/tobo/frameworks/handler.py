"""Answers requests with the user's functions: model_fn, input_fn, predict_fn and output_fn, or model_fn and transform_fn.

How they are found, what they get and what they may give follow sagemaker-inference-toolkit 1.10 (`transformer` module).
Environment: SAGEMAKER_PROGRAM names the module (inference.py), TOBO_CODE the folder it lies in (code/ of the model),
SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT the answer's type where the caller leaves it open, TOBO_FRAMEWORK whose defaults
stand in for functions that are not there.
"""

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from tobo.frameworks import FRAMEWORKS, encoding
from tobo.inference.invocations import Handler, Request, Response, refusal
from tobo.kit.guest import UserError

_beside: list[str] = []
"""Folders of the serving code that was loaded last, which sys.path begins with."""


@dataclass(frozen=True)
class RequestContext:
    """The last argument of functions that take one more than they must, as the toolkit's model server gives it."""

    system_properties: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    def get_request_header(self, number: int, name: str) -> str | None:
        """A header of the request; there is one request at a time, so `number` does not matter."""
        return self.headers.get(name.lower())

    def get_all_request_header(self, number: int) -> dict[str, str]:
        return dict(self.headers)


def handler(folder: Path) -> Handler:
    """TOBO_MODEL_SERVER=tobo.frameworks.handler:handler; loads the user's module and with it the model of `folder`.

    Raises UserError where the code or a function is missing, and whatever the user's code raises.
    """
    module, defaults = _module(folder), _defaults()
    own = {name: getattr(module, name, None) for name in ("input_fn", "predict_fn", "output_fn")}
    transform = getattr(module, "transform_fn", None)
    if transform and any(own.values()):
        both = ", ".join(name for name, function in own.items() if function)
        raise UserError(f"The serving code defines transform_fn and {both}; transform_fn takes their place: keep one.")
    context = RequestContext({"model_dir": str(folder), "gpu_id": None})
    model = _call(getattr(module, "model_fn", None) or defaults.model_fn, context, str(folder))
    functions = [own[name] or getattr(defaults, name) for name in own]

    def answer(request: Request) -> Response:
        headers = {"content-type": request.content_type, "accept": request.accept}
        headers["x-amzn-sagemaker-custom-attributes"] = request.custom_attributes
        asked = RequestContext(context.system_properties, headers)
        accept = request.accept
        if accept in ("", encoding.ANY):
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", encoding.JSON)
        body: Any = request.body
        try:
            if encoding.bare(request.content_type) in encoding.TEXTS:
                body = request.body.decode()
            if transform:
                result = _call(transform, asked, model, body, request.content_type, accept)
            else:
                read, predict, write = functions
                data = _call(read, asked, body, request.content_type)
                result = _call(write, asked, _call(predict, asked, data, model), accept)
        except encoding.UnsupportedType as error:
            return refusal(error.status, str(error))
        return _response(result, accept, "transform_fn" if transform else "output_fn")

    return answer


def _module(folder: Path) -> ModuleType | None:
    """The user's module; None where there is no code at all. Raises UserError where it is not where it is said to be."""
    code = Path(os.environ.get("TOBO_CODE") or folder / "code")
    said = os.environ.get("SAGEMAKER_PROGRAM", "")
    file = code / (said or "inference.py")
    if not file.is_file():
        if said or code.is_dir():
            there = ", ".join(sorted(path.name for path in code.iterdir())) if code.is_dir() else "no such folder"
            raise UserError(f"There is no {file.name} in {code.name}/, which serves the model; it holds {there}.")
        return None
    _leave_others()
    _beside.extend(dict.fromkeys((str(file.parent), str(code))))
    sys.path[:0] = _beside
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module  # objects that were pickled by this module are looked for under its name
    spec.loader.exec_module(module)
    return module


def _leave_others() -> None:
    """What the code of another model of this process imported from beside itself is not what this one's means."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and any(Path(file).is_relative_to(place) for place in _beside):
            del sys.modules[name]
    sys.path[:] = [place for place in sys.path if place not in _beside]
    _beside.clear()


def _defaults() -> ModuleType:
    framework = os.environ.get("TOBO_FRAMEWORK", "")
    named = {one.name: one.defaults for one in FRAMEWORKS}
    return importlib.import_module(named.get(framework, "tobo.frameworks.defaults"))


def _call(function: Callable[..., Any], context: RequestContext, *given: Any) -> Any:
    """Calls a function of the user with the context, if it takes one argument more. Raises TypeError for any other number."""
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # a builtin does not tell
        return function(*given)
    takes = len(parameters)
    if takes == len(given) or any(one.kind is one.VAR_POSITIONAL for one in parameters.values()):
        return function(*given)
    if takes == len(given) + 1:
        return function(*given, context)
    raise TypeError(f"{function.__name__} takes {takes} arguments; it is called with {len(given)}")


def _response(result: Any, accept: str, function: str) -> Response:
    """What output_fn or transform_fn gave: a body, or a pair of a body and its content type."""
    content_type = accept.partition(",")[0]
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str):
        result, content_type = result
    if isinstance(result, Iterator):
        return Response(200, map(_bytes, result), content_type)
    if not isinstance(result, str | bytes | bytearray):
        kind = type(result).__name__
        return refusal(500, f"{function} gave a {kind}; it must give bytes or str, or a pair (body, content type).")
    return Response(200, _bytes(result), content_type)


def _bytes(part: str | bytes | bytearray) -> bytes:
    return part.encode() if isinstance(part, str) else bytes(part)
