"""Notebook instances from Create to Delete, with boto3 against a real JupyterLab."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.jobs import ROLE
from tests.support.notebooks import TYPE, Tab, make_notebook, refused, settled, stop_notebook
from tests.support.processes import running, until
from tests.support.unique import own_region, unique

from tobo import app
from tobo.gateway.account import first_account
from tobo.kit.arn import Namespace
from tobo.kit.fault import Fault
from tobo.kit.states import states_of
from tobo.resources.notebook_instances.states import STATUS, TABLE
from tobo.settings import Settings
from tobo.wire.models import service_model

FIRST_CELL = """
import json, boto3
print(boto3.client("sagemaker").list_notebook_instances()["NotebookInstances"][0]["NotebookInstanceName"])
print(json.load(open("/opt/ml/metadata/resource-metadata.json"))["ResourceName"])
print(boto3.client("sts").get_caller_identity()["Arn"].split(":")[-1].split("/")[1])
"""


def test_every_status_is_one_of_awss() -> None:
    assert set(STATUS.values()) <= set(service_model("sagemaker").shape_for("NotebookInstanceStatus").enum)
    assert states_of(TABLE) == STATUS.keys()


def test_from_create_to_delete(server: Server) -> None:
    sagemaker, name = server.client("sagemaker"), unique("Lab")
    arn = sagemaker.create_notebook_instance(NotebookInstanceName=name, InstanceType=TYPE, RoleArn=ROLE)
    refused(
        lambda: sagemaker.stop_notebook_instance(NotebookInstanceName=name),
        r"Status \(Pending\) not in \(\[InService\]\). Unable to transition to \(Stopping\) for Notebook Instance",
    )
    found = settled(server, name)
    assert found["NotebookInstanceStatus"] == "InService", found
    assert found["NotebookInstanceArn"] == arn["NotebookInstanceArn"]
    assert found["Url"].startswith(f"{name.lower()}.notebook.us-east-1.localhost:")
    assert (found["VolumeSizeInGB"], found["DirectInternetAccess"], found["RootAccess"]) == (5, "Enabled", "Enabled")

    kernel = Tab.opened(server, name).kernel()
    assert kernel.run(FIRST_CELL).split()[1:] == [name, "AmazonSageMaker-ExecutionRole"]
    kernel.run("open('kept', 'w').write('1'); open('/home/ec2-user/lost', 'w').write('1')")

    for deed, status in (("start", "Pending"), ("delete", "Deleting"), ("update", "Updating")):
        refused(
            lambda deed=deed: getattr(sagemaker, f"{deed}_notebook_instance")(NotebookInstanceName=name),
            rf"Status \(InService\) not in \(\[Stopped, Failed\]\). Unable to transition to \({status}\)",
        )
    stopped = stop_notebook(server, name)
    assert stopped["NotebookInstanceStatus"] == "Stopped"
    assert running(server.state, f"/{name}/") == {}
    refused(
        lambda: sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName=name),
        r"Status \(Stopped\) not in \(\[InService\]\)",
    )

    sagemaker.update_notebook_instance(NotebookInstanceName=name, InstanceType="ml.t3.large", VolumeSizeInGB=6)
    updated = settled(server, name)
    assert (updated["InstanceType"], updated["VolumeSizeInGB"]) == ("ml.t3.large", 6)
    refused(
        lambda: sagemaker.update_notebook_instance(NotebookInstanceName=name, VolumeSizeInGB=5),
        "VolumeSizeInGB 5 is less than the 6 GB",
    )

    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    assert settled(server, name)["NotebookInstanceStatus"] == "InService"
    printed = (
        Tab.opened(server, name)
        .kernel()
        .run("import os; print(os.path.exists('kept'), os.path.exists('/home/ec2-user/lost'), sorted(os.listdir('.')))")
    )
    assert printed.startswith("True False ['examples', 'kept']")
    stop_notebook(server, name)
    sagemaker.delete_notebook_instance(NotebookInstanceName=name)
    sagemaker.get_waiter("notebook_instance_deleted").wait(
        NotebookInstanceName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    refused(lambda: sagemaker.describe_notebook_instance(NotebookInstanceName=name), "RecordNotFound")
    assert running(server.state, f"/{name}/") == {}


def test_what_is_written_is_kept(server: Server) -> None:
    """With a sandbox and, see test_without_a_sandbox.py, without one."""
    name = unique("kept")
    assert make_notebook(server, name)["NotebookInstanceStatus"] == "InService"
    ask = "import boto3, os; print(boto3.client('sts').get_caller_identity()['Account'], sorted(os.listdir('.')))"
    kernel = Tab.opened(server, name).kernel()
    kernel.run("open('kept', 'w').write('1')")
    assert kernel.run(ask).strip() == f"{server.account} ['examples', 'kept']"
    stop_notebook(server, name)
    server.client("sagemaker").start_notebook_instance(NotebookInstanceName=name)
    settled(server, name)
    assert Tab.opened(server, name).kernel().run(ask).strip() == f"{server.account} ['examples', 'kept']"
    stop_notebook(server, name)


def test_each_sees_its_own(server: Server) -> None:
    """No file and no process of another instance, of a job or of the server; and no network, where that was asked for."""
    one, other = unique("one"), unique("other")
    make_notebook(server, one)
    make_notebook(server, other, DirectInternetAccess="Disabled")
    Tab.opened(server, one).kernel().run("open('secret', 'w').write('mine')")
    told = (
        Tab.opened(server, other)
        .kernel()
        .run(
            f"""
import glob, json, os, socket, boto3
print(json.dumps({{
    "state": os.path.exists({str(server.state)!r}),
    "secrets": [p for d in ("home", "opt", "tmp", "run") for p in glob.glob(f"/{{d}}/**/secret", recursive=True)],
    "owners": sorted({{os.stat(p).st_uid for p in glob.glob("/proc/[0-9]*")}}),
    "processes": len(glob.glob("/proc/[0-9]*")),
    "interfaces": [name for _, name in socket.if_nameindex()],
    "instances": len(boto3.client("sagemaker").list_notebook_instances()["NotebookInstances"]) > 0,
}}))
"""
        )
    )
    seen = json.loads(told)
    if not seen["state"]:  # where there is a sandbox
        assert seen == seen | {"secrets": [], "owners": [0], "interfaces": ["lo"], "instances": True}
        assert seen["processes"] < 6
    for name in (one, other):
        stop_notebook(server, name)


def test_a_volume_has_its_size(server: Server) -> None:
    """A file that would be longer is refused."""
    name = unique("small")
    make_notebook(server, name, VolumeSizeInGB=5)
    printed = (
        Tab.opened(server, name)
        .kernel()
        .run("f = open('long', 'wb')\ntry:\n    f.truncate(6 << 30)\nexcept OSError as e:\n    print(e.errno)")
    )
    assert printed.split() == ["27"]  # EFBIG
    stop_notebook(server, name)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"LifecycleConfigName": "no-such"}, "Notebook Instance Lifecycle Config does not exist"),
        ({"DefaultCodeRepository": "no-such"}, "Cannot find Code Repository"),
        ({"AdditionalCodeRepositories": ["no-such"]}, "Cannot find Code Repository"),
        ({"AcceleratorTypes": ["ml.eia1.medium"]}, "AcceleratorTypes"),
        ({"InstanceType": "ml.none"}, "instanceType"),
        ({"Tags": [{"Key": "tobo:idle-stop-minutes", "Value": "soon"}]}, "tobo:idle-stop-minutes is 'soon'"),
        ({"Tags": [{"Key": "tobo:stop-at", "Value": "25:00"}]}, "tobo:stop-at is '25:00'"),
    ],
)
def test_what_is_refused(server: Server, asked: dict[str, Any], words: str) -> None:
    sagemaker = server.client("sagemaker")
    whole = {"NotebookInstanceName": unique("no"), "InstanceType": TYPE, "RoleArn": ROLE, **asked}
    refused(lambda: sagemaker.create_notebook_instance(**whole), words)


def test_without_jupyterlab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was installed without the extra says which one is missing."""
    monkeypatch.setitem(sys.modules, "jupyterlab", None)  # as Python marks what cannot be imported
    context, _ = app.build(first_account(Settings(state=tmp_path, warm=False)))
    space = Namespace(context.settings.account_id or "", "us-east-1")
    asked = {"NotebookInstanceName": "none", "InstanceType": TYPE, "RoleArn": ROLE}
    try:
        with pytest.raises(Fault, match=r"pip install 'tobo\[notebooks\]'"):
            context.as_house(space, "sagemaker", "CreateNotebookInstance", **asked)
    finally:
        for port in (context.compute, context.store):
            port.close()


def test_lists(server: Server) -> None:
    """Filters, orders and pages, and tags from the beginning. What is listed fails on purpose: it never runs."""
    region = own_region()
    sagemaker = server.client("sagemaker", region=region)
    sagemaker.create_code_repository(
        CodeRepositoryName="mine", GitConfig={"RepositoryUrl": "https://127.0.0.1:1/mine.git"}
    )
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName="Setup")
    for number, more in enumerate(
        (
            {"LifecycleConfigName": "Setup", "Tags": [{"Key": "team", "Value": "a"}]},
            {"AdditionalCodeRepositories": ["https://127.0.0.1:1/more.git"]},
            {},
        )
    ):
        sagemaker.create_notebook_instance(
            NotebookInstanceName=f"listed-{2 - number}",
            InstanceType=TYPE,
            RoleArn=ROLE,
            DefaultCodeRepository="mine",
            **more,
        )

    def names(**asked: Any) -> list[str]:
        found = sagemaker.list_notebook_instances(**asked)["NotebookInstances"]
        return [one["NotebookInstanceName"] for one in found]

    until(lambda: len(names(StatusEquals="Failed")) == 3, 60)
    told = sagemaker.describe_notebook_instance(NotebookInstanceName="listed-0")
    assert told["FailureReason"].startswith("ClientError: git clone https://127.0.0.1:1/mine.git failed: ")
    assert "stream listed-0/git.log" in told["FailureReason"]
    assert names() == ["listed-0", "listed-1", "listed-2"]
    assert names(SortBy="CreationTime", SortOrder="Descending") == ["listed-0", "listed-1", "listed-2"]
    assert names(SortBy="Name", SortOrder="Descending") == ["listed-2", "listed-1", "listed-0"]
    assert names(SortBy="Status", StatusEquals="InService") == []
    assert names(NameContains="D-1") == ["listed-1"]
    assert names(NotebookInstanceLifecycleConfigNameContains="set") == ["listed-2"]
    assert names(AdditionalCodeRepositoryEquals="https://127.0.0.1:1/more.git") == ["listed-1"]
    assert names(DefaultCodeRepositoryContains="in") == ["listed-0", "listed-1", "listed-2"]
    moment = told["CreationTime"]
    a_little = timedelta(milliseconds=2)
    assert names(CreationTimeAfter=moment - a_little) == ["listed-0"]
    assert names(CreationTimeBefore=moment - a_little) == ["listed-1", "listed-2"]
    assert len(names(LastModifiedTimeAfter=moment)) == 3 and names(LastModifiedTimeBefore=moment) == []
    first = sagemaker.list_notebook_instances(MaxResults=2)
    assert names(MaxResults=2, NextToken=first["NextToken"]) == ["listed-2"]
    refused(
        lambda: sagemaker.list_notebook_instances(NextToken=first["NextToken"], SortBy="Status"),
        "NextToken belongs to a request with other filters",
    )
    arn = sagemaker.describe_notebook_instance(NotebookInstanceName="listed-2")["NotebookInstanceArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    refused(
        lambda: sagemaker.delete_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName="Setup"),
        "is in use by Notebook Instance 'listed-2'",
    )
    refused(
        lambda: sagemaker.create_notebook_instance(NotebookInstanceName="listed-0", InstanceType=TYPE, RoleArn=ROLE),
        "Cannot create a duplicate Notebook Instance",
    )
    sagemaker.update_notebook_instance(
        NotebookInstanceName="listed-2",
        DisassociateLifecycleConfig=True,
        DisassociateDefaultCodeRepository=True,
    )
    until(lambda: names(StatusEquals="Stopped") == ["listed-2"])
    left = sagemaker.describe_notebook_instance(NotebookInstanceName="listed-2")
    assert not {"NotebookInstanceLifecycleConfigName", "DefaultCodeRepository", "FailureReason"} & left.keys()
    sagemaker.delete_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName="Setup")
