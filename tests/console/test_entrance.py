"""The entrance: who gets in, how, and what no other page can make a browser do."""

import json
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from tests.conftest import Server
from tests.support.browser import Visitor, limited_user, needs_chromium, visitor
from tests.support.console import Client
from tests.support.unique import unique

from tobo.console import ROOT
from tobo.console.links import Links, enter_link
from tobo.console.sessions import COOKIE


@pytest.fixture
def client(server: Server) -> Client:
    return Client(server)


def test_nobody_sees_a_page_without_signing_in(client: Client) -> None:
    for path in ("", "training-jobs", "styleguide"):
        status, headers, body = client.ask("GET", path)
        assert (status, body) == (303, "")
        assert headers["location"].startswith(f"{ROOT}/enter?next=")
    assert client.ask("GET", "stream?r=training-job|/_tobo/console/")[0] == 204
    assert client.ask("POST", "training-jobs/stop")[0] == 303
    assert client.ask("GET", "palette", HX_Request="true")[0] == 401


def test_a_browser_at_the_servers_address_is_sent_to_the_console(client: Client) -> None:
    assert client.ask("GET", "/", Accept="text/html,*/*")[1]["location"] == f"{ROOT}/"
    assert client.ask("GET", "/")[0] == 403  # S3's ListBuckets without a signature


def test_an_access_key_and_its_secret_open_the_door(server: Server, client: Client) -> None:
    key, secret = server.keys
    status, headers, body = client.post(
        "enter", {"access_key_id": key, "secret_access_key": secret, "next": f"{ROOT}/styleguide"}
    )
    assert status == 200
    assert f"url={ROOT}/styleguide" in body
    cookie = headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=strict", f"Path={ROOT}"} <= {part.strip() for part in cookie.split(";")}
    assert client.ask("GET", "")[0] == 200


@pytest.mark.parametrize(
    "fields",
    [{}, {"access_key_id": "nobody", "secret_access_key": "x"}, {"access_key_id": "ROOT", "secret_access_key": "wrong"},
     {"access_key_id": "ROOT", "secret_access_key": "ROOT", "session_token": "made up"}],
)  # fmt: skip
def test_what_is_no_key_is_refused_in_one_sentence(server: Server, client: Client, fields: dict[str, str]) -> None:
    known = {"access_key_id": server.keys[0], "secret_access_key": server.keys[1]}
    sent = {name: known[name] if value == "ROOT" else value for name, value in fields.items()}
    status, _, body = client.post("enter", sent)
    assert status == 403
    assert "do not belong together" in body
    assert client.cookies == {}


@pytest.mark.parametrize("then", ["https://evil.example/", "//evil.example", "/elsewhere", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere_after_signing_in(server: Server, client: Client, then: str) -> None:
    key, secret = server.keys
    body = client.post("enter", {"access_key_id": key, "secret_access_key": secret, "next": then})[2]
    assert f"url={ROOT}/" in body
    assert then not in body


def test_a_temporary_key_enters_with_its_token_and_may_what_its_policy_says(server: Server, client: Client) -> None:
    got = server.client("sts").get_session_token()["Credentials"]
    status, _, _ = client.post(
        "enter",
        {
            "access_key_id": got["AccessKeyId"],
            "secret_access_key": got["SecretAccessKey"],
            "session_token": got["SessionToken"],
        },
    )
    assert status == 200
    assert client.ask("GET", "training-jobs")[0] == 200


def test_a_link_works_once(server: Server) -> None:
    link = enter_link(server.state, server.endpoint).removeprefix(server.endpoint)
    first, second = Client(server), Client(server)
    assert first.ask("GET", link)[0] == 200
    status, _, body = second.ask("GET", link)
    assert (status, second.cookies) == (403, {})
    assert "was used already" in body


def test_a_link_that_is_old_or_not_ours_does_not_work(server: Server) -> None:
    links = Links(server.state)
    old = enter_link(server.state, "", time.time() - 601).partition("link=")[2]
    good = enter_link(server.state, "").partition("link=")[2]
    assert not links.use(old, time.time())
    for forged in (
        "",
        "x",
        "..",
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        "9" + good,
        good.replace(".", "..", 1),
    ):
        assert not links.use(forged, time.time())
    assert links.use(good, time.time())


def test_the_secret_of_links_is_the_owners(server: Server) -> None:
    enter_link(server.state, "")
    assert (server.state / "console.secret").stat().st_mode & 0o777 == 0o600


def test_a_session_that_was_there_before_is_not_taken_over(server: Server, client: Client) -> None:
    client.cookies[COOKIE] = "chosen-by-somebody-else"
    client.enter(server)
    assert client.cookies[COOKIE] != "chosen-by-somebody-else"
    before = client.cookies[COOKIE]
    client.enter(server)
    stolen = Client(server)
    stolen.cookies[COOKIE] = before
    assert stolen.ask("GET", "")[0] == 303  # the older one ended with the new sign-in


def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(server: Server, client: Client) -> None:
    token = client.enter(server)
    copy = Client(server)
    copy.cookies = dict(client.cookies)
    assert client.post("leave", {"csrf": "wrong"})[0] == 303
    assert copy.ask("GET", "")[0] == 200
    client.cookies = dict(copy.cookies)
    client.post("leave", {"csrf": token})
    assert copy.ask("GET", "")[0] == 303


def test_a_key_that_is_switched_off_ends_its_sessions(server: Server, client: Client) -> None:
    name = unique("gone")
    key, secret = limited_user(server, name, {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"})
    client.post("enter", {"access_key_id": key, "secret_access_key": secret})
    assert client.ask("GET", "training-jobs")[0] == 200
    server.client("iam").update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    assert client.ask("GET", "training-jobs")[0] == 303


def test_sessions_outlast_the_server(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    client = Client(server)
    client.enter(server)
    server.kill()
    server.start()
    client.at = urlsplit(server.endpoint)
    assert client.ask("GET", "")[0] == 200


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_a_change_without_the_sessions_token_is_refused(server: Server, client: Client, token: str | None) -> None:
    client.enter(server)
    headers = {} if token is None else {"X_CSRF_Token": token}
    status, _, body = client.post("preferences", {"region": "eu-west-1"}, **headers)
    assert status == 403
    assert "InvalidCsrfToken" in body
    assert "tobo_region" not in client.cookies


def test_a_token_of_another_session_is_refused(server: Server, client: Client) -> None:
    client.enter(server)
    other = Client(server)
    token = other.enter(server)
    assert client.post("preferences", {"theme": "dark"}, X_CSRF_Token=token)[0] == 403
    assert other.post("preferences", {"theme": "dark"}, X_CSRF_Token=token)[0] == 204


def test_a_form_of_another_site_signs_nobody_in(server: Server, client: Client) -> None:
    key, secret = server.keys
    fields = {"access_key_id": key, "secret_access_key": secret}
    assert client.post("enter", fields, Sec_Fetch_Site="cross-site")[0] == 403
    assert client.cookies == {}


@pytest.mark.parametrize("region", ["nowhere", "us-east-1;x", "<b>", "us-east-1/../x"])
def test_nonsense_is_no_region(server: Server, client: Client, region: str) -> None:
    token = client.enter(server)
    assert client.post("preferences", {"region": region}, X_CSRF_Token=token)[0] == 400
    client.cookies["tobo_region"] = region.replace(";", "")
    assert "us-east-1" in client.ask("GET", "")[2]


@pytest.mark.parametrize("path", ["enter", "", "training-jobs", "nothing/here", "static/x/none.js", "stream"])
def test_every_answer_forbids_frames_foreign_code_and_sniffing(server: Server, client: Client, path: str) -> None:
    client.enter(server)
    headers = client.ask("GET", path)[1]
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_body_that_is_too_large_or_of_unknown_length_is_refused(server: Server, client: Client) -> None:
    token = client.enter(server)
    assert client.ask("POST", "preferences", b"x" * 10, X_CSRF_Token=token, Content_Length=str(26 << 20))[0] == 413


def test_signed_requests_are_never_the_consoles(server: Server, client: Client) -> None:
    bucket = unique("console")
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="_tobo/console/", Body=b"an object")
    assert s3.get_object(Bucket=bucket, Key="_tobo/console/")["Body"].read() == b"an object"


@pytest.fixture
def stranger(browser: Browser, server: Server) -> Iterator[Visitor]:
    with visitor(browser, server) as its:
        yield its


@needs_chromium
def test_the_link_signs_a_browser_in_and_out_again(stranger: Visitor) -> None:
    stranger.sign_in()
    page = stranger.page
    assert page.locator("h1").inner_text() == "Home"
    page.locator("summary", has_text="root").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"**{ROOT}/enter")
    stranger.go("training-jobs")
    assert page.url.endswith("/enter?next=%2F_tobo%2Fconsole%2Ftraining-jobs")


@needs_chromium
def test_signing_in_leads_where_one_wanted_to_go(stranger: Visitor) -> None:
    stranger.go("training-jobs?status=Failed")
    key, secret = stranger.server.keys
    stranger.page.fill("[name=access_key_id]", key)
    stranger.page.fill("[name=secret_access_key]", secret)
    stranger.page.keyboard.press("Enter")
    stranger.page.wait_for_url("**/training-jobs?status=Failed")


@needs_chromium
def test_another_site_cannot_frame_the_console_nor_post_to_it(stranger: Visitor) -> None:
    stranger.sign_in()
    server = stranger.server
    target = f"{server.endpoint}{ROOT}/"
    # A page of another origin: the browser sends it no strict cookie, and will not show the frame.
    stranger.context.route("http://evil.example/", lambda route: route.fulfill(
        content_type="text/html",
        body=f"<iframe src='{target}'></iframe><form method=post action='{target}preferences'><input name=region value=eu-west-1></form>",
    ))  # fmt: skip
    page = stranger.page
    page.goto("http://evil.example/")
    page.wait_for_timeout(300)
    assert all("Training" not in frame.content() for frame in page.frames[1:])
    page.evaluate("document.forms[0].submit()")
    page.wait_for_url(f"**{ROOT}/enter")  # as somebody who is not signed in
    stranger.go()
    assert "us-east-1" in page.locator(".bar").inner_text()


@needs_chromium
def test_an_object_of_s3_is_no_script_of_a_page(stranger: Visitor) -> None:
    server, bucket = stranger.server, unique("script")
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="evil.js", Body=b"document.title = 'broken'", ContentType="text/javascript")
    link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "evil.js"})
    stranger.sign_in()
    stranger.page.evaluate(
        "link => document.head.append(Object.assign(document.createElement('script'), {src: link}))", link
    )
    stranger.page.wait_for_timeout(500)
    assert stranger.page.title() != "broken"
    assert any("Content Security Policy" in trouble for trouble in stranger.troubles)


def test_sign_ins_are_in_the_audit_log_without_what_was_typed(server: Server) -> None:
    user, typed = unique("signs"), unique("typed-by-mistake")
    key, secret = limited_user(server, user, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    client = Client(server)
    assert client.post("enter", {"access_key_id": key, "secret_access_key": typed})[0] == 403
    assert client.post("enter", {"access_key_id": key, "secret_access_key": secret}, User_Agent="a browser")[0] == 200
    assert client.post("enter", {"access_key_id": typed, "secret_access_key": secret})[0] == 403
    link = enter_link(server.state, server.endpoint).removeprefix(server.endpoint)
    assert [Client(server).ask("GET", link)[0] for _ in range(2)] == [200, 403]
    asked = [{"AttributeKey": "EventName", "AttributeValue": "ConsoleLogin"}]
    events = server.client("cloudtrail", region="eu-west-1").lookup_events(LookupAttributes=asked, MaxResults=5)[
        "Events"
    ]
    told = [json.loads(event["CloudTrailEvent"]) for event in events]
    assert [one["responseElements"]["ConsoleLogin"] for one in told] == [
        "Failure",
        "Success",
        "Failure",
        "Success",
        "Failure",
    ]
    names = [event["Username"] for event in events]
    assert names == ["HIDDEN_DUE_TO_SECURITY_REASONS", "root", "HIDDEN_DUE_TO_SECURITY_REASONS", user, user]
    assert [one["additionalEventData"]["SignInBy"] for one in told] == ["link", "link", *["access key"] * 3]
    assert (told[3]["userAgent"], told[3]["sourceIPAddress"], events[3]["AccessKeyId"]) == (
        "a browser",
        "127.0.0.1",
        key,
    )
    assert told[4]["errorCode"] == "InvalidClientTokenId" and told[3].get("errorCode") is None
    kept = "".join(path.read_text() for path in (server.state / "audit").iterdir())
    assert typed not in kept and secret not in kept and link.rpartition("=")[2] not in kept
