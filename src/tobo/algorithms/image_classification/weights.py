"""Where pretrained weights come from, and what they expect of their input.

Looked for in this order: the hyperparameter `pretrained_weights`, the environment's TOBO_PRETRAINED (each `formula`, a
file, a folder with `<architecture>.safetensors`, an s3:// address of either, or a hub name `owner/model`), what tobo
brings itself (`formula`: MobileNetV2), the Hugging Face cache, the hub.
"""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load
from torch import Tensor

from tobo.algorithms.image_classification import shipped
from tobo.algorithms.image_classification.classifier import GREY, Classifier, HeadClassifier, Preprocessing
from tobo.algorithms.image_classification.settings import Settings
from tobo.kit.guest import UserError

HUB = {
    **{f"resnet{layers}": f"timm/resnet{layers}.tv_in1k" for layers in (18, 34, 50, 101, 152)},
    "mobilenetv2_100": "timm/mobilenetv2_100.ra_in1k",
}
"""Published weights with our state-dict names. Nobody publishes a plain ResNet-200."""

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_PATIENCE = 4.0
"""Seconds without an answer after which the hub counts as out of reach."""


class Weights(NamedTuple):
    """A published state dict and the input it was trained on."""

    source: str
    state: dict[str, Tensor]
    preprocessing: Preprocessing


class _NotThere(UserError):
    """This place has no such weights; another one may."""


def find(settings: Settings) -> Weights:
    """The pretrained weights for these settings; raises UserError saying how to supply them."""
    architecture = settings.architecture
    if settings.pretrained_weights:
        return _locate(settings.pretrained_weights, "pretrained_weights", architecture)
    shared, looked = os.environ.get("TOBO_PRETRAINED", ""), ""
    if shared:
        try:
            return _locate(shared, "TOBO_PRETRAINED", architecture)
        except _NotThere as error:  # a folder for several networks need not have this one
            looked = f"{error} "
    if architecture in shipped.SHA256:
        if looked:
            print(f"Note: {looked}", flush=True)
        return _shipped(architecture)
    if architecture not in HUB:
        raise UserError(
            f"{looked}The hub has no weights for {architecture}; name a file with pretrained_weights, set "
            f"backbone=mobilenet_v2, whose weights tobo brings, or use_pretrained_model=0."
        )
    try:
        return read(_from_hub(HUB[architecture], architecture), architecture)
    except _NotThere as error:
        raise UserError(f"{looked}{error}") from None


def _shipped(architecture: str) -> Weights:
    """The weights in the package."""
    return parse(shipped.read(architecture), shipped.NAME, architecture)


def _locate(place: str, origin: str, architecture: str) -> Weights:
    """The weights that `origin` names."""
    if place == shipped.NAME:
        return _shipped(architecture)
    if place.startswith("s3://"):
        return _from_s3(place, architecture)
    path = Path(place).expanduser()
    if path.is_file():
        return read(path, architecture)
    if path.is_dir():
        file = path / f"{architecture}.safetensors"
        if file.is_file():
            return read(file, architecture)
        there = ", ".join(sorted(each.name for each in path.glob("*.safetensors"))) or "no .safetensors file"
        raise _NotThere(f"{origin}='{place}' has no {file.name} (it holds {there}).")
    if place.count("/") == 1 and not place.startswith((".", "/", "~")):
        return read(_from_hub(place, architecture), architecture)
    raise UserError(f"{origin}='{place}' is neither a file nor a folder; it has to lead to {architecture}.safetensors.")


def _from_s3(address: str, architecture: str) -> Weights:
    """Fetches an object; botocore knows AWS_ENDPOINT_URL and the job's credentials."""
    from botocore import session  # here, as few jobs need it
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not key.endswith(".safetensors"):
        key = f"{key.rstrip('/')}/{architecture}.safetensors".lstrip("/")
    try:
        client: Any = session.get_session().create_client("s3")
        data = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (BotoCoreError, ClientError) as error:
        missing = isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchKey"
        refusal = _NotThere if missing else UserError
        raise refusal(f"The weights s3://{bucket}/{key} could not be fetched: {error}.") from None
    return parse(data, f"s3://{bucket}/{key}", architecture)


def _from_hub(name: str, architecture: str) -> Path:
    """A file of the Hugging Face cache, or a download into our own (HF_HUB_OFFLINE=1 forbids it)."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    folder = Path(os.environ.get("HF_HUB_CACHE", home / "hub")) / f"models--{name.replace('/', '--')}"
    for file in sorted(folder.glob("snapshots/*/model.safetensors")):
        return file
    kept = home / "tobo" / name.replace("/", "--") / "model.safetensors"
    if kept.is_file():
        return kept
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    reason = "HF_HUB_OFFLINE is set"
    if os.environ.get("HF_HUB_OFFLINE", "") not in ("1", "true", "True"):
        try:
            _download(f"{endpoint}/{name}/resolve/main/model.safetensors", kept)
            return kept
        except (OSError, urllib.error.URLError) as error:
            reason = str(getattr(error, "reason", error))
    raise _NotThere(
        f"Pretrained weights for {architecture} are not on this machine and could not be fetched from {endpoint} "
        f"({reason}); put {architecture}.safetensors into a folder and name it with TOBO_PRETRAINED or the "
        f"hyperparameter pretrained_weights, set backbone=mobilenet_v2, whose weights tobo brings, or "
        f"use_pretrained_model=0."
    )


def _download(url: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer, partial.open("wb") as file:
            while piece := answer.read(1 << 20):
                file.write(piece)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def read(file: Path, architecture: str) -> Weights:
    """Reads a safetensors file; raises UserError where it is none."""
    return parse(file.read_bytes(), str(file), architecture)


def parse(data: bytes, source: str, architecture: str) -> Weights:
    """Weights as float32 from the bytes of a safetensors file (https://huggingface.co/docs/safetensors, "Format")."""
    try:
        state = load(data)
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})
    except Exception as error:  # safetensors raises a bare type of its own
        raise UserError(f"'{source}' is not a safetensors file ({error}).") from None
    state = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    return Weights(source, state, preprocessing_of(metadata, architecture, state))


def preprocessing_of(metadata: dict[str, str], architecture: str, state: dict[str, Tensor]) -> Preprocessing:
    """What a file's weights expect.

    Our own files say it in their metadata (`mean`, `deviation`, `padding`). Otherwise: converted from TFLite means
    "SAME" padding and -1 to 1; MobileNets without a classifier are formula-made and take -1 to 1; everything else was
    trained on ImageNet's mean and deviation.
    """
    if "mean" in metadata and "deviation" in metadata:
        mean, deviation = ([float(x) for x in metadata[key].split(",")] for key in ("mean", "deviation"))
        same = metadata.get("padding") == "same"
        return Preprocessing((mean[0], mean[1], mean[2]), (deviation[0], deviation[1], deviation[2]), same)
    if "tflite" in metadata.get("source", ""):
        return Preprocessing(same_padding=True)
    if architecture == "mobilenetv2_100" and "classifier.weight" not in state:
        return Preprocessing()
    return Preprocessing(*_IMAGENET)


def put(network: Classifier | HeadClassifier, weights: Weights) -> None:
    """Loads weights into a network; the last layer too where it fits. Raises UserError where the backbone does not.

    With one input channel the first convolution's kernels are summed by luma.
    """
    backbone = network.backbone
    own, state = backbone.state_dict(), dict(weights.state)
    for name in ("conv1.weight", "conv_stem.weight"):
        if name in state and name in own and own[name].shape[1] == 1 and state[name].shape[1] == 3:
            state[name] = (state[name] * torch.tensor(GREY)[None, :, None, None]).sum(1, keepdim=True)
    last = f"{backbone.classifier_name}."
    wanted = [name for name in own if not name.endswith("num_batches_tracked") and not name.startswith(last)]
    odd = [name for name in wanted if name not in state or state[name].shape != own[name].shape]
    if odd:
        raise UserError(
            f"The weights '{weights.source}' do not fit the network: '{odd[0]}' is missing or has another shape "
            f"({len(odd)} of {len(wanted)} such)."
        )
    fitting = {name: value for name, value in state.items() if name in own and value.shape == own[name].shape}
    backbone.load_state_dict(fitting, strict=False)
