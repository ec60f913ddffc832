"""The live view of a device: who may describe it looks, and it shows itself only while somebody does (tobo-edge).

AWS has nothing like it, so it is tobo's own service; its shapes are in wire/services/tobo-edge. A device cannot be
reached from here: it asks whether it is wanted, at its own pace or when it is nudged.
"""

import io
import threading
from typing import Any

from PIL import Image, UnidentifiedImageError

from tobo.kit.fault import validation
from tobo.operations.context import Call
from tobo.operations.edge import device_resource, device_row
from tobo.operations.nudging import nudge_devices
from tobo.operations.registry import Asked, operation

SERVICE = "tobo-edge"

WIDEST = 640
"""Pixels of a picture's longer side."""


@operation(SERVICE, "SendLiveView", action="sagemaker:SendHeartbeat", resource=device_resource)
def send_live_view(call: Call, asked: Asked) -> dict[str, Any]:
    """Asks whether somebody looks; with Told and Picture, shows. Kept in memory, the newest alone, and only if wanted.

    Raises Fault ResourceNotFound, ValidationException (a Picture that is not a JPEG, or a larger one than a live view is).
    """
    row = device_row(call, asked["DeviceFleetName"], asked["DeviceName"])
    picture = asked.get("Picture")
    if picture is not None:
        _check_picture(picture)
    return {"WantedSeconds": call.context.live.show(row.key, call.now, asked.get("Told"), picture)}


@operation(SERVICE, "DescribeLiveView", action="sagemaker:DescribeDevice", resource=device_resource)
def describe_live_view(call: Call, asked: Asked) -> dict[str, Any]:
    """What the device shows, as far as it has answered; this question is what makes it show itself. Raises ResourceNotFound."""
    row = device_row(call, asked["DeviceFleetName"], asked["DeviceName"])
    view, nudge = call.context.live.look(row.key, call.now)
    if nudge:  # a broker may take its time
        threading.Thread(target=nudge_devices, args=(call.context, [row]), name="nudge", daemon=True).start()
    found: dict[str, Any] = {}
    if view.at:
        found |= {"ToldTime": view.at, "Told": view.told}
    if view.picture:
        found |= {"PictureTime": view.picture_at, "Picture": view.picture}
    return found


def _check_picture(data: bytes) -> None:
    """By its header, before a pixel is decoded. Raises Fault ValidationException."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            size = image.size
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise validation(f"Picture ({len(data)} bytes) is not a JPEG.") from None
    if max(size) > WIDEST:
        raise validation(f"Picture has {size[0]} x {size[1]} pixels; a live view has at most {WIDEST} a side.")
