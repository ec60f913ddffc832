"""People of an identity provider sign in at it and label: a real provider over TLS, a real server, a real Chromium."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import needs_chromium, visitor
from tests.support.console import Client
from tests.support.identity_provider import Claims, Provider, identity_provider
from tests.support.labelling import bucket_of, create, labeling_job, picture, put_lines, wait

from tobo.console import ROOT

PEOPLE: dict[str, Claims] = {
    "00u-ann": {"preferred_username": "ann", "sagemaker:groups": ["belt", "canteen"]},
    "00u-eve": {"name": "Eve", "groups": "belt, reviewers"},
    "00u-out": {"name": "<b>Out</b>", "groups": ["canteen"]},
    "00u-none": {"name": "Nobody"},
}


@dataclass(frozen=True)
class Line:
    """A server whose workforce is that of a provider, with a team of its group belt, and a job for it."""

    server: Server
    provider: Provider
    sagemaker: Any
    job: str


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("federation")
    with identity_provider(folder / "provider", PEOPLE) as provider:
        served = Server(folder / "state", {"REQUESTS_CA_BUNDLE": str(provider.authority)})
        try:
            server = served.start()
            sagemaker = server.client("sagemaker")
            sagemaker.create_workforce(WorkforceName="line", OidcConfig=provider.config())
            team = sagemaker.create_workteam(
                WorkteamName="belt",
                Description="At the belt",
                MemberDefinitions=[{"OidcMemberDefinition": {"Groups": ["belt"]}}],
            )["WorkteamArn"]
            bucket = bucket_of(server, {"photos/a.png": picture()})
            request = labeling_job(
                server,
                bucket,
                team=team,
                source=put_lines(server, bucket, [{"source-ref": f"s3://{bucket}/photos/a.png"}] * 3),
            )
            create(server, request)
            yield Line(server, provider, sagemaker, request["LabelingJobName"])
        finally:
            served.end()


@pytest.fixture(autouse=True)
def honest(line: Line) -> Iterator[None]:
    """Each test begins with a provider that forges nothing."""
    line.provider.algorithm, line.provider.forge = "RS256", lambda claims: claims
    yield
    line.provider.algorithm, line.provider.forge = "RS256", lambda claims: claims


def begin(client: Client) -> dict[str, str]:
    """The parameters with which the provider is asked."""
    status, headers, page = client.ask("GET", "enter/provider")
    assert status == 303, page
    asked = parse_qs(urlsplit(headers["location"]).query)
    return {name: values[0] for name, values in asked.items()} | {"at": headers["location"]}


def authorize(line: Line, at: str, subject: str) -> dict[str, str]:
    """The provider's answer for somebody who signs in there."""
    answer = requests.post(
        at, data={"sub": subject}, verify=str(line.provider.authority), allow_redirects=False, timeout=20
    )
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def finish(client: Client, answer: dict[str, str]) -> tuple[int, str]:
    status, _, page = client.ask("GET", f"enter/answer?{urlencode(answer)}")
    return status, page


def sign_in(line: Line, subject: str = "00u-ann") -> tuple[Client, int, str]:
    client = Client(line.server)
    return client, *finish(client, authorize(line, begin(client)["at"], subject))


@needs_chromium
@pytest.mark.parametrize(("subject", "reviews"), [("00u-ann", False), ("00u-eve", True)])
def test_somebody_signs_in_labels_and_signs_out(browser: Browser, line: Line, subject: str, reviews: bool) -> None:
    with visitor(browser, line.server, ignore_https_errors=True) as its:
        page = its.go("enter")
        page.get_by_text("I am here to label").click()
        assert its.accessibility() == []
        page.get_by_role("link", name="Sign in with localhost").click()
        page.get_by_role("button", name=subject).click()
        page.wait_for_url(f"**{ROOT}/work")
        expect(page.locator("main")).to_contain_text(line.job)
        assert page.locator("nav a[href$='/training-jobs']").count() == 0
        page.goto(f"{line.server.endpoint}{ROOT}/work/{line.job}")
        expect(page.locator("work-bench")).to_be_visible()
        expect(page.locator("label-image-classes img, label-image-classes canvas").first).to_be_visible()
        page.keyboard.press("1")
        wait(line.server, line.job, lambda job: job["LabelCounters"]["HumanLabeled"] >= 1 + reviews)
        answer = page.goto(f"{line.server.endpoint}{ROOT}/work/{line.job}/review")
        assert answer is not None and answer.ok is reviews
        its.go("work")
        page.locator("summary", has_text=subject).first.click()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{line.provider.address}/oauth2/end_session**")
        assert parse_qs(urlsplit(page.url).query)["post_logout_redirect_uri"] == [f"{line.server.endpoint}{ROOT}/enter"]
        its.go("work")
        assert "/enter" in page.url


def test_the_page_that_was_wanted_is_where_one_gets(line: Line) -> None:
    for wanted, then in ((f"{ROOT}/work/{line.job}", f"{ROOT}/work/{line.job}"), ("https://e.example", f"{ROOT}/work")):
        client = Client(line.server)
        status, headers, _ = client.ask("GET", f"enter/provider?{urlencode({'next': wanted})}")
        status, page = finish(client, authorize(line, headers["location"], "00u-ann"))
        assert status == 200 and f'url={then}"' in page


def test_what_the_provider_is_asked(line: Line) -> None:
    one, two = begin(Client(line.server)), begin(Client(line.server))
    assert one["response_type"] == "code" and one["code_challenge_method"] == "S256" and one["client_id"] == "labels"
    assert one["redirect_uri"] == f"{line.server.endpoint}{ROOT}/enter/answer" and "openid" in one["scope"].split()
    assert not {one[name] for name in ("state", "nonce", "code_challenge")} & {
        two[name] for name in ("state", "nonce", "code_challenge")
    }


def test_es256_is_believed_too(line: Line) -> None:
    line.provider.algorithm = "ES256"
    client, status, page = sign_in(line)
    assert status == 200 and "tobo_session" in client.cookies, page
    assert client.ask("GET", "work")[0] == 200 and client.ask("GET", "training-jobs")[0] in (302, 303, 403)


@pytest.mark.parametrize(
    ("algorithm", "said"),
    [("none", "none&#39; is not allowed"), ("HS256", "HS256&#39; is not allowed"), ("stranger", "bad_signature")],
)
def test_tokens_that_nobody_signed_are_refused(line: Line, algorithm: str, said: str) -> None:
    line.provider.algorithm = algorithm
    client, status, page = sign_in(line)
    assert status == 403 and "The identity provider did not sign you in" in page and said in page, page
    assert "tobo_session" not in client.cookies


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("nonce", "another"),
        ("nonce", None),
        ("aud", "somebody-else"),
        ("iss", "https://elsewhere.example"),
        pytest.param("exp", int(time.time()) - 3600, id="exp-over"),
        ("exp", None),
        pytest.param("nbf", int(time.time()) + 3600, id="nbf-to-come"),
        ("azp", "somebody-else"),
        ("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
        ("sub", None),
    ],
)
def test_tokens_that_are_not_for_this_sign_in_are_refused(line: Line, member: str, value: Any) -> None:
    def forge(claims: Claims) -> Claims:
        changed = {**claims, member: value}
        return {name: its for name, its in changed.items() if its is not None}

    line.provider.forge = forge
    client, status, page = sign_in(line)
    assert status == 403 and "The identity provider did not sign you in" in page, page
    assert {"exp": "claim: &#39;exp" if value is None else "is expired", "nbf": "not yet valid"}.get(
        member, member
    ) in page
    assert "tobo_session" not in client.cookies


def test_an_answer_is_good_once_in_the_browser_that_began(line: Line) -> None:
    client, other = Client(line.server), Client(line.server)
    begin(other)
    answer = authorize(line, begin(client)["at"], "00u-ann")
    for stranger in (other, Client(line.server)):  # one who began something else, one who began nothing
        status, page = finish(stranger, answer)
        assert status == 403 and "no answer to a sign-in that this browser has begun" in page
    assert finish(client, {**answer, "state": "forged"})[0] == 403
    status, page = finish(client, answer)  # the wrong state has used it up
    assert status == 403 and "begin again" in page
    again = Client(line.server)
    answer = authorize(line, begin(again)["at"], "00u-ann")
    assert finish(again, answer)[0] == 200
    assert finish(again, answer)[0] == 403


def test_a_code_of_another_sign_in_is_refused(line: Line) -> None:
    """Its PKCE verifier is not known."""
    thief, victim = Client(line.server), Client(line.server)
    stolen = authorize(line, begin(victim)["at"], "00u-ann")["code"]
    own = begin(thief)
    status, page = finish(thief, {"code": stolen, "state": own["state"]})
    assert status == 403 and "did not sign you in" in page


def test_somebody_who_denies_and_another_issuer(line: Line) -> None:
    for told, said in (
        ({"error": "access_denied", "error_description": "<i>no</i>"}, "access_denied &lt;i&gt;no"),
        ({"code": "x", "iss": "https://elsewhere.example"}, "another provider answered"),
        ({"code": "no-such-code"}, "did not sign you in"),
    ):
        client = Client(line.server)
        status, page = finish(client, {**told, "state": begin(client)["state"]})
        assert status == 403 and said in page, page


@pytest.mark.parametrize(("subject", "groups"), [("00u-out", "canteen"), ("00u-none", "none")])
def test_who_is_in_no_group_of_a_team_does_not_get_in(line: Line, subject: str, groups: str) -> None:
    client, status, page = sign_in(line, subject)
    assert status == 403 and f"is in no work team: the provider tells of these groups: {groups}." in page
    assert "<b>Out" not in page and "tobo_session" not in client.cookies


def test_a_team_that_loses_its_group_loses_its_people_at_once(line: Line) -> None:
    name = "night"
    line.sagemaker.create_workteam(
        WorkteamName=name, Description="-", MemberDefinitions=[{"OidcMemberDefinition": {"Groups": ["canteen"]}}]
    )
    client, status, _ = sign_in(line, "00u-out")
    assert status == 200 and client.ask("GET", "work")[0] == 200
    line.sagemaker.delete_workteam(WorkteamName=name)
    deadline = time.monotonic() + 20
    while client.ask("GET", "work")[0] == 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_addresses_that_may_not_work_and_a_region_without_a_provider(line: Line) -> None:
    client = Client(line.server)
    waiting = authorize(line, begin(client)["at"], "00u-ann")
    line.sagemaker.update_workforce(WorkforceName="line", SourceIpConfig={"Cidrs": ["10.0.0.0/8"]})
    try:
        for status, page in (Client(line.server).ask("GET", "enter/provider")[::2], finish(client, waiting)):
            assert status == 403 and "The workforce may not work from 127.0.0.1" in page
    finally:
        line.sagemaker.update_workforce(WorkforceName="line", SourceIpConfig={"Cidrs": []})
    client = Client(line.server)
    client.cookies["tobo_region"] = "eu-west-1"
    status, _, page = client.ask("GET", "enter/provider")
    assert status == 403 and "No identity provider is set up in eu-west-1" in page


def test_a_provider_that_is_away_is_named(line: Line) -> None:
    client = Client(line.server)
    answer = authorize(line, begin(client)["at"], "00u-ann")
    line.provider.forge = lambda claims: 1 / 0  # type: ignore[return-value]
    status, page = finish(client, answer)
    assert status == 403 and "did not sign you in" in page and "tobo_session" not in client.cookies


def test_sign_ins_are_in_the_audit_log(line: Line) -> None:
    sign_in(line)
    events = line.server.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ConsoleLogin"}]
    )["Events"]
    assert any("00u-ann" in one["CloudTrailEvent"] and "OpenID Connect" in one["CloudTrailEvent"] for one in events)
