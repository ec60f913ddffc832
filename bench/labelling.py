"""Labelling: one person's steps in a browser, fifty workers over HTTP at once, a job of a hundred thousand items."""

import base64
import contextlib
import http.client
import io
import json
import os
import random
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from bench.client import Connection, signed
from bench.console import drain
from bench.rows import Row
from bench.servers import Tobo, tobo
from bench.trees import cpu_seconds
from tobo.console import ROOT
from tobo.console.links import enter_link
from tobo.line.marbles import photos

PICTURES = 100
PACE = (0.35, 1.2)
"""Seconds that the person looks at a picture: 600 an hour and more."""

WORKERS, ANSWERS = 50, 40
MANY = 100_000
SYNCS = 300
LOOKED_AT = 20.0
"""Seconds for which the pages stay open."""
BUCKET = "labelling"
FUNCTIONS = "arn:aws:lambda:us-east-1:432418664414:function"


def run() -> list[Row]:
    """Needs Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("no Chromium is installed: `make setup-browser`")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tobo-bench-")))
        server = stack.enter_context(tobo(state=folder / "state"))
        s3 = server.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        pictures = _pictures(PICTURES)
        for number, data in enumerate(pictures):
            s3.put_object(Bucket=BUCKET, Key=f"photos/{number:03}.jpg", Body=data)
        labels = {"labels": [{"label": "ok"}, {"label": "ko"}]}
        s3.put_object(Bucket=BUCKET, Key="labels.json", Body=json.dumps(labels).encode())
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            rows = _steps(browser, server, folder / "state", pictures[:8])
        finally:
            browser.close()
        return [*rows, *_at_once(server, folder), *_begin(server)]


def _pictures(count: int) -> list[bytes]:
    """Marbles in the size that a phone's camera gives a page: 1600 x 1200, JPEG."""
    found = []
    for photo in photos(count):
        out = io.BytesIO()
        Image.fromarray(photo.pixels).resize((1600, 1200)).save(out, "JPEG", quality=85)
        found.append(out.getvalue())
    return found


@cache
def _team(server: Tobo) -> str:
    """The ARN of a team without anybody in it; the root labels."""
    sagemaker, cognito = server.client("sagemaker"), server.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="workers")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="labelling")["UserPoolClient"]["ClientId"]
    cognito.create_group(UserPoolId=pool, GroupName="everybody")
    members = [{"CognitoMemberDefinition": {"UserPool": pool, "UserGroup": "everybody", "ClientId": client}}]
    made = sagemaker.create_workteam(WorkteamName="everybody", Description="-", MemberDefinitions=members)
    return str(made["WorkteamArn"])


def _create(server: Tobo, source: str) -> tuple[str, str, float]:
    """(name, ARN, seconds until people can work at it) of a new job."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    human = {
        "WorkteamArn": _team(server),
        "UiConfig": {"UiTemplateS3Uri": f"s3://{BUCKET}/template.liquid"},
        "PreHumanTaskLambdaArn": f"{FUNCTIONS}:PRE-ImageMultiClass",
        "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f"{FUNCTIONS}:ACS-ImageMultiClass"},
        "TaskTitle": "Marbles",
        "TaskDescription": "Is it whole?",
        "NumberOfHumanWorkersPerDataObject": 1,
        "TaskTimeLimitInSeconds": 600,
        "MaxConcurrentTaskCount": 5000,
    }
    sagemaker, begin = server.client("sagemaker"), time.monotonic()
    arn = sagemaker.create_labeling_job(
        LabelingJobName=name,
        LabelAttributeName="label",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": source}}},
        OutputConfig={"S3OutputPath": f"s3://{BUCKET}/out"},
        RoleArn="arn:aws:iam::111122223333:role/labels",
        LabelCategoryConfigS3Uri=f"s3://{BUCKET}/labels.json",
        HumanTaskConfig=human,
    )["LabelingJobArn"]
    while (status := sagemaker.describe_labeling_job(LabelingJobName=name)["LabelingJobStatus"]) == "Initializing":
        time.sleep(0.02)
    if status != "InProgress":
        raise RuntimeError(f"the job is {status}")
    return name, str(arn), time.monotonic() - begin


def _manifest(server: Tobo, count: int) -> tuple[str, bytes]:
    """(address, text) of so many lines."""
    lines = (f'{{"source-ref": "s3://{BUCKET}/photos/{number:06}.jpg"}}\n' for number in range(count))
    text = "".join(lines).encode()
    server.client("s3").put_object(Bucket=BUCKET, Key=f"{count}.manifest", Body=text)
    return f"s3://{BUCKET}/{count}.manifest", text


def _steps(browser: Browser, server: Tobo, state: Path, few: Sequence[bytes]) -> list[Row]:
    """From the key to the next picture painted, at the pace of a person; beside a bare page that swaps loaded pictures."""
    name, _, _ = _create(server, f"s3://{BUCKET}/photos/")
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(enter_link(state, server.endpoint))
    page.wait_for_url(f"**{ROOT}/")
    page.goto(f"{server.endpoint}{ROOT}/work/{name}")
    page.wait_for_function("() => document.querySelector('work-bench')?.element?.ready")
    begin = time.monotonic()
    _press(page, PICTURES - 1)
    ours = _measured(page)
    an_hour = (PICTURES - 1) * 3600 / (time.monotonic() - begin)
    bare = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    bare.goto(f"{server.endpoint}/_tobo/health")
    bare.evaluate(_BARE, [f"data:image/jpeg;base64,{base64.b64encode(data).decode()}" for data in few])
    _press(bare, 50)
    theirs = _measured(bare)
    peer = "a bare page that swaps pictures"
    return [
        Row("Labelling, key to next picture, p50", _percentile(ours, 0.5), "ms", peer, _percentile(theirs, 0.5), aim=100),
        Row("Labelling, key to next picture, p95", _percentile(ours, 0.95), "ms", peer, _percentile(theirs, 0.95), aim=100),
        Row("Labelling, one person", an_hour, "an hour", aim=600, at_least=True, note="at a pace of 0.35 to 1.2 s"),
    ]  # fmt: skip


_BARE = """sources => {
  const pictures = sources.map(source => Object.assign(new Image(), { src: source, height: 480 }));
  let at = 0;
  document.body.replaceChildren(pictures[0]);
  addEventListener("keydown", event => {
    at = (at + 1) % pictures.length;
    document.body.replaceChildren(pictures[at]);
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => performance.measure("work:next", { start: event.timeStamp, end: performance.now() });
      channel.port2.postMessage(0);
    });
  });
}"""


def _press(page: Page, count: int) -> None:
    pace = random.Random(1)
    for _ in range(count):
        page.wait_for_timeout(pace.uniform(*PACE) * 1000)
        page.keyboard.press(pace.choice("12"))
    page.wait_for_timeout(500)


def _measured(page: Page) -> list[float]:
    found = page.evaluate("performance.getEntriesByName('work:next').map(entry => entry.duration)")
    return [float(value) for value in found]


def _at_once(server: Tobo, folder: Path) -> list[Row]:
    """Fifty people who answer as fast as they are answered, each with a key and a connection of his own."""
    _, arn, _ = _create(server, _manifest(server, WORKERS * ANSWERS + 1)[0])
    keys = [_worker(server, number) for number in range(WORKERS)]
    times: list[float] = []
    troubles: list[str] = []

    def work(key: tuple[str, str]) -> None:
        try:
            with Connection(server.endpoint) as connection:
                for _ in range(ANSWERS):
                    tasks = _ask(server, connection, key, "ClaimTasks", LabelingJobArn=arn)["Tasks"]
                    given = {"LabelingJobArn": arn, "ItemNumber": tasks[0]["ItemNumber"], "Seconds": 1.0}
                    begin = time.monotonic()
                    _ask(server, connection, key, "AnswerTask", Body='{"label": "ok"}', **given)
                    times.append(time.monotonic() - begin)
        except Exception as error:  # a thread's end is told by the measurement
            troubles.append(repr(error))

    threads = [threading.Thread(target=work, args=(key,)) for key in keys]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begin
    if troubles:
        raise RuntimeError(f"{len(troubles)} workers failed: {troubles[0]}")
    counts = _ask_once(server, "DescribeWork", LabelingJobArn=arn)["Counts"]
    if counts["Labelled"] != WORKERS * ANSWERS:
        raise RuntimeError(f"{counts['Labelled']} of {WORKERS * ANSWERS} answers are there")
    return [
        Row("Labelling, 50 workers at once: claims and answers", 2 * len(times) / took, "/s", "synced writes", _syncs(folder)),
        Row("Labelling, 50 workers at once: an answer, p50", _percentile(times, 0.5) * 1000, "ms"),
        Row("Labelling, 50 workers at once: an answer, p99", _percentile(times, 0.99) * 1000, "ms"),
    ]  # fmt: skip


def _begin(server: Tobo) -> list[Row]:
    """From the request to the first claim that could be made; beside reading the manifest's lines alone."""
    source, text = _manifest(server, MANY)
    begin = time.monotonic()
    for line in text.splitlines():
        json.loads(line)
    floor = time.monotonic() - begin
    name, arn, seconds = _create(server, source)
    begun = Row(f"Labelling, {MANY:,} items until InProgress", seconds, "s", "json.loads of the lines", floor, aim=5)
    return [begun, _open_pages(server, name, arn)]


def _open_pages(server: Tobo, name: str, arn: str) -> Row:
    """The server's share of a core while every worker looks at a large job, half of which is labelled, and somebody works."""
    keys = [_worker(server, WORKERS + number) for number in range(WORKERS)]
    account = server.client("sts").get_caller_identity()["Account"]
    workers = [f"arn:aws:iam::{account}:user/worker-{WORKERS + number}" for number in range(WORKERS)]
    with contextlib.closing(sqlite3.connect(server.state / "tasks.db", timeout=60)) as store, store:
        (its,) = store.execute("SELECT id FROM work WHERE name = ?", (arn,)).fetchone()
        store.execute("UPDATE item SET state = 'labelled', answers = 1 WHERE work = ? AND number < ?", (its, MANY // 2))
        store.executemany(
            "INSERT INTO answer (work, number, worker, role, body, at, seconds) VALUES (?, ?, ?, 'label', ?, 0, 1)",
            ((its, number, workers[number % WORKERS], '{"label": "ok"}') for number in range(MANY // 2)),
        )
    at, streams = urlsplit(server.endpoint), []
    region = quote(f"every:5,labeling-job|{ROOT}/work/{name}/state", safe="")
    for key, secret in keys:
        form = urlencode({"access_key_id": key, "secret_access_key": secret})
        entering = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
        entering.request("POST", f"{ROOT}/enter", form, {"Content-Type": "application/x-www-form-urlencoded"})
        cookie = (entering.getresponse().getheader("Set-Cookie") or "").partition(";")[0]
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
        connection.request("GET", f"{ROOT}/stream?r={region}", headers={"Cookie": cookie})
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"a worker's page has no stream ({answer.status})")
        streams.append(connection)
        threading.Thread(target=drain, args=(answer,), daemon=True).start()
    time.sleep(6)
    pids, begin = server.pids(), time.monotonic()
    before = cpu_seconds(pids)
    while time.monotonic() - begin < LOOKED_AT:
        _ask_once(server, "ClaimTasks", LabelingJobArn=arn)  # what was counted before does not hold any more
        time.sleep(1)
    share = (cpu_seconds(pids) - before) / (time.monotonic() - begin)
    for connection in streams:
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)  # closing alone would wait for who reads
    return Row(f"Labelling, {WORKERS} open pages of a job of {MANY:,}", share * 100, "% of a core", aim=10)


def _worker(server: Tobo, number: int) -> tuple[str, str]:
    iam, name = server.client("iam"), f"worker-{number}"
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "tobo-labeling:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="labels", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def _ask(server: Tobo, connection: Connection, keys: tuple[str, str], operation: str, **asked: Any) -> Any:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"ToboLabeling.{operation}"}
    body = orjson.dumps(asked)
    return orjson.loads(
        connection.expect(signed(server.endpoint, keys, "tobo-labeling", "POST", "/", body, headers)) or b"{}"
    )


def _ask_once(server: Tobo, operation: str, **asked: Any) -> Any:
    with Connection(server.endpoint) as connection:
        return _ask(server, connection, server.keys, operation, **asked)


def _syncs(folder: Path) -> float:
    """Writes a second of 4 KiB that each reach the disk, one after the other: what one answer a sync could be."""
    with (folder / "syncs").open("wb", buffering=0) as file:
        begin = time.monotonic()
        for _ in range(SYNCS):
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
        return SYNCS / (time.monotonic() - begin)


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
