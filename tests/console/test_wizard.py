"""The wizard, by somebody who has never seen tobo: from a folder of photos to an endpoint that answers."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from tests.conftest import Server
from tests.support.browser import Visitor, needs_chromium, visitor
from tests.support.console import Client
from tests.support.unique import unique

pytestmark = needs_chromium


@pytest.fixture
def worker(browser: Browser, warm_server: Server) -> Iterator[Visitor]:
    with visitor(browser, warm_server) as its:
        its.sign_in()
        yield its
        assert its.troubles == []


def folder(at: Path, each: int = 10) -> Path:
    """Red is ko, green is ok, in folders whose names are no HTML."""
    for label, colour in (("ko & co", (200, 30, 30)), ("ok <b>", (30, 200, 30))):
        (at / label).mkdir(parents=True)
        for number in range(each):
            Image.new("RGB", (48, 48), tuple(value + number for value in colour)).save(at / label / f"{number}.png")
    (at / "notes.txt").write_text("no photo")
    return at


def test_from_photos_to_an_endpoints_answer(worker: Visitor, tmp_path: Path) -> None:
    name = unique("parts")
    page = worker.go()
    page.get_by_role("link", name="Train on your photos").first.click()
    page.set_input_files("[data-folder]", folder(tmp_path / "photos"))
    found = page.locator("[data-found]")
    expect(found).to_contain_text("20 photos of 2 classes. 1 files are no photos")
    expect(found.locator(".name")).to_have_text(["ko & co", "ok <b>"])
    page.fill("[name=name]", name)
    page.get_by_role("button", name="Upload and train").click()
    page.wait_for_url(f"**/wizard/{name}")
    page.get_by_role("button", name="Deploy").click(timeout=180_000)
    expect(page.get_by_role("link", name="Try it with a photo")).to_be_visible(timeout=60_000)
    keys = [
        one["Key"]
        for one in worker.server.client("s3").list_objects_v2(
            Bucket=f"sagemaker-us-east-1-{worker.server.account}", Prefix=f"{name}/"
        )["Contents"]
    ]
    assert sum("/train/" in key for key in keys) == 16
    assert sum("/validation/" in key for key in keys) == 4
    photo = io.BytesIO()
    Image.new("RGB", (48, 48), (35, 205, 35)).save(photo, "PNG")
    answer = worker.server.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="image/png", Body=photo.getvalue()
    )
    ko, ok = json.loads(answer["Body"].read())
    assert ok > ko
    worker.server.client("sagemaker").delete_endpoint(EndpointName=name)


def test_a_folder_that_cannot_be_trained_on_is_explained_before_anything_is_sent(root: Visitor, tmp_path: Path) -> None:
    page = root.go("wizard")
    start = page.get_by_role("button", name="Upload and train")
    expect(start).to_be_disabled()
    page.set_input_files("[data-folder]", folder(tmp_path / "few", 3))
    expect(page.locator("[data-found]")).to_contain_text("Class “ko & co” has 3 photos; 5 are the least.")
    expect(start).to_be_disabled()
    (tmp_path / "one" / "only").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "one" / "only" / "a.png")
    page.set_input_files("[data-folder]", tmp_path / "one")
    expect(page.locator("[data-found]")).to_contain_text("Two classes are the least")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("nonsense", "The wizard sends"),
        ('{"name": "a b", "classes": {"x": 9, "y": 9}}', "'a b' is no name"),
        ('{"name": "a", "classes": {"x": 9}}', "Two classes are the least"),
        ('{"name": "a", "classes": {"x": 9, "y": 4}}', "Class 'y' has 4 photos"),
        ('{"name": "a", "classes": []}', "The wizard sends"),
    ],
)
def test_what_cannot_be_prepared_is_refused_in_words(server: Server, asked: str, words: str) -> None:
    client = Client(server)
    token = client.enter(server)
    status, _, body = client.ask("POST", "wizard/prepare", asked, X_CSRF_Token=token, Content_Type="application/json")
    assert status == 400
    assert words in body.replace("&#39;", "'").replace("&#34;", '"')
