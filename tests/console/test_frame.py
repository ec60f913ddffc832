"""The frame of every page: palette, themes, regions, live regions, sizes, accessibility."""

import json
import re

import pytest
from tests.conftest import Server
from tests.support.browser import Visitor, needs_chromium
from tests.support.console import Client, make_job
from tests.support.unique import unique

from tobo.console import ROOT
from tobo.console.navigation import DEEDS, NAVIGATION
from tobo.console.screens.styleguide import colours

pytestmark = needs_chromium

PAGES = [place.path for group in NAVIGATION for place in group.places] + ["styleguide"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_every_screen_is_accessible_small_and_whole(root: Visitor, path: str, theme: str) -> None:
    root.page.emulate_media(color_scheme=theme)
    sizes: list[int] = []
    root.page.on(
        "requestfinished",
        lambda request: sizes.append(
            sum(request.sizes()[part] for part in ("responseBodySize", "responseHeadersSize"))
        ),
    )
    root.go(path)
    root.page.wait_for_load_state("load")
    assert root.page.locator("h1").count() == 1
    assert root.accessibility() == []
    wide = root.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide
    assert len(sizes) <= 15 or path == "styleguide"  # which shows every component at once
    assert sum(sizes) <= 300_000


@pytest.mark.parametrize("path", PAGES)
def test_every_screen_fits_a_phone(root: Visitor, path: str) -> None:
    root.page.set_viewport_size({"width": 390, "height": 844})
    root.go(path)
    assert root.page.evaluate("document.documentElement.scrollWidth") <= 390


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("night", [0, 1])
@pytest.mark.parametrize(
    ("inks", "grounds"),
    [
        ("ink ink-soft ink-quiet accent", "ground surface sunken code"),
        ("good", "good-ground surface"), ("bad", "bad-ground surface"), ("warn", "warn-ground surface"),
        ("busy accent-strong", "busy-ground accent-ground"), ("on-accent", "accent accent-strong"),
        ("ink-soft", "quiet-ground"),
    ],
)  # fmt: skip
def test_tokens_hold_their_contrast(inks: str, grounds: str, night: int) -> None:
    found = {name: values[night] for name, *values in colours()}
    for ink in inks.split():
        for ground in grounds.split():
            assert _contrast(found[ink], found[ground]) >= 4.5, (ink, ground)


def test_the_palette_finds_screens_and_resources_by_the_keyboard_alone(root: Visitor) -> None:
    name = unique("palette")
    make_job(root.server, name)
    page = root.page
    page.keyboard.press("Control+k")
    page.locator(".palette input").wait_for()
    page.keyboard.type("training jobs")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ROOT}/training-jobs")
    page.keyboard.press("/")
    page.locator(".palette input").wait_for()
    page.keyboard.type(name)
    page.get_by_role("option", name=re.compile(name)).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert page.locator("[role=option][aria-selected=true]").inner_text().startswith(name)
    page.keyboard.press("Escape")
    assert not page.locator(".palette").is_visible()


def test_the_palette_knows_every_screen_and_deed(server: Server) -> None:
    client = Client(server)
    client.enter(server)
    status, _, body = client.ask("GET", "palette")
    titles = [entry["title"] for entry in json.loads(body)["entries"]]
    assert status == 200
    assert titles == [place.title for place in DEEDS] + [place.title for group in NAVIGATION for place in group.places]


def test_every_place_of_the_navigation_answers(server: Server) -> None:
    client = Client(server)
    client.enter(server)
    for group in NAVIGATION:
        for place in group.places:
            assert client.ask("GET", place.path)[0] == 200, place
    for deed in DEEDS:
        assert client.ask("GET", deed.path)[0] == 200, deed


def test_a_theme_and_a_region_are_chosen_and_kept(root: Visitor) -> None:
    page = root.page
    page.locator("summary", has_text="root").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Dark").click()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.locator("summary", has_text="us-east-1").click()
    page.fill("[name=region]", "eu-central-1")
    with page.expect_navigation():
        page.get_by_role("button", name="Go there").click()
    root.go("training-jobs")
    assert page.locator(".bar summary").first.inner_text().strip() == "eu-central-1"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_nonsense_for_a_region_is_refused_at_the_form(root: Visitor) -> None:
    page = root.page
    page.locator("summary", has_text="us-east-1").click()
    page.fill("[name=region]", "nowhere")
    page.get_by_role("button", name="Go there").click()
    assert "'nowhere' is no region" in page.locator(".form-refusal .refusal").inner_text()
    root.troubles.clear()  # the browser logs the 400


def test_a_list_changes_while_it_is_looked_at(root: Visitor) -> None:
    name = unique("live")
    root.go("training-jobs")
    make_job(root.server, name)
    root.page.get_by_role("link", name=name).wait_for()


def test_what_somebody_may_not_see_is_said_in_words(root: Visitor) -> None:
    root.go("nothing/here")
    assert root.page.evaluate("document.body.innerText") == "Not Found"
    root.troubles.clear()


def test_static_files_are_kept_by_browsers_and_change_their_address(server: Server) -> None:
    client = Client(server)
    page = client.ask("GET", "enter")[2]
    found = re.findall(r'(?:href|src)="(/_tobo/console/static/[^"]+)"', page)
    assert found
    for address in found:
        status, headers, _ = client.ask("GET", address)
        assert (status, headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        old = re.sub(r"static/[0-9a-f]+/", "static/000000000000/", address)
        assert client.ask("GET", old)[1]["cache-control"] == "no-cache"
    assert client.ask("GET", "static/x/../app.py")[0] == 404
