"""Edge packaging jobs: a bundle that a device accepts, numbers that grow, and archives that are refused."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from tests.conftest import Server
from tests.support.fleets import ROLE, Fleet, client, compiled_archive

from tobo.edge.bundle import BadBundle, Manifest, verify
from tobo.kit.archive import unpack
from tobo.operations.signing import public_keys, rotate, signing_key


def fetched(fleet: Fleet, job: str, folder: Path) -> Path:
    """A job's bundle, unpacked."""
    address = fleet.packaged(job)["ModelArtifact"].removeprefix("s3://")
    bucket, _, key = address.partition("/")
    fleet.s3.download_file(bucket, key, str(folder / f"{job}.tar.gz"))
    unpack(folder / f"{job}.tar.gz", folder / job)
    return folder / job


def verified(fleet: Fleet, folder: Path) -> Manifest:
    """As a device does it: with the keys of its registration."""
    texts = public_keys(fleet.server.state, fleet.server.account)
    keys: Any = [load_pem_public_key(text.encode()) for text in texts]
    return verify(folder, keys, fleet.server.account, "rasp4b")


def test_a_device_accepts_what_was_packaged(fleet: Fleet, tmp_path: Path) -> None:
    job = fleet.package("1.0")
    described = fleet.packaged(job)
    assert described["ModelArtifact"] == f"s3://{fleet.bucket}/bundles/marbles-1.0.tar.gz"
    assert len(described["ModelSignature"]) == 88  # 64 bytes
    manifest = verified(fleet, fetched(fleet, job, tmp_path))
    assert (manifest.name, manifest.version, manifest.account) == ("marbles", "1.0", fleet.server.account)
    assert manifest.files.keys() == {"compiled.json", "model.onnx", "labels.json", "golden/scores.json"}


def test_numbers_grow_with_each_job_of_the_account(fleet: Fleet, tmp_path: Path) -> None:
    jobs = [fleet.start_packaging(f"1.{number}") for number in range(4)]
    for job in jobs:
        assert fleet.packaged(job)["EdgePackagingJobStatus"] == "COMPLETED"
    numbers = [verified(fleet, fetched(fleet, job, tmp_path)).sequence for job in jobs]
    assert len(set(numbers)) == 4
    later = verified(fleet, fetched(fleet, fleet.package("2.0"), tmp_path)).sequence
    assert later == max(numbers) + 1


def test_after_a_rotation_both_keys_are_trusted_and_the_new_one_signs(fleet: Fleet, tmp_path: Path) -> None:
    server = fleet.server
    before = fleet.package("1.0")
    old = signing_key(server.state, server.account).public_key()
    rotate(server.state, server.account)
    after = fleet.package("2.0")
    for job in (before, after):
        verified(fleet, fetched(fleet, job, tmp_path))
    with pytest.raises(BadBundle, match="by none of the keys"):
        verify(tmp_path / after, [old], server.account, "rasp4b")
    assert len(set(public_keys(server.state, server.account))) == len(public_keys(server.state, server.account)) >= 2


def _with_a_link() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("compiled.json")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (b"no archive", "cannot be read"),
        (compiled_archive({"model.onnx": b"graph"}), "compiled.json"),
        (compiled_archive({"../outside": b"graph"}), "leads out of its folder"),
        (_with_a_link(), "is a link or a device"),
    ],
    ids=["none", "no-manifest", "climbing", "link"],  # its bytes would not do: they hold the time
)
def test_archives_that_are_refused(fleet: Fleet, archive: bytes, said: str) -> None:
    compilation = fleet.compile_by_hand()
    key = f"compiled/{compilation}-rasp4b.tar.gz"
    fleet.s3.put_object(Bucket=fleet.bucket, Key=key, Body=archive)
    job = fleet.packaged(fleet.start_packaging(compilation=compilation))
    assert job["EdgePackagingJobStatus"] == "FAILED" and said in job["EdgePackagingJobStatusMessage"]
    assert not (fleet.server.state / "edge" / "packaging").is_dir() or not list(
        (fleet.server.state / "edge" / "packaging").iterdir()
    )


def test_an_archive_that_is_gone(fleet: Fleet) -> None:
    compilation = fleet.compile_by_hand()
    fleet.s3.delete_object(Bucket=fleet.bucket, Key=f"compiled/{compilation}-rasp4b.tar.gz")
    assert fleet.packaged(fleet.start_packaging(compilation=compilation))["EdgePackagingJobStatus"] == "FAILED"


@pytest.mark.parametrize(
    ("members", "expected", "said"),
    [
        ({"CompilationJobName": "nothing"}, "ResourceNotFound", "nothing"),
        ({"ModelName": "nut"}, "ValidationException", "shorter than 4 characters"),
        ({"OutputConfig": {"S3OutputLocation": "https:///"}}, "ValidationException", ""),
        (
            {"OutputConfig": {"S3OutputLocation": "s3://b", "PresetDeploymentType": "GreengrassV2Component"}},
            "ValidationException",
            "not built",
        ),
    ],
)
def test_jobs_that_are_refused(fleet: Fleet, members: dict[str, Any], expected: str, said: str) -> None:
    with pytest.raises(ClientError) as refused:
        fleet.sagemaker.create_edge_packaging_job(**{**job_of(fleet), **members})
    assert refused.value.response["Error"]["Code"] == expected and said in str(refused.value)


def job_of(fleet: Fleet) -> dict[str, Any]:
    return {
        "EdgePackagingJobName": "refused",
        "CompilationJobName": fleet.compile_by_hand(),
        "ModelName": "marbles",
        "ModelVersion": "1.0",
        "RoleArn": ROLE,
        "OutputConfig": {"S3OutputLocation": f"s3://{fleet.bucket}/bundles"},
    }


def test_a_compilation_that_is_not_completed(fleet: Fleet) -> None:
    compilation = fleet.compile_by_hand(status="INPROGRESS")
    with pytest.raises(ClientError, match="is INPROGRESS"):
        fleet.start_packaging(compilation=compilation)


def test_a_job_that_is_over_is_not_stopped(fleet: Fleet) -> None:
    job = fleet.package()
    with pytest.raises(ClientError, match="in status COMPLETED"):
        fleet.sagemaker.stop_edge_packaging_job(EdgePackagingJobName=job)


def test_jobs_are_listed(fleet_server: Server) -> None:
    fleet = Fleet(fleet_server, region="eu-west-2")
    jobs = [fleet.start_packaging("1.0", model) for model in ("screws", "marbles", "nuts")]
    for job in jobs:
        fleet.packaged(job)
    sagemaker = client(fleet_server, "sagemaker", "eu-west-2")

    def listed(**asked: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_edge_packaging_jobs").paginate(PaginationConfig={"PageSize": 2}, **asked)
        return [one["ModelName"] for page in pages for one in page["EdgePackagingJobSummaries"]]

    assert listed() == ["nuts", "marbles", "screws"]
    assert listed(SortBy="MODEL_NAME", SortOrder="Ascending") == ["marbles", "nuts", "screws"]
    assert sorted(listed(SortBy="STATUS")) == ["marbles", "nuts", "screws"]
    assert listed(ModelNameContains="r", SortOrder="Ascending") == ["screws", "marbles"]
    assert listed(NameContains=jobs[0]) == ["screws"]
    assert listed(StatusEquals="FAILED") == []
