"""The labelling elements as the style guide shows them: mouse, keys and fingers, answers, history, both themes."""

import base64
import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page
from tests.conftest import Server
from tests.console.test_frame import _contrast
from tests.support.browser import Visitor, needs_chromium, visitor

from tobo.console.screens.styleguide import colours

pytestmark = needs_chromium

WIDTH, HEIGHT = 640, 480
"""Of the style guide's sample picture."""


@pytest.fixture
def guide(browser: Browser, server: Server) -> Iterator[Page]:
    with visitor(browser, server) as its:
        yield opened(its)
        assert its.troubles == []


def opened(its: Visitor) -> Page:
    its.sign_in()
    page = its.go("styleguide")
    page.wait_for_function("() => document.querySelector('#guide-verify')?.complete === false")
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-label-sample] .label-sheet img:first-child')]"
        ".every((image) => !image.src || image.naturalWidth)"
    )
    return page


def answer(page: Page, name: str) -> Any:
    return page.evaluate("(name) => document.querySelector(`#guide-${name}`).answer", name)


def give(page: Page, name: str, **task: Any) -> None:
    """Sets a task that differs from the present one in this; what happens from then on is kept in `heard`."""
    page.evaluate(
        """([name, task]) => {
            const element = document.querySelector(`#guide-${name}`);
            window.heard = [];
            for (const kind of ["label-change", "label-done", "label-broken"]) {
                document.addEventListener(kind, (event) => event.target === element && window.heard.push(kind));
            }
            element.task = { ...element.task, ...task };
        }""",
        [name, task],
    )


def complete(page: Page, name: str) -> bool:
    return bool(page.evaluate("(name) => document.querySelector(`#guide-${name}`).complete", name))


def where(page: Page, name: str) -> Any:
    """A function from a place of the picture to one of the window."""
    page.locator(f"#guide-{name} .label-stage").scroll_into_view_if_needed()
    left, top, scale = page.evaluate(
        """(name) => {
            const box = document.querySelector(`#guide-${name} .label-sheet img`).getBoundingClientRect();
            return [box.left, box.top, box.width / 640];
        }""",
        name,
    )
    return lambda x, y: (left + x * scale, top + y * scale)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def near(box: Any, left: int, top: int, width: int, height: int) -> bool:
    found = (box["left"], box["top"], box["width"], box["height"])
    return all(abs(one - other) <= 1 for one, other in zip(found, (left, top, width, height), strict=True))


def test_a_box_is_drawn_sized_and_moved_by_the_mouse_and_taken_back(guide: Page) -> None:
    give(guide, "boxes", initial=None)
    assert not complete(guide, "boxes")
    at = where(guide, "boxes")
    drag(guide, at(100, 140), at(220, 260))
    drawn = answer(guide, "boxes")
    assert drawn["inputImageProperties"] == {"width": WIDTH, "height": HEIGHT}
    assert near(drawn["boundingBoxes"][0], 100, 140, 120, 120)
    assert drawn["boundingBoxes"][0]["label"] == "ok"
    assert all(isinstance(drawn["boundingBoxes"][0][side], int) for side in ("left", "top", "width", "height"))
    drag(guide, at(220, 260), at(240, 300))  # the handle of its corner
    assert near(answer(guide, "boxes")["boundingBoxes"][0], 100, 140, 140, 160)
    drag(guide, at(150, 200), at(190, 180))  # its inside
    assert near(answer(guide, "boxes")["boundingBoxes"][0], 140, 120, 140, 160)
    guide.keyboard.press("2")
    assert answer(guide, "boxes")["boundingBoxes"][0]["label"] == "scratch"
    assert complete(guide, "boxes")
    assert guide.evaluate("window.heard") == ["label-change"] * 4
    for _ in range(3):
        guide.keyboard.press("Control+z")
    assert answer(guide, "boxes") == drawn
    guide.keyboard.press("Control+z")
    assert answer(guide, "boxes")["boundingBoxes"] == []
    for _ in range(5):  # one more than there are
        guide.keyboard.press("Control+Shift+z")
    moved = answer(guide, "boxes")["boundingBoxes"][0]
    assert near(moved, 140, 120, 140, 160)
    assert moved["label"] == "scratch"


def test_a_box_is_drawn_moved_and_sized_by_keys_alone(guide: Page) -> None:
    give(guide, "boxes", initial=None)
    guide.locator("#guide-boxes .label-stage").focus()
    guide.keyboard.press("2")
    guide.keyboard.press("n")
    placed = answer(guide, "boxes")["boundingBoxes"][0]
    assert placed["label"] == "scratch"
    for key, times in (("ArrowLeft", 7), ("ArrowUp", 5), ("Shift+ArrowRight", 9), ("Shift+ArrowUp", 3)):
        for _ in range(times):
            guide.keyboard.press(key)
    step = guide.evaluate("Math.max(1, Math.round(1 / document.querySelector('#guide-boxes').view.scale))")
    expected = {
        "left": placed["left"] - 7 * step,
        "top": placed["top"] - 5 * step,
        "width": placed["width"] + 9 * step,
        "height": placed["height"] - 3 * step,
        "label": "scratch",
    }
    assert answer(guide, "boxes")["boundingBoxes"] == [expected]
    guide.keyboard.press("Control+z")  # what one key did in a row is one step
    assert answer(guide, "boxes")["boundingBoxes"][0]["width"] == placed["width"]
    guide.keyboard.press("Delete")
    assert answer(guide, "boxes")["boundingBoxes"] == []
    guide.keyboard.press("x")
    assert complete(guide, "boxes")
    guide.keyboard.press("n")
    guide.keyboard.press("n")
    assert len(answer(guide, "boxes")["boundingBoxes"]) == 2
    guide.locator("#guide-boxes .label-mark").first.focus()
    guide.keyboard.press("3")
    assert [box["label"] for box in answer(guide, "boxes")["boundingBoxes"]] == ["<b>crack</b> & chip", "scratch"]


def test_a_box_stays_within_the_picture_and_a_guess_is_no_answer_until_it_is_taken_over(guide: Page) -> None:
    give(guide, "boxes", initial=None)
    at = where(guide, "boxes")
    assert answer(guide, "boxes")["boundingBoxes"] == []
    assert guide.locator("#guide-boxes .label-tag.guess").inner_text().split("\n") == ["2", "scratch", "guess 87 %"]
    drag(guide, at(600, 440), at(700, 500))
    assert near(answer(guide, "boxes")["boundingBoxes"][0], 600, 440, 40, 40)
    guide.keyboard.press("g")
    assert guide.locator("#guide-boxes .guess").count() == 0
    guide.keyboard.press("g")
    guessed = {"left": 316.4, "top": 185.6, "width": 168.2, "height": 168.3, "label": "scratch", "confidence": 0.5}
    give(guide, "boxes", guess={"boundingBoxes": [guessed]}, initial=answer(guide, "boxes"))
    guide.keyboard.press("u")
    assert answer(guide, "boxes")["boundingBoxes"][1] == {
        "left": 316, "top": 186, "width": 169, "height": 168, "label": "scratch",
    }  # fmt: skip


def test_zooming_and_panning_keep_the_places_of_the_picture(guide: Page) -> None:
    give(guide, "boxes", initial=None)
    at = where(guide, "boxes")
    guide.mouse.move(*at(320, 240))
    guide.locator("#guide-boxes .label-stage").focus()
    for _ in range(3):
        guide.keyboard.press("+")
    zoomed = where(guide, "boxes")
    assert zoomed(100, 0)[0] - zoomed(0, 0)[0] > 1.9 * (at(100, 0)[0] - at(0, 0)[0])
    guide.keyboard.down("Space")
    drag(guide, zoomed(320, 240), zoomed(340, 250))
    guide.keyboard.up("Space")
    assert answer(guide, "boxes")["boundingBoxes"] == []
    panned = where(guide, "boxes")
    assert panned(0, 0)[0] - zoomed(0, 0)[0] == pytest.approx(zoomed(20, 0)[0] - zoomed(0, 0)[0], abs=1)
    drag(guide, panned(300, 220), panned(330, 250))
    assert near(answer(guide, "boxes")["boundingBoxes"][0], 300, 220, 30, 30)
    guide.keyboard.press("0")
    assert where(guide, "boxes")(0, 0) == pytest.approx(at(0, 0), abs=1)
    slider = guide.locator("#guide-boxes input[type=range]").first
    slider.fill("2")
    shown = guide.locator("#guide-boxes .label-sheet img").first.evaluate("(image) => getComputedStyle(image).filter")
    assert shown == "brightness(2) contrast(1)"


def test_a_polygon_is_drawn_by_the_mouse_and_its_corners_move(guide: Page) -> None:
    give(guide, "polygons", initial=None)
    at = where(guide, "polygons")
    for corner in ((100, 140), (220, 140), (220, 260), (110, 270)):
        guide.mouse.click(*at(*corner))
    assert answer(guide, "polygons")["polygons"] == []
    guide.keyboard.press("Control+z")  # takes the last corner back
    guide.mouse.click(*at(100, 260))
    guide.mouse.click(*at(100, 140))  # the first one closes
    drawn = answer(guide, "polygons")
    assert drawn["inputImageProperties"] == {"width": WIDTH, "height": HEIGHT}
    shape = drawn["polygons"][0]
    assert shape["label"] == "ok"
    wanted = [(100, 140), (220, 140), (220, 260), (100, 260)]
    assert len(shape["vertices"]) == 4
    for vertex, (x, y) in zip(shape["vertices"], wanted, strict=True):
        assert abs(vertex["x"] - x) <= 1
        assert abs(vertex["y"] - y) <= 1
    drag(guide, at(220, 260), at(260, 300))
    assert abs(answer(guide, "polygons")["polygons"][0]["vertices"][2]["x"] - 260) <= 1
    drag(guide, at(160, 140), at(160, 100))  # the middle of an edge becomes a corner
    assert len(answer(guide, "polygons")["polygons"][0]["vertices"]) == 5
    for _ in range(3):
        guide.keyboard.press("Control+z")
    assert answer(guide, "polygons")["polygons"] == []
    guide.keyboard.press("Control+Shift+z")
    assert answer(guide, "polygons") == drawn


def test_a_polygon_is_drawn_and_mended_by_keys_alone(guide: Page) -> None:
    give(guide, "polygons", initial=None)
    guide.locator("#guide-polygons .label-stage").focus()
    step = guide.evaluate("Math.max(1, Math.round(1 / document.querySelector('#guide-polygons').view.scale))")
    guide.keyboard.press("2")
    for key in ("n", "Enter", "Shift+ArrowRight", "Enter", "Shift+ArrowDown", "Enter", "Enter"):
        guide.keyboard.press(key)
    shape = answer(guide, "polygons")["polygons"][0]
    x, y = shape["vertices"][0]["x"], shape["vertices"][0]["y"]
    far = 10 * step
    assert shape == {
        "label": "scratch",
        "vertices": [{"x": x, "y": y}, {"x": x + far, "y": y}, {"x": x + far, "y": y + far}],
    }
    for key in (".", ".", "ArrowUp", "ArrowUp"):
        guide.keyboard.press(key)
    assert answer(guide, "polygons")["polygons"][0]["vertices"][1] == {"x": x + far, "y": y - 2 * step}
    guide.keyboard.press("i")
    assert len(answer(guide, "polygons")["polygons"][0]["vertices"]) == 4
    guide.keyboard.press("Delete")
    assert len(answer(guide, "polygons")["polygons"][0]["vertices"]) == 3
    guide.keyboard.press("Escape")
    guide.keyboard.press("ArrowLeft")
    assert answer(guide, "polygons")["polygons"][0]["vertices"][0] == {"x": x - step, "y": y}


def mask_of(found: Any) -> np.ndarray[Any, Any]:
    """The class of each pixel by its colour: 0 for none, else its place in labelMappings + 1."""
    picture = Image.open(io.BytesIO(base64.b64decode(found["labeledImage"]["pngImageData"])))
    assert picture.size == (WIDTH, HEIGHT)
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    values = np.full(packed.shape, -1)
    values[packed == 0xFFFFFF] = 0
    for place, its in enumerate(found["labelMappings"].values()):
        values[packed == int(its["color"][1:], 16)] = place + 1
    assert (values >= 0).all()
    return values


def disc(x: float, y: float, size: float) -> np.ndarray[Any, Any]:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    found: np.ndarray[Any, Any] = (columns - x) ** 2 + (rows - y) ** 2 <= (size / 2) ** 2
    return found


def test_a_mask_has_the_pixels_that_the_brush_went_over(guide: Page) -> None:
    give(guide, "mask", initial=None)
    assert not complete(guide, "mask")
    guide.locator("#guide-mask .label-stage").focus()
    guide.locator("#guide-mask .label-size input").fill("41")
    expected = np.where(disc(320.5, 240.5, 41), 1, 0)
    guide.locator("#guide-mask .label-stage").focus()
    guide.keyboard.press("Enter")
    assert not complete(guide, "mask")
    guide.keyboard.press("n")
    guide.keyboard.press("Enter")
    assert complete(guide, "mask")
    assert (mask_of(answer(guide, "mask")) == expected).all()
    guide.keyboard.press("2")
    guide.keyboard.press("[")
    size = guide.evaluate("document.querySelector('#guide-mask').brush")
    assert size == 33
    step = guide.evaluate("Math.max(1, Math.round(1 / document.querySelector('#guide-mask').view.scale))")
    for _ in range(20):
        guide.keyboard.press("Shift+ArrowRight")
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    along = np.clip(columns, 320.5, 320.5 + 20 * step)
    expected[(columns - along) ** 2 + (rows - 240.5) ** 2 <= (size / 2) ** 2] = 2
    assert (mask_of(answer(guide, "mask")) == expected).all()
    guide.keyboard.press("e")
    guide.keyboard.press("Enter")
    erased = np.where(disc(320.5 + 20 * step, 240.5, size), 0, expected)
    assert (mask_of(answer(guide, "mask")) == erased).all()
    guide.keyboard.press("Control+z")
    assert (mask_of(answer(guide, "mask")) == expected).all()
    assert guide.locator("#guide-mask .label-tag").all_inner_texts() == ["1\nok", "2\nscratch"]
    kept = answer(guide, "mask")
    give(guide, "mask", initial=kept)
    guide.wait_for_function("() => document.querySelector('#guide-mask').complete")
    assert (mask_of(answer(guide, "mask")) == expected).all()


def test_a_mask_is_painted_by_the_mouse_and_taken_back(guide: Page) -> None:
    give(guide, "mask", initial=None)
    at = where(guide, "mask")
    guide.locator("#guide-mask .label-size input").fill("30")
    drag(guide, at(100, 200), at(200, 200))
    painted = mask_of(answer(guide, "mask"))
    rows, columns = np.nonzero(painted == 1)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == pytest.approx((85, 214, 185, 214), abs=1)
    guide.keyboard.press("3")
    drag(guide, at(400, 200), at(400, 300))
    assert set(np.unique(mask_of(answer(guide, "mask")))) == {0, 1, 3}
    guide.keyboard.press("x")
    assert (mask_of(answer(guide, "mask")) == 0).all()
    assert complete(guide, "mask")
    guide.keyboard.press("Control+z")
    guide.keyboard.press("Control+z")
    assert (mask_of(answer(guide, "mask")) == painted).all()
    guide.keyboard.press("Control+z")
    assert not complete(guide, "mask")
    guide.keyboard.press("Control+Shift+z")
    assert (mask_of(answer(guide, "mask")) == painted).all()


def test_hundreds_of_classes_have_colours_of_their_own_in_a_mask(guide: Page) -> None:
    give(guide, "mask", labels=[f"part {number}" for number in range(300)])
    mapped = answer(guide, "mask")["labelMappings"]
    assert len({its["color"] for its in mapped.values()} - {"#ffffff"}) == 300


def test_a_class_is_chosen_by_one_key_or_click(guide: Page) -> None:
    give(guide, "image-classes", initial=None)
    assert answer(guide, "image-classes") == {}
    assert not complete(guide, "image-classes")
    options = guide.locator("#guide-image-classes [role=option]")
    assert "guess 87 %" in options.nth(1).inner_text()
    guide.locator("#guide-image-classes .label-stage").focus()
    guide.keyboard.press("2")
    assert answer(guide, "image-classes") == {"label": "scratch"}
    options.nth(2).click()
    assert answer(guide, "image-classes") == {"label": "<b>crack</b> & chip"}
    guide.keyboard.press("Control+z")
    assert answer(guide, "image-classes") == {"label": "scratch"}
    assert guide.evaluate("window.heard") == [
        "label-change",
        "label-done",
        "label-change",
        "label-done",
        "label-change",
    ]
    guide.keyboard.press("g")
    assert "guess" not in options.nth(1).inner_text()
    give(guide, "image-classes", initial={"label": "ok"}, readonly=True)
    guide.keyboard.press("2")
    assert answer(guide, "image-classes") == {"label": "ok"}
    assert guide.evaluate("window.heard.length") == 0


def test_one_of_300_classes_is_found_by_typing(guide: Page) -> None:
    assert answer(guide, "many-classes") == {"labels": ["part 004"]}
    guide.locator("#guide-many-classes .label-stage").focus()
    for key in ("4", "9", "f"):
        guide.keyboard.press(key)
    guide.keyboard.type("part 27")
    assert guide.locator("#guide-many-classes [role=option]:visible").count() == 10
    guide.keyboard.press("ArrowDown")
    guide.keyboard.press("ArrowDown")
    guide.keyboard.press("Enter")
    assert answer(guide, "many-classes") == {"labels": ["part 009", "part 271"]}
    guide.keyboard.press("f")
    guide.keyboard.press("Control+a")
    guide.keyboard.type("299")
    guide.keyboard.press("Enter")
    assert answer(guide, "many-classes") == {"labels": ["part 009", "part 271", "part 299"]}
    assert guide.locator("#guide-many-classes [role=option]:visible").count() == 300


def test_markup_and_right_to_left_stay_text(guide: Page) -> None:
    for name in ("image-classes", "boxes", "polygons", "mask"):
        words = guide.locator(f"#guide-{name} [role=option] bdi")
        assert words.nth(2).inner_text() == "<b>crack</b> & chip"
        assert words.nth(3).evaluate("(word) => getComputedStyle(word).direction") == "rtl"
    give(guide, "boxes", initial={"boundingBoxes": [{"left": 9, "top": 60, "width": 80, "height": 80, "label": "خدش"}]})
    assert guide.locator("#guide-boxes .label-tag:not(.guess) bdi").inner_text() == "خدش"
    give(guide, "spans", text="<i>شركة</i> مالمو", initial=None, guess=None)
    text = guide.locator("#guide-spans .label-text")
    assert text.inner_text() == "<i>شركة</i> مالمو"
    give(guide, "spans", text="اشترى محمد الكرات من مالمو", initial=None)
    assert text.evaluate("(element) => getComputedStyle(element).direction") == "rtl"
    text.focus()
    for key in ("ArrowLeft", "ArrowLeft", "1"):
        guide.keyboard.press(key)
    assert answer(guide, "spans")["entities"] == [{"startOffset": 6, "endOffset": 10, "label": "person"}]
    assert guide.locator("#guide-spans :is(b, i):not(.label-swatch)").count() == 0


def ends(page: Page, start: int, end: int) -> Any:
    """The middles of the first and the last edge of a part of the text, in the window."""
    return page.evaluate(
        """([from, to]) => {
            const range = document.createRange();
            const node = document.querySelector("#guide-spans .label-text").firstChild;
            range.setStart(node, from);
            range.setEnd(node, to);
            const box = range.getClientRects()[0];
            return [[box.left + 1, box.top + box.height / 2], [box.right + 1, box.top + box.height / 2]];
        }""",
        [start, end],
    )


def test_entities_are_marked_by_selecting_and_by_keys(guide: Page) -> None:
    give(guide, "spans", initial=None, guess=None)
    whole = guide.evaluate("document.querySelector('#guide-spans').task.text")
    text = guide.locator("#guide-spans .label-text")
    text.scroll_into_view_if_needed()
    start, end = ends(guide, whole.index("Lindqvist"), whole.index("Glas") + 4)
    guide.locator("#guide-spans [role=option]").nth(1).click()
    drag(guide, start, end)
    guide.wait_for_function("() => document.querySelector('#guide-spans').complete")
    company = {"startOffset": whole.index("Lindqvist"), "endOffset": whole.index("Glas") + 4, "label": "company"}
    assert answer(guide, "spans") == {"entities": [company]}
    text.focus()
    guide.keyboard.press("ArrowRight")  # past "in", which follows the chosen one
    guide.keyboard.press("ArrowRight")
    guide.keyboard.press("3")
    place = {"startOffset": whole.index("Malm"), "endOffset": whole.index("Malm") + 5, "label": "place"}
    assert answer(guide, "spans") == {"entities": [company, place]}
    guide.keyboard.press("ArrowRight")
    guide.keyboard.press("ArrowRight")
    guide.keyboard.press("Shift+ArrowRight")
    guide.keyboard.press("4")
    date = {"startOffset": whole.index("3 March"), "endOffset": whole.index("3 March") + 7, "label": "date"}
    assert answer(guide, "spans") == {"entities": [company, place, date]}
    guide.keyboard.press("Delete")
    guide.keyboard.press("p")
    guide.keyboard.press("1")
    assert answer(guide, "spans") == {"entities": [{**company, "label": "person"}, place]}
    guide.keyboard.press("Control+z")
    guide.keyboard.press("Control+z")
    assert answer(guide, "spans") == {"entities": [company, place, date]}
    assert text.inner_text().startswith(whole[:20])


def test_texts_have_classes_and_claims_are_verified(guide: Page) -> None:
    guide.locator("#guide-text-classes .label-text").focus()
    guide.keyboard.press("1")
    guide.keyboard.press("2")
    assert answer(guide, "text-classes") == {"labels": ["order", "complaint"]}
    give(guide, "verify", initial=None)
    assert guide.locator("#guide-verify .label-overlay .shape").count() == 2
    guide.locator("#guide-verify .label-stage").focus()
    guide.keyboard.press("g")
    assert guide.locator("#guide-verify .label-overlay .shape").count() == 0
    guide.keyboard.press("3")
    assert answer(guide, "verify") == {"label": "a box is wrong"}
    assert guide.evaluate("window.heard") == ["label-change", "label-done"]


def test_masks_polygons_classes_and_entities_are_verified_too(guide: Page) -> None:
    at = where(guide, "mask")
    drag(guide, at(100, 200), at(200, 200))
    give(guide, "verify", guess=answer(guide, "mask"))
    mask = guide.locator("#guide-verify .label-mask-guess")
    guide.wait_for_function("() => document.querySelector('#guide-verify .label-mask-guess').naturalWidth === 640")
    assert guide.locator("#guide-verify .label-claim bdi").all_inner_texts()[:2] == ["ok", "scratch"]
    guide.locator("#guide-verify .label-stage").focus()
    guide.keyboard.press("g")
    assert not mask.is_visible()
    guide.keyboard.press("g")
    assert mask.is_visible()
    corners = [{"x": 10, "y": 60}, {"x": 90, "y": 60}, {"x": 50, "y": 120}]
    give(guide, "verify", guess={"label": "ok", "confidence": 0.5, "polygons": [{"label": "ok", "vertices": corners}]})
    assert guide.locator("#guide-verify .label-overlay polygon:not(.halo)").count() == 1
    assert guide.locator("#guide-verify .label-claim .tag").inner_text() == "ok 50 %"
    assert not mask.is_visible()
    entities = [{"startOffset": 6, "endOffset": 11, "label": "place"}]
    give(guide, "verify", src=None, text="Hello Malmö", guess={"entities": entities})
    assert guide.locator("#guide-verify .label-text mark").inner_text() == "Malmö"
    assert not guide.locator("#guide-verify .label-stage").is_visible()
    guide.locator("#guide-verify .label-text").focus()
    guide.keyboard.press("1")
    assert answer(guide, "verify") == {"label": "ok"}


def test_tab_reaches_tools_picture_classes_marks_and_sliders(guide: Page) -> None:
    guide.locator("#guide-boxes .label-tools button:enabled").first.focus()
    reached = []
    for _ in range(14):
        reached.append(guide.evaluate("document.activeElement.closest('#guide-boxes *')?.className ?? ''"))
        guide.keyboard.press("Tab")
    assert "label-stage" in reached
    assert "label-option series-1" in reached
    assert "label-mark series-1" in reached
    give(guide, "boxes", initial=answer(guide, "boxes"))
    guide.locator("#guide-boxes .label-mark").focus()
    guide.keyboard.press("ArrowRight")
    assert answer(guide, "boxes")["boundingBoxes"][0]["left"] > 90


def test_a_picture_that_cannot_be_shown_says_so_and_takes_no_label(browser: Browser, server: Server) -> None:
    with visitor(browser, server) as its:
        page = opened(its)
        give(page, "image-classes", src="data:image/png;base64,AAAA")
        page.locator("#guide-image-classes .label-broken:not(:empty)").wait_for()
        page.locator("#guide-image-classes .label-stage").focus()
        page.keyboard.press("1")
        assert page.evaluate("window.heard") == ["label-broken"]
        assert not complete(page, "image-classes")
        sample = page.evaluate("document.querySelector('[data-label-sample]').dataset.labelSample")
        give(page, "image-classes", src=sample)
        page.wait_for_function("() => document.querySelector('#guide-image-classes').ready")
        assert not page.locator("#guide-image-classes .label-broken").inner_text()


def touches(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})


def test_a_finger_draws_a_box_and_two_zoom(browser: Browser, server: Server) -> None:
    with visitor(browser, server, has_touch=True, viewport={"width": 820, "height": 1180}) as its:
        page = opened(its)
        give(page, "boxes", initial=None)
        at = where(page, "boxes")
        hand = page.context.new_cdp_session(page)
        touches(hand, "touchStart", at(100, 140))
        touches(hand, "touchMove", at(150, 200))
        touches(hand, "touchMove", at(220, 260))
        touches(hand, "touchEnd")
        assert near(answer(page, "boxes")["boundingBoxes"][0], 100, 140, 120, 120)
        touches(hand, "touchStart", at(300, 200))
        touches(hand, "touchMove", at(310, 210))
        touches(hand, "touchStart", at(310, 210), at(400, 300))
        touches(hand, "touchMove", at(250, 150), at(460, 360))
        touches(hand, "touchEnd")
        assert len(answer(page, "boxes")["boundingBoxes"]) == 1
        pinched = where(page, "boxes")
        assert pinched(100, 0)[0] - pinched(0, 0)[0] > 1.5 * (at(100, 0)[0] - at(0, 0)[0])
        give(page, "spans", initial=None, guess=None)
        page.locator("#guide-spans .label-text").scroll_into_view_if_needed()
        whole = page.evaluate("document.querySelector('#guide-spans').task.text")
        (x, y), _ = ends(page, whole.index("Malm") + 2, whole.index("Malm") + 3)
        page.touchscreen.tap(x, y)
        page.locator("#guide-spans .caret").wait_for()
        page.locator("#guide-spans [role=option]").nth(2).tap()
        place = {"startOffset": whole.index("Malm"), "endOffset": whole.index("Malm") + 5, "label": "place"}
        assert answer(page, "spans") == {"entities": [place]}
        assert page.evaluate("document.documentElement.scrollWidth") <= 820
        assert its.troubles == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_elements_are_accessible_with_something_drawn(browser: Browser, server: Server, theme: Any) -> None:
    with visitor(browser, server, color_scheme=theme) as its:
        page = opened(its)
        for name in ("boxes", "polygons"):
            page.locator(f"#guide-{name} .label-stage").focus()
            page.keyboard.press("u")
            page.keyboard.press("p")
        page.locator("#guide-mask .label-stage").focus()
        page.keyboard.press("n")
        page.keyboard.press("Enter")
        page.locator("#guide-spans .label-text").focus()
        for key in ("ArrowRight", "ArrowRight", "2", "ArrowRight"):
            page.keyboard.press(key)
        for summary in page.locator(".label-help summary").all():
            summary.click()
        assert page.locator(".labelling [style]:not(.label-sheet, .label-tag, .label-stage)").count() == 0
        assert its.accessibility() == []
        assert its.troubles == []


@pytest.mark.parametrize("night", [0, 1])
def test_the_colours_of_classes_can_be_read_as_grounds(night: int) -> None:
    found = {name: values[night] for name, *values in colours()}
    of_classes = [name for name in found if re.fullmatch(r"series-\d", name)]
    assert len(of_classes) == 6
    for name in of_classes:
        assert _contrast(found[name], found["surface"]) >= 4.5, name


def test_keys_reach_an_element_that_is_alone_on_its_page_wherever_the_focus_is(guide: Page) -> None:
    guide.evaluate(
        "document.querySelectorAll('.labelling:not(#guide-image-classes)').forEach((other) => other.remove())"
    )
    give(guide, "image-classes", initial=None)
    guide.evaluate("document.activeElement.blur()")
    guide.keyboard.press("2")
    assert answer(guide, "image-classes") == {"label": "scratch"}
    guide.locator("main [name=name]").focus()
    guide.keyboard.press("1")
    assert answer(guide, "image-classes") == {"label": "scratch"}
    guide.locator("#guide-image-classes input[type=range]").first.focus()
    guide.keyboard.press("ArrowRight")
    guide.keyboard.press("1")
    assert answer(guide, "image-classes") == {"label": "ok"}
