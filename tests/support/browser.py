"""A real browser on the console: signed-in pages, and what accessibility and size they have."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.conftest import Server

from tobo.console import ROOT
from tobo.console.links import enter_link

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: `make setup-browser`")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody's browser on a server's console. `troubles` are what its pages complained about: none, at the end."""

    server: Server
    context: BrowserContext
    page: Page
    troubles: list[str] = field(default_factory=list)

    def go(self, path: str = "") -> Page:
        """Opens a screen by its path under the console's root."""
        self.page.goto(f"{self.server.endpoint}{ROOT}/{path}")
        return self.page

    def sign_in(self, key: str | None = None, secret: str | None = None) -> None:
        """By a link as the root, or with an access key."""
        if key is None:
            self.page.goto(enter_link(self.server.state, self.server.endpoint))
        else:
            self.go("enter")
            self.page.fill("[name=access_key_id]", key)
            self.page.fill("[name=secret_access_key]", secret or "")
            self.page.click("button[type=submit]")
        self.page.wait_for_url(f"**{ROOT}/")

    def accessibility(self) -> list[str]:
        """Serious and critical findings of axe-core on the page as it is."""
        if not AXE.exists():
            pytest.skip("axe-core is not installed: `make setup-browser`")
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [
            f"{rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]


@contextmanager
def visitor(browser: Browser, server: Server, **options: Any) -> Iterator[Visitor]:
    """A browser of its own cookies; whatever its pages log as an error is a trouble."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    context.set_default_timeout(15_000)
    its = Visitor(server, context, context.new_page())
    context.on("console", lambda said: its.troubles.append(said.text) if said.type == "error" else None)
    context.on("weberror", lambda error: its.troubles.append(str(error.error)))
    try:
        yield its
    finally:
        context.close()


def limited_user(server: Server, name: str, *statements: dict[str, Any]) -> tuple[str, str]:
    """A user who may do only this; its access key and secret."""
    iam = server.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name, PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements})
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


READ_ONLY = {
    "Effect": "Allow",
    "Action": [
        f"{service}:{verb}*"
        for service in ("sagemaker", "s3", "logs", "cloudwatch", "iam", "cloudtrail")
        for verb in ("List", "Describe", "Get", "Search", "Filter", "Lookup")
    ],
    "Resource": "*",
}
"""A statement of a user who may look at everything."""
