"""Bytes that somebody else has made, answered so that they act on nothing here: pictures are shown, all else is saved."""

from urllib.parse import quote

from starlette.responses import Response

_HEADERS = {"Cache-Control": "private, max-age=60", "Content-Security-Policy": "sandbox; default-src 'none'"}


def picture(data: bytes, kind: str) -> Response:
    """Shown by the browser; `kind` is what the bytes themselves show (reading.image_type), not what somebody says."""
    return Response(data, media_type=kind, headers=_HEADERS)


def download(data: bytes, name: str) -> Response:
    """Saved under its name, and not looked into."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(
        data, media_type="application/octet-stream", headers={**_HEADERS, "Content-Disposition": disposition}
    )
