"""Answers: a Response on its way to the client, whole, slice by slice of a file, or as it comes."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from typing import Any

from tobo.gateway.bodies import ClientGone, Receive
from tobo.wire.body import FileBody
from tobo.wire.response import Response

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
"""ASGI's send."""

PATIENCE = 60.0
"""Seconds in which a client takes nothing of an answer that comes as it is made."""

PIECE = 256 << 10
"""Bytes of a file that are in memory at a time."""


async def send_answer(send: Send, response: Response, pool: Executor, receive: Receive) -> int:
    """Sends and gives the body's length; a file of the answer is closed whatever happens.

    What comes as it is made ends when the client hangs up, which `receive` tells.
    """
    body = response.body
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    start = {"type": "http.response.start", "status": response.status, "headers": headers}
    if isinstance(body, bytes):
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return len(body)
    if isinstance(body, FileBody):
        try:
            await send(start)
            await _send_file(send, body, pool)
        finally:
            os.close(body.file)
        return body.length
    await send(start)
    sending = asyncio.create_task(_send_stream(send, body))
    gone = asyncio.create_task(_hung_up(receive))
    try:
        await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        sending.cancel()  # changes nothing where all was sent
    with contextlib.suppress(asyncio.CancelledError):
        return await sending
    raise ClientGone


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_file(send: Send, body: FileBody, pool: Executor) -> None:
    loop = asyncio.get_running_loop()
    offset, end = body.offset, body.offset + body.length
    if body.length == 0:
        await send({"type": "http.response.body", "body": b""})
    while offset < end:
        piece = await loop.run_in_executor(pool, os.pread, body.file, min(PIECE, end - offset), offset)
        if not piece:
            raise EOFError(f"a file of an answer ended {end - offset} bytes early")
        offset += len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": offset < end})


async def _send_stream(send: Send, body: AsyncIterator[bytes]) -> int:
    sent = 0
    try:
        async for piece in body:
            sent += len(piece)
            await _send_patiently(send, piece)
    finally:
        if isinstance(body, AsyncGenerator):
            await body.aclose()
    await send({"type": "http.response.body", "body": b""})
    return sent


async def _send_patiently(send: Send, piece: bytes) -> None:
    """Raises ClientGone where a client takes nothing for so long that it might as well have hung up."""
    try:
        async with asyncio.timeout(PATIENCE):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except TimeoutError:
        raise ClientGone from None
