"""Rendering: templates to HTML, with the filters that all of them share."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import jinja2
from markupsafe import Markup

from tobo.console.navigation import NAVIGATION
from tobo.console.snippets import Made, boto3_code, cli_code
from tobo.console.static_files import StaticFolder

TONES = {
    tone: tuple(words.split())
    for tone, words in {
        "good": "Completed COMPLETED DEPLOYED InService Active Succeeded Success READY Ready OK Approved Enabled Online Yes On ENABLED",
        "busy": "InProgress Executing Creating Updating Starting Pending Stopping Deleting SystemUpdating RollingBack Uploading "
        "Downloading Training INPROGRESS STARTING STOPPING Late Scheduled Requested",
        "bad": "Failed FAILED OutOfService ALARM Rejected UpdateRollbackFailed TimedOut Silent No",
        "warn": "Stopped STOPPED INSUFFICIENT_DATA PendingManualApproval Paused Inactive Unstable Off DISABLED",
    }.items()
}
"""How the colours of a status follow from its word."""

_TONE = {word: tone for tone, words in TONES.items() for word in words}


class Absent(jinja2.ChainableUndefined):
    """A member that an answer leaves out is empty, as AWS means it; a variable that nobody gave is our mistake."""

    def _known(self) -> None:
        if self._undefined_obj is jinja2.utils.missing:
            self._fail_with_undefined_error()

    def __str__(self) -> str:
        self._known()
        return ""

    def __bool__(self) -> bool:
        self._known()
        return False

    def __iter__(self) -> Iterator[Any]:
        self._known()
        return iter(())


def _of_present(filter: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, to which what is absent is None."""
    return lambda value, *rest, **named: filter(None if isinstance(value, Absent) else value, *rest, **named)


class Rendering:
    """The console's templates. Each finds the components of parts/ui.html as `ui`."""

    def __init__(self, static: StaticFolder) -> None:
        self._environment = environment = jinja2.Environment(
            loader=jinja2.PackageLoader("tobo.console"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=Absent,
            auto_reload=False,
        )
        environment.globals.update(static=static.url, navigation=NAVIGATION, boto3_code=boto3_code, cli_code=cli_code)
        for filter in (ago, size, duration, money, number, percent):
            environment.filters[filter.__name__] = _of_present(filter)
        environment.filters.update(tone=tone, json=as_json, attributes=attributes)

    def page(self, template: str, values: Mapping[str, Any]) -> str:
        return self._environment.get_template(template).render({**values, "ui": self._components(values)})

    def block(self, template: str, name: str, values: Mapping[str, Any]) -> str:
        """One block of a page, which the page replaces while it is shown. Raises KeyError where there is none."""
        found = self._environment.get_template(template)
        return "".join(found.blocks[name](found.new_context({**values, "ui": self._components(values)})))

    def _components(self, values: Mapping[str, Any]) -> Any:
        return self._environment.get_template("parts/ui.html").make_module(dict(values))

    def code(self, made: Sequence[Made], region: str) -> str:
        """Calls as code, for the dialog that shows it."""
        return self.page("parts/code.html", {"made": made, "region": region})


def attributes(given: Mapping[str, Any]) -> Markup:
    """HTML attributes; True stands alone, False and None are left out. Underscores in names are hyphens."""
    found = Markup("")
    for name, value in given.items():
        if value is True:
            found += Markup(" {}").format(name.replace("_", "-"))
        elif value is not False and value is not None and not isinstance(value, Absent):
            found += Markup(' {}="{}"').format(name.replace("_", "-"), value)
    return found


def tone(status: str) -> str:
    """good, busy, bad, warn or quiet."""
    return _TONE.get(status, "quiet")


def ago(value: datetime | float | None) -> Markup:
    """A <time>, which the browser keeps saying in words ("3 min ago"); a dash where there is none."""
    if value is None:
        return Markup('<span class="quiet">–</span>')
    at = value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)
    at = at.astimezone(UTC)
    return Markup('<time datetime="{}" data-ago>{}</time>').format(
        at.isoformat(timespec="milliseconds"), f"{at:%Y-%m-%d %H:%M} UTC"
    )


def size(count: float | None) -> str:
    """Bytes as people read them: 12.3 MB."""
    if count is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float | None) -> str:
    """850 ms, 12.3 s, 4 min 05 s, 2 h 10 min, 3 d 4 h."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def money(dollars: float | None) -> str:
    """$0.0042 where a cent is too coarse; a dash where there is no price."""
    if dollars is None:
        return "–"
    if dollars == 0 or abs(dollars) >= 1:
        return f"${dollars:,.2f}"
    return f"${dollars:.4f}"


def number(value: float | None) -> str:
    """Three significant digits, thousands apart; a dash for none."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"


def percent(share: float | None, digits: int = 1) -> str:
    """0.9312 -> 93.1 %."""
    return "–" if share is None else f"{share * 100:.{digits}f} %"


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON of what a call asks or answers, times in ISO 8601; escaped by the template like any text."""
    return json.dumps(value, indent=indent, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
