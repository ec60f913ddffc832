"""What the console's tests look at: a training whose validation has mistakes in it, and who looks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser
from tests.conftest import Server
from tests.support.browser import READ_ONLY, Visitor, limited_user, visitor
from tests.support.jobs import channel, photo, training_job, wait
from tests.support.unique import unique

KO, OK = "<i>ko", "ok & <b>fine"
"""Classes whose names are full of markup; sorted, they are indices 0 and 1."""

WRONG = 'turned "<u>1.jpg'
"""A validation picture of KO that lies among OK."""


def train_with_a_mistake(server: Server) -> tuple[str, str]:
    """(training job, bucket): 40 photos that are told apart easily, 10 for validation, and WRONG in the wrong folder."""
    bucket, name = unique("evaluated"), unique("evaluated")
    s3, sagemaker = server.client("s3"), server.client("sagemaker")
    s3.create_bucket(Bucket=bucket)
    for number in range(50):
        part = "train" if number < 40 else "validation"
        s3.put_object(Bucket=bucket, Key=f"{part}/{(KO, OK)[number % 2]}/{number}.jpg", Body=photo(number))
    s3.put_object(Bucket=bucket, Key=f"validation/{OK}/{WRONG}", Body=photo(100))
    channels = [channel(part, f"s3://{bucket}/{part}/") for part in ("train", "validation")]
    sagemaker.create_training_job(**training_job(name, bucket, InputDataConfig=channels))
    assert wait(sagemaker, name)["TrainingJobStatus"] == "Completed"
    return name, bucket


@contextmanager
def watcher(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Signed in as a user who may look at everything and change nothing."""
    with visitor(browser, server) as its:
        its.sign_in(*limited_user(server, unique("watcher"), READ_ONLY))
        yield its


def post(its: Visitor, path: str, form: dict[str, Any]) -> tuple[int, str]:
    """(status, text) of a form that is sent without its page, with the session's token."""
    its.go("")
    token = its.page.get_attribute("meta[name=csrf-token]", "content") or ""
    address = f"{its.server.endpoint}/_tobo/console/{path}"
    answer = its.context.request.post(address, form=form, headers={"X-CSRF-Token": token, "HX-Request": "true"})
    return answer.status, answer.text()


def code_of(its: Visitor) -> str:
    """The boto3 program in the dialog that is open."""
    return its.page.locator("dialog#code pre").first.inner_text()


def run_code(server: Server, code: str) -> None:
    """Runs copied boto3 code against the server: its clients are the test's own."""
    made = re.sub(r'boto3\.client\("([a-z0-9-]+)", region_name="us-east-1"\)', r'client("\1")', code)
    assert "boto3.client" not in made
    exec(compile(made, "copied", "exec"), {"client": server.client})
