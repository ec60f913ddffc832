"""Notebooks by click: made, opened, a story run in JupyterLab, its cost; and what a notebook's page cannot do."""

import json
import re
from contextlib import suppress
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.conftest import Server
from tests.support.browser import limited_user, needs_chromium, visitor
from tests.support.notebooks import Tab, make_notebook, settled, stop_notebook
from tests.support.unique import unique

from tobo.console import ROOT

pytestmark = [needs_chromium, pytest.mark.xdist_group("training")]

PATIENT = 60_000
"""Milliseconds for JupyterLab to start, and for a training."""


def test_from_the_form_to_the_cost(browser: Browser, warm_server: Server) -> None:
    """Create by form, open, run the marbles' story cell by cell as a person does, stop, see what it cost."""
    name = unique("story")
    with visitor(browser, warm_server) as root:
        root.sign_in()
        page = root.go("notebooks/create")
        expect(page.locator("#price")).to_contain_text("$0.0500 an hour")
        page.fill("[name=name]", name)
        page.fill("[name=stop_at]", "23:59")
        page.get_by_role("button", name="Create", exact=True).click()
        page.wait_for_url(f"**{ROOT}/notebooks/{name}")
        expect(page.locator(".badge", has_text="InService")).to_be_visible(timeout=PATIENT)
        page.get_by_role("button", name="Open JupyterLab").click()
        page.wait_for_url(f"http://{name}.notebook.us-east-1.localhost:*/notebook/{name}/lab*", timeout=PATIENT)
        page.goto(f"{page.url.split('?')[0]}/tree/examples/1-marbles.ipynb")
        printed = run_all(page)
        expect(printed.filter(has_text="of 8 are right").first).to_be_visible(timeout=2 * PATIENT)
        expect(printed.filter(has_text="s of ml.m5.large: $").first).to_be_visible(timeout=PATIENT)

        page = root.go(f"notebooks/{name}")
        expect(page.locator(".stats")).to_contain_text("$0.0500 an hour")
        assert page.input_value("[name=idle]") == "60" and page.input_value("[name=stop_at]") == "23:59"
        page.fill("[name=idle]", "30")
        page.get_by_role("button", name="Set", exact=True).click()
        expect(page.locator(".notice.good", has_text="rules")).to_be_visible()
        page.get_by_role("button", name="Stop", exact=True).click()
        page.click("dialog#ask button[value=yes]")
        expect(page.locator(".badge", has_text="Stopped")).to_be_visible(timeout=PATIENT)
        tags = warm_server.client("sagemaker").list_tags(ResourceArn=settled(warm_server, name)["NotebookInstanceArn"])
        assert {tag["Key"]: tag["Value"] for tag in tags["Tags"]} == {
            "tobo:idle-stop-minutes": "30",
            "tobo:stop-at": "23:59",
        }
        page.get_by_role("button", name="Delete", exact=True).click()
        page.click("dialog#ask button[value=yes]")
        page.wait_for_url(f"**{ROOT}/notebooks")


def run_all(page: Page) -> Locator:
    """Every cell of the open notebook, by the menu; gives what they print."""
    expect(page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible(timeout=PATIENT)
    begun = page.locator(".jp-InputArea-prompt", has_text=re.compile(r"\[[*\d]"))
    expect(page.get_by_role("button", name="Python 3 | Idle")).to_be_visible(timeout=PATIENT)
    for _ in range(6):  # JupyterLab may ask for the kernel that it is about to start
        if (chosen := page.locator(".jp-Dialog").get_by_role("button", name="Select")).is_visible():
            chosen.click()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with suppress(AssertionError):
            expect(begun.first).to_be_attached(timeout=5000)
            break
    return page.locator(".jp-OutputArea-output")


ATTACK = """
<div id="found">nothing yet</div>
<script>
(async () => {
  const tries = {};
  const attempt = async (name, deed) => {
    try { tries[name] = await deed(); } catch (error) { tries[name] = "refused: " + error.name; }
    document.getElementById("found").textContent = JSON.stringify(tries);
  };
  const read = (address, more) => async () => (await fetch(address, {credentials: "include", ...more})).text();
  await attempt("read", read("CONSOLE/"));
  await attempt("post", read("CONSOLE/notebooks/VICTIM/stop", {method: "POST", body: ""}));
  await attempt("blind", async () => (await fetch("CONSOLE/notebooks/VICTIM/stop",
    {method: "POST", body: "", mode: "no-cors", credentials: "include"})).type);
  await attempt("beside", read("/_tobo/"));
  await attempt("cookie", async () => document.cookie.includes("tobo_"));
  await attempt("frame", () => new Promise(done => {
    const frame = document.createElement("iframe");
    frame.onload = () => { try { done(frame.contentDocument.body.innerText); } catch (e) { done("refused: " + e.name); } };
    frame.src = "CONSOLE/"; document.body.append(frame);
  }));
  await attempt("other", read("OTHER"));
  await attempt("other-blind", async () => (await fetch("OTHER", {method: "POST", body: "{}", mode: "no-cors",
    credentials: "include"})).type);
  document.getElementById("found").textContent += " done";
})();
</script>
"""


def test_a_notebook_s_page_cannot_act_for_who_is_signed_in(browser: Browser, server: Server) -> None:
    """Its output runs in the page of somebody who is signed in to the console, and has another notebook open."""
    name, other = unique("evil"), unique("victim")
    for one in (name, other):
        make_notebook(server, one)
    with visitor(browser, server) as root:
        root.sign_in()
        victim = Tab(server, other)
        for one in (other, name):
            page = root.go(f"notebooks/{one}")
            page.get_by_role("button", name="Open JupyterLab").click()
            page.wait_for_url(f"http://{one}.notebook.*/notebook/{one}/lab*", timeout=PATIENT)
            victim.url = page.url if one == other else victim.url
        origin = victim.url.split("/notebook/")[0]
        html = (
            ATTACK.replace("CONSOLE", f"{server.endpoint}{ROOT}")
            .replace("VICTIM", other)
            .replace("OTHER", f"{origin}/notebook/{other}/api/kernels")
        )
        example = files("tobo.notebooks").joinpath("examples", "1-marbles.ipynb")
        book = json.loads(example.read_text())
        shown = f"from IPython.display import HTML, display\ndisplay(HTML({html!r}))"
        book["cells"] = [{**next(cell for cell in book["cells"] if cell["cell_type"] == "code"), "source": shown}]
        tab = Tab.opened(server, name)
        made = tab.ask("PUT", "api/contents/evil.ipynb", {"type": "notebook", "content": book})
        assert made.status == 201, made
        page = root.page
        page.goto(f"{page.url.split('?')[0].split('/lab')[0]}/lab/tree/evil.ipynb")
        run_all(page)
        found = page.locator("#found", has_text="done")
        expect(found).to_be_visible(timeout=PATIENT)
        tries = json.loads(found.inner_text().removesuffix(" done"))
        assert tries["read"] == tries["post"] == tries["other"] == "refused: TypeError", tries
        assert {tries["blind"], tries["other-blind"]} <= {
            "opaque",
            "refused: TypeError",
        }  # and without an effect, see below
        assert "This notebook is closed to you" in tries["beside"]
        assert tries["cookie"] is False
        assert "tobo" not in tries["frame"].lower() or tries["frame"].startswith("refused")
        root.troubles.clear()  # its own: what was refused
    assert settled(server, other)["NotebookInstanceStatus"] == "InService"
    assert json.loads(Tab.opened(server, other).ask("GET", "api/kernels").body) == []
    for one in (name, other):
        stop_notebook(server, one)


def test_who_may_only_look(browser: Browser, server: Server) -> None:
    """Neither a door nor a lever is shown to who may not use it, and a failed notebook says why."""
    name = unique("looked-at")
    server.client("sagemaker").create_notebook_instance(
        NotebookInstanceName=name,
        InstanceType="ml.t3.medium",
        RoleArn="arn:aws:iam::111122223333:role/any",
        DefaultCodeRepository="https://127.0.0.1:1/none.git",
    )
    settled(server, name)
    looking = {
        "Effect": "Allow",
        "Action": ["sagemaker:Describe*", "sagemaker:List*", "logs:Describe*", "logs:Get*"],
        "Resource": "*",
    }
    with visitor(browser, server) as its:
        its.sign_in(*limited_user(server, unique("looker"), looking))
        page = its.go(f"notebooks/{name}")
        expect(page.locator(".notice.bad")).to_contain_text("git clone https://127.0.0.1:1/none.git failed")
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        for words in ("Open JupyterLab", "Start", "Delete", "Set", "Change"):
            expect(page.get_by_role("button", name=words, exact=True)).to_have_count(0)
        page = its.go("notebooks")
        expect(page.get_by_role("link", name=name)).to_be_visible()
        expect(page.get_by_role("link", name="Create notebook")).to_have_count(0)
        assert its.troubles == []
