"""Snippets: a call as the boto3 code and as the AWS CLI command that make exactly this request."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore import xform_name

from tobo.wire.models import operation_model

WIDTH = 96
"""Columns that a line of code should not exceed."""


@dataclass(frozen=True)
class Made:
    """One call: botocore's name of the service, the operation, its members."""

    service: str
    name: str
    asked: Mapping[str, Any]


@dataclass(frozen=True)
class File:
    """Stands for the bytes of a file that the caller has: a photo that is sent to an endpoint."""

    path: str


def boto3_code(made: Sequence[Made], region: str) -> str:
    """A program that makes these calls, one client a service; the address and keys come from `tobo env`."""
    clients = {call.service: call.service.replace("-", "_") for call in made}
    lines = ["import boto3", ""]
    if any(_holds_time(call.asked) for call in made):
        lines[:0] = ["from datetime import datetime", ""]
    lines += [f'{name} = boto3.client("{service}", region_name="{region}")' for service, name in clients.items()]
    for call in made:
        function = f"{clients[call.service]}.{xform_name(call.name)}"
        arguments = [f"{name}={_python(value, 4, len(name) + 5)}" for name, value in call.asked.items()]
        flat = f"{function}({', '.join(arguments)})"
        if len(flat) <= WIDTH and "\n" not in flat:
            lines.append(flat)
        else:
            lines += [f"{function}(", *(f"    {argument}," for argument in arguments), ")"]
    return "\n".join(lines) + "\n"


def cli_code(made: Sequence[Made], region: str) -> str:
    """The same as commands of the AWS CLI."""
    return "\n".join(_command(call, region) for call in made) + "\n"


def _command(call: Made, region: str) -> str:
    service = {"s3": "s3api"}.get(call.service, call.service)
    parts = [f"aws {service} {xform_name(call.name, '-')}", f"--region {region}"]
    members = operation_model(call.service, call.name).input_shape
    outfile = operation_model(call.service, call.name).has_streaming_output
    before = ""
    for name, value in call.asked.items():
        option = f"--{xform_name(name, '-')}"
        if isinstance(value, bool):
            parts.append(option if value else option.replace("--", "--no-", 1))
        elif isinstance(value, File):
            streams = members is not None and members.serialization.get("payload") == name
            scheme = "" if streams and call.service == "s3" else "fileb://"
            parts.append(f"{option} {scheme}{shlex.quote(value.path)}")
        elif isinstance(value, bytes) and call.service == "s3":  # s3api takes a body from a file only
            before = f"printf %s {shlex.quote(_plain(value))} > body.bin\n"
            parts.append(f"{option} body.bin")
        else:
            parts.append(f"{option} {shlex.quote(_text(value))}")
    if outfile:
        parts.append("answer.bin")
    flat = " ".join(parts)
    return before + (flat if len(flat) <= WIDTH else " \\\n    ".join(parts))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError(f"{type(value).__name__} has no JSON")


def _python(value: Any, indent: int, used: int) -> str:
    """Python source of a value, on one line where there is room for it."""
    flat = _flat(value)
    if indent + used + len(flat) <= WIDTH or not isinstance(value, Mapping | list | tuple) or not value:
        return flat
    inner = " " * (indent + 4)
    if isinstance(value, Mapping):
        items = [
            f"{json.dumps(name, ensure_ascii=False)}: {_python(each, indent + 4, len(name) + 5)}"
            for name, each in value.items()
        ]
        opening, closing = "{", "}"
    else:
        items = [_python(each, indent + 4, 1) for each in value]
        opening, closing = "[", "]"
    return opening + "".join(f"\n{inner}{item}," for item in items) + f"\n{' ' * indent}{closing}"


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flat(name)}: {_flat(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flat, value)) + "]"
    if isinstance(value, File):
        return f'open({json.dumps(value.path, ensure_ascii=False)}, "rb")'
    if isinstance(value, datetime):
        return f'datetime.fromisoformat("{value.isoformat()}")'
    # JSON's escapes of a text are Python's
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _holds_time(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_time, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_time, value))
    return isinstance(value, datetime)
