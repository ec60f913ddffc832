"""Compilation jobs through boto3 on a real server: from a trained classifier to its archive for a target."""

import hashlib
import io
import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import xgboost
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support import graphs
from tests.support.compilation import compilation_job, compiled, ended, log_of, put_archive, unpacked
from tests.support.endpoints import classify, deploy
from tests.support.jobs import training_job, upload_photos, wait
from tests.support.processes import running, until

from tobo.compute import sandbox
from tobo.edge import compiled as folders
from tobo.edge.classifier import load as load_classifier
from tobo.edge.classifier import probe
from tobo.inference.model import load

pytestmark = pytest.mark.xdist_group("training")
RUN = uuid.uuid4().hex[:8]
BUCKET = f"compile-{RUN}"
SANDBOXED = not isinstance(sandbox.find_wrapper(), str)


@pytest.fixture(scope="module")
def archive(warm_server: Server) -> str:
    """A classifier that the built-in algorithm trained."""
    upload_photos(warm_server, BUCKET, train=60, validation=40)
    sagemaker = warm_server.client("sagemaker")
    sagemaker.create_training_job(**training_job(f"squares-{RUN}", BUCKET))
    job = wait(sagemaker, f"squares-{RUN}")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return str(job["ModelArtifacts"]["S3ModelArtifacts"])


@pytest.fixture(scope="module")
def bucket(server: Server) -> str:
    """One for archives that are made by hand, on the server without a warm parent."""
    name = f"archives-{RUN}"
    server.client("s3").create_bucket(Bucket=name)
    return name


def certificate_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "certificate.json").read_text())
    return found


def test_a_trained_classifier_is_compiled_for_a_raspberry_pi(warm_server: Server, archive: str, tmp_path: Path) -> None:
    name = f"pi-{RUN}"
    job = compiled(
        warm_server, name, archive, "rasp4b", options={"precision": "int8"}, shapes={"input": [1, 3, 32, 32]}
    )
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{BUCKET}/compiled/{name}/model-rasp4b.tar.gz"
    data = warm_server.client("s3").get_object(Bucket=BUCKET, Key=uri.split("/", 3)[3])["Body"].read()
    assert job["ModelDigests"]["ArtifactDigest"] == hashlib.sha256(data).hexdigest()
    assert job["CompilationStartTime"] <= job["CompilationEndTime"]
    folder = unpacked(warm_server, uri, tmp_path)
    model = folders.read(folder)
    assert (model.target, model.runtime, model.precision) == ("rasp4b", "onnxruntime", "int8")
    assert (model.labels, model.image_shape) == (("ko", "ok"), (3, 32, 32))
    assert {label: sum(counts) for label, counts in model.scores.items()} == {"ko": 40, "ok": 40}
    golden = json.loads((folder / "golden" / "scores.json").read_text())
    answers = load(folder).predict([(folder / "golden" / picture).read_bytes() for picture in golden])
    for answer, expected in zip(answers, golden.values(), strict=True):
        assert answer.index(max(answer)) == expected.index(max(expected))
    assert probe(folder, load_classifier(folder)).pictures == 8
    told = certificate_of(folder)
    assert told["samples"]["count"] == told["samples"]["labelled"] == 40
    assert told["flipped"] == 0 and told["accuracy"]["after"] == told["accuracy"]["before"] >= 0.9
    assert told["bytes"]["after"] < told["bytes"]["before"] / 2
    kinds = [form["form"].split()[0] for form in told["forms"]]
    assert kinds == ["trained", "onnxruntime", "compiled", "onnxruntime"]
    assert told["forms"][3]["form"].endswith(" aarch64")
    assert any(line.startswith("Compiled for rasp4b: onnxruntime int8; 0 of 40") for line in log_of(warm_server, name))


@pytest.mark.parametrize(
    ("target", "options", "runtimes", "precision"),
    [
        ("rasp3b", None, {"onnxruntime"}, "int8"),
        ("aisage", {"precision": "fp32"}, {"onnxruntime"}, "fp32"),
        ({"Os": "LINUX", "Arch": "ARM64"}, None, {"onnxruntime"}, "int8"),
        ("ml_c5", None, {"onnxruntime", "openvino"}, "fp32"),
        ("ml_m5", {"precision": "int8"}, {"onnxruntime", "openvino"}, "int8"),
        ("deeplens", None, {"openvino"}, "fp32"),
        ({"Os": "LINUX", "Arch": "X86_64", "Accelerator": "INTEL_GRAPHICS"}, None, {"openvino"}, "fp32"),
        ("jetson_nano", {"gpu-code": "sm_53", "trt-ver": "8.6.1"}, {"onnxruntime"}, "fp32"),
        ("rasp4b", {"runtime": "ncnn"}, {"ncnn"}, "fp32"),
        ({"Os": "ANDROID", "Arch": "ARM64"}, None, {"ncnn"}, "fp32"),
    ],
)
def test_what_is_built_for_which_target(
    server: Server, bucket: str, tmp_path: Path, target: Any, options: Any, runtimes: set[str], precision: str
) -> None:
    """Where there are two candidates both are built, and the certificate tells of the one that is not shipped."""
    name = f"to-{uuid.uuid4().hex[:8]}"
    archive = put_archive(server, bucket, name, graphs.archive(graphs.classifier()))
    changed = {} if options is None else {"options": options}
    job = compiled(server, name, archive, target, **changed)
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    folder = unpacked(server, job["ModelArtifacts"]["S3ModelArtifacts"], tmp_path)
    model, told = folders.read(folder), certificate_of(folder)
    assert model.runtime in runtimes and model.precision == precision
    assert model.target == (target if isinstance(target, str) else "_".join(target.values()).lower())
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"/{name}-{model.target}.tar.gz")
    assert any(requirement.startswith(model.runtime) for requirement in model.requirements)
    passed = [each["form"].split()[0] for each in told["rejected"] if each["reason"] == "the shipped one is faster"]
    assert {model.runtime, *passed} == runtimes
    if isinstance(target, str) and target.startswith("jetson"):
        assert model.details["providers"][0] == "TensorrtExecutionProvider"
        assert model.details["neo"] == options


def test_int8_that_changes_decisions_is_not_shipped(server: Server, bucket: str, tmp_path: Path) -> None:
    """Without a word about precision the job falls back to fp32 and says why; asked for int8 it fails with the numbers."""
    name = f"fragile-{RUN}"
    fragile = graphs.archive(graphs.classifier(graphs.fragile_weights()))
    archive = put_archive(server, bucket, name, fragile)
    job = compiled(server, name, archive)
    folder = unpacked(server, job["ModelArtifacts"]["S3ModelArtifacts"], tmp_path)
    assert folders.read(folder).precision == "fp32"
    rejected, other = certificate_of(folder)["rejected"]
    assert (rejected["form"].split()[1], other["form"].split()[1]) == ("int8/minmax", "int8/percentile")
    assert rejected["flipped"] > 10 and other["flipped"] > 0
    assert "more than the tolerance of 1.0%" in rejected["reason"] and rejected["accuracy"] < 0.6
    options = {"precision": "int8", "tolerance": 0}
    failed = compiled(server, f"{name}-int8", archive, options=options)
    assert failed["CompilationJobStatus"] == "FAILED"
    assert failed["FailureReason"].startswith("ClientError: The model cannot be compiled for rasp4b: onnxruntime int8")
    assert f"{rejected['flipped']} of 24 decisions flipped" in failed["FailureReason"]
    tolerant = compiled(server, f"{name}-tolerant", archive, options={"precision": "int8", "tolerance": 1})
    assert tolerant["CompilationJobStatus"] == "COMPLETED", tolerant["FailureReason"]


def test_calibration_pictures_of_one_s_own_and_thresholds(server: Server, bucket: str, tmp_path: Path) -> None:
    name = f"own-{RUN}"
    files = graphs.archive(graphs.classifier(), calibration=0)
    archive = put_archive(server, bucket, name, files)
    for number in range(8):
        key = f"calibrate-{RUN}/{number}.png"
        server.client("s3").put_object(Bucket=bucket, Key=key, Body=graphs.png(graphs.picture(number)))
    server.client("s3").put_object(Bucket=bucket, Key=f"calibrate-{RUN}/notes.txt", Body=b"no picture")
    options = {"calibration": f"s3://{bucket}/calibrate-{RUN}/", "thresholds": {"b": 0.9}}
    job = compiled(server, name, archive, options=options)
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    model = folders.read(unpacked(server, job["ModelArtifacts"]["S3ModelArtifacts"], tmp_path))
    assert (model.precision, model.thresholds) == ("int8", {"b": 0.9})
    assert any("Skipped: 'notes.txt' for calibration" in line for line in log_of(server, name))


def test_a_classifier_of_several_labels_a_picture(server: Server, bucket: str, tmp_path: Path) -> None:
    name = f"several-{RUN}"
    archive = put_archive(server, bucket, name, graphs.archive(graphs.classifier(), multi_label=True))
    job = compiled(server, name, archive)
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    folder = unpacked(server, job["ModelArtifacts"]["S3ModelArtifacts"], tmp_path)
    assert folders.read(folder).thresholds == dict.fromkeys(graphs.LABELS, 0.5)
    assert certificate_of(folder)["accuracy"]["before"] > 0.6


FAILING = {
    "no graph": ({"golden/labels.json": b"{}"}, {}, "has to hold one exported program"),
    "no graph of ONNX": (
        {"notes.txt": b"x"},
        {"framework": "ONNX"},
        "has to hold one ONNX graph (.onnx); it holds none",
    ),
    "a broken graph": ({"model.onnx": b"x" * 100}, {"framework": "ONNX"}, "'model.onnx' is not a valid ONNX graph"),
    "a state dict": ({"model.pth": b"x"}, {}, "'model.pth' holds weights without their network"),
    "no program": ({"model.pt2": b"x"}, {}, "torch cannot load 'model.pt2'"),
    "other shapes": (
        {"model.onnx": graphs.convolution([1, 3, 8, 8])},
        {"framework": "ONNX", "shapes": {"x": [1, 3, 9, 9]}},
        "gives 'x' the shape [1, 3, 9, 9]; the graph's is [1, 3, 8, 8]",
    ),
    "other inputs": (
        {"model.onnx": graphs.convolution([1, 3, 8, 8])},
        {"framework": "ONNX", "shapes": {"data": [1, 3, 8, 8]}},
        "DataInputConfig names data; the graph's inputs are x",
    ),
    "no shapes": (
        {"model.onnx": graphs.convolution([1, 3, "h", "w"])},
        {"framework": "ONNX"},
        "DataInputConfig is missing: the graph's input 'x' has free sides",
    ),
    "an operator that nobody has": (
        {"model.onnx": graphs.convolution([1, 3, 8, 8], "Spectralise", "acme")},
        {"framework": "ONNX"},
        "Spectralise",
    ),
    "no calibration samples": (
        {"model.onnx": graphs.convolution([1, 3, 8, 8])},
        {"framework": "ONNX", "options": {"precision": "int8"}},
        "int8 needs samples to calibrate with",
    ),
    "no booster": ({"notes.txt": b"x"}, {"framework": "XGBOOST"}, "holds no XGBoost model"),
    "a broken booster": ({"model.json": b"{"}, {"framework": "XGBOOST"}, "xgboost cannot read 'model.json'"),
}


@pytest.mark.parametrize("what", FAILING)
def test_a_model_that_cannot_be_compiled_is_refused_in_a_sentence(server: Server, bucket: str, what: str) -> None:
    files, changed, sentence = FAILING[what]
    name = f"bad-{uuid.uuid4().hex[:8]}"
    job = compiled(server, name, put_archive(server, bucket, name, files), **changed)
    assert job["CompilationJobStatus"] == "FAILED"
    assert job["FailureReason"].startswith("ClientError: ") and sentence in job["FailureReason"], job["FailureReason"]


OWN_FAILING = {
    "another shape": ({}, {"shapes": {"input": [1, 3, 224, 224]}}, "trained with image_shape 3,16,16"),
    "no graph": ({"model.onnx": None}, {}, "there is no model.onnx"),
    "no golden pictures": ({"golden/scores.json": None}, {}, "scores.json"),
    "a golden picture less": ({"golden/003.png": None}, {}, "lacks the golden picture '003.png'"),
    "a broken golden picture": ({"golden/003.png": b"x"}, {}, "golden picture '003.png' is not a picture"),
    "a golden picture elsewhere": (
        {"golden/scores.json": b'{"../model.json": [1, 0, 0]}'},
        {},
        "names '../model.json', which is no file of golden/",
    ),
    "fewer scores than labels": (
        {"model.onnx": graphs.classifier([*graphs.weights()[:2], graphs.weights()[2][:, :2]])},
        {},
        "names 3 labels, but its graph gives 2 scores",
    ),
    "an unknown label": ({}, {"options": {"thresholds": {"z": 0.5}}}, "names the label 'z'; the model's are a, b, c"),
}


@pytest.mark.parametrize("what", OWN_FAILING)
def test_an_archive_of_ours_that_lacks_something(server: Server, bucket: str, what: str) -> None:
    missing, changed, sentence = OWN_FAILING[what]
    name = f"own-bad-{uuid.uuid4().hex[:8]}"
    files = {path: missing.get(path, data) for path, data in graphs.archive(graphs.classifier()).items()}
    files = {path: data for path, data in files.items() if data is not None}
    job = compiled(server, name, put_archive(server, bucket, name, files), **changed)
    assert job["CompilationJobStatus"] == "FAILED"
    assert job["FailureReason"].startswith("ClientError: ") and sentence in job["FailureReason"], job["FailureReason"]


@pytest.mark.parametrize(
    ("body", "sentence"), [(b"no archive", "The archive at"), (None, "There is no object"), (b"", "The archive at")]
)
def test_a_broken_or_missing_archive(server: Server, bucket: str, body: bytes | None, sentence: str) -> None:
    name = f"broken-{uuid.uuid4().hex[:8]}"
    if body is not None:
        server.client("s3").put_object(Bucket=bucket, Key=f"{name}.tar.gz", Body=body)
    job = compiled(server, name, f"s3://{bucket}/{name}.tar.gz")
    assert job["CompilationJobStatus"] == "FAILED" and sentence in job["FailureReason"], job["FailureReason"]
    assert "CompilationStartTime" not in job


def test_a_calibration_prefix_without_objects(server: Server, bucket: str) -> None:
    name = f"uncalibrated-{RUN}"
    archive = put_archive(server, bucket, name, graphs.archive(graphs.classifier()))
    job = compiled(server, name, archive, options={"calibration": f"s3://{bucket}/nowhere-{RUN}/"})
    assert job["CompilationJobStatus"] == "FAILED"
    assert "channel 'calibration': there is no object at" in job["FailureReason"]


def test_a_job_that_takes_too_long_times_out(server: Server, bucket: str) -> None:
    name = f"slow-{RUN}"
    archive = put_archive(server, bucket, name, heavy())
    job = compiled(server, name, archive, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["CompilationJobStatus"] == "FAILED"
    assert job["FailureReason"] == "ClientError: TimeOut: The compilation took longer than MaxRuntimeInSeconds (1)."


def test_a_job_is_stopped_while_it_compiles(server: Server, bucket: str) -> None:
    name = f"stopped-{RUN}"
    sagemaker = server.client("sagemaker")
    sagemaker.create_compilation_job(**compilation_job(name, put_archive(server, bucket, name, heavy())))
    until(lambda: bool(running(server.state, f"/{name}/")))
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.delete_compilation_job(CompilationJobName=name)
    sagemaker.stop_compilation_job(CompilationJobName=name)
    sagemaker.stop_compilation_job(CompilationJobName=name)
    job = ended(sagemaker, name)
    assert (job["CompilationJobStatus"], job["FailureReason"]) == ("STOPPED", "")
    assert not running(server.state, f"/{name}/")
    bucket_of, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    assert "Contents" not in server.client("s3").list_objects_v2(Bucket=bucket_of, Prefix=key)
    with pytest.raises(ClientError, match="is in status STOPPED"):
        sagemaker.stop_compilation_job(CompilationJobName=name)
    until(lambda: not (server.state / "compilations").is_dir() or not any((server.state / "compilations").iterdir()))
    until(lambda: deleted(sagemaker, name))  # its record is written after its end
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_compilation_job(CompilationJobName=name)


def deleted(sagemaker: Any, name: str) -> bool:
    try:
        sagemaker.delete_compilation_job(CompilationJobName=name)
    except sagemaker.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceInUse"
        return False
    return True


def heavy() -> dict[str, bytes]:
    """An archive that takes some seconds to compile."""
    return graphs.archive(graphs.classifier(graphs.weights(channels=64), side=256), golden=48, side=256)


def test_somebody_s_onnx_file_with_samples_of_its_own(server: Server, bucket: str, tmp_path: Path) -> None:
    """A list of shapes, golden samples with scores, calibration samples: int8 of a graph of tensors."""
    name = f"foreign-{RUN}"
    files = {"net/model.onnx": graphs.convolution([1, 3, "h", "w"]), "labels.json": b'["x", "y", "z"]'}
    for number in range(12):
        x = np.random.default_rng(number).normal(0, 1, (1, 3, 12, 12)).astype(np.float32)
        folder = "golden" if number < 4 else "calibration"
        files[f"{folder}/{number}.npz"] = npz(x=x)
    archive = put_archive(server, bucket, name, files)
    changed = {"framework": "ONNX", "shapes": [[1, 3, 12, 12]], "options": {"precision": "int8", "tolerance": 0.5}}
    job = compiled(server, name, archive, **changed)
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    folder = unpacked(server, job["ModelArtifacts"]["S3ModelArtifacts"], tmp_path)
    model, told = folders.read(folder), certificate_of(folder)
    assert (model.labels, model.image_shape, model.precision) == (("x", "y", "z"), None, "int8")
    assert told["samples"] == {"count": 4, "labelled": 0, "origin": "the archive's golden/"}


def test_weights_beside_an_onnx_file(server: Server, bucket: str, tmp_path: Path) -> None:
    """They are taken into the compiled graph; where they are missing the job says so."""
    name = f"external-{RUN}"
    model = onnx.load_from_string(graphs.convolution([1, 3, 8, 8]))
    onnx.save(model, tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    files = {path: (tmp_path / path).read_bytes() for path in ("model.onnx", "weights.bin")}
    job = compiled(server, name, put_archive(server, bucket, name, files), framework="ONNX")
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    folder = unpacked(server, job["ModelArtifacts"]["S3ModelArtifacts"], tmp_path / "compiled")
    onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    alone = put_archive(server, bucket, f"{name}-alone", {"model.onnx": files["model.onnx"]})
    failed = compiled(server, f"{name}-alone", alone, framework="ONNX")
    assert (
        "'model.onnx' is not a valid ONNX graph" in failed["FailureReason"] and "weights.bin" in failed["FailureReason"]
    )


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softmax", "reg:squarederror"])
@pytest.mark.parametrize("form", ["json", "ubj"])
def test_trees_of_xgboost(server: Server, bucket: str, tmp_path: Path, objective: str, form: str) -> None:
    """The compiled trees give xgboost's own answers, to rows with missing values, too."""
    name = f"trees-{uuid.uuid4().hex[:8]}"
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 5)).astype(np.float32)
    target = (rows[:, 0] > 0) + (rows[:, 1] > 0) if objective == "multi:softmax" else rows[:, 0] * rows[:, 1] > 0
    more = {"num_class": 3} if objective == "multi:softmax" else {}
    booster = xgboost.train({"objective": objective, **more}, xgboost.DMatrix(rows, target), 8)
    file = tmp_path / f"model.{form}"
    booster.save_model(file)
    job = compiled(server, name, put_archive(server, bucket, name, {file.name: file.read_bytes()}), framework="XGBOOST")
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    folder = unpacked(server, job["ModelArtifacts"]["S3ModelArtifacts"], tmp_path / "compiled")
    assert certificate_of(folder)["forms"][0]["form"] == "trained (xgboost)"
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    rows[:20, 2] = np.nan
    [answers] = session.run(None, {session.get_inputs()[0].name: rows})
    own = booster.predict(xgboost.DMatrix(rows))
    found = {"binary:logistic": answers[:, -1], "multi:softmax": answers.argmax(axis=1)}.get(objective, answers[:, 0])
    assert found == pytest.approx(own, abs=1e-5)


def test_an_exported_program_of_pytorch_is_compiled_in_a_sandbox(server: Server, bucket: str, tmp_path: Path) -> None:
    """Held against torch's own answers; what could run in it would run shut in."""
    name = f"program-{RUN}"
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 3)
    )
    file = tmp_path / "model.pt2"
    torch.export.save(torch.export.export(network.eval(), (torch.zeros(1, 3, 8, 8),)), file)
    job = compiled(server, name, put_archive(server, bucket, name, {"model.pt2": file.read_bytes()}))
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    folder = unpacked(server, job["ModelArtifacts"]["S3ModelArtifacts"], tmp_path / "compiled")
    told = certificate_of(folder)
    assert told["forms"][0]["form"] == "trained (torch)" and told["largest_difference"] < 1e-5
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    x = torch.randn(1, 3, 8, 8)
    [answer] = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    assert answer == pytest.approx(network(x).detach().numpy(), abs=1e-5)
    assert any("aarch64: not run" in line and "sandbox" in line for line in log_of(server, name)) == SANDBOXED


@pytest.mark.parametrize(
    ("target", "options"),
    [("deeplens", None), ("ml_c5", None), ({"Os": "LINUX", "Arch": "X86_64"}, {"runtime": "ncnn"})],
    ids=["deeplens", "ml-c5", "ncnn"],
)
def test_what_was_compiled_for_x86_answers_at_an_endpoint(
    server: Server, bucket: str, target: str | dict[str, str], options: dict[str, str] | None
) -> None:
    """With OpenVINO, ONNX Runtime or ncnn, under the image that the job names; the same scores as the model that was trained."""
    name = f"served-{uuid.uuid4().hex[:8]}"
    files = graphs.archive(graphs.classifier())
    job = compiled(server, name, put_archive(server, bucket, name, files), target, options=options)
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"]
    described = deploy(server, name, job["ModelArtifacts"]["S3ModelArtifacts"], Image=job["InferenceImage"])
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    for picture, expected in list(json.loads(files["golden/scores.json"]).items())[:3]:
        assert classify(server, name, files[f"golden/{picture}"], "image/png") == pytest.approx(expected, abs=5e-3)
    server.client("sagemaker").delete_endpoint(EndpointName=name)
