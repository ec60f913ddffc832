"""What notebooks begin with, in a real browser: lifecycle configurations and code repositories."""

import base64
from typing import Any

from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.jobs import ROLE
from tests.support.notebooks import TYPE
from tests.support.unique import unique

pytestmark = needs_chromium

SCRIPT = '#!/bin/bash\nset -eu\necho "<b>größer</b>"'


def scripts(server: Server, name: str) -> dict[str, str]:
    found: dict[str, Any] = server.client("sagemaker").describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name
    )
    return {
        hook: base64.b64decode(found[hook][0]["Content"]).decode()
        for hook in ("OnCreate", "OnStart")
        if found.get(hook)
    }


def test_scripts_are_written_changed_and_deleted(root: Visitor, server: Server) -> None:
    name = unique("plots")
    page = root.go("notebooks")
    page.get_by_role("link", name="Lifecycle configurations").click()
    page.get_by_role("link", name="Create configuration").click()
    page.fill("[name=name]", name)
    page.fill("[name=on_start]", "x" * 20_000)
    page.get_by_role("button", name="Create configuration").click()
    expect(page.locator("#refusal-on_start")).to_be_visible()
    root.troubles.clear()  # the browser names the refused request
    page.fill("[name=on_start]", SCRIPT)
    page.locator("main form [data-code-of-form]").click()
    expect(page.locator("#code")).to_contain_text("create_notebook_instance_lifecycle_config(")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Create configuration").click()
    page.wait_for_url(f"**/lifecycle-configs/{name}")
    assert scripts(server, name) == {"OnStart": f"{SCRIPT}\n"}
    expect(page.locator("pre.code", has_text="größer")).to_contain_text("<b>größer</b>")
    page.click("summary:has-text('Edit')")
    page.fill("[name=on_create]", "touch made")
    page.fill("[name=on_start]", "")
    page.get_by_role("button", name="Save scripts").click()
    expect(page.locator(".notice.good", has_text="was changed")).to_be_visible()
    assert scripts(server, name) == {"OnCreate": "touch made\n"}
    assert root.accessibility() == []
    page.get_by_role("button", name="Delete").click()
    page.click("#ask button[value=yes]")
    page.wait_for_url("**/lifecycle-configs")
    names = server.client("sagemaker").list_notebook_instance_lifecycle_configs(NameContains=name)
    assert names["NotebookInstanceLifecycleConfigs"] == []


def test_lines_end_as_bash_wants_them(root: Visitor, server: Server) -> None:
    name = unique("windows")
    page = root.go("lifecycle-configs/create")
    token = page.locator("meta[name=csrf-token]").get_attribute("content") or ""
    form = {"name": name, "on_start": "set -e\r\ntrue"}
    answer = page.request.post(page.url, headers={"X-CSRF-Token": token}, form=form, max_redirects=0)
    assert answer.status == 303
    assert scripts(server, name) == {"OnStart": "set -e\ntrue\n"}
    server.client("sagemaker").delete_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)


def test_a_repository_keeps_its_token_to_itself_and_is_chosen(root: Visitor, server: Server) -> None:
    name, sagemaker = unique("counting"), server.client("sagemaker")
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
    page = root.go("code-repositories/create")
    page.fill("[name=name]", name)
    page.fill("[name=address]", "https://ada:very-secret@127.0.0.1:1/counting.git")
    page.fill("[name=branch]", "ma in")
    page.get_by_role("button", name="Add repository").click()
    expect(page.locator("#refusal-branch")).to_be_visible()
    root.troubles.clear()
    page.fill("[name=branch]", "main")
    page.get_by_role("button", name="Add repository").click()
    page.wait_for_url(f"**/code-repositories/{name}")
    expect(page.locator("main .facts")).to_contain_text("https://127.0.0.1:1/counting.git")
    assert "very-secret" not in page.content()
    git = {"RepositoryUrl": "https://ada:very-secret@127.0.0.1:1/counting.git", "Branch": "main"}
    assert sagemaker.describe_code_repository(CodeRepositoryName=name)["GitConfig"] == git
    assert root.accessibility() == []
    assert "very-secret" not in root.go(f"code-repositories?name={name}").content()

    page = root.go("notebooks/create")
    page.fill("[name=name]", name)
    page.select_option("[name=script]", name)
    page.fill("[name=repository]", name)
    assert page.locator(f"#repositories option[value='{name}']").count() == 1
    page.locator("main form [data-code-of-form]").click()
    expect(page.locator("#code")).to_contain_text(f'LifecycleConfigName="{name}"')
    expect(page.locator("#code")).to_contain_text(f'DefaultCodeRepository="{name}"')

    sagemaker.create_notebook_instance(
        NotebookInstanceName=name, InstanceType=TYPE, RoleArn=ROLE, LifecycleConfigName=name, DefaultCodeRepository=name
    )
    for place in ("lifecycle-configs", "code-repositories"):
        page = root.go(f"{place}/{name}")
        expect(page.get_by_role("main").get_by_role("link", name=name, exact=True)).to_be_visible()
    page.keyboard.press("Control+k")
    page.locator(".palette input").fill(name)
    page.get_by_role("option", name=f"{name} Lifecycle configuration").click()
    page.get_by_role("button", name="Delete").click()
    page.click("#ask button[value=yes]")
    expect(page.locator("#notices .refusal")).to_contain_text("is in use by Notebook Instance")
    root.troubles.clear()
    page = root.go(f"code-repositories/{name}")
    page.get_by_role("button", name="Remove").click()
    page.click("#ask button[value=yes]")
    page.wait_for_url("**/code-repositories")


def test_who_may_only_look_sees_no_control(browser: Browser, server: Server) -> None:
    name, sagemaker = unique("looked-at"), server.client("sagemaker")
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
    sagemaker.create_code_repository(CodeRepositoryName=name, GitConfig={"RepositoryUrl": "https://127.0.0.1:1/x.git"})
    key, secret = limited_user(server, unique("reader"), READ_ONLY)
    with visitor(browser, server) as its:
        its.sign_in(key, secret)
        for place in ("lifecycle-configs", "code-repositories"):
            for path in (place, f"{place}/{name}"):
                page = its.go(path)
                expect(page.locator("main")).to_contain_text(name)
                assert page.locator("main form[hx-post]").count() == 0
                assert page.locator("a.button.primary").count() == 0
        assert its.troubles == []
    sagemaker.delete_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
    sagemaker.delete_code_repository(CodeRepositoryName=name)
