"""The story's end: confusion matrix, accuracy, times, the contact sheet; and a job's course read from its log."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from tobo.cli.demo import advice, recipe_of, watch
from tobo.cli.story.photos import Picture
from tobo.cli.story.report import SHOWN, accuracy, confusion, confusion_table, milliseconds, worth_seeing
from tobo.cli.story.serving import Answer
from tobo.cli.story.sheet import THUMBNAIL, contact_sheet
from tobo.cli.story.training import Course


def photo(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def answer(truth: str, predicted: str, score: float = 0.9, took: float = 5.0, source: bytes = b"") -> Answer:
    return Answer(Picture(f"{truth}/{predicted}-{score}.png", truth, source), predicted, score, took)


ANSWERS = [answer("ok", "ok"), answer("ok", "ko", 0.6), answer("ko", "ko"), answer("ko", "ko"), answer("ko", "ok", 0.8)]


def test_confusion_counts_truth_by_prediction() -> None:
    assert confusion(ANSWERS, ("ko", "ok")) == [[2, 1], [1, 1]]
    assert confusion([], ("a", "b", "c")) == [[0, 0, 0]] * 3
    assert accuracy(ANSWERS) == pytest.approx(0.6)


def test_the_confusion_table_shows_counts_and_shares() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(confusion_table([*ANSWERS], ("ko", "ok", "none")))
    shown = [line.split() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert ["ko", "2", "1", "0", "66.7%"] in shown
    assert ["ok", "1", "1", "0", "50.0%"] in shown
    assert ["none", "0", "0", "0", "-"] in shown


def test_milliseconds_are_median_and_95th_percentile() -> None:
    assert milliseconds([answer("ok", "ok", took=float(t)) for t in range(1, 101)]) == (50.5, 96)
    assert milliseconds([answer("ok", "ok", took=3.0)]) == (3.0, 3.0)


def test_the_sheet_gets_the_surest_mistakes_or_else_the_least_certain() -> None:
    what, chosen = worth_seeing(ANSWERS)
    assert what == "mistakes"
    assert [each.score for each in chosen] == [0.8, 0.6]
    what, chosen = worth_seeing([answer("ok", "ok", score) for score in (0.99, 0.51, 0.7)])
    assert "least certain" in what
    assert [each.score for each in chosen] == [0.51, 0.7, 0.99]
    assert len(worth_seeing([answer("ok", "ko")] * 100)[1]) == SHOWN


def test_the_contact_sheet_shows_each_photo_and_its_text(tmp_path: Path) -> None:
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (250, 0, 250), (0, 250, 250), (90, 90, 90)]
    sizes = [(96, 96), (300, 40), (40, 300), (1, 1), (96, 96), (8, 8), (96, 96)]
    answers = [answer("ok", "ko", source=photo(*size, colour)) for size, colour in zip(sizes, colours, strict=True)]
    file = tmp_path / "new" / "sheet.png"
    contact_sheet(answers, "mistakes", file)
    with Image.open(file) as sheet:
        assert sheet.format == "PNG"
        counts = {colour: count for count, colour in sheet.convert("RGB").getcolors(1 << 20) or []}
        assert sheet.width >= 6 * THUMBNAIL
    for size, colour in zip(sizes, colours, strict=True):
        whole = THUMBNAIL * THUMBNAIL * min(size) / max(size)
        assert counts[colour] == pytest.approx(whole, rel=0.05)
    # Take the text away and the cell is paper: what is printed under the photos is really there.
    assert sum(count for colour, count in counts.items() if colour not in colours and sum(colour) < 300) > 500


def test_a_course_is_read_from_the_log() -> None:
    course = Course()
    for line in (
        "Epoch[0] Batch [0] Speed: 31.00 samples/sec accuracy=0.500000",
        "Epoch[0] Train-accuracy=0.581019",
        "Epoch[0] Time cost=2.116",
        "Epoch[0] Validation-accuracy=0.666667",
        "Epoch[1] Train-accuracy=0.75",
        "",
    ):
        course.read(line)
    (first,) = course.finished()
    assert (first.number, first.train, first.validation, first.seconds) == (0, 0.581019, 0.666667, 2.116)
    course.read("Epoch[1] Validation-accuracy=1.000000")
    assert [epoch.number for epoch in course.finished()] == [0, 1]
    assert course.last_line == "Epoch[1] Validation-accuracy=1.000000"


def test_watching_shows_each_status_once_and_some_of_many_epochs() -> None:
    def courses() -> Iterator[Course]:
        course = Course(secondary="Downloading", message="Downloading input data")
        yield course
        course.secondary, course.message = "Training", "in progress"
        for number in range(60):
            course.read(f"Epoch[{number}] Train-accuracy=0.5")
            course.read(f"Epoch[{number}] Time cost=1.5")
            yield course
            course.read(f"Epoch[{number}] Validation-accuracy=0.25")
        yield course

    console = Console(file=io.StringIO(), width=80)
    watch(console, courses(), 60)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.count("Downloading: Downloading input data") == shown.count("Training: in progress") == 1
    assert "epoch   1 of 60  train 0.500  validation 0.250  1.5 s" in shown
    assert [int(line.split()[1]) for line in shown.splitlines() if "epoch" in line] == [1, *range(5, 61, 5)]


def test_the_recipe_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TOBO_PRETRAINED", raising=False)
    usual = recipe_of(own_photos=False)
    assert usual["use_pretrained_model"] == "1" and "pretrained_weights" not in usual
    assert usual["augmentation_type"] == "inspection"
    assert recipe_of(own_photos=True, epochs=3)["epochs"] == "3"
    assert recipe_of(own_photos=True)["augmentation_type"] != "inspection"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    for named, sent in (
        ("weights", str(tmp_path / "weights")),
        ("s3://bucket/weights", "s3://bucket/weights"),
        ("formula", "formula"),
        ("timm/mobilenetv2_100.ra_in1k", "timm/mobilenetv2_100.ra_in1k"),
    ):
        monkeypatch.setenv("TOBO_PRETRAINED", named)
        assert recipe_of(own_photos=False)["pretrained_weights"] == sent


def test_the_advice_names_commands_for_this_state() -> None:
    usual = advice(Path(".tobo"), own_photos=False, job="marbles-1")
    assert "--state" not in usual
    assert "PHOTOS=folder" in usual
    other = advice(Path("elsewhere"), own_photos=True, job="photos-1")
    assert "serve --state elsewhere\n" in other
    assert "PHOTOS=" not in other
    assert "--training-job-name photos-1" in other
