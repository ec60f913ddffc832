"""The console's application: its addresses, in one place."""

from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tobo.console import ROOT
from tobo.console.entrance import Entrance
from tobo.console.federation import ANSWER, Federation
from tobo.console.headers import SecurityHeaders
from tobo.console.links import Links
from tobo.console.live import Hub
from tobo.console.rendering import Rendering
from tobo.console.routing import Rooms, route
from tobo.console.screens import SCREENS
from tobo.console.sessions import Sessions
from tobo.console.static_files import StaticFolder
from tobo.operations.context import Context

THREADS = 4
"""Pages at a time; the API has threads of its own."""


class Console:
    """`app` answers everything under the console's root; `close` ends its streams."""

    def __init__(self, context: Context) -> None:
        static = StaticFolder()
        rooms = Rooms(context, Sessions(context), Rendering(static), ThreadPoolExecutor(THREADS, "console"))
        entrance = Entrance(rooms, Links(context.settings.state))
        federation = Federation(rooms, entrance)
        screens = [route(rooms, screen) for screen in SCREENS]
        self._pool = rooms.pool
        self._hub = Hub(rooms, Starlette(routes=screens))
        self.app: ASGIApp = SecurityHeaders(
            Starlette(
                routes=[
                    Route(ROOT, _home),
                    Route(f"{ROOT}/enter", entrance.show, methods=["GET"]),
                    Route(f"{ROOT}/enter", entrance.sign_in, methods=["POST"]),
                    Route(f"{ROOT}/enter/provider", federation.begin, methods=["GET"]),
                    Route(ANSWER, federation.answer, methods=["GET"]),
                    Route(f"{ROOT}/leave", entrance.sign_out, methods=["POST"]),
                    Route(f"{ROOT}/static/{{version}}/{{name:path}}", static.serve, methods=["GET"]),
                    Route(f"{ROOT}/stream", self._hub.serve, methods=["GET"]),
                    *screens,
                ]
            )
        )

    def close(self) -> None:
        self._hub.close()
        self._pool.shutdown(wait=False)


async def _home(request: Request) -> Response:
    return RedirectResponse(f"{ROOT}/", 307)
