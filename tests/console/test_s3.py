"""The S3 browser, in a real Chromium: uploads by drop, previews, links, deletion, and objects that want to be pages."""

import io
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import boto3
import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.console import run
from tests.support.unique import unique

from tobo.console import ROOT

pytestmark = needs_chromium

ODD_KEYS = [
    "plain.txt",
    "with space & plus+.txt",
    "<img src=x onerror=alert(1)>.txt",
    "größe/日本.txt",
    "a/../b.txt",
    "/leading.txt",
    "double//slash.txt",
    "percent%2e%2e/%41.txt",
    "quote'\"`.txt",
    "line\nbreak.txt",
    "ends with space ",
]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0f01f0005"
    "0001ff89993d1d0000000049454e44ae426082"
)
EVIL = """<!doctype html><title>evil</title><p id="p">still</p><script>
document.querySelector("#p").textContent = "ran";
fetch("/_tobo/console/").then((answer) => answer.text()).then((text) => { document.title = "stolen" + text.length });
</script>"""


@pytest.fixture
def bucket(server: Server) -> Iterator[str]:
    name = unique("bucket")
    s3 = server.client("s3")
    s3.create_bucket(Bucket=name)
    yield name
    for key in keys_of(server, name):
        s3.delete_object(Bucket=name, Key=key)
    s3.delete_bucket(Bucket=name)


def keys_of(server: Server, bucket: str) -> list[str]:
    return [one["Key"] for one in server.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def drop(page: Page, *paths: Path) -> None:
    """As somebody who drags them from a file manager."""
    box = page.locator("upload-drop .drop").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    at = {"x": box["x"] + 20, "y": box["y"] + 20, "data": data}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **at})


def test_a_bucket_is_created_by_the_form_and_by_its_code(root: Visitor, server: Server) -> None:
    name = unique("made")
    page = root.go("s3")
    page.get_by_role("button", name="Create bucket").first.click()
    page.fill("[name=bucket]", "Not_Good")
    page.click("#new-bucket button[type=submit]")
    expect(page.locator("#new-bucket .at-field")).to_contain_text("'Not_Good' is no bucket name")
    root.troubles.clear()  # the browser says that it got a 400
    page.fill("[name=bucket]", name)
    page.click("#new-bucket [data-code-of-form]")
    expect(page.locator("#code")).to_be_visible()
    code = page.locator("#code pre code").first.inner_text()
    assert name not in [one["Name"] for one in server.client("s3").list_buckets()["Buckets"]]
    ran(code, server)
    assert name in [one["Name"] for one in server.client("s3").list_buckets()["Buckets"]]
    server.client("s3").delete_bucket(Bucket=name)
    page.click("#code [data-close]")
    page.click("#new-bucket button[type=submit]")
    expect(page.locator("#notices")).to_contain_text(f"Bucket {name} is there.")
    expect(page.locator("h1")).to_have_text(name)
    page.locator("summary", has_text="Delete this bucket").click()
    page.get_by_role("button", name="Delete bucket").click()
    page.click("#ask [value=yes]")
    expect(page.locator("#notices")).to_contain_text("is deleted")
    assert name not in [one["Name"] for one in server.client("s3").list_buckets()["Buckets"]]


def ran(code: str, server: Server) -> None:
    """Runs the code of a page against the server."""
    made: Callable[..., object] = lambda service, region_name: server.client(service, region_name)  # noqa: E731
    exec(code.replace("import boto3\n", ""), {"boto3": SimpleNamespace(client=made)})


def test_files_and_folders_are_dropped_with_progress(
    root: Visitor, server: Server, bucket: str, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    (folder / "deep <b>").mkdir(parents=True)
    for number in range(120):  # a folder's reader gives a hundred at a time
        (folder / f"{number:03}.txt").write_text(f"photo {number}")
    (folder / "deep <b>" / "größe.bin").write_bytes(b"\0" * 3_000_000)
    single = tmp_path / "one & two.txt"
    single.write_text("one")
    page = root.go(f"s3/{bucket}?prefix=in/")
    drop(page, folder, single)
    expect(page.locator("[data-sum]")).to_have_text("122 files are uploaded")
    expected = {f"in/photos/{number:03}.txt" for number in range(120)}
    assert set(keys_of(server, bucket)) == expected | {"in/photos/deep <b>/größe.bin", "in/one & two.txt"}
    body = server.client("s3").get_object(Bucket=bucket, Key="in/photos/007.txt")["Body"].read()
    assert body == b"photo 7"
    expect(page.locator("td.name").first).to_contain_text("photos/")  # the list is live
    assert root.accessibility() == []


def test_a_folder_is_chosen_by_its_button(root: Visitor, server: Server, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "set" / "ok").mkdir(parents=True)
    (tmp_path / "set" / "ok" / "a.txt").write_text("a")
    (tmp_path / "set" / "b.txt").write_text("b")
    page = root.go(f"s3/{bucket}")
    page.set_input_files("[webkitdirectory]", str(tmp_path / "set"))
    expect(page.locator("[data-sum]")).to_have_text("2 files are uploaded")
    assert keys_of(server, bucket) == ["set/b.txt", "set/ok/a.txt"]


def test_progress_moves_while_a_file_is_sent(root: Visitor, bucket: str, tmp_path: Path) -> None:
    file = tmp_path / "large.bin"
    with file.open("wb") as large:
        large.truncate(48 << 20)
    page = root.go(f"s3/{bucket}")
    page.evaluate("""() => {
      window.seen = new Set();
      new MutationObserver(() => window.seen.add(document.querySelector("[data-sum]").textContent))
        .observe(document.querySelector("[data-uploads]"), { childList: true, subtree: true, characterData: true });
    }""")
    page.set_input_files("input[data-files]:not([webkitdirectory])", str(file))
    expect(page.locator("[data-sum]")).to_have_text("1 file is uploaded", timeout=60_000)
    between = [
        words for words in page.evaluate("[...window.seen]") if re.fullmatch(r"0 of 1 files, .* of 50.3 MB", words)
    ]
    assert len(between) >= 2, between


def test_a_failed_upload_is_named_and_can_be_repeated(
    root: Visitor, server: Server, bucket: str, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("a")
    page = root.go(f"s3/{bucket}")
    page.route(f"**/{bucket}/a.txt?**", lambda route: route.abort())
    drop(page, tmp_path / "a.txt")
    expect(page.locator("[data-failed]")).to_contain_text("a.txt: The connection broke")
    root.troubles.clear()
    page.unroute(f"**/{bucket}/a.txt?**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-sum]")).to_have_text("1 file is uploaded")
    expect(page.locator("[data-failures]")).to_be_hidden()
    assert keys_of(server, bucket) == ["a.txt"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_keys_of_any_letters(root: Visitor, server: Server, bucket: str, key: str, tmp_path: Path) -> None:
    """Listed, shown, downloaded, linked and deleted as what they are: text."""
    body = f"body of {key!r}"
    token = root.go(f"s3/{bucket}").locator('meta[name="csrf-token"]').get_attribute("content") or ""
    answer = root.page.evaluate(
        """async ([action, key, token, body]) => {
          const headers = {"X-CSRF-Token": token, "Content-Type": "application/json"};
          const told = await fetch(action, {method: "POST", headers, body: JSON.stringify({keys: [key]})});
          return (await fetch((await told.json()).urls[0], {method: "PUT", body})).status;
        }""",
        [f"{ROOT}/s3/{bucket}/upload", key, token, body],
    )
    assert answer == 200
    assert keys_of(server, bucket) == [key]
    page = root.page
    while (link := page.locator("td.name a").first) and "object?" not in (link.get_attribute("href") or ""):
        link.click()
    link.click()
    expect(page.locator("pre.code.tall")).to_have_text(body)
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download").click()
    assert downloaded.value.path().read_text() == body
    page.get_by_role("button", name="Make link").click()
    address = page.locator("#link code").inner_text()
    with urllib.request.urlopen(address) as linked:
        assert linked.read().decode() == body
    page.get_by_role("button", name="Delete").click()
    page.click("#ask [value=yes]")
    expect(page.locator("#notices")).to_contain_text("deleted")
    assert keys_of(server, bucket) == []


def test_previews(root: Visitor, server: Server, bucket: str) -> None:
    s3 = server.client("s3")
    given = {
        "photo.dat": (PNG, "img.preview"),
        "table.csv": (b"a,b\n1,2\n", "pre.code.tall"),
        "page.html": (b"<h1 id=own>no page</h1>", "pre.code.tall"),
        "broken.png": (b"\x00\x01\x02", "text=Neither a picture nor text"),
        "empty": (b"", "text=The object is empty."),
        "long.txt": ("é".encode() * 50_000, "text=The first 64 kB of 100.0 kB"),
    }
    for key, (body, selector) in given.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="text/html", Metadata={"who": "<i>me</i>"})
        page = root.go(f"s3/{bucket}/object?key={key}")
        expect(page.locator(selector)).to_be_visible()
        expect(page.locator("dd", has_text="<i>me</i>")).to_be_visible()
        assert root.accessibility() == [], key
    assert (
        root.go(f"s3/{bucket}/object?key=photo.dat").evaluate("document.querySelector('img.preview').naturalWidth") == 1
    )
    answer = root.page.request.get(f"{server.endpoint}{ROOT}/s3/preview?bucket={bucket}&key=page.html")
    assert answer.status == 415


def test_deleting_what_is_ticked_and_the_code_of_it(root: Visitor, server: Server, bucket: str) -> None:
    s3 = server.client("s3")
    for key in ("keep.txt", "go.txt", "old/1.txt", "old/deep/2.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    page = root.go(f"s3/{bucket}")
    page.get_by_label("Tick go.txt").check()
    page.get_by_label("Tick folder old/").check()
    page.get_by_role("button", name="As code").last.click()
    expect(page.locator("#code")).to_be_visible()
    code = page.locator("#code pre code").first.inner_text()
    page.click("#code [data-close]")
    assert len(keys_of(server, bucket)) == 4
    page.get_by_role("button", name="Delete", exact=True).click()
    page.click("#ask [value=yes]")
    expect(page.locator("#notices")).to_contain_text("3 objects are deleted.")
    assert keys_of(server, bucket) == ["keep.txt"]
    for key in ("go.txt", "old/1.txt", "old/deep/2.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    ran(code, server)
    assert keys_of(server, bucket) == ["keep.txt"]


def test_a_tick_stays_with_its_object_when_others_come(root: Visitor, server: Server, bucket: str) -> None:
    s3 = server.client("s3")
    for key in ("m.txt", "z.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    page = root.go(f"s3/{bucket}")
    page.get_by_label("Tick m.txt").check()
    for key in ("a.txt", "b/c.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    expect(page.locator("td.name")).to_have_text(["b/", "a.txt", "m.txt", "z.txt"])
    ticked = page.locator("[data-tick]:checked")
    assert ticked.evaluate_all("boxes => boxes.map(box => box.value)") == ["m.txt"]


def test_a_bucket_may_be_called_as_an_address_of_the_console(root: Visitor, server: Server) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="preview")
    s3.put_object(Bucket="preview", Key="a.txt", Body=b"here")
    page = root.go("s3?name=preview")
    page.get_by_role("link", name="preview", exact=True).click()
    page.get_by_role("link", name="a.txt").click()
    expect(page.locator("pre.code.tall")).to_have_text("here")
    s3.delete_object(Bucket="preview", Key="a.txt")
    s3.delete_bucket(Bucket="preview")


def test_a_listing_has_pages(root: Visitor, server: Server, bucket: str) -> None:
    s3 = server.client("s3")
    for number in range(203):
        s3.put_object(Bucket=bucket, Key=f"{number:03}", Body=b"")
    page = root.go(f"s3/{bucket}")
    expect(page.locator("td.name")).to_have_count(200)
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("td.name")).to_have_text(["200", "201", "202"])
    page.fill("[name=starts]", "01")
    page.press("[name=starts]", "Enter")
    expect(page.locator("td.name")).to_have_count(10)


def test_a_link_works_without_cookies_and_ends(root: Visitor, server: Server, bucket: str) -> None:
    server.client("s3").put_object(Bucket=bucket, Key="a.txt", Body=b"linked")
    page = root.go(f"s3/{bucket}/object?key=a.txt")
    page.evaluate("document.querySelector('[name=seconds]').options[0].value = '1'")
    page.get_by_role("button", name="Make link").click()
    address = page.locator("#link code").inner_text()
    page.wait_for_timeout(2500)
    with pytest.raises(urllib.error.HTTPError) as ended:
        urllib.request.urlopen(address)
    assert (ended.value.code, b"Request has expired" in ended.value.read()) == (403, True)
    page.reload()
    page.get_by_role("button", name="Make link").click()
    with urllib.request.urlopen(page.locator("#link code").inner_text()) as answer:
        assert answer.read() == b"linked"


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/xml",
        "unknown/unknown",
        "odd",
        "Text/HTML; charset=x",
    ],
)
def test_an_object_never_runs_as_a_page(root: Visitor, server: Server, bucket: str, kind: str) -> None:
    body = EVIL
    if "svg" in kind or "xml" in kind:
        body = '<x xmlns="http://www.w3.org/1999/xhtml"><p id="p">still</p><script>document.querySelector("#p").textContent = "ran"</script></x>'
    s3 = server.client("s3")
    s3.put_object(Bucket=bucket, Key="evil", Body=body.encode(), ContentType="text/plain")
    asked = {"Bucket": bucket, "Key": "evil", "ResponseContentType": kind}  # whatever it was uploaded as
    link = s3.generate_presigned_url("get_object", Params=asked)
    page = root.context.new_page()
    try:
        if kind == "unknown/unknown":  # a browser saves what it may not guess
            with pytest.raises(PlaywrightError, match="Download is starting"):
                page.goto(link)
        else:
            page.goto(link)
            page.wait_for_timeout(300)
            shown = page.locator("body").inner_text() if kind == "odd" else page.locator("#p").inner_text()
            assert ("<script>" in shown, "stolen" in page.title()) == (kind == "odd", False), shown
            assert kind == "odd" or shown == "still"
    finally:
        page.close()
    root.troubles.clear()  # that a script was not run, it says
    with urllib.request.urlopen(link) as answer:
        assert answer.headers["Content-Security-Policy"] == "sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_harmless_objects_are_not_sandboxed(server: Server, bucket: str) -> None:
    s3 = server.client("s3")
    for kind in ("image/png", "text/plain; charset=utf-8", "application/pdf"):
        s3.put_object(Bucket=bucket, Key="x", Body=b"x", ContentType=kind)
        headers = s3.get_object(Bucket=bucket, Key="x")["ResponseMetadata"]["HTTPHeaders"]
        assert ("content-security-policy" in headers, headers["x-content-type-options"]) == (False, "nosniff"), kind


def test_who_may_only_look(browser: Browser, server: Server, bucket: str) -> None:
    server.client("s3").put_object(Bucket=bucket, Key="a.txt", Body=b"look")
    key, secret = limited_user(server, unique("watcher"), READ_ONLY)
    with visitor(browser, server) as watcher:
        watcher.sign_in(key, secret)
        page = watcher.go("s3")
        assert page.get_by_role("button", name="Create bucket").count() == 0
        page = watcher.go(f"s3/{bucket}")
        expect(page.locator("td.name")).to_have_text(["a.txt"])
        assert page.locator("upload-drop, [data-tick], button:has-text('Delete')").count() == 0
        token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
        for path, sent in (("upload", {"data": json.dumps({"keys": ["x"]})}), ("delete", {"form": {"key": "a.txt"}})):
            answer = page.request.post(
                f"{server.endpoint}{ROOT}/s3/{bucket}/{path}",
                headers={"X-CSRF-Token": token},
                **sent,
            )
            assert answer.status == 403, path
        assert keys_of(server, bucket) == ["a.txt"]


def test_temporary_keys_sign_with_their_token(browser: Browser, server: Server, bucket: str, tmp_path: Path) -> None:
    given = server.client("sts").get_session_token()["Credentials"]
    with visitor(browser, server) as guest:
        page = guest.go("enter")
        page.fill("[name=access_key_id]", given["AccessKeyId"])
        page.fill("[name=secret_access_key]", given["SecretAccessKey"])
        page.get_by_text("A temporary key").click()
        page.fill("[name=session_token]", given["SessionToken"])
        page.click("button[type=submit]")
        page.wait_for_url(f"**{ROOT}/")
        page = guest.go(f"s3/{bucket}")
        (tmp_path / "a.txt").write_text("a")
        page.set_input_files("input[data-files]:not([webkitdirectory])", str(tmp_path / "a.txt"))
        expect(page.locator("[data-sum]")).to_have_text("1 file is uploaded")
        assert guest.troubles == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible(root: Visitor, server: Server, bucket: str, theme: str) -> None:
    server.client("s3").upload_fileobj(io.BytesIO(b"x"), bucket, "folder/x.txt")
    server.client("s3").upload_fileobj(io.BytesIO(b"x"), bucket, "x.txt")
    root.context.add_cookies([{"name": "tobo_theme", "value": theme, "url": server.endpoint}])
    for path in ("s3", f"s3/{bucket}", f"s3/{bucket}?prefix=none/", f"s3/{bucket}/object?key=x.txt"):
        root.go(path)
        assert root.accessibility() == [], path


def test_the_code_of_a_link_signs_one_that_works(
    root: Visitor, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, key = unique("linked"), "a \"b\" 'c' ü.txt"
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=b"by the link")
    page = root.go(f"s3/{bucket}/object?key={quote(key)}")
    page.locator("form", has=page.get_by_role("button", name="Make link")).get_by_role("button", name="As code").click()
    expect(page.locator("#code pre").first).to_contain_text("generate_presigned_url(")
    code = page.locator("#code pre").first.inner_text()
    for name, value in zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"), server.keys, strict=True):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    boto3.DEFAULT_SESSION = None
    *lines, last = code.strip().split("\n")
    made: dict[str, str] = {}
    exec("\n".join([*lines, f"link = {last}"]), made)
    with urllib.request.urlopen(made["link"]) as answer:
        assert answer.read() == b"by the link"
    assert "--expires-in 3600" in page.locator("#code pre").nth(1).inner_text()


def test_an_uploads_code_puts_a_file_into_the_folder(
    root: Visitor, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = unique("coded")
    server.client("s3").create_bucket(Bucket=bucket)
    page = root.go(f"s3/{bucket}?prefix=parts/")
    page.locator("[data-open='#uploading']").click()
    code = page.locator("#uploading pre").first.inner_text()
    monkeypatch.chdir(tmp_path)
    Path("photo.jpg").write_bytes(b"a photo")
    run(server, code, monkeypatch)
    assert server.client("s3").get_object(Bucket=bucket, Key="parts/photo.jpg")["Body"].read() == b"a photo"
    assert root.accessibility() == []
