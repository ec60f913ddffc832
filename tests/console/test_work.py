"""The work pages in a real browser: labelling by keys and by mouse, drafts, undo, faults, and the review of conflicts."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, needs_chromium, visitor
from tests.support.labelling import (
    REVIEWER,
    WORKER,
    bucket_of,
    claim,
    create,
    ended,
    labeler,
    labeling_job,
    output_of,
    picture,
    put_lines,
    say,
    wait,
    worker,
)
from tests.support.processes import until
from tests.support.unique import unique

pytestmark = needs_chromium


def job_of(server: Server, pictures: Any = 3, kind: str = "ImageMultiClass", **changes: Any) -> str:
    """The name of a job in progress over so many pictures."""
    request = labeling_job(server, bucket_of(server, pictures), kind, **changes)
    create(server, request)
    return str(request["LabelingJobName"])


def texts_job(server: Server, texts: list[str], kind: str = "TextMultiClass", **changes: Any) -> str:
    bucket = bucket_of(server)
    source = put_lines(server, bucket, [{"source": text} for text in texts])
    request = labeling_job(server, bucket, kind, source=source, **changes)
    create(server, request)
    return str(request["LabelingJobName"])


@contextmanager
def person(browser: Browser, server: Server, statement: dict[str, Any] = WORKER, **options: Any) -> Iterator[Visitor]:
    """A new user who may do this, signed in."""
    with visitor(browser, server, **options) as its:
        its.sign_in(*limited_user(server, unique("worker"), statement))
        yield its


def item(page: Page, after: str | None = None) -> str:
    """The number of the item that is shown, once it is another one than `after` and can be labelled."""
    page.wait_for_function(
        "after => { const bench = document.querySelector('work-bench'); return bench?.dataset.item !== undefined"
        " && bench.dataset.item !== after && bench.element?.ready; }",
        arg=after,
    )
    return str(page.locator("work-bench").get_attribute("data-item"))


def all_sent(page: Page) -> None:
    expect(page.locator("[data-pending]")).to_have_text("0")


def lines(server: Server, name: str) -> list[dict[str, Any]]:
    return output_of(server, ended(server, name))


def test_ten_pictures_with_keys_alone(root: Visitor, server: Server) -> None:
    name = job_of(server, 10)
    page = root.go("work")
    page.get_by_role("link", name=f"Label {name}").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/work/{name}")
    now, said = None, []
    for turn in range(10):
        now = item(page, now)
        page.keyboard.press("12"[turn % 2])
        said.append(now)
    expect(page.locator(".empty h2")).to_have_text("All done")
    assert said == [str(number) for number in range(10)]
    assert [line["label-metadata"]["class-name"] for line in lines(server, name)] == ["ok", "ko"] * 5
    expect(page.locator("[data-own]")).to_have_text("10")


def test_with_the_mouse(root: Visitor, server: Server) -> None:
    name = job_of(server, 3)
    page, now = root.go(f"work/{name}"), None
    for label in ("ko", "ok", "ko"):
        now = item(page, now)
        page.get_by_role("option", name=label).click()
    assert [line["label-metadata"]["class-name"] for line in lines(server, name)] == ["ko", "ok", "ko"]


def test_several_classes_are_done_with_enter(root: Visitor, server: Server) -> None:
    name = job_of(server, 2, "ImageMultiClassMultiLabel", labels=("red", "round", "chipped"))
    page = root.go(f"work/{name}")
    now = item(page)
    for key in ("1", "3", "Enter"):
        page.keyboard.press(key)
    item(page, now)
    page.keyboard.press("Enter")
    expect(page.locator("[data-said]")).to_contain_text("Nothing is chosen yet")
    page.keyboard.press("2")
    page.get_by_role("button", name="Done").click()
    assert [line["label"] for line in lines(server, name)] == [[0, 2], [1]]


def test_boxes_by_mouse_and_by_keys(root: Visitor, server: Server) -> None:
    name = job_of(server, {"photos/a.png": picture(size=(640, 480)), "photos/b.png": picture()}, "BoundingBox")
    page = root.go(f"work/{name}")
    now = item(page)
    stage = page.locator(".label-stage").bounding_box()
    assert stage is not None
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    page.keyboard.press("2")
    page.mouse.move(x - 40, y - 30)
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Done").click()
    item(page, now)
    page.keyboard.press("1")
    for key in ("n", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    first, second = (line["label"] for line in lines(server, name))
    assert [box["class_id"] for box in first["annotations"]] == [1]
    assert abs(first["annotations"][0]["left"] + first["annotations"][0]["width"] / 2 - 320) < 3
    assert [box["class_id"] for box in second["annotations"]] == [0]


def stage_of(page: Page) -> tuple[float, float]:
    """The middle of the picture, in pixels of the page."""
    stage = page.locator(".label-stage").bounding_box()
    assert stage is not None
    return stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2


def test_a_polygon_by_the_mouse(root: Visitor, server: Server) -> None:
    name = job_of(server, {"photos/a.png": picture(size=(640, 480))}, "Polygon")
    page = root.go(f"work/{name}")
    item(page)
    x, y = stage_of(page)
    page.keyboard.press("2")
    for across, down in ((-60, -40), (60, -40), (60, 40), (-60, 40), (-60, -40)):  # the first corner closes
        page.mouse.click(x + across, y + down)
    expect(page.locator(".label-marks li")).to_have_count(1)
    page.get_by_role("button", name="Done").click()
    (drawn,) = (line["label"] for line in lines(server, name))
    (shape,) = drawn["annotations"]
    corners = [(corner["x"], corner["y"]) for corner in shape["vertices"]]
    assert shape["class_id"] == 1 and len(corners) == 4
    assert abs(sum(corner[0] for corner in corners) / 4 - 320) < 3 and abs(sum(c[1] for c in corners) / 4 - 240) < 3


def test_a_mask_by_the_brush(root: Visitor, server: Server) -> None:
    name = job_of(server, {"photos/a.png": picture(size=(640, 480))}, "SemanticSegmentation")
    page = root.go(f"work/{name}")
    item(page)
    x, y = stage_of(page)
    page.keyboard.press("1")
    page.mouse.move(x - 50, y)
    page.mouse.down()
    page.mouse.move(x + 50, y, steps=8)
    page.mouse.up()
    page.get_by_role("button", name="Done").click()
    (line,) = lines(server, name)
    bucket, _, key = line["label-ref"].removeprefix("s3://").partition("/")
    body = server.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    mask = np.asarray(Image.open(io.BytesIO(body)).convert("RGB"))
    painted = np.argwhere((mask != mask[0, 0]).any(axis=2))
    assert mask.shape == (480, 640, 3) and len(np.unique(mask.reshape(-1, 3), axis=0)) == 2
    assert np.abs(painted.mean(axis=0) - (240, 320)).max() < 3


def test_a_lease_that_ends_in_mid_drawing_loses_nothing(browser: Browser, server: Server) -> None:
    """Somebody draws, goes for a coffee, and finds the drawing when he comes back; meanwhile another one had the picture."""
    request = labeling_job(server, bucket_of(server, 1), "BoundingBox", seconds=30)
    arn = create(server, request)
    other = worker(server, "other")
    with person(browser, server) as its:
        page = its.go(f"work/{request['LabelingJobName']}")
        item(page)
        page.keyboard.press("n")
        expect(page.locator(".label-marks li")).to_have_count(1)
        (task,) = claim_when_free(other, arn)
        other.release_tasks(LabelingJobArn=arn, ItemNumbers=[task["ItemNumber"]])
        page.keyboard.press("Shift")  # back again
        page.reload()
        item(page)
        expect(page.locator(".label-marks li")).to_have_count(1)
        page.keyboard.press("Escape")
        page.keyboard.press("Control+Enter")
        (line,) = lines(server, request["LabelingJobName"])
        assert [box["class_id"] for box in line["label"]["annotations"]] == [0]
        assert its.troubles == []


def claim_when_free(client: Any, arn: str) -> list[dict[str, Any]]:
    """The only item, once whoever has it has let it go."""
    found: list[dict[str, Any]] = []

    def free() -> bool:
        found.extend(client.claim_tasks(LabelingJobArn=arn, MaxResults=1)["Tasks"])
        return bool(found)

    until(free, 90)
    return found


def test_the_last_answer_is_taken_back(root: Visitor, server: Server) -> None:
    name = job_of(server, 3)
    page = root.go(f"work/{name}")
    first = item(page)
    page.keyboard.press("1")
    second = item(page, first)
    all_sent(page)
    page.keyboard.press("Control+z")
    assert item(page, second) == first
    expect(page.get_by_role("option", name="ok")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("2")
    assert item(page, first) == second
    page.keyboard.press("1")
    third = item(page, second)
    page.get_by_role("button", name="Back to the last one").click()
    assert item(page, third) == second
    page.keyboard.press("2")
    item(page, second)
    page.keyboard.press("2")
    assert [line["label-metadata"]["class-name"] for line in lines(server, name)] == ["ko", "ko", "ko"]


def test_skipping_with_a_reason(root: Visitor, server: Server) -> None:
    name = job_of(server, 2)
    arn = labeler(server).list_work()["Work"][-1]["LabelingJobArn"]
    page = root.go(f"work/{name}")
    first = item(page)
    page.get_by_text("Skip …").click()
    page.get_by_role("button", name="None of the classes fits").click()
    second = item(page, first)
    page.get_by_text("Skip …").click()
    page.fill("[name=reason]", "A cat, no marble")
    page.get_by_role("button", name="Skip", exact=True).click()
    assert item(page, second) == first
    all_sent(page)
    items = labeler(server).list_items(LabelingJobArn=arn)["Items"]
    assert [one["Skips"] for one in items] == [1, 1]


def test_a_broken_picture_reports_itself(root: Visitor, server: Server) -> None:
    pictures = {
        "photos/a.png": b"no picture at all",
        "photos/b.png": b"\x89PNG\r\n\x1a\n" + b"junk" * 20,
        "photos/c.png": picture(),
    }
    name = job_of(server, pictures)
    page = root.go(f"work/{name}")
    expect(page.locator("work-bench")).to_have_attribute("data-item", "2")
    expect(page.locator("[data-said]")).to_contain_text("cannot be shown")
    item(page)
    page.keyboard.press("1")
    job = ended(server, name)
    assert job["LabelCounters"]["FailedNonRetryableError"] == 2
    assert job["LabelCounters"]["HumanLabeled"] == 1
    root.troubles[:] = [said for said in root.troubles if "415" not in said]


def test_two_people_never_have_the_same_picture(browser: Browser, server: Server) -> None:
    name = job_of(server, 12)
    seen: dict[int, list[str]] = {0: [], 1: []}
    with person(browser, server) as one, person(browser, server) as other:
        pages = [one.go(f"work/{name}"), other.go(f"work/{name}")]
        for _ in range(3):
            for who, page in enumerate(pages):
                seen[who].append(item(page, seen[who][-1] if seen[who] else None))
                page.keyboard.press("1")
        for page in pages:
            all_sent(page)
        hands = [
            set(page.evaluate("document.querySelector('work-bench').ahead.map(one => one.number)")) for page in pages
        ]
    assert not set(seen[0]) & set(seen[1])
    assert not hands[0] & hands[1]


def test_a_reviewer_settles_a_conflict(browser: Browser, server: Server) -> None:
    name = job_of(server, 1, workers=2, review=0.9)
    people = [worker(server), worker(server)]
    arn = people[0].list_work()["Work"][-1]["LabelingJobArn"]
    for client, label in zip(people, ("ok", "ko"), strict=True):
        say(client, arn, claim(client, arn)[0], {"label": label})
    with person(browser, server, REVIEWER) as its:
        page = its.go(f"work/{name}/review")
        item(page)
        cards = page.locator(".work-answers > li")
        assert sorted(cards.locator(".tag").all_inner_texts()) == ["ko", "ok"]
        assert "arn:aws:iam" not in page.locator(".work-answers").inner_text()
        assert its.accessibility() == []
        cards.filter(has_text=re.compile("ko")).get_by_role("button").click()
        line = lines(server, name)[0]
    assert line["label-metadata"]["class-name"] == "ko"
    assert line["label-metadata"]["reviewed"] == "yes"


def test_a_draft_survives_a_reload(root: Visitor, server: Server) -> None:
    name = job_of(server, 2, "BoundingBox")
    page = root.go(f"work/{name}")
    first = item(page)
    page.keyboard.press("n")
    expect(page.locator(".label-marks li")).to_have_count(1)
    page.reload()
    assert item(page) == first
    expect(page.locator(".label-marks li")).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    item(page, first)


def test_no_answer_is_lost_while_the_server_is_away(root: Visitor, server: Server) -> None:
    name = job_of(server, 3)
    page = root.go(f"work/{name}")
    now = item(page)
    page.wait_for_function("document.querySelector('work-bench').ahead.length === 3")
    page.wait_for_function("document.querySelector('work-bench').pictures.ready")
    root.context.set_offline(True)
    page.keyboard.press("1")
    now = item(page, now)
    page.keyboard.press("2")
    now = item(page, now)
    expect(page.locator("[data-pending]")).to_have_text("2")
    expect(page.locator("[data-said]")).to_contain_text("does not answer")
    page.keyboard.press("2")
    expect(page.locator(".empty h2")).to_have_text("Waiting for the server")
    root.context.set_offline(False)
    all_sent(page)
    assert [line["label-metadata"]["class-name"] for line in lines(server, name)] == ["ok", "ko", "ko"]
    root.troubles.clear()  # the browser names each request that failed


def test_what_somebody_else_has_settled_is_told_calmly(root: Visitor, server: Server) -> None:
    name = job_of(server, 3)
    page = root.go(f"work/{name}")
    first = item(page)
    other = worker(server)
    arn = other.list_work()["Work"][-1]["LabelingJobArn"]
    say(other, arn, {"ItemNumber": 0}, {"label": "ko"})
    page.keyboard.press("1")
    expect(page.locator("[data-said]")).to_contain_text("You need do nothing")
    for _ in range(2):
        first = item(page, first)
        page.keyboard.press("1")
    assert [line["label-metadata"]["class-name"] for line in lines(server, name)] == ["ko", "ok", "ok"]


def test_what_was_said_is_sent_after_a_reload(root: Visitor, server: Server) -> None:
    name = job_of(server, 2)
    page = root.go(f"work/{name}")
    first = item(page)
    page.route("**/deeds", lambda route: route.abort())
    page.keyboard.press("2")
    second = item(page, first)
    expect(page.locator("[data-pending]")).to_have_text("1")
    page.unroute("**/deeds")
    page.reload()
    assert item(page) == second
    page.keyboard.press("1")
    assert [line["label-metadata"]["class-name"] for line in lines(server, name)] == ["ko", "ok"]
    root.troubles.clear()  # the browser names each request that failed


def test_names_in_a_text(root: Visitor, server: Server) -> None:
    name = texts_job(server, ["Ada went to Paris."], "NamedEntityRecognition", labels=("person", "place"))
    page = root.go(f"work/{name}")
    item(page)
    page.locator(".label-text").evaluate(
        "text => getSelection().setBaseAndExtent(text.firstChild, 12, text.firstChild, 17)"
    )
    page.get_by_role("option", name="place").click()
    page.keyboard.press("Control+Enter")
    found = lines(server, name)[0]["label"]["annotations"]["entities"]
    assert [(one["startOffset"], one["endOffset"], one["label"]) for one in found] == [(12, 17, "place")]


def test_what_is_settled_meanwhile_is_told(root: Visitor, server: Server) -> None:
    name = job_of(server, 2, seconds=60)
    page = root.go(f"work/{name}")
    first = item(page)
    server.client("sagemaker").stop_labeling_job(LabelingJobName=name)
    wait(server, name, lambda job: job["LabelingJobStatus"] == "Stopped")
    page.keyboard.press("1")
    expect(page.locator(".empty h2")).to_have_text("All done")
    assert first == "0"


def test_strange_labels_stay_text(root: Visitor, server: Server) -> None:
    markup, arabic = "<img src=x onerror=alert(1)>", "كرة سليمة"
    labels = [markup, arabic, *(f"class {number}" for number in range(3, 301))]
    name = texts_job(server, ["<b>bold?</b> \u202bשלום\u202c", "second"], labels=labels)
    page = root.go(f"work/{name}")
    first = item(page)
    assert page.locator(".label-text").inner_text().startswith("<b>bold?</b>")
    assert page.locator(".label-option").count() == 300
    assert page.locator(".label-option img, .label-text b").count() == 0
    page.keyboard.press("2")
    item(page, first)
    page.keyboard.press("f")
    page.keyboard.type("class 277")
    page.keyboard.press("Enter")
    found = [line["label-metadata"]["class-name"] for line in lines(server, name)]
    assert found == [arabic, "class 277"]


def test_who_may_not_is_told_in_words(browser: Browser, server: Server) -> None:
    name = job_of(server, 1)
    with person(browser, server, READ_ONLY) as its:
        page = its.go(f"work/{name}")
        assert "not authorized to perform: tobo-labeling:DescribeWork" in page.inner_text("main")
        its.troubles.clear()
    with person(browser, server) as its:
        page = its.go(f"work/{name}/review")
        assert "tobo-labeling:ReviewTasks" in page.inner_text("main")
        page = its.go("work")
        assert page.get_by_role("link", name=f"Review {name}").count() == 0
        page = its.go(f"work/{unique('none')}")
        assert "There is no labeling job" in page.inner_text("main")
        its.troubles.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_accessible_on_a_tablet(browser: Browser, server: Server, theme: Any) -> None:
    name = job_of(server, 2, labels=("whole", "chipped", "none"))
    size = {"width": 820, "height": 1180}
    with visitor(browser, server, viewport=size, has_touch=True, color_scheme=theme) as its:
        its.sign_in()
        page = its.go(f"work/{name}")
        now = item(page)
        assert its.accessibility() == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 820
        page.get_by_role("option", name="whole").tap()
        item(page, now)
        page.get_by_role("option", name="none").tap()
        expect(page.locator(".empty h2")).to_have_text("All done")
        assert its.accessibility() == []
        assert its.troubles == []


def test_a_label_is_verified_and_another_one_adjusted(root: Visitor, server: Server) -> None:
    bucket = bucket_of(server, 1)
    box = {"class_id": 0, "left": 4, "top": 5, "width": 20, "height": 10}
    meta = {"class-map": {"0": "ok"}, "type": "groundtruth/object-detection", "objects": [{"confidence": 0.9}]}
    drawn = {"annotations": [box], "image_size": [{"width": 64, "height": 48, "depth": 3}]}
    line = {"source-ref": f"s3://{bucket}/photos/000.png", "boxes": drawn, "boxes-metadata": meta}
    source = put_lines(server, bucket, [line])
    for kind in ("VerificationBoundingBox", "AdjustmentBoundingBox"):
        request = labeling_job(server, bucket, kind, source=source)
        create(server, request)
        page = root.go(f"work/{request['LabelingJobName']}")
        item(page)
        assert page.locator(".label-overlay .shape").count() == 1
        page.keyboard.press("1" if kind.startswith("Ver") else "Enter")
        found = lines(server, request["LabelingJobName"])[0]["label"]
        assert found == 0 if kind.startswith("Ver") else found["annotations"] == [box]


def test_the_script_is_refused_what_it_cannot_have_sent(root: Visitor, server: Server) -> None:
    name = job_of(server, 1)
    page = root.go(f"work/{name}")
    token = page.locator("meta[name=csrf-token]").get_attribute("content") or ""
    for body in ("{", "[]", '{"deeds": [{"deed": "drop"}]}', '{"claim": 1000}'):
        answer = page.request.post(f"{page.url}/deeds", headers={"X-CSRF-Token": token}, data=body)
        assert answer.status == 400
        assert "A work page sends" in answer.text()
    answer = page.request.post(f"{page.url}/deeds", data=json.dumps({"claim": 1}))
    assert answer.status == 403
