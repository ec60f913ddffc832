"""A contact sheet: photos in rows, each with its file name, truth, prediction and score."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tobo.cli.story.serving import Answer

THUMBNAIL = 144
"""Side of a photo on the sheet, in pixels."""

COLUMNS = 6
_GAP = 14
_LINE = 17
_TITLE = 40
_PAPER, _INK, _RIGHT, _WRONG = (250, 250, 248), (30, 30, 34), (24, 118, 62), (186, 32, 32)


def contact_sheet(answers: Sequence[Answer], title: str, file: Path) -> None:
    """Writes a PNG of `answers` in their order; `file`'s folder is made where it is missing."""
    columns = max(1, min(COLUMNS, len(answers)))
    rows = -(-len(answers) // columns)
    cell_width, cell_height = THUMBNAIL + _GAP, THUMBNAIL + 3 * _LINE + _GAP
    # A single photo must not cut the title off.
    width = max(_GAP + columns * cell_width, 460)
    sheet = Image.new("RGB", (width, _TITLE + rows * cell_height + _GAP), _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    draw.text((_GAP, 12), title, _INK, ImageFont.load_default(15))
    for index, answer in enumerate(answers):
        left = _GAP + index % columns * cell_width
        top = _TITLE + index // columns * cell_height
        _paste(sheet, answer, left, top)
        colour = _RIGHT if answer.right else _WRONG
        lines = (
            (answer.picture.name.partition("/")[2], _INK),
            (f"is {answer.picture.label}", _INK),
            (f"said {answer.predicted} {answer.score:.3f}", colour),
        )
        for number, (text, ink) in enumerate(lines):
            draw.text((left, top + THUMBNAIL + 3 + number * _LINE), _fitting(draw, text, font), ink, font)
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file, "PNG")


def _paste(sheet: Image.Image, answer: Answer, left: int, top: int) -> None:
    """The photo as large as the cell allows, in its middle."""
    with Image.open(io.BytesIO(answer.picture.read())) as opened:
        photo = opened.convert("RGB")
    scale = THUMBNAIL / max(photo.size)
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    photo = photo.resize(size, Image.Resampling.BICUBIC)
    sheet.paste(photo, (left + (THUMBNAIL - size[0]) // 2, top + (THUMBNAIL - size[1]) // 2))


def _fitting(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The text, or its end behind an ellipsis where it is wider than a photo."""
    shown, cut = text, 0
    while draw.textlength(shown, font) > THUMBNAIL:
        cut += 1
        shown = "..." + text[cut:]
    return shown
