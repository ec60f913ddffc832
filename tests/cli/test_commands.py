"""serve, env, configure and doctor as a user runs them."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import botocore.session
import pytest
from tests.conftest import Server


def tobo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TOBO_", "SAGEMAKER_"))}
    return subprocess.run(
        [sys.executable, "-m", "tobo", *arguments],
        env={**clean, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def exports_of(text: str) -> dict[str, str]:
    """What a shell would have after `eval "$(tobo env)"`."""
    script = f"{text}\nenv -0"
    found = subprocess.run(["sh", "-c", script], env={}, capture_output=True, text=True, check=True).stdout
    pairs = (line.split("=", 1) for line in found.split("\0") if "=" in line)
    return {name: value for name, value in pairs if name.startswith(("AWS_", "SAGEMAKER_"))}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_env_before_the_first_start(tmp_path: Path) -> None:
    """Keys are made, kept for their owner alone, and the same ever after."""
    state = tmp_path / "state with blanks"
    first = exports_of(tobo("env", "--state", str(state)).stdout)
    assert first["AWS_ENDPOINT_URL"] == "http://127.0.0.1:8626"
    assert first["AWS_DEFAULT_REGION"] == "us-east-1"
    assert first == exports_of(tobo("env", "--state", str(state)).stdout)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "credentials.json").stat().st_mode) == 0o600


def test_chosen_account(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    chosen = {
        "TOBO_ACCOUNT_ID": "123456789012",
        "TOBO_ROOT_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "TOBO_ROOT_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    }
    assert exports_of(tobo("env", "--state", state, **chosen).stdout)["AWS_ACCESS_KEY_ID"] == "AKIAIOSFODNN7EXAMPLE"
    kept = exports_of(tobo("env", "--state", state).stdout)
    assert kept["AWS_SECRET_ACCESS_KEY"] == chosen["TOBO_ROOT_SECRET_ACCESS_KEY"]
    refused = tobo("env", "--state", state, TOBO_ACCOUNT_ID="210987654321")
    assert refused.returncode != 0
    assert "belongs to account 123456789012" in refused.stderr


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"TOBO_ACCOUNT_ID": "12"}, "12 digits"),
        ({"TOBO_ROOT_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "belong together"),
        ({"TOBO_PORT": "many"}, "TOBO_PORT='many'"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, environment: dict[str, str], text: str) -> None:
    refused = tobo("env", "--state", str(tmp_path / "state"), **environment)
    assert refused.returncode != 0
    assert text in refused.stderr


def test_broken_credentials_are_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text("{")
    refused = tobo("env", "--state", str(tmp_path))
    assert refused.returncode != 0
    assert "cannot be read" in refused.stderr
    assert file.read_text() == "{"


def test_two_servers_on_one_state(fresh_server: Callable[..., Server]) -> None:
    served = fresh_server()
    second = tobo("serve", "--port", "0", "--state", str(served.state))
    assert second.returncode != 0
    assert "Another server uses" in second.stderr
    assert exports_of(tobo("env", "--state", str(served.state)).stdout)["AWS_ENDPOINT_URL"] == served.endpoint


def test_taken_port(server: Server, tmp_path: Path) -> None:
    refused = tobo("serve", "--port", server.endpoint.rsplit(":", 1)[1], "--state", str(tmp_path / "other"))
    assert refused.returncode != 0
    assert "choose another with --host or --port" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_when_asked_to(fresh_server: Callable[..., Server], number: int) -> None:
    served = fresh_server()
    assert served.process is not None
    os.kill(served.pid, number)
    assert served.process.wait(30) == 0
    assert not (served.state / "server.json").exists()


def test_env_of_a_server_that_was_killed(fresh_server: Callable[..., Server]) -> None:
    served = fresh_server()
    served.kill()
    assert exports_of(tobo("env", "--state", str(served.state)).stdout)["AWS_ENDPOINT_URL"] == "http://127.0.0.1:8626"


def test_configure_leads_sts_here(fresh_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    """As the SageMaker SDKs ask: https://<what botocore's resolver says of STS in a region>, with nothing else set."""
    served = fresh_server()
    served.stop()
    port = free_port()
    done = tobo("configure", "--state", str(served.state), "--tls-port", str(port))
    assert done.returncode == 0, done.stderr
    served.start()
    found = exports_of(tobo("env", "--state", str(served.state)).stdout)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    for region in ("us-east-1", "eu-central-1", "ap-south-2"):
        endpoint = botocore.session.Session().get_component("endpoint_resolver").construct_endpoint("sts", region)
        sts = boto3.session.Session().client("sts", region_name=region, endpoint_url=f"https://{endpoint['hostname']}")
        assert sts.get_caller_identity()["Account"] == served.account
    s3 = boto3.session.Session().client("s3")
    assert s3.meta.endpoint_url == served.endpoint
    s3.create_bucket(Bucket="still-here")
    sdk = json.loads(Path(found["SAGEMAKER_USER_CONFIG_OVERRIDE"]).read_text())["SageMaker"]
    assert sdk["PythonSDK"]["Modules"]["TelemetryOptOut"] is True
    role = boto3.session.Session().client("iam").get_role(RoleName=sdk["TrainingJob"]["RoleArn"].rsplit("/", 1)[-1])
    assert role["Role"]["Arn"] == sdk["TrainingJob"]["RoleArn"]


def test_configure_of_a_home(tmp_path: Path) -> None:
    """The SDKs' own loader knows ~/.aws/models only; a file there that is somebody else's stays as it is."""
    state, file = str(tmp_path / "state"), tmp_path / ".aws" / "models" / "endpoints.json"
    arguments = ("configure", "--home", "--state", state, "--tls-port")
    for port in ("8627", "8628"):
        assert tobo(*arguments, port, HOME=str(tmp_path)).returncode == 0
        script = (
            "import botocore.loaders, botocore.regions; loader = botocore.loaders.create_loader();"
            "print(botocore.regions.EndpointResolver(loader.load_data('endpoints')).construct_endpoint('sts', 'us-west-2')['hostname'])"
        )
        environment = {**os.environ, "HOME": str(tmp_path)}
        asked = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert asked.stdout.strip() == f"127.0.0.1:{port}"
    file.write_text("{}")
    assert "is not tobo's" in tobo(*arguments, "8629", HOME=str(tmp_path)).stderr
    assert file.read_text() == "{}"


def test_https_uploads_with_a_trailer(fresh_server: Callable[..., Server]) -> None:
    """Over TLS boto3 sends aws-chunked bodies with a checksum behind them."""
    served = fresh_server()
    served.stop()
    port = free_port()
    tobo("configure", "--state", str(served.state), "--tls-port", str(port))
    served.start()
    bundle = str(served.state / "configure" / "authorities.pem")
    s3 = served.client("s3", endpoint_url=f"https://127.0.0.1:{port}", verify=bundle)
    s3.create_bucket(Bucket="secure")
    for size in (10, 2_000_000):
        body = os.urandom(size)
        s3.put_object(Bucket="secure", Key="k", Body=body, ChecksumAlgorithm="CRC32C")
        found = s3.get_object(Bucket="secure", Key="k", ChecksumMode="ENABLED")
        assert found["Body"].read() == body
        assert "ContentEncoding" not in found
        assert found["ChecksumCRC32C"]


def test_doctor(tmp_path: Path) -> None:
    state = tmp_path / "state"
    tobo("env", "--state", str(state))
    well = tobo("doctor", "--state", str(state), TOBO_PORT="18626")
    assert well.returncode == 0, well.stdout
    for word in ("Python", "torch", "onnxruntime", "cores", "memory", "disk", "cgroups", "port"):
        assert word in well.stdout
    (state / "credentials.json").chmod(0o644)
    ill = tobo("doctor", "--state", str(state))
    assert ill.returncode == 1
    assert "chmod go-rwx" in ill.stdout


def test_doctor_of_a_device(tmp_path: Path) -> None:
    none = tobo("doctor", "--edge", "--folder", str(tmp_path))
    assert none.returncode == 2 and "install` writes one" in " ".join(none.stderr.split())
    (tmp_path / "agent.toml").write_text(f'state = "{tmp_path}"\n[camera]\nkind = "folder"\nsource = "{tmp_path}"\n')
    found = tobo("doctor", "--edge", "--folder", str(tmp_path))
    assert found.returncode == 1 and "holds no picture" in found.stdout and "put some into it" in found.stdout


def test_without_the_server_the_command_says_what_to_install() -> None:
    code = "import sys; sys.modules['typer'] = None; import tobo.__main__; tobo.__main__.main()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "typer is not installed: `pip install 'tobo[server,train]'`" in ran.stderr
    assert "`tobo-edge`" in ran.stderr and "Traceback" not in ran.stderr
