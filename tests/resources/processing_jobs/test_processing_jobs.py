"""Processing jobs through boto3 on a real server: from CreateProcessingJob to the outputs, and every way that ends elsewhere."""

import json
import textwrap
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from tests.conftest import Server
from tests.support.jobs import ROLE
from tests.support.processes import running, until

from tobo.compute import sandbox
from tobo.kit.states import states_of
from tobo.resources.processing_jobs import states
from tobo.wire.models import service_model

BUCKET = "processing-data"
IMAGE = "081325390199.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0"
CODE = "/opt/ml/processing/input/code"
SANDBOXED = not isinstance(sandbox.find_wrapper(), str)


@pytest.fixture(scope="module")
def sagemaker(server: Server) -> Any:
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for number in range(3):
        s3.put_object(Bucket=BUCKET, Key=f"data/part/{number}.csv", Body=f"{number},1\n".encode())
    return server.client("sagemaker")


def put_script(server: Server, name: str, code: str) -> str:
    """Uploads a script; its address."""
    key = f"code/{name}/script.py"
    server.client("s3").put_object(Bucket=BUCKET, Key=key, Body=textwrap.dedent(code).encode())
    return f"s3://{BUCKET}/{key}"


def source(name: str, uri: str, folder: str, **more: Any) -> dict[str, Any]:
    given = {"S3Uri": uri, "LocalPath": folder, "S3DataType": "S3Prefix", "S3InputMode": "File", **more}
    return {"InputName": name, "S3Input": given}


def target(name: str, job: str, folder: str = "/opt/ml/processing/output", mode: str = "EndOfJob") -> dict[str, Any]:
    given = {"S3Uri": f"s3://{BUCKET}/out/{job}", "LocalPath": folder, "S3UploadMode": mode}
    return {"OutputName": name, "S3Output": given}


def job(name: str, code: str, **changed: Any) -> dict[str, Any]:
    """A CreateProcessingJob request as the SDK's ScriptProcessor writes it; `changed` replaces members."""
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", f"{CODE}/script.py"]},
        "ProcessingInputs": [source("code", code, CODE)],
        "ProcessingOutputConfig": {"Outputs": [target("result", name)]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1}
        },
        **changed,
    }


def run(server: Server, name: str, code: str, **changed: Any) -> dict[str, Any]:
    """Creates the job of a script and describes it when it is over."""
    sagemaker = server.client("sagemaker")
    sagemaker.create_processing_job(**job(name, put_script(server, name, code), **changed))
    return ended(sagemaker, name)


def ended(sagemaker: Any, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told: dict[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=name)
        if told["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped"):
            return told
        time.sleep(0.05)
    raise AssertionError(f"{name} is still {told['ProcessingJobStatus']}")


def results(server: Server, name: str) -> dict[str, bytes]:
    """What lies below the job's output, by its path there."""
    s3 = server.client("s3")
    prefix = f"out/{name}/"
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {
        entry["Key"].removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
        for entry in found
    }


def log(server: Server, name: str) -> list[str]:
    logs = server.client("logs")
    group = "/aws/sagemaker/ProcessingJobs"
    [stream] = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    told = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    return [event["message"] for event in told["events"]]


def refused(deed: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        deed()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_job_from_create_to_its_outputs(server: Server, sagemaker: Any) -> None:
    code = """
        import json, os, sys, urllib.request
        from pathlib import Path
        base = Path(sys.argv[sys.argv.index("--base") + 1])
        rows = [path.read_text() for path in sorted((base / "data").rglob("*.csv"))]
        out = base / "output" / "deep"
        out.mkdir()
        (out / "all.csv").write_text("".join(rows))
        config = json.loads((base.parent / "config" / "processingjobconfig.json").read_text())
        hosts = json.loads((base.parent / "config" / "resourceconfig.json").read_text())
        print(config["ProcessingJobName"], hosts["current_host"], os.environ["LINE"], os.environ["AWS_REGION"])
        (base.parent / "output" / "message").write_text("3 files read")
    """
    name = "whole"
    asked = job(
        name,
        put_script(server, name, code),
        Environment={"LINE": "marbles"},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        Tags=[{"Key": "line", "Value": "marbles"}],
    )
    asked["AppSpecification"]["ContainerArguments"] = ["--base", "/opt/ml/processing/"]
    asked["ProcessingInputs"].append(source("data", f"s3://{BUCKET}/data/", "/opt/ml/processing/data"))
    arn = sagemaker.create_processing_job(**asked)["ProcessingJobArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{server.account}:processing-job/{name}"
    sagemaker.get_waiter("processing_job_completed_or_stopped").wait(
        ProcessingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    told = sagemaker.describe_processing_job(ProcessingJobName=name)
    assert (told["ProcessingJobStatus"], told["ExitMessage"]) == ("Completed", "3 files read")
    assert told["CreationTime"] <= told["ProcessingStartTime"] <= told["ProcessingEndTime"]
    for member in ("AppSpecification", "ProcessingInputs", "ProcessingOutputConfig", "Environment", "RoleArn"):
        assert told[member] == asked[member]
    assert results(server, name) == {"deep/all.csv": b"0,1\n1,1\n2,1\n"}
    assert log(server, name)[-1] == "whole algo-1 marbles us-east-1"
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == asked["Tags"]
    assert not list((server.state / "processing").iterdir())


def test_the_program_has_the_credentials_of_its_role(server: Server, sagemaker: Any) -> None:
    code = """
        import os, urllib.error, urllib.request, boto3
        print(boto3.client("sts").get_caller_identity()["Arn"].split("/")[1])
        print(boto3.client("s3").list_objects_v2(Bucket="processing-data", Prefix="data/")["KeyCount"])
        try:
            urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/processing-data")
        except urllib.error.HTTPError as error:
            print(error.code)
    """
    assert run(server, "with-role", code)["ProcessingJobStatus"] == "Completed"
    assert log(server, "with-role")[-3:] == [ROLE.rsplit("/", 1)[-1], "3", "403"]


@pytest.mark.skipif(not SANDBOXED, reason=f"no sandbox here: {sandbox.find_wrapper()}")
def test_isolated_it_has_neither_network_nor_keys(server: Server, sagemaker: Any) -> None:
    code = """
        import os, urllib.request
        print([name for name in os.environ if "SECRET" in name])
        try:
            urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_tobo/health", timeout=5)
        except OSError as error:
            print("no way")
    """
    told = run(server, "isolated", code, NetworkConfig={"EnableNetworkIsolation": True})
    assert (told["ProcessingJobStatus"], log(server, "isolated")) == ("Completed", ["[]", "no way"])


@pytest.mark.skipif(not SANDBOXED, reason=f"no sandbox here: {sandbox.find_wrapper()}")
def test_it_sees_its_own_files_and_leads_nobody_elsewhere(server: Server, sagemaker: Any) -> None:
    """Links in an output would have the server upload what the program itself may not read."""
    keys = server.state / "credentials.json"
    code = f"""
        import os
        print(os.path.exists({str(server.state)!r}), sorted(os.listdir("/opt/ml")))
        try:
            os.remove("/opt/ml/processing/input/code/script.py")
        except OSError as error:
            print(error.strerror)
        os.symlink({str(keys)!r}, "/opt/ml/processing/output/deep/keys")
        os.symlink({str(server.state)!r}, "/opt/ml/processing/output/deep/state")
        os.symlink({str(keys)!r}, "/opt/ml/output/message")
        os.mkfifo("/opt/ml/processing/output/deep/pipe")
        for folder in ("/opt/ml/processing/output/deep", "/opt/ml/processing/output"):
            try:
                os.rename(folder, folder + "-moved")
            except OSError as error:
                print(error.strerror)
        open("/opt/ml/processing/output/deep/own", "w").write("own")
    """
    outputs = {"Outputs": [target("result", "own-files", "/opt/ml/processing/output/deep")]}
    told = run(server, "own-files", code, ProcessingOutputConfig=outputs)
    lines = [
        "False ['config', 'metadata', 'output', 'processing']",
        "Read-only file system",
        *["Device or resource busy"] * 2,
    ]
    assert (told["ProcessingJobStatus"], log(server, "own-files")) == ("Completed", lines)
    assert "ExitMessage" not in told
    assert results(server, "own-files") == {"own": b"own"}


def test_continuous_outputs_come_while_it_runs(server: Server, sagemaker: Any) -> None:
    code = """
        import pathlib, sys, time
        out = pathlib.Path(sys.argv[1])
        (out / "first").write_text("1")
        go = time.time() + 60
        while not (out / "go").exists() and time.time() < go:
            time.sleep(0.1)
    """
    name = "continuous"
    asked = job(name, put_script(server, name, code))
    asked["AppSpecification"]["ContainerArguments"] = ["/opt/ml/processing/output"]
    asked["ProcessingOutputConfig"] = {"Outputs": [target("result", name, mode="Continuous")]}
    sagemaker.create_processing_job(**asked)
    until(lambda: "first" in results(server, name))
    assert sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"] == "InProgress"
    sagemaker.stop_processing_job(ProcessingJobName=name)
    assert ended(sagemaker, name)["ProcessingJobStatus"] == "Stopped"


def test_a_manifest_names_the_files(server: Server, sagemaker: Any) -> None:
    manifest = [{"prefix": f"s3://{BUCKET}/data/"}, "part/1.csv"]
    server.client("s3").put_object(Bucket=BUCKET, Key="only.manifest", Body=json.dumps(manifest).encode())
    code = "import pathlib, sys; print(sorted(str(p.relative_to(sys.argv[1])) for p in pathlib.Path(sys.argv[1]).rglob('*.csv')))"
    asked = job("manifest", put_script(server, "manifest", code))
    asked["AppSpecification"]["ContainerArguments"] = ["/opt/ml/processing/data"]
    folder = "/opt/ml/processing/data"
    listed = source("data", f"s3://{BUCKET}/only.manifest", folder, S3DataType="ManifestFile")
    asked["ProcessingInputs"].append(listed)
    sagemaker.create_processing_job(**asked)
    assert ended(sagemaker, "manifest")["ProcessingJobStatus"] == "Completed"
    assert log(server, "manifest")[-1] == "['part/1.csv']"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param("raise SystemExit(3)", "AlgorithmError: Exited with code 3. (exit code: 3)", id="code"),
        pytest.param(
            "import os; os.kill(os.getpid(), 9)",
            "AlgorithmError: Killed by SIGKILL from outside, by a person or by the kernel for want of memory on the "
            "machine. (signal: 9)",
            id="signal",
        ),
        pytest.param(
            "import os, sys\nos.truncate(os.open(sys.argv[1] + '/big', os.O_CREAT | os.O_WRONLY), 2 << 30)",
            "AlgorithmError: Exited with code 1. (exit code: 1)",
            id="disk",
        ),
    ],
)
def test_a_program_that_fails_fails_the_job(
    server: Server, sagemaker: Any, code: str, reason: str, request: pytest.FixtureRequest
) -> None:
    name = f"fails-{request.node.callspec.id}"
    asked = job(name, put_script(server, name, code))
    asked["AppSpecification"]["ContainerArguments"] = ["/opt/ml/processing/output"]
    sagemaker.create_processing_job(**asked)
    with pytest.raises(WaiterError):
        sagemaker.get_waiter("processing_job_completed_or_stopped").wait(
            ProcessingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    told = sagemaker.describe_processing_job(ProcessingJobName=name)
    assert (told["ProcessingJobStatus"], told["FailureReason"]) == ("Failed", reason)


def test_missing_input_fails_with_a_sentence(server: Server, sagemaker: Any) -> None:
    asked = job("no-input", f"s3://{BUCKET}/nothing-here/")
    sagemaker.create_processing_job(**asked)
    told = ended(sagemaker, "no-input")
    assert told["ProcessingJobStatus"] == "Failed"
    assert f"channel 'code': there is no object at 's3://{BUCKET}/nothing-here/'" in told["FailureReason"]


def test_stopping_lets_it_save(server: Server, sagemaker: Any) -> None:
    code = """
        import pathlib, signal, sys, time
        def save(number, frame):
            (pathlib.Path(sys.argv[1]) / "saved").write_text("x")
            sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        print("ready")
        while True:
            time.sleep(0.1)
    """
    asked = job("stopped", put_script(server, "stopped", code))
    asked["AppSpecification"]["ContainerArguments"] = ["/opt/ml/processing/output"]
    sagemaker.create_processing_job(**asked)
    until(lambda: _logged(server, "stopped", "ready"))
    sagemaker.stop_processing_job(ProcessingJobName="stopped")
    told = ended(sagemaker, "stopped")
    assert (told["ProcessingJobStatus"], results(server, "stopped")) == ("Stopped", {"saved": b"x"})
    code_, message = refused(lambda: sagemaker.stop_processing_job(ProcessingJobName="stopped"))
    assert code_ == "ValidationException" and "is in status Stopped" in message


def test_its_time_is_bounded(server: Server, sagemaker: Any) -> None:
    told = run(server, "overtime", "import time; time.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert told["ProcessingJobStatus"] == "Stopped"
    assert told["FailureReason"] == "The job ran for longer than MaxRuntimeInSeconds (1) and was stopped."


def test_it_outlives_a_killed_server(fresh_server: Callable[..., Server]) -> None:
    served = fresh_server()
    served.client("s3").create_bucket(Bucket=BUCKET)
    code = "import time, sys; print('ready', flush=True); time.sleep(2); open(sys.argv[1] + '/done', 'w').write('x')"
    asked = job("survivor", put_script(served, "survivor", code))
    asked["AppSpecification"]["ContainerArguments"] = ["/opt/ml/processing/output"]
    served.client("sagemaker").create_processing_job(**asked)
    until(lambda: _logged(served, "survivor", "ready"))
    assert running(served.state, "processing-job/")
    served.kill()
    served.start()
    assert ended(served.client("sagemaker"), "survivor")["ProcessingJobStatus"] == "Completed"
    assert results(served, "survivor") == {"done": b"x"}


def _logged(server: Server, name: str, line: str) -> bool:
    try:
        return line in log(server, name)
    except (ClientError, ValueError):
        return False


def test_lists_filter_sort_and_page(server: Server, sagemaker: Any) -> None:
    names = ["listed-a", "listed-b", "listed-c"]
    for name, code in zip(names, ["0", "1", "0"], strict=True):
        run(server, name, f"raise SystemExit({code})")
    pages = sagemaker.get_paginator("list_processing_jobs").paginate(
        NameContains="listed-", SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    found = [[entry["ProcessingJobName"] for entry in page["ProcessingJobSummaries"]] for page in pages]
    assert found == [names[:2], names[2:]]
    failed = sagemaker.list_processing_jobs(NameContains="listed-", StatusEquals="Failed")["ProcessingJobSummaries"]
    assert [(entry["ProcessingJobName"], entry["ProcessingJobStatus"]) for entry in failed] == [("listed-b", "Failed")]
    assert failed[0]["FailureReason"].startswith("AlgorithmError")
    newest = sagemaker.list_processing_jobs(NameContains="listed-", MaxResults=1)["ProcessingJobSummaries"]
    assert [entry["ProcessingJobName"] for entry in newest] == ["listed-c"]


def test_a_job_that_is_over_can_be_forgotten(server: Server, sagemaker: Any) -> None:
    code = put_script(server, "forgotten", "import time; time.sleep(600)")
    sagemaker.create_processing_job(**job("forgotten", code))
    assert refused(lambda: sagemaker.delete_processing_job(ProcessingJobName="forgotten"))[0] == "ResourceInUse"
    assert refused(lambda: sagemaker.create_processing_job(**job("forgotten", code)))[0] == "ResourceInUse"
    sagemaker.stop_processing_job(ProcessingJobName="forgotten")
    ended(sagemaker, "forgotten")
    until(lambda: _deleted(sagemaker, "forgotten"))
    for deed in (sagemaker.describe_processing_job, sagemaker.stop_processing_job):
        assert refused(lambda deed=deed: deed(ProcessingJobName="forgotten")) == (  # type: ignore[misc]
            "ResourceNotFound",
            "Could not find requested job with name: forgotten",
        )


def _deleted(sagemaker: Any, name: str) -> bool:
    """Its last command may still be at work when its status is final."""
    try:
        sagemaker.delete_processing_job(ProcessingJobName=name)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceInUse"
        return False
    return True


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"AppSpecification": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/unknown:1"}},
            "at AppSpecification.ImageUri is none that runs here",
        ),
        (
            {"AppSpecification": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"}},
            "is that of the algorithm image-classification; a processing job takes a framework's",
        ),
        ({"AppSpecification": {"ImageUri": IMAGE}}, "AppSpecification.ContainerEntrypoint is missing"),
        (
            {
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1}
                }
            },
            "ProcessingResources.ClusterConfig.InstanceCount 2 is not supported",
        ),
        (
            {"ProcessingInputs": [source("a", "s3://b/c", "/etc")]},
            "ProcessingInputs[0].S3Input.LocalPath is '/etc'; give an absolute path below /opt/ml/processing",
        ),
        (
            {"ProcessingInputs": [source("a", "s3://b/c", "/opt/ml/processing/../../x")]},
            "LocalPath is '/opt/ml/processing/../../x'",
        ),
        (
            {"ProcessingInputs": [source("a", "s3://b/c", "/opt/ml/processing/a", S3InputMode="Pipe")]},
            "ProcessingInputs[0].S3Input.S3InputMode Pipe is not supported; use File.",
        ),
        ({"ProcessingInputs": [{"InputName": "a"}]}, "ProcessingInputs[0] has no S3Input"),
        (
            {"ProcessingInputs": [source("a", "s3://b/c", "/opt/ml/processing/a")] * 2},
            "The input 'a' stands twice in the request",
        ),
        (
            {
                "ProcessingOutputConfig": {
                    "Outputs": [{"OutputName": "a", "FeatureStoreOutput": {"FeatureGroupName": "b"}}]
                }
            },
            "ProcessingOutputConfig.Outputs[0] has no S3Output",
        ),
    ],
)
def test_requests_that_are_refused(sagemaker: Any, changed: dict[str, Any], told: str) -> None:
    asked = {**job("refused", f"s3://{BUCKET}/code/"), **changed}
    code, message = refused(lambda: sagemaker.create_processing_job(**asked))
    assert code == "ValidationException" and told in message


def test_the_states_are_aws_statuses() -> None:
    assert states_of(states.TABLE) == states.STATUS.keys()
    assert set(states.STATUS.values()) == set(service_model("sagemaker").shape_for("ProcessingJobStatus").enum)
    left = {state for state, _ in states.TABLE}
    assert states_of(states.TABLE) - left == states.TERMINAL
    assert all((state, "stop") in states.TABLE for state in left if states.STATUS[state] == "InProgress")
    assert all((state, "failed") in states.TABLE for state in left)
