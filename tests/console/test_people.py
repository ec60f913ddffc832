"""Users, keys and roles in a real browser; the audit log tells of it."""

import json

from playwright.sync_api import Browser
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.unique import unique

pytestmark = needs_chromium


def test_a_user_from_birth_to_end(root: Visitor, server: Server) -> None:
    name = unique("ada")
    page = root.go("users")
    page.click("summary:has-text('Create a user')")
    page.fill("[name=name]", name)
    page.click("button:has-text('Create user')")
    page.wait_for_url(f"**/users/{name}")
    page.click("button:has-text('Create access key')")
    page.wait_for_selector("#new-key h3:has-text('Secret access key')")
    key, secret = page.locator("#new-key code").all_inner_texts()
    limited = server.client("sts", aws_access_key_id=key, aws_secret_access_key=secret)
    assert limited.get_caller_identity()["Arn"].endswith(f"user/{name}")
    page = root.go(f"users/{name}")
    assert secret not in page.content()
    page.fill("[name=policy] >> nth=-1", "own")
    page.fill("[name=document]", '{"Version": "2012-10-17",\n "Statement": [}')
    page.click("button:has-text('Save policy')")
    refused = page.wait_for_selector("text=line 2, column 16")
    assert refused is not None
    root.troubles.clear()  # the browser names the refused request
    page.fill("[name=document]", json.dumps({"Version": "2012-10-17", "Statement": [READ_ONLY]}))
    page.click("button:has-text('Save policy')")
    page.wait_for_selector("text=Policy own was saved")
    assert server.client("iam").list_user_policies(UserName=name)["PolicyNames"] == ["own"]
    page.click("button:has-text('Deactivate')")
    page.wait_for_selector("text=is now inactive")
    assert root.accessibility() == []
    page = root.go(f"audit?who=root&resource={name}")
    names = page.locator("td.name").all_inner_texts()
    assert names[0] == "UpdateAccessKey" and names[-1] == "CreateUser"
    assert root.accessibility() == []
    page.click("td.name a >> nth=0")
    page.wait_for_selector("h2:has-text('The record')")
    assert secret not in page.content() and key in page.content()


def test_who_may_only_look_sees_no_control(browser: Browser, server: Server) -> None:
    name = unique("reader")
    key, secret = limited_user(server, name, READ_ONLY)
    with visitor(browser, server) as its:
        its.sign_in(key, secret)
        page = its.go("users")
        assert page.locator("main form[hx-post]").count() == 0
        page = its.go(f"users/{name}")
        assert page.locator("main form[hx-post]").count() == 0
        token = page.locator("meta[name=csrf-token]").get_attribute("content") or ""
        answer = page.request.post(page.url + "/delete", headers={"X-CSRF-Token": token}, form={})
        assert answer.status == 403
    assert server.client("iam").get_user(UserName=name)["User"]["UserName"] == name


def test_markup_in_a_filter_is_text(root: Visitor) -> None:
    page = root.go("audit?what=%3Cb%20id%3Devil%3Ex")
    assert page.locator("#evil").count() == 0
    assert page.locator("text=No event is like that").count() == 1


def test_policies_are_attached_and_detached_and_a_role_is_looked_at(root: Visitor, server: Server) -> None:
    name, iam = unique("rights"), server.client("iam")
    iam.create_user(UserName=name)
    page = root.go(f"users/{name}")
    policy = page.locator("#attach option").first.inner_text()
    page.click("button:has-text('Attach')")
    page.wait_for_selector(f"text=Policy {policy} was attached")
    assert [one["PolicyName"] for one in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]] == [policy]
    page.click("button:has-text('Detach')")
    page.wait_for_selector(f"text=Policy {policy} was detached")
    assert iam.list_attached_user_policies(UserName=name)["AttachedPolicies"] == []
    page = root.go("roles")
    role = page.locator("td.name a").first.inner_text()
    page.click("td.name a >> nth=0")
    page.wait_for_selector(f"h1:has-text('{role}')")
    assert iam.get_role(RoleName=role)["Role"]["Arn"] in page.locator("main").inner_text()
    assert root.accessibility() == []
    iam.delete_user(UserName=name)
