"""What dies and what lives on: the server, JupyterLab, kernels."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Server
from tests.support.notebooks import Kernel, Tab, make_notebook, served_for, settled, stop_notebook
from tests.support.processes import running, until

from tobo.kit.process import descendants


def jupyter(server: Server, name: str) -> dict[str, int]:
    return running(server.state, f"/{name}/")


def test_the_next_server_adopts_them(fresh_server: Callable[..., Server]) -> None:
    """kill -9 of the server: the kernel keeps its variables, its code finds the new server, and it can be stopped."""
    server = fresh_server()
    make_notebook(server, "adopted")
    kernel = Tab.opened(server, "adopted").kernel()
    kernel.run("kept = 42")
    before = jupyter(server, "adopted")
    server.kill()
    assert jupyter(server, "adopted") == before
    server.start()
    tab = Tab.opened(server, "adopted")
    ask = (
        "import boto3; print(kept, boto3.client('sagemaker').list_notebook_instances()['NotebookInstances'][0]['Url'])"
    )
    again = Kernel(tab, kernel.id)
    until(lambda: again.run(ask).strip() == f"42 {tab.host}")
    assert jupyter(server, "adopted") == before
    assert stop_notebook(server, "adopted")["NotebookInstanceStatus"] == "Stopped"
    assert jupyter(server, "adopted") == {}
    assert not list((server.state / "notebooks").glob("*/home"))


def test_a_start_that_was_cut_short_is_finished(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    make_notebook(server, "cut")
    stop_notebook(server, "cut")
    server.client("sagemaker").start_notebook_instance(NotebookInstanceName="cut")
    server.kill()
    server.start()
    assert settled(server, "cut")["NotebookInstanceStatus"] == "InService"
    assert len(jupyter(server, "cut")) == 1
    server.client("sagemaker").stop_notebook_instance(NotebookInstanceName="cut")
    server.kill()
    server.start()
    assert settled(server, "cut")["NotebookInstanceStatus"] == "Stopped"
    assert jupyter(server, "cut") == {}


def test_jupyter_that_dies_at_once_fails_the_instance(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    make_notebook(server, "killed")
    Tab.opened(server, "killed").kernel()
    (pid,) = jupyter(server, "killed").values()
    family = [pid, *(row.pid for row in descendants(pid))]
    os.kill(pid, signal.SIGKILL)
    until(lambda: settled(server, "killed")["NotebookInstanceStatus"] == "Failed")
    reason = settled(server, "killed")["FailureReason"]
    assert (
        reason.startswith("JupyterLab died: Killed by SIGKILL from outside") and "stream killed/jupyter.log" in reason
    )
    until(lambda: not any(Path(f"/proc/{one}/cwd").is_dir() for one in family))
    server.client("sagemaker").start_notebook_instance(NotebookInstanceName="killed")
    assert settled(server, "killed")["NotebookInstanceStatus"] == "InService"


def test_jupyter_that_dies_later_is_started_again(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server()
    make_notebook(server, "steady")
    (pid,) = jupyter(server, "steady").values()
    served_for(server, "steady", 3600.0)
    os.kill(pid, signal.SIGKILL)
    until(lambda: set(jupyter(server, "steady").values()) - {pid} != set())
    assert settled(server, "steady")["NotebookInstanceStatus"] == "InService"
    tab = Tab.opened(server, "steady")
    until(lambda: tab.ask("GET", "api/status").status == 200)
    assert tab.kernel().run("print(1)").strip() == "1"
    stop_notebook(server, "steady")
    assert jupyter(server, "steady") == {}
