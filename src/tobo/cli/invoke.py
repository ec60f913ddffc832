"""tobo invoke: files, folders or standard input to an endpoint, and a table of its answers."""

import json
import mimetypes
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tobo.cli.client import REFUSED, fail, speaking
from tobo.cli.output import show, show_json_line

CONTENT_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".jsonlines": "application/jsonlines",
    ".libsvm": "text/libsvm",
    ".npy": "application/x-npy",
    ".npz": "application/x-npz",
    ".rec": "application/x-recordio",
    ".webp": "application/x-image",
    ".bmp": "application/x-image",
    ".gif": "application/x-image",
    ".tif": "application/x-image",
    ".tiff": "application/x-image",
    ".ppm": "application/x-image",
}
"""By extension where SageMaker has a type of its own; else the system's."""

SHOWN = 60
"""Characters of an answer that is no list of scores."""


@dataclass(frozen=True)
class Answer:
    """`value` is decoded where the answer is JSON; `error` is what the endpoint said instead."""

    name: str
    value: Any = None
    error: str = ""
    milliseconds: float = 0.0


def invoke(
    endpoint: Annotated[str, typer.Argument(help="The endpoint's name.")],
    files: Annotated[list[str], typer.Argument(help="Files, folders (with all that is in them), or - for stdin.")],
    content_type: Annotated[str | None, typer.Option(help="Instead of the one by extension.")] = None,
    accept: Annotated[str | None, typer.Option(help="The form of the answer.")] = None,
    labels: Annotated[str | None, typer.Option(help="Names of the scores, with commas between: ko,ok.")] = None,
    parallel: Annotated[int, typer.Option(min=1, max=32, help="Requests at a time.")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a file, on a line of its own.")] = False,
    state: Annotated[Path | None, typer.Option(help="The server's state folder.")] = None,
) -> None:
    """Sends each file to an endpoint and tells the answers. Exits 1 where one was refused."""
    inputs = list(_inputs(files))
    names = labels.split(",") if labels else None
    with speaking(state) as server:
        server.client("sagemaker").describe_endpoint(EndpointName=endpoint)
        runtime = server.client("sagemaker-runtime")

        def ask(source: Path | None) -> Answer:
            kind = content_type or content_type_of(source)
            more = {"Accept": accept} if accept else {}
            return _ask(runtime, source, {"EndpointName": endpoint, "ContentType": kind, **more})

        answers = []
        for answer in _with_progress(ask, inputs, parallel, as_json):
            answers.append(answer)
            if as_json:
                show_json_line(_line(answer, names))
    if not as_json:
        rows = [(answer.name, _text(answer, names), f"{answer.milliseconds:.1f}") for answer in answers]
        show(Console(highlight=False), ("file", "answer", "ms"), rows)
    if any(answer.error for answer in answers):
        raise typer.Exit(REFUSED)


def content_type_of(file: Path | None) -> str:
    """By extension, application/octet-stream where it tells nothing; ends the command for standard input."""
    if file is None:
        fail("Standard input has no extension; say what it is with --content-type.", 2)
    known = CONTENT_TYPES.get(file.suffix.lower())
    return known or mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _inputs(files: list[str]) -> Iterator[Path | None]:
    """Files in order, folders by their files' names without hidden ones; None stands for standard input."""
    for name in files:
        path = Path(name)
        if name == "-":
            yield None
        elif path.is_dir():
            below = sorted(file for file in path.rglob("*") if file.is_file())
            visible = [file for file in below if not any(part.startswith(".") for part in file.relative_to(path).parts)]
            if not visible:
                fail(f"The folder {path} has no files.", 2)
            yield from visible
        elif path.is_file():
            yield path
        else:
            fail(f"There is no file {path}.", 2)


def _ask(runtime: Any, source: Path | None, asked: dict[str, str]) -> Answer:
    from botocore.exceptions import ClientError

    name = "-" if source is None else str(source)
    body = sys.stdin.buffer.read() if source is None else source.read_bytes()
    started = time.perf_counter()
    try:
        answer = runtime.invoke_endpoint(Body=body, **asked)
        data: bytes = answer["Body"].read()
    except ClientError as error:
        told = error.response
        return Answer(name, error=str(told.get("OriginalMessage") or told["Error"].get("Message") or error))
    milliseconds = (time.perf_counter() - started) * 1000
    return Answer(name, _decoded(data, answer.get("ContentType", "")), milliseconds=milliseconds)


def _decoded(data: bytes, content_type: str) -> Any:
    text = data.decode("utf-8", "replace")
    if "json" in content_type and "lines" not in content_type:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _with_progress(ask: Any, inputs: list[Path | None], parallel: int, as_json: bool) -> Iterator[Answer]:
    """Answers in the order of the inputs; a bar on the terminal while there are several to wait for."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("Asking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not console.is_terminal or len(inputs) < 2 or as_json
    with (
        ThreadPoolExecutor(parallel) as threads,
        Progress(*columns, console=console, transient=True, disable=hidden) as progress,
    ):
        task = progress.add_task("", total=len(inputs))
        for answer in threads.map(ask, inputs):
            progress.advance(task)
            yield answer


def _scores(value: Any) -> list[float] | None:
    """An answer that is a list of numbers, as a classifier's is."""
    if isinstance(value, list) and value and all(isinstance(one, int | float) for one in value):
        return value
    return None


def _label(number: int, names: list[str] | None) -> str:
    return names[number] if names and number < len(names) else f"class {number}"


def _text(answer: Answer, names: list[str] | None) -> str:
    if answer.error:
        return f"refused: {answer.error}"
    if scores := _scores(answer.value):
        best = max(range(len(scores)), key=scores.__getitem__)
        return f"{_label(best, names)} {scores[best]:.4f}"
    text = answer.value if isinstance(answer.value, str) else json.dumps(answer.value)
    text = text.strip()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _line(answer: Answer, names: list[str] | None) -> dict[str, Any]:
    if answer.error:
        return {"file": answer.name, "error": answer.error}
    told = {"file": answer.name, "answer": answer.value, "milliseconds": round(answer.milliseconds, 2)}
    if scores := _scores(answer.value):
        best = max(range(len(scores)), key=scores.__getitem__)
        told |= {"class": _label(best, names), "score": scores[best]}
    return told
