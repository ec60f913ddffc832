"""Settings of the server, sessions of the signed-in key, and the instance catalogue."""

from starlette.responses import Response

from tobo.console.routing import Screen, posted, shown
from tobo.console.server_facts import (
    catalogue,
    free_bytes,
    is_root,
    price_note,
    settings_of,
    sizes_of,
    version,
)
from tobo.console.visit import Visit, url


@shown("/settings")
def _settings(visit: Visit) -> Response:
    """Everybody sees the own sessions; the server's set-up is for the root alone."""
    root = is_root(visit.principal)
    return visit.page(
        "server/settings.html",
        root=root,
        version=version(),
        settings=settings_of(visit.context) if root else [],
        sizes=sizes_of(visit.context) if root else [],
        free=free_bytes(visit.context) if root else None,
        sessions=visit.sessions.of_key(visit.session),
    )


@posted("/settings/sign-out-everywhere")
def _sign_out(visit: Visit) -> Response:
    if not visit.as_code:
        visit.sessions.close_all(visit.session)
    return visit.done(url("enter"), "Signed out everywhere.")


@shown("/instances")
def _instances(visit: Visit) -> Response:
    part = visit.query.get("name", "").strip().lower()
    gpus = visit.query.get("gpus") == "1"
    found = [each for each in catalogue() if part in each.name and (each.gpus or not gpus)]
    return visit.page("server/instances.html", found=found, note=price_note())


SCREENS: tuple[Screen, ...] = (_settings, _sign_out, _instances)
