"""The echo as others serve it, each with one worker of the same uvicorn: `python -m bench.peers bare|fastapi PORT`."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn


async def bare(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """The floor: HTTP and nothing else."""
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


def fastapi() -> Any:
    """As its tutorial has it."""
    from fastapi import FastAPI, Request, Response

    app = FastAPI()

    @app.post("/")
    async def echo(request: Request) -> Response:
        return Response(await request.body())

    return app


if __name__ == "__main__":
    chosen = bare if sys.argv[1] == "bare" else fastapi()
    uvicorn.run(
        chosen,
        port=int(sys.argv[2]),
        http="httptools",
        loop="uvloop",
        timeout_keep_alive=65,  # the others' turns may be long on a busy machine
        lifespan="off",
        access_log=False,
        log_config=None,
    )
