"""What the controller does for an edge packaging job; each command is safe to repeat."""

import base64
import hashlib
import shutil
from functools import partial
from pathlib import Path

from tobo.kit.archive import BadArchive, unpack
from tobo.kit.fault import Fault
from tobo.kit.s3_uri import S3Uri, parse_s3_uri
from tobo.operations.context import Context
from tobo.operations.machine import Again, Done, Happened, Machine, Outcome, register
from tobo.operations.recording import Artifact, JobRecord, record_job
from tobo.operations.results import put_file
from tobo.operations.signing import signing_key
from tobo.resources.edge_packaging_jobs import states
from tobo.resources.edge_packaging_jobs.api import KIND
from tobo.resources.edge_packaging_jobs.sequence import next_number
from tobo.store.base import Row


def begin(context: Context, row: Row) -> Outcome:
    """From here on it is in progress."""
    return Happened("begun")


def number(context: Context, row: Row) -> Outcome:
    """The bundle's number, once."""
    return Done() if "_sequence" in row.found else Done({"_sequence": next_number(context, row.key.space.account)})


def package(context: Context, row: Row) -> Outcome:
    """Unpacks what was compiled, seals and packs it, and puts the bundle beside its kind; begins anew after a crash."""
    from tobo.edge import bundle, compiled  # brings cryptography, which costs a server's start 50 ms

    folder = _folder(context, row)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        unpack(_archive(context, row), folder / "model")
        target = compiled.read(folder / "model").target
    except (BadArchive, compiled.BadModel) as bad:
        raise Fault("ClientError", f"ClientError: '{row.found['_archive']}' cannot be packaged: {bad}") from None
    account = row.key.space.account
    manifest = bundle.Manifest(
        name=row.asked["ModelName"],
        version=row.asked["ModelVersion"],
        sequence=row.found["_sequence"],
        account=account,
        target=target,
        created=row.created,
        files=bundle.list_files(folder / "model"),
    )
    digest = bundle.seal(folder / "model", manifest, signing_key(context.settings.state, account))
    bundle.pack(folder / "model", folder / "bundle.tar.gz")
    fresh = context.store.get(row.key)
    if fresh is None or fresh.state != row.state:
        return Again(0.0)  # stopped meanwhile: nothing is put
    signature = (folder / "model" / bundle.SIGNATURE).read_bytes()
    sha1 = _sha1(folder / "bundle.tar.gz")
    uri = _target(row)
    info = put_file(context.objects, row.key.space, folder / "bundle.tar.gz", uri, "application/x-gzip")
    return Happened(
        "packaged",
        {
            "ModelArtifact": str(uri),
            "ModelSignature": base64.b64encode(signature).decode(),
            "_digest": digest,
            "_sha1": sha1,
            "_etag": info.etag,
            "_target": target,
        },
    )


def halt(context: Context, row: Row) -> Outcome:
    """Nothing runs beside the controller: what was begun is only a folder."""
    return Happened("halted")


def clean(context: Context, row: Row) -> Outcome:
    """Gives the folder back."""
    shutil.rmtree(_folder(context, row), ignore_errors=True)
    return Done()


def record(context: Context, row: Row) -> Outcome:
    """In lineage: what was compiled, and the bundle that was made of it."""
    bundle = Artifact(row.found["ModelArtifact"], "Model")
    record_job(
        context,
        JobRecord(
            row,
            kind="edge-packaging-job",
            status="Completed",
            over=True,
            start=row.created,
            end=row.modified,
            parameters={
                "SageMaker.ModelName": row.asked["ModelName"],
                "SageMaker.ModelVersion": row.asked["ModelVersion"],
            },
            inputs={"SageMaker.CompiledModel": Artifact(row.found["_archive"], "Model")},
            outputs={"SageMaker.ModelBundle": bundle},
        ),
    )
    return Done()


def _folder(context: Context, row: Row) -> Path:
    return context.settings.state / "edge" / "packaging" / str(row.id)


def _archive(context: Context, row: Row) -> Path:
    """Raises Fault where it is gone."""
    uri = parse_s3_uri(row.found["_archive"], "the compilation job's ModelArtifacts")
    return context.objects.path(row.key.space, context.objects.head(row.key.space, uri.bucket, uri.key))


def _target(row: Row) -> S3Uri:
    location = parse_s3_uri(row.asked["OutputConfig"]["S3OutputLocation"], "OutputConfig.S3OutputLocation")
    return location.below(f"{row.asked['ModelName']}-{row.asked['ModelVersion']}.tar.gz")


def _sha1(file: Path) -> str:
    """The Checksum that GetDeployments tells; that nothing was tampered with is for the signature to prove."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, partial(hashlib.sha1, usedforsecurity=False)).hexdigest()


MACHINE = register(
    Machine(
        kind=KIND,
        table=states.TABLE,
        statuses=states.STATUS,
        commands=(begin, number, package, halt, clean, record),
        on_step=lambda row, step, now, message: states.on_step(step.state, message),
    )
)
