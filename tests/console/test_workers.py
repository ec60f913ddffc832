"""People with names and passwords: they sign in, label for their teams, and reach nothing else."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import needs_chromium, visitor
from tests.support.console import Client
from tests.support.labelling import bucket_of, create, labeling_job, output_of, wait
from tests.support.unique import unique
from tests.support.workforces import PASSWORD, Pool, make_pool

from tobo.console.workers import REMEMBERED


@dataclass(frozen=True)
class Line:
    """A server with a workforce of one team, and a job for it."""

    server: Server
    pool: Pool
    team: str
    job: str

    def enter(self, client: Client, name: str, password: str, **more: str) -> tuple[int, dict[str, str], str]:
        return client.post("enter", {"username": name, "password": password, **more})


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    served = Server(tmp_path_factory.mktemp("line") / "state", {})
    try:
        server = served.start()
        pool, sagemaker = make_pool(server), server.client("sagemaker")
        team = sagemaker.create_workteam(
            WorkteamName="line", MemberDefinitions=[pool.member(pool.group("line"))], Description="At the belt"
        )["WorkteamArn"]
        pool.group("reviewers")
        pool.person("ann", "line")
        pool.person("eve", "line", "reviewers")
        pool.person("out")
        request = labeling_job(server, bucket_of(server, 3))
        request["HumanTaskConfig"]["WorkteamArn"] = team
        create(server, request)
        others = labeling_job(server, bucket_of(server, 2))
        create(server, others)
        yield Line(server, pool, team, request["LabelingJobName"])
    finally:
        served.end()


@pytest.fixture
def client(line: Line) -> Client:
    return Client(line.server)


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "Wrong-passw0rd"), ("nobody", PASSWORD), ("<b>ann</b>", PASSWORD)]
)
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(
    line: Line, client: Client, name: str, password: str
) -> None:
    status, _, page = line.enter(client, name, password)
    assert status == 403 and "This name and password do not belong together." in page and "<b>ann" not in page
    assert "tobo_session" not in client.cookies


def test_who_is_in_no_team_does_not_get_in(line: Line, client: Client) -> None:
    status, _, page = line.enter(client, "out", PASSWORD)
    assert status == 403 and "out is in no work team yet" in page and "tobo_session" not in client.cookies


def test_guessing_is_locked_out(line: Line, client: Client) -> None:
    name = line.pool.person(unique("guessed"), "line")
    said = [line.enter(client, name, "Wrong-passw0rd") for _ in range(12)]
    assert {status for status, _, _ in said} == {403} and "tobo_session" not in client.cookies
    assert all("do not belong together" in page for _, _, page in said[:5])
    assert any("Password attempts exceeded" in page for _, _, page in said[5:])


def test_a_worker_reaches_his_work_and_nothing_else(line: Line, client: Client) -> None:
    status, _, _ = line.enter(client, "ann", PASSWORD, next="/_tobo/console/users")
    assert status == 200
    status, headers, _ = client.ask("GET", "")
    assert (status, headers["location"]) == (303, "/_tobo/console/work")
    status, _, page = client.ask("GET", "work")
    assert status == 200 and line.job in page and page.count("labelling-") >= 1
    assert "labelling" in page and 'href="/_tobo/console/users"' not in page
    for path in (
        "training-jobs",
        "users",
        "s3",
        "labeling-jobs",
        f"labeling-jobs/{line.job}",
        "audit",
        "s3/any-bucket",
    ):
        status, _, page = client.ask("GET", path)
        assert status in (403, 404), path
    entries = json.loads(client.ask("GET", "palette?q=")[2])["entries"]
    assert [entry["title"] for entry in entries] == ["Work"]
    assert client.ask("GET", f"work/{line.job}/review")[0] in (403, 404)


def test_only_jobs_of_his_team_are_a_workers(line: Line, client: Client) -> None:
    line.enter(client, "ann", PASSWORD)
    names = [
        job["LabelingJobName"] for job in line.server.client("sagemaker").list_labeling_jobs()["LabelingJobSummaryList"]
    ]
    [other] = [name for name in names if name != line.job]
    assert other not in client.ask("GET", "work")[2]
    assert client.ask("GET", f"work/{other}")[0] in (403, 404)
    assert client.ask("GET", f"work/{other}/source/0")[0] in (403, 404)


def test_a_reviewer_is_one_by_his_group(line: Line, client: Client) -> None:
    line.enter(client, "eve", PASSWORD)
    assert client.ask("GET", f"work/{line.job}/review")[0] == 200


def test_who_is_disabled_or_taken_out_of_the_team_is_out_at_once(line: Line) -> None:
    """A session that is open ends, too; a few seconds are remembered."""
    for undo in ("admin_disable_user", "admin_remove_user_from_group"):
        name, client = line.pool.person(unique("leaving"), "line"), Client(line.server)
        line.enter(client, name, PASSWORD)
        assert client.ask("GET", "work")[0] == 200
        more = {"GroupName": "line"} if undo.endswith("group") else {}
        getattr(line.pool.cognito, undo)(UserPoolId=line.pool.id, Username=name, **more)
        deadline = time.monotonic() + 4 * REMEMBERED
        while client.ask("GET", "work")[0] == 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert line.enter(Client(line.server), name, PASSWORD)[0] == 403


def test_a_temporary_password_is_changed_on_the_way_in(line: Line, client: Client) -> None:
    name = unique("new")
    line.pool.cognito.admin_create_user(UserPoolId=line.pool.id, Username=name, TemporaryPassword=PASSWORD)
    line.pool.cognito.admin_add_user_to_group(UserPoolId=line.pool.id, Username=name, GroupName="line")
    status, _, page = line.enter(client, name, PASSWORD)
    assert status == 200 and 'name="new_password"' in page and "tobo_session" not in client.cookies
    status, _, page = line.enter(client, name, PASSWORD, new_password="short")
    assert status == 403 and 'name="new_password"' in page
    assert line.enter(client, name, PASSWORD, new_password="My-own-w0rds")[0] == 200
    assert client.ask("GET", "work")[0] == 200
    assert line.enter(Client(line.server), name, "My-own-w0rds")[0] == 200


def test_sign_ins_with_passwords_are_in_the_audit_log(line: Line, client: Client) -> None:
    line.enter(client, "ann", "Wrong-passw0rd")
    line.enter(client, "ann", PASSWORD)
    events = line.server.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ConsoleLogin"}]
    )["Events"]
    told = [json.loads(event["CloudTrailEvent"]) for event in events]
    passed = next(one for one in told if one["responseElements"]["ConsoleLogin"] == "Success")
    assert passed["additionalEventData"]["SignInBy"] == "password" and passed["userIdentity"]["userName"] == "ann"
    assert any(one["responseElements"]["ConsoleLogin"] == "Failure" for one in told)
    assert PASSWORD not in json.dumps(told) and "Wrong-passw0rd" not in json.dumps(told)


def test_without_a_workforce_the_form_says_what_to_do(fresh_server: Callable[..., Server]) -> None:
    status, _, page = Client(fresh_server()).post("enter", {"username": "ann", "password": PASSWORD})
    assert status == 403 and "a work team has to be made first" in page


@needs_chromium
def test_a_person_signs_in_and_labels(browser: Browser, line: Line) -> None:
    with visitor(browser, line.server) as its:
        page = its.page
        page.goto(f"{line.server.endpoint}/_tobo/console/enter")
        page.get_by_text("I am here to label").click()
        page.fill("[name=username]", "ann")
        page.fill("[name=password]", PASSWORD)
        page.get_by_role("button", name="Sign in to label").click()
        page.get_by_role("link", name="Label").first.click()
        for number in range(3):
            expect(page.locator("label-image-classes img, label-image-classes canvas").first).to_be_visible()
            page.keyboard.press("1")
            line_is(line, number + 1)
        job = wait(line.server, line.job, lambda job: job["LabelingJobStatus"] == "Completed")
        assert [told["label"] for told in output_of(line.server, job)] == [0, 0, 0]
        assert its.troubles == []


def line_is(line: Line, labelled: int) -> None:
    wait(line.server, line.job, lambda job: job["LabelCounters"]["HumanLabeled"] >= labelled)
