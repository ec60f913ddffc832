"""tobo configure: files that lead the SageMaker SDKs here where one environment variable cannot.

The SDKs build their STS client for `https://sts.<region>.amazonaws.com` and ignore AWS_ENDPOINT_URL. In
<state>/configure/ this writes, and `tobo env` from then on switches on:

- sagemaker.yaml: a default bucket, default roles and no telemetry (SAGEMAKER_USER_CONFIG_OVERRIDE)
- models/endpoints.json: botocore's own with STS on this server's TLS port (AWS_DATA_PATH)
- authorities.pem: botocore's certificate authorities and this server's (AWS_CA_BUNDLE)

The SageMaker SDKs look STS up with a botocore loader of their own, which knows ~/.aws/models and not AWS_DATA_PATH: for
get_execution_role() `--home` puts endpoints.json there, too. Then every AWS client of that home asks this server's STS.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from tobo.gateway.account import first_account
from tobo.gateway.tls import TlsFiles, tls_files
from tobo.settings import Settings

ROLE = "arn:aws:iam::{account}:role/service-role/AmazonSageMaker-ExecutionRole"

TLS_PORT = 8627

MARK = "tobo"
"""A member of endpoints.json that botocore does not look at: by it we know our own file."""


def folder_of(settings: Settings) -> Path:
    return settings.state.absolute() / "configure"


def exports(settings: Settings) -> dict[str, str]:
    """What `tobo env` adds once this state folder was configured; nothing before."""
    folder = folder_of(settings)
    if not (folder / "sagemaker.yaml").exists():
        return {}
    return {
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(folder / "sagemaker.yaml"),
        "AWS_DATA_PATH": str(folder / "models"),
        "AWS_CA_BUNDLE": str(folder / "authorities.pem"),
    }


def configure(
    state: Annotated[Path | None, typer.Option(help="The server's state folder.")] = None,
    tls_port: Annotated[int, typer.Option(min=1, max=65535, help="Port on which the server speaks TLS.")] = TLS_PORT,
    bucket: Annotated[str | None, typer.Option(help="Default bucket of the SDKs.")] = None,
    home: Annotated[
        bool,
        typer.Option("--home", help="Also write ~/.aws/models/endpoints.json, for the SDKs' get_execution_role()."),
    ] = False,
) -> None:
    """Leads the SageMaker SDKs' default bucket, execution role and STS to this server, and turns their telemetry off."""
    from tobo.gateway.certificates import ensure_certificate

    settings = first_account(Settings.read(state=state))
    folder, files = folder_of(settings), tls_files(settings.state)
    (folder / "models").mkdir(parents=True, exist_ok=True)
    ensure_certificate(files, settings.host)
    files.settings.write_text(json.dumps({"port": tls_port}))
    assert settings.account_id is not None
    # JSON is YAML: no dependency for three levels of mappings.
    sdk = sdk_config(settings.account_id, bucket or f"sagemaker-us-east-1-{settings.account_id}")
    (folder / "sagemaker.yaml").write_text(json.dumps(sdk, indent=2) + "\n")
    found = json.dumps(endpoints(settings.reached(tls_port)))
    (folder / "models" / "endpoints.json").write_text(found)
    (folder / "authorities.pem").write_bytes(authorities(files))
    if home:
        _write_home(found)
    where = "" if settings.state == Path(".tobo") else f" --state {settings.state}"
    print(f'Written to {folder}. Start the server again, then in your shell: eval "$(tobo env{where})"')


def _write_home(found: str) -> None:
    """Raises SystemExit where somebody else's file is in the way."""
    file = Path.home() / ".aws" / "models" / "endpoints.json"
    if file.exists() and MARK not in json.loads(file.read_bytes()):
        raise SystemExit(f"{file} is not tobo's; move it away, or configure without --home.")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(found)
    print(f"STS of every AWS client of this home is now this server's, until you delete {file}.")


def sdk_config(account: str, bucket: str) -> dict[str, object]:
    """The SDKs' configuration file (SageMaker Python SDK, "Configuring and using defaults with the SageMaker Python SDK")."""
    role = ROLE.format(account=account)
    by_role_arn = (
        "TrainingJob", "ProcessingJob", "CompilationJob", "EdgePackagingJob", "FeatureGroup", "Pipeline",
    )  # fmt: skip
    return {
        "SchemaVersion": "1.0",
        "SageMaker": {
            "PythonSDK": {"Modules": {"TelemetryOptOut": True, "Session": {"DefaultS3Bucket": bucket}}},
            **{noun: {"RoleArn": role} for noun in by_role_arn},
            "Model": {"ExecutionRoleArn": role},
        },
    }


def endpoints(address: str) -> dict[str, object]:
    """botocore's endpoints with STS of every region at `address` (host:port)."""
    from botocore.loaders import Loader

    found: dict[str, object] = Loader(include_default_search_paths=False, extra_search_paths=[_builtin()]).load_data(
        "endpoints"
    )
    for partition in found["partitions"]:  # type: ignore[attr-defined]
        partition["services"].setdefault("sts", {})["endpoints"] = {
            region: {"hostname": address} for region in partition["regions"]
        }
    found[MARK] = "STS on tobo's TLS port"
    return found


def authorities(files: TlsFiles) -> bytes:
    """Certificates that botocore trusts anyway, and this server's authority: AWS_CA_BUNDLE replaces, it does not add."""
    from botocore.httpsession import where

    return Path(where()).read_bytes().rstrip() + b"\n\n# tobo's own\n" + files.authority.read_bytes()


def _builtin() -> str:
    from botocore.loaders import Loader

    return str(Loader.BUILTIN_DATA_PATH)
