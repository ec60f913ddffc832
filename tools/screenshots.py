#!/usr/bin/env python3
"""Pictures of every screen of the console in both themes, for the docs and for looking: `tools/screenshots.py STATE FOLDER [NAME ...]`.

STATE is a world that tools/console_world.py has built, and a server runs on it.
"""

import io
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tobo.console import ROOT
from tobo.console.links import enter_link
from tobo.console.navigation import NAVIGATION

MORE = {
    "labeling-job": "labeling-jobs/marbles-by-hand",
    "labeling-help": "labeling-jobs/marbles-with-help",
    "labeling-create": "labeling-jobs/create",
    "label": "work/marbles-by-hand",
    "label-template": "work/marbles-in-words",
    "review": "work/marbles-by-hand/review",
    "teams": "labelling/teams",
    "flow-definition": "flow-definitions/doubtful-marbles",
    "human-loop": "flow-definitions/doubtful-marbles/loops/marble-0",
    "human-review": "reviews/doubtful-marbles",
    "model-group": "model-packages/marbles",
    "pipeline": "pipelines/improve-marbles",
    "improve": "pipelines/improve?training_job=marbles-1",
    "market-offer": "market/offers/fair/workshop/marbles/1.0",
    "market-subscriptions": "market/subscriptions",
    "market-selling": "market/selling",
    "market-publish": "market/selling/publish",
    "notebook-create": "notebooks/create",
    "lifecycle-configs": "lifecycle-configs",
    "lifecycle-config": "lifecycle-configs/plots",
    "code-repositories": "code-repositories",
    "training-job": "training-jobs/marbles-1",
    "training-create": "training-jobs/create",
    "tuning-job": "tuning-jobs/marbles-tuning",
    "mistakes": "evaluation/training-jobs/marbles-1",
    "endpoint": "endpoints/marbles-1",
    "endpoint-create": "endpoints/create?training_job=marbles-1",
    "batch-job": "transform-jobs/marbles-batch",
    "certificate": "compilation-jobs/marbles-1-rasp4b",
    "fleet": "fleets/line",
    "plan": "deployment-plans/marbles-1-0",
    "device": "devices/line/line-1",
    "topic": "topics/line",
    "event-rule": "event-rules/failed-trainings",
    "budget": "budgets/marbles",
    "reaper-rule": "reaper/untagged-endpoints",
    "reaper-create": "reaper/create?like=nights",
    "user": "users/watcher",
    "wizard": "wizard",
    "styleguide": "styleguide",
}
"""Screens of one thing of the world, beside those of the sidebar."""

CLICKED = {
    "pipeline-execution": ("pipelines/improve-marbles", "tr[id^=row-] a"),
    "market-subscription": ("market/subscriptions", "tr[id^=row-] a"),
    "market-request": ("market/subscriptions?status=Requested", "tr[id^=row-] a"),
}
"""Screens whose address nobody knows before: where a link leads to them, and which."""

SETTLE = 1200
"""Milliseconds in which charts and pictures come."""


def take_all(state: Path, folder: Path, only: Sequence[str] = ()) -> None:
    """Of all screens, or of those named alone."""
    endpoint = json.loads((state / "server.json").read_text())["endpoint"]
    screens = {place.path or "home": place.path for group in NAVIGATION for place in group.places} | MORE
    screens = {name: path for name, path in screens.items() if not only or name in only}
    clicked = {name: its for name, its in CLICKED.items() if not only or name in only}
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for theme in ("light", "dark"):
            page = browser.new_context(color_scheme=theme, viewport={"width": 1280, "height": 800}).new_page()
            page.goto(enter_link(state, endpoint))
            page.wait_for_url(f"**{ROOT}/")
            for name, path in screens.items():
                _take(page, f"{endpoint}{ROOT}/{path}", folder / f"{name.replace('/', '-')}-{theme}.png")
            for name, (path, link) in clicked.items():
                _take(page, f"{endpoint}{ROOT}/{path}", folder / f"{name}-{theme}.png", link)
        browser.close()


def _take(page: Page, address: str, file: Path, link: str = "") -> None:
    answer = page.goto(address)
    assert answer is not None
    if not answer.ok:
        print(f"{address} answers {answer.status}")
    if link:
        page.locator(link).first.click()
    page.wait_for_timeout(SETTLE)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)  # a third of the size, and looks the same


if __name__ == "__main__":
    take_all(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
