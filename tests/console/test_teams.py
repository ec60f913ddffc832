"""Work teams and their people in a real browser, in a region of the test's own."""

from typing import Any

from playwright.sync_api import Browser, Page
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.unique import own_region, unique
from tests.support.workforces import Pool, make_pool

pytestmark = needs_chromium


def go_to(its: Visitor, region: str) -> Page:
    its.context.add_cookies([{"name": "tobo_region", "value": region, "url": its.server.endpoint}])
    return its.go("labelling/teams")


def pool_of(server: Server, region: str) -> Pool:
    """The pool of the region's workforce, with a client that may check passwords."""
    [workforce] = server.client("sagemaker", region=region).list_workforces()["Workforces"]
    pool = workforce["CognitoConfig"]["UserPool"]
    cognito: Any = server.client("cognito-idp", region=region)
    flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    made = cognito.create_user_pool_client(UserPoolId=pool, ClientName="test", ExplicitAuthFlows=flows)
    return Pool(cognito, pool, made["UserPoolClient"]["ClientId"])


def test_a_team_from_birth_to_end(root: Visitor, server: Server) -> None:
    region = own_region()
    page = go_to(root, region)
    page.wait_for_selector("text=No teams yet")
    assert root.accessibility() == []
    page.click("summary:has-text('Create a team')")
    page.fill("[name=team]", "marbles")
    page.click("details[open] [data-code-of-form]")
    code = page.wait_for_selector("#code pre:has-text('create_workteam')").inner_text()
    assert code.index("create_user_pool(") < code.index("create_user_pool_client(") < code.index("create_group(")
    assert server.client("sagemaker", region=region).list_workteams()["Workteams"] == []
    page.keyboard.press("Escape")
    page.click("button:has-text('Create team')")
    page.wait_for_selector("text=Team marbles was created")
    page.click("summary:has-text('Create a person')")
    page.fill("[name=person]", "<b>ada</b>")
    page.click("button:has-text('Create person')")
    page.wait_for_selector("#new-person h3:has-text('Temporary password')")
    assert root.accessibility() == []
    name, password = page.locator("#new-person code").all_inner_texts()
    pool = pool_of(server, region)
    assert name == "<b>ada</b>" and pool.sign_in(name, password)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    page = go_to(root, region)
    assert password not in page.content()
    assert page.locator("section:has(h2:has-text('Teams')) td >> text=<b>ada</b>").count() >= 1
    assert root.accessibility() == []
    page.click("button:has-text('New password')")
    page.click("#ask button[value=yes]")
    page.wait_for_selector("#new-person h3:has-text('Temporary password')")
    name, other = page.locator("#new-person code").all_inner_texts()
    assert other != password and pool.sign_in(name, other)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    page = go_to(root, region)
    page.click("button:has-text('Disable')")
    page.wait_for_selector("text=may not sign in.")
    assert not pool.cognito.admin_get_user(UserPoolId=pool.id, Username=name)["Enabled"]
    page.click("button:has-text('Take out')")
    page.wait_for_selector("text=is not in team marbles any more")
    assert pool.cognito.list_users_in_group(UserPoolId=pool.id, GroupName="marbles")["Users"] == []
    page.click("button:has-text('Add')")
    page.wait_for_selector("text=is in team marbles")
    assert len(pool.cognito.list_users_in_group(UserPoolId=pool.id, GroupName="marbles")["Users"]) == 1
    page.click("tr:has-text('Enable') button:has-text('Remove')")
    page.click("#ask button[value=yes]")
    page.wait_for_selector("text=was removed from all teams")
    assert pool.cognito.list_users(UserPoolId=pool.id)["Users"] == []
    page.click("tr:has-text('marbles') button:has-text('Remove')")
    page.click("#ask button[value=yes]")
    page.wait_for_selector("text=No teams yet")
    page.click("summary:has-text('Create a team')")
    page.fill("[name=team]", "no spaces please")
    page.click("button:has-text('Create team')")
    page.wait_for_selector(".form-refusal:has-text('regular expression')")
    root.troubles.clear()  # the browser names the refused request


def test_who_may_only_look_sees_no_control(browser: Browser, server: Server) -> None:
    region = own_region()
    pool = make_pool(server, region)
    pool.person("ada", pool.group("red"))
    server.client("sagemaker", region=region).create_workteam(
        WorkteamName="red", Description="d", MemberDefinitions=[pool.member("red")]
    )
    may_list = {"Effect": "Allow", "Action": "cognito-idp:List*", "Resource": "*"}
    key, secret = limited_user(server, unique("reader"), READ_ONLY, may_list)
    with visitor(browser, server) as its:
        its.sign_in(key, secret)
        page = go_to(its, region)
        assert page.locator("td:has-text('ada')").count() >= 2
        assert page.locator("main form[hx-post]").count() == 0
        assert its.troubles == []
