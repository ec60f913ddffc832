"""Bytes to pixels: the one decoder that training, serving and the golden pictures share; and pixels to JPEG."""

import io
import struct
import zlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

MAX_PIXELS = 100_000_000
"""Larger pictures are refused by their header, before a pixel is decoded (300 MB as RGB)."""

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")

Pixels = npt.NDArray[np.uint8]

Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS takes its place: one limit, one sentence

_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error, zlib.error)
"""What Pillow's decoders raise on broken files."""


class UnreadablePicture(ValueError):
    """Not a picture, or a broken or too large one; the message completes "'<key>' ..."."""


class Picture(NamedTuple):
    """`pixels` is uint8 RGB [height, width, 3]; `remark` says what was lost on the way, "" where nothing was."""

    pixels: Pixels
    remark: str = ""


def encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    """uint8 RGB [height, width, 3] as a JPEG file, without loss of colour resolution: it may be trained on."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def decode(data: bytes) -> Picture:
    """The first frame as RGB, upright; raises UnreadablePicture.

    The EXIF orientation is applied. Grey is repeated over the channels, palettes and CMYK are converted, transparency
    is laid over white. 16 bits a channel become the upper 8 (value >> 8), which the remark mentions.
    """
    if not data:
        raise UnreadablePicture("is empty (0 bytes)")
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except _DAMAGE:
        raise UnreadablePicture(f"is not a picture in a known format ({', '.join(FORMATS)})") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UnreadablePicture(
            f"has {width} x {height} pixels, over the limit of {MAX_PIXELS // 1_000_000} million; scale it down"
        )
    try:
        image.load()
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):
            return Picture(_from_16_bits(image), "has 16 bits a channel; the upper 8 are used")
        return Picture(np.asarray(_rgb(image)))
    except UnreadablePicture:
        raise
    except _DAMAGE as error:
        raise UnreadablePicture(f"is truncated or damaged ({str(error).rstrip('.')})") from None


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode == "F":
        raise UnreadablePicture("has floating-point pixels; save it with 8 bits a channel")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Pixels:
    grey = np.clip(np.asarray(image).astype(np.int64), 0, 65535) >> 8
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)
