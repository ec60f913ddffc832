"""The decoder: every mode becomes upright 8-bit RGB, and what is no picture is refused in one sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from classification_jobs import encoded, shape
from PIL import Image

from tobo.inference.pictures import UnreadablePicture, decode

GREY = Image.fromarray(np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6))


@pytest.mark.parametrize(
    ("image", "form", "expected"),
    [
        (Image.new("RGB", (3, 2), (10, 20, 30)), "PNG", (10, 20, 30)),
        (Image.new("RGB", (3, 2), (10, 20, 30)), "BMP", (10, 20, 30)),
        (Image.new("L", (3, 2), 77), "PNG", (77, 77, 77)),
        (Image.new("1", (3, 2), 1), "PNG", (255, 255, 255)),
        (Image.new("LA", (3, 2), (0, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (3, 2), (200, 0, 0, 255)), "PNG", (200, 0, 0)),
        (Image.new("RGBA", (3, 2), (200, 0, 0, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGB", (3, 2), (255, 0, 0)).quantize(4), "PNG", (255, 0, 0)),
        (Image.new("RGB", (3, 2), (255, 0, 0)).quantize(4), "GIF", (255, 0, 0)),
        (Image.new("CMYK", (3, 2), (0, 0, 0, 0)), "TIFF", (255, 255, 255)),
        (Image.fromarray(np.full((2, 3), 0x7FFF, np.uint16)), "PNG", (0x7F, 0x7F, 0x7F)),
        (Image.fromarray(np.full((2, 3), 0x7FFF, np.uint16)), "TIFF", (0x7F, 0x7F, 0x7F)),
    ],
)
def test_modes_become_rgb(image: Image.Image, form: str, expected: tuple[int, int, int]) -> None:
    found = decode(encoded(image, form))
    assert found.pixels.shape == (2, 3, 3) and found.pixels.dtype == np.uint8
    assert found.pixels[0, 0].tolist() == list(expected)
    assert ("16 bits" in found.remark) == (image.mode.startswith("I"))


def test_grey_levels_are_kept() -> None:
    assert np.array_equal(decode(encoded(GREY)).pixels, np.repeat(np.asarray(GREY)[:, :, None], 3, 2))


def test_pictures_are_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held a quarter turn: rotate by 90 degrees clockwise to show
    stream = io.BytesIO()
    GREY.save(stream, "PNG", exif=exif)
    assert np.array_equal(decode(stream.getvalue()).pixels[:, :, 0], np.rot90(np.asarray(GREY), -1))


def huge() -> bytes:
    """A PNG header of 20,000 x 20,000 pixels and next to nothing behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"hello, world", "is not a picture in a known format"),
        (b"%PDF-1.7 and more", "is not a picture in a known format"),
        (b"\xff\xd8\xff\xe0", "is not a picture in a known format"),
        (encoded(shape("disc", 1, 200), "JPEG")[:1500], "is truncated or damaged"),
        (encoded(shape("disc", 1, 200), "PNG")[:300], "is truncated or damaged"),
        (huge(), "has 20000 x 20000 pixels, over the limit of 100 million"),
        (encoded(Image.new("F", (3, 2), 0.5), "TIFF"), "floating-point"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(UnreadablePicture, match=said):
        decode(data)
