"""The photo maker: labels are right by construction, photos are repeatable, and every kind shows what it is called."""

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from tobo.line.marbles import DEFECTS, KINDS, NOVEL, OK, Photo, draw, jpeg, photos, stage


def visible_share(photo: Photo) -> float:
    """Share of the marble's pixels that differ by 0.25 of full scale from the sound marble, channel by channel."""
    rows, columns = np.nonzero(photo.marble)
    count = 0
    for row, column in zip(rows, columns, strict=True):
        faulty, sound = photo.exposed[row, column], photo.sound[row, column]
        count += any(abs(float(a) - float(b)) >= 0.25 for a, b in zip(faulty, sound, strict=True))
    return count / len(rows)


@pytest.mark.parametrize("colour", [True, False], ids=["colour", "grey"])
@pytest.mark.parametrize("kind", (*DEFECTS, *NOVEL))
def test_a_defect_is_visible_before_noise(kind: str, colour: bool) -> None:
    for seed in range(30):
        photo = draw(seed, kind, size=64, colour=colour)
        assert (photo.label, photo.kind) == ("ko", kind)
        assert visible_share(photo) >= 0.06, f"{kind} of seed {seed}"


def test_an_ok_photo_has_no_defect_and_hundreds_of_mixed_ones_are_labelled_right() -> None:
    for photo in photos(300, seed=5, size=48):
        share = visible_share(photo)
        assert (photo.label == "ko") == (photo.kind != OK)
        assert share >= 0.06 if photo.label == "ko" else share == 0


def test_the_sensor_shows_what_was_exposed() -> None:
    """`exposed` is not some other picture: the noisy photo follows it, pixel by pixel."""
    for kind in KINDS:
        photo = draw(3, kind)
        seen = photo.pixels.astype(float) / 255
        assert np.abs(seen - photo.exposed).mean() < 0.04
        assert np.corrcoef(seen.ravel(), photo.exposed.ravel())[0, 1] > 0.95


def test_an_ok_marble_has_one_hue() -> None:
    """Independent of the sound twin: a one-coloured marble's middle keeps its hue, a two-coloured one's does not."""
    spread: dict[str, list[float]] = {OK: [], "two-coloured": []}
    for kind, found in spread.items():
        for seed in range(60):
            photo = draw(seed, kind)
            rows, columns = np.nonzero(photo.marble)
            centre = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2 < 0.4 * len(rows) / np.pi
            body = photo.exposed[rows[centre], columns[centre]]
            hue = body / body.sum(axis=1, keepdims=True)
            found.append(float(np.abs(hue - np.median(hue, axis=0)).mean()))
    assert 4 * np.median(spread[OK]) < np.median(spread["two-coloured"])


def test_the_same_seed_gives_the_same_photo_and_another_seed_another() -> None:
    first, again, other = draw(11), draw(11), draw(12)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.kind == again.kind
    assert not np.array_equal(first.pixels, other.pixels)
    assert [photo.kind for photo in photos(20, 1)] == [photo.kind for photo in photos(20, 1)]
    assert [photo.kind for photo in photos(20, 1)] != [photo.kind for photo in photos(20, 2)]


@pytest.mark.parametrize(
    ("kind", "mean"),
    [
        ("monochrome", (0.106, 0.215, 0.39)),
        ("two-coloured", (0.169, 0.314, 0.454)),
        ("swirled", (0.183, 0.322, 0.473)),
        ("dotted", (0.183, 0.322, 0.473)),
        ("transparent", (0.503, 0.657, 0.712)),
        ("chipped", (0.195, 0.326, 0.552)),
        ("empty", (0.155, 0.326, 0.531)),
    ],
)
def test_a_seed_is_still_the_photo_that_models_were_measured_on(kind: str, mean: tuple[float, float, float]) -> None:
    assert draw(7, kind).exposed.mean(axis=(0, 1)) == pytest.approx(mean, abs=2e-3)


def test_no_random_photo_is_of_a_novel_kind() -> None:
    assert not set(NOVEL) & set(KINDS)
    assert not {photo.kind for photo in photos(300, 3, size=16)} & set(NOVEL)


@pytest.mark.parametrize("kind", (*KINDS, *NOVEL))
def test_a_moved_marble_is_the_same_marble(kind: str) -> None:
    """32 pixels of 96 are a whole number of the grid's steps, so that the middle of the picture is the same but for the light."""
    for seed in range(8):
        here, there = stage(seed, kind), stage(seed, kind, along=32 / 48)
        assert np.array_equal(here.colour, there.colour)
        assert np.array_equal(here.inside[:, :64], there.inside[:, 32:])
        still, moved = here.pair[here.shown][:, :, :64], there.pair[there.shown][:, :, 32:96]
        assert np.corrcoef(still.ravel(), moved.ravel())[0, 1] > 0.8, seed


@pytest.mark.parametrize("kind", (*KINDS, *NOVEL))
def test_a_marble_may_leave_the_picture(kind: str) -> None:
    assert not stage(1, kind, along=3.0).inside.any()


def test_half_are_ok_and_the_defects_share_the_rest() -> None:
    kinds = Counter(photo.kind for photo in photos(600, seed=9, size=32))
    assert set(kinds) == set(KINDS)
    assert 240 <= kinds[OK] <= 360
    assert all(25 <= kinds[kind] <= 80 for kind in DEFECTS)


@pytest.mark.parametrize("size", [16, 33, 96, 224])
def test_size_and_type(size: int) -> None:
    photo = draw(1, size=size)
    assert photo.pixels.shape == photo.exposed.shape == (size, size, 3)
    assert photo.marble.shape == (size, size)
    assert photo.pixels.dtype == np.uint8
    assert 0.05 < photo.marble.mean() < 0.75


def test_grey_photos_are_grey() -> None:
    for seed in range(20):
        pixels = draw(seed, colour=False).pixels
        assert (pixels == pixels[:, :, :1]).all()


def test_the_set_has_every_hue_and_many_greys() -> None:
    hues, greys = set(), 0
    for photo in photos(200, seed=4, size=32):
        low, high = float(photo.colour.min()), float(photo.colour.max())
        if high - low < 0.08 * high:
            greys += 1
        else:
            red, green, blue = (float(channel) for channel in photo.colour)
            hues.add(int(np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)) % 360) // 30)
    assert hues == set(range(12))
    assert greys >= 20


def test_jpeg_reads_back_close_to_the_pixels() -> None:
    photo = draw(2)
    with Image.open(io.BytesIO(jpeg(photo, quality=95))) as picture:
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (96, 96), "RGB")
        assert np.abs(np.asarray(picture).astype(int) - photo.pixels).mean() < 6


@pytest.mark.parametrize(
    ("kind", "size", "message"), [("square", 96, "'square' is none of monochrome"), (None, 8, "size 8 is too small")]
)
def test_what_cannot_be_drawn(kind: str | None, size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(1, kind, size=size)
