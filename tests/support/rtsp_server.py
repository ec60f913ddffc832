"""An RTSP server of Debian's GStreamer, run by the system's Python: each frame carries the moment it was drawn.

`/usr/bin/python3 rtsp_server.py <port> <codec: h264 or jpeg> [basic|digest user password]` prints "serving" and
serves rtsp://127.0.0.1:<port>/line. tests/support/rtsp.py reads the frames.
"""

import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

WIDTH, HEIGHT, CELL, BITS, RATE = 320, 240, 40, 32, 25
ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0 config-interval=1",
    "jpeg": "jpegenc quality=90 ! rtpjpegpay name=pay0",
}
LIT, DARK = bytes((240, 200, 40)), bytes((40, 60, 200))
"""A one and a nought, as red, green and blue."""


def stamp() -> bytes:
    """RGB rows: milliseconds of CLOCK_MONOTONIC, the highest bit first, in cells of CELL pixels; bright below them."""
    now = int(time.monotonic() * 1000)
    bits = [now >> (BITS - 1 - place) & 1 for place in range(BITS)]
    a_row = WIDTH // CELL
    lines = [bits[start : start + a_row] for start in range(0, BITS, a_row)]
    drawn = b"".join(b"".join((LIT if bit else DARK) * CELL for bit in line) * CELL for line in lines)
    return drawn + b"\xf0" * (WIDTH * HEIGHT * 3 - len(drawn))


def feed(_: GstRtspServer.RTSPMediaFactory, media: GstRtspServer.RTSPMedia) -> None:
    source = media.get_element().get_by_name_recurse_up("source")

    def push() -> bool:
        return source.emit("push-buffer", Gst.Buffer.new_wrapped(stamp())) == Gst.FlowReturn.OK

    timer = GLib.timeout_add(1000 // RATE, push)
    media.connect("unprepared", lambda _: GLib.source_remove(timer))


def guarded(
    server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, how: str, who: list[str]
) -> None:
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    if how == "basic":
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*who), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(*who, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


def main(port: str, codec: str, how: str = "", *who: str) -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    caps = f"video/x-raw,format=RGB,width={WIDTH},height={HEIGHT},framerate={RATE}/1"
    appsrc = f"appsrc name=source is-live=true do-timestamp=true format=time caps={caps}"
    factory.set_launch(f"( {appsrc} ! videoconvert ! video/x-raw,format=I420 ! {ENCODERS[codec]} )")
    factory.set_shared(True)
    factory.connect("media-configure", feed)
    if how:
        guarded(server, factory, how, list(who))
    server.get_mount_points().add_factory("/line", factory)
    if not server.attach(None):
        raise SystemExit(f"port {port} is taken")
    print("serving", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
