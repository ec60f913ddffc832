"""The process that reads and renders one template: started by its path, limited before it reads anything, and then gone.

A template is somebody's text, and both its regular expressions and its loops can be made to take years or all memory: only
a process of its own can be stopped. It is asked in one line of JSON and answers in one; before that it may ask, each time in
a line, for the address that `grant_read_access` gives ({"grant": uri} -> {"url": ...} or {"error": ...}).
"""

import json
import re
import resource
import sys
from html.parser import HTMLParser
from typing import Any

CPU_SECONDS, MEMORY_BYTES = 3, 512 << 20
MOST_OUTPUT, MOST_ITERATIONS, MOST_GRANTS, MOST_ERRORS = 1 << 20, 50_000, 2_000, 20
"""Bytes of what is rendered; rounds of a loop, those of the loops in it multiplied; addresses; errors that are told."""

Error = dict[str, str]

_LIQUID = re.compile(r"\{%-?.*?%\}|\{\{.*?\}\}", re.DOTALL)


def main() -> None:
    """Limits itself, then reads, works and answers."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    asked = json.loads(sys.stdin.readline())
    try:
        answer = _answer(asked)
    except MemoryError:
        answer = {
            "content": "",
            "errors": [error("LimitExceeded", "The template needs too much memory; make it smaller.")],
        }
    except RecursionError:
        answer = {"content": "", "errors": [error("LimitExceeded", "The template is nested too deeply; flatten it.")]}
    _say(answer)


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    from liquid.exceptions import LiquidError, ResourceLimitError

    errors: list[Error] = []
    environment = _environment(errors)
    try:
        template = environment.from_string(asked["template"])
    except LiquidError as fault:
        return {"content": "", "errors": [error("InvalidLiquid", said(fault))]}
    if "input" not in asked:
        return {
            "content": "",
            "errors": filter_errors(asked["template"], template, environment) or html_errors(asked["template"]),
        }
    try:
        content = template.render(task={"input": asked["input"]})
    except ResourceLimitError as fault:
        return {"content": "", "errors": [*errors, error("LimitExceeded", said(fault))]}
    except LiquidError as fault:
        return {"content": "", "errors": [*errors, error("RenderingError", said(fault))]}
    return {"content": content, "errors": errors}


def _environment(errors: list[Error]) -> Any:
    """Liquid with autoescaping, and the filters that AWS adds (Developer Guide, "Custom template automation")."""
    from liquid import Environment
    from liquid.filter import liquid_filter, string_filter
    from markupsafe import Markup

    class Limited(Environment):
        loop_iteration_limit = MOST_ITERATIONS
        output_stream_limit = MOST_OUTPUT
        local_namespace_limit = MOST_OUTPUT

    @liquid_filter
    def to_json(value: object) -> str:
        """JSON; `<`, `>` and `&` as \\u00.., so that it is harmless in a script, too, where it is not escaped."""
        text = json.dumps(value, default=str, ensure_ascii=False)
        return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").replace("\u2028", "\\u2028")

    @string_filter
    def skip_autoescape(value: str) -> str:
        return Markup(value)

    given: dict[str, str] = {}

    @string_filter
    def grant_read_access(value: str) -> str:
        uri = str(value)
        if uri not in given:
            given[uri] = _granted(uri, len(given), errors)
        return given[uri]

    environment = Limited(autoescape=True, strict_filters=True)
    environment.add_filter("to_json", to_json)
    environment.add_filter("skip_autoescape", skip_autoescape)
    environment.add_filter("grant_read_access", grant_read_access)
    return environment


def _granted(uri: str, before: int, errors: list[Error]) -> str:
    """The address, "" where there is none, which is told among the errors."""
    if before >= MOST_GRANTS:
        answer = {"error": f"The template asks for more than {MOST_GRANTS} addresses."}
    else:
        _say({"grant": uri})
        answer = json.loads(sys.stdin.readline())
    if "url" not in answer and len(errors) < MOST_ERRORS:
        errors.append(error("GrantReadAccessFailed", answer["error"]))
    return str(answer.get("url", ""))


def filter_errors(source: str, template: Any, environment: Any) -> list[Error]:
    """Filters that nobody knows, which the library finds out only when it renders them."""
    unknown = [
        (name, source.count("\n", 0, spans[0].index) + 1)
        for name, spans in template.analyze(include_partials=False).filters.items()
        if name not in environment.filters
    ]
    return [error("InvalidLiquid", f"line {line}: unknown filter '{name}'") for name, line in unknown[:MOST_ERRORS]]


class _Elements(HTMLParser):
    """Counts the elements that begin, and those of each kind of crowd element that begin and end."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.begun: dict[str, int] = {}
        self.ended: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.count += 1
        if tag.startswith("crowd-"):
            self.begun.setdefault(tag, self.getpos()[0])

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.count += 1

    def handle_endtag(self, tag: str) -> None:
        if tag.startswith("crowd-"):
            self.ended.setdefault(tag, self.getpos()[0])


def html_errors(template: str) -> list[Error]:
    """What keeps a template, its Liquid taken out, from being a page: no element, or a crowd element that never ends."""
    found = _Elements()
    found.feed(_LIQUID.sub(lambda part: "\n" * part[0].count("\n"), template))
    found.close()
    if not found.count:
        return [error("InvalidHtml", "There is no HTML element in it; begin with <crowd-form> or <form>.")]
    never = [
        f"line {line}: <{tag}> never ends; close it with </{tag}>"
        for tag, line in found.begun.items()
        if tag not in found.ended
    ]
    never += [
        f"line {line}: </{tag}> ends what never began" for tag, line in found.ended.items() if tag not in found.begun
    ]
    return [error("InvalidHtml", one) for one in never[:MOST_ERRORS]]


def said(fault: Any) -> str:
    """One sentence of one of the library's errors, with its line where it knows it."""
    place = fault.context()
    line = f"line {place[0]}: " if place else ""
    return line + (str(fault.args[0]) if fault.args else type(fault).__name__)[:500]


def error(code: str, message: str) -> Error:
    return {"Code": code, "Message": message}


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
