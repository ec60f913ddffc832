"""Lifecycle scripts, and code repositories in the volume."""

import base64
import http.server
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.house import certificate, write_certificate
from tests.support.jobs import ROLE
from tests.support.notebooks import TYPE, Tab, encoded, log_lines, make_notebook, settled, stop_notebook
from tests.support.processes import running, until
from tests.support.unique import unique

from tobo import app
from tobo.compute.base import Running
from tobo.gateway.account import first_account
from tobo.kit.arn import Namespace
from tobo.kit.clock import Clock
from tobo.kit.fault import Fault
from tobo.operations.machine import Again
from tobo.resources.notebook_instances import work
from tobo.settings import Settings
from tobo.store.base import Key

CREATE = 'echo made >> SageMaker/told; echo "as $(whoami) in $PWD"'
START = """
set -e
echo started >> SageMaker/told
python -c 'import boto3; print(boto3.client("sts").get_caller_identity()["Account"])'
mkdir /tmp/own && echo "VALUE = 7" > /tmp/own/tiny_module.py
printf '[project]\\nname = "tiny"\\nversion = "1"\\n[tool.setuptools]\\npy-modules = ["tiny_module"]\\n' > /tmp/own/pyproject.toml
pip install --no-build-isolation --no-deps --no-index --quiet /tmp/own
"""


@pytest.mark.parametrize("network", ["Enabled", "Disabled"])
def test_on_create_once_and_on_start_each_time(server: Server, network: str) -> None:
    """Also where there is no network: the server is reached all the same."""
    sagemaker, name = server.client("sagemaker"), unique("scripts")
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name, OnCreate=encoded(CREATE), OnStart=encoded(START)
    )
    found = make_notebook(server, name, LifecycleConfigName=name, DirectInternetAccess=network)
    assert found["NotebookInstanceStatus"] == "InService", found
    assert log_lines(server, f"{name}/LifecycleConfigOnCreate")[-1].startswith("as root in /")
    assert server.account in log_lines(server, f"{name}/LifecycleConfigOnStart")
    told = Tab.opened(server, name).kernel().run("import tiny_module; print(tiny_module.VALUE, open('told').read())")
    assert told.split() == ["7", "made", "started"]
    stop_notebook(server, name)
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    settled(server, name)
    assert Tab.opened(server, name).kernel().run("print(open('told').read())").split() == ["made", "started", "started"]
    stop_notebook(server, name)


@pytest.mark.parametrize("hook", ["OnCreate", "OnStart"])
def test_a_script_that_fails(server: Server, hook: str) -> None:
    """The instance fails with the script's name and its log's, leaves no process, and starts once the script is mended."""
    sagemaker, name = server.client("sagemaker"), unique("broken")
    config = sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name, **{hook: encoded("sleep 1000 & echo so bad; exit 3")}
    )
    found = make_notebook(server, name, LifecycleConfigName=name)
    assert found["NotebookInstanceStatus"] == "Failed"
    arn = config["NotebookInstanceLifecycleConfigArn"]
    assert found["FailureReason"].startswith(f"Notebook Instance Lifecycle Config '{arn}' for Notebook Instance ")
    assert f"failed: {hook}: Exited with code 3." in found["FailureReason"]
    assert f"stream {name}/LifecycleConfig{hook}" in found["FailureReason"]
    assert log_lines(server, f"{name}/LifecycleConfig{hook}") == ["so bad"]
    assert running(server.state, f"/{name}/") == {}
    sagemaker.update_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name, **{hook: encoded("echo good")}
    )
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    mended = settled(server, name)
    assert mended["NotebookInstanceStatus"] == "InService" and "FailureReason" not in mended
    stop_notebook(server, name)


class _Later(Clock):
    """The system's clock, set forward."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.by = clock, 0.0

    def now(self) -> float:
        return self.clock.now() + self.by


def test_a_script_has_five_minutes(tmp_path: Path) -> None:
    settings = first_account(Settings(state=tmp_path, warm=False))
    context, _ = app.build(settings)
    clock = _Later(context.clock)
    context = replace(context, clock=clock)
    space = Namespace(settings.account_id or "", "us-east-1")
    ask: Callable[..., object] = partial(context.as_house, space, "sagemaker")
    ask(
        "CreateNotebookInstanceLifecycleConfig",
        NotebookInstanceLifecycleConfigName="slow",
        OnStart=encoded("echo begun; sleep 1000"),
    )
    ask(
        "CreateNotebookInstance",
        NotebookInstanceName="slow",
        InstanceType=TYPE,
        RoleArn=ROLE,
        LifecycleConfigName="slow",
    )
    row = context.store.get(Key(space, "notebook-instance", "slow"))
    assert row is not None
    work.lay_out(context, row)
    try:
        assert isinstance(work.on_start(context, row), Again)
        clock.by = 299.0
        assert isinstance(work.on_start(context, row), Again)
        clock.by = 301.0
        with pytest.raises(Fault, match=r"took longer than 5 minutes .*stream slow/LifecycleConfigOnStart"):
            work.on_start(context, row)
        until(lambda: not isinstance(context.compute.poll(work._process(row, "OnStart")), Running))
    finally:
        for port in (context.compute, context.store):
            port.close()


@contextmanager
def git_server(
    folder: Path, handling: type[http.server.SimpleHTTPRequestHandler] | None = None
) -> Iterator[tuple[str, Path]]:
    """A bare repository `marbles.git` with two branches over HTTPS: its address, and the authority of the certificate."""
    authority = certificate("authority")
    write_certificate(folder, "authority", authority)
    write_certificate(folder, "server", certificate("localhost", authority))
    work_tree = folder / "work"

    def git(*words: str, at: Path = work_tree) -> None:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        subprocess.run(command, cwd=at, check=True, capture_output=True)

    work_tree.mkdir()
    git("init", "-b", "main")
    (work_tree / "readme").write_text("main")
    git("add", ".")
    git("commit", "-m", "one")
    git("checkout", "-b", "next")
    (work_tree / "readme").write_text("next")
    git("commit", "-am", "two")
    git("checkout", "main")
    git("clone", "--bare", str(work_tree), str(folder / "served" / "marbles.git"), at=folder)
    git("update-server-info", at=folder / "served" / "marbles.git")
    handler = partial(handling or _Quiet, directory=str(folder / "served"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}", folder / "authority.pem"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


USER, PASSWORD = "anna", "pass: word!"


class _Private(http.server.SimpleHTTPRequestHandler):
    """Asks whoever comes for user name and password."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == wanted:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()


def test_a_private_repository_is_cloned_and_pulled_with_its_secret(
    fresh_server: Callable[..., Server], tmp_path: Path
) -> None:
    with git_server(tmp_path, _Private) as (address, authority):
        server = fresh_server(GIT_SSL_CAINFO=str(authority))
        sagemaker, manager = server.client("sagemaker"), server.client("secretsmanager")
        secret = manager.create_secret(
            Name="AmazonSageMaker-marbles", SecretString=json.dumps({"username": USER, "password": "old"})
        )["ARN"]
        other = manager.create_secret(Name="others", SecretString="{}")["ARN"]
        config = {"RepositoryUrl": f"{address}/marbles.git", "SecretArn": other}
        sagemaker.create_code_repository(CodeRepositoryName="marbles", GitConfig=config)
        failed = make_notebook(server, "private", DefaultCodeRepository="marbles")
        assert "is not authorized to perform: secretsmanager:GetSecretValue" in failed["FailureReason"]
        sagemaker.update_code_repository(CodeRepositoryName="marbles", GitConfig={"SecretArn": secret})
        failed = started(server, "private")
        assert failed["NotebookInstanceStatus"] == "Failed" and "/marbles.git failed: " in failed["FailureReason"]
        manager.put_secret_value(SecretId=secret, SecretString="no JSON")
        assert "SecretString is not" in started(server, "private")["FailureReason"]
        manager.put_secret_value(SecretId=secret, SecretString=json.dumps({"username": USER, "password": PASSWORD}))
        assert started(server, "private")["NotebookInstanceStatus"] == "InService"
        kernel = Tab.opened(server, "private").kernel()
        assert kernel.run("print(open('marbles/readme').read())").strip() == "main"
        fetch = "import subprocess; print(subprocess.run(['git', '-C', 'marbles', 'fetch'], capture_output=True, text=True))"
        assert "returncode=0" in kernel.run(fetch)
        config = kernel.run("print(open('marbles/.git/config').read())")
        assert PASSWORD not in config and secret in config
        manager.delete_secret(SecretId=secret)
        assert "marked for deletion" in kernel.run(fetch)
        logs = (server.state / "logs").rglob("*")
        assert not any(PASSWORD.encode() in path.read_bytes() for path in logs if path.is_file())


def started(server: Server, name: str) -> dict[str, Any]:
    """A stopped or failed instance, started and settled."""
    server.client("sagemaker").start_notebook_instance(NotebookInstanceName=name)
    return settled(server, name)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def test_repositories_are_cloned_once(fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    with git_server(tmp_path) as (address, authority):
        server = fresh_server(GIT_SSL_CAINFO=str(authority))
        sagemaker = server.client("sagemaker")
        sagemaker.create_code_repository(
            CodeRepositoryName="marbles", GitConfig={"RepositoryUrl": f"{address}/marbles.git", "Branch": "next"}
        )
        found = make_notebook(server, "cloning", DefaultCodeRepository="marbles")
        assert found["NotebookInstanceStatus"] == "InService", found
        kernel = Tab.opened(server, "cloning").kernel()
        assert kernel.run("print(open('marbles/readme').read())").strip() == "next"
        kernel.run("open('marbles/readme', 'w').write('mine')")
        stop_notebook(server, "cloning")
        sagemaker.update_notebook_instance(
            NotebookInstanceName="cloning",
            AdditionalCodeRepositories=[f"https://somebody:secret@{address.removeprefix('https://')}/none.git"],
        )
        settled(server, "cloning")
        sagemaker.start_notebook_instance(NotebookInstanceName="cloning")
        failed = settled(server, "cloning")
        assert failed["NotebookInstanceStatus"] == "Failed"
        assert "/none.git failed: " in failed["FailureReason"] and "secret" not in failed["FailureReason"]
        sagemaker.update_notebook_instance(NotebookInstanceName="cloning", DisassociateAdditionalCodeRepositories=True)
        settled(server, "cloning")
        sagemaker.start_notebook_instance(NotebookInstanceName="cloning")
        settled(server, "cloning")
        assert Tab.opened(server, "cloning").kernel().run("print(open('marbles/readme').read())").strip() == "mine"
