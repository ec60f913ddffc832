"""Task frames: the page of a worker task, as a document that a browser lets reach nothing.

The console's page frames it sandboxed, and it asks for the sandbox itself (CSP `sandbox`), so that it has an origin of its
own wherever it is opened: no cookie, no storage, no sight of the page around it, no other page of the console. It may run
its own scripts, load the console's static files and its own pictures, and talk through the port that <task-frame> hands
in. Whatever it says there counts for the one task that it was opened for.
"""

import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import HTMLResponse, Response

from tobo.console import ROOT
from tobo.console.headers import source
from tobo.console.visit import Visit
from tobo.kit.fault import Fault

_OWN_ELEMENTS = re.compile(r"<script\b[^>]*\bassets\.crowd\.aws/[^>]*>\s*</script\s*>", re.IGNORECASE)
"""What every template begins with, to load from AWS what is here already."""


def framed(visit: Visit, told: Mapping[str, Any]) -> Response:
    """`told`: Content, Errors and Pictures of a `worker_tasks.pages.Page`."""
    theme = visit.request.cookies.get("tobo_theme", "")
    values = {
        "theme": theme if theme in ("light", "dark") else "auto",
        "content": _OWN_ELEMENTS.sub("", told["Content"]),
        "errors": [error["Message"] for error in told["Errors"]],
    }
    content = visit.rendering.page("task_frame.html", values)
    return HTMLResponse(content, headers={"Content-Security-Policy": policy(visit, told["Pictures"]), **_HEADERS})


def refused(visit: Visit, fault: Fault) -> Response:
    """In the frame, where the worker looks."""
    return framed(visit, {"Content": "", "Errors": [{"Message": fault.message}], "Pictures": []})


_HEADERS = {"X-Frame-Options": "SAMEORIGIN", "X-DNS-Prefetch-Control": "off"}


def policy(visit: Visit, pictures: list[str]) -> str:
    """Content-Security-Policy (W3C CSP 3) of a task's document. Its scripts and styles are its author's: they stand in it."""
    scope = visit.request.scope
    static = source(scope, f"{ROOT}/static/")
    own = " ".join(source(scope, path) for path in pictures)
    return "; ".join(
        (
            "sandbox allow-scripts allow-forms",
            "default-src 'none'",
            f"script-src 'unsafe-inline' {static}",
            f"style-src 'unsafe-inline' {static}",
            f"img-src data: blob: {static} {own}",
            f"media-src data: blob: {own}",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
        )
    )
