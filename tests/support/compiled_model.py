"""Compiled folders for tests: a graph as the built-in algorithm exports it, untrained, with golden pictures of its own."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from onnx import TensorProto
from PIL import Image
from tests.support import graphs

from tobo.algorithms.image_classification import export
from tobo.algorithms.image_classification.classifier import Preprocessing, build
from tobo.algorithms.image_classification.onnx_graph import Graph
from tobo.algorithms.image_classification.settings import parse
from tobo.compilers.model import Sample, Samples, Source
from tobo.compilers.ncnn import Ncnn
from tobo.edge import compiled
from tobo.edge.bundle import Manifest, list_files, pack, seal
from tobo.edge.compiled import Compiled
from tobo.edge.prove import Prove, prove
from tobo.line import marbles

LABELS = ("ko", "ok")


@cache
def graph(seed: int = 0, architecture: str = "tiny", size: int = 32) -> bytes:
    """An ONNX graph with random weights; another seed is another model.

    "tiny" looks at the mean colour alone; "convolutions" resizes, convolves and has the three labels of graphs.py.
    """
    if architecture == "tiny":
        return _tiny(seed)
    if architecture == "convolutions":
        return graphs.classifier(graphs.weights(seed))
    torch.manual_seed(seed)
    sent = {
        "num_classes": "2",
        "num_training_samples": "9",
        "image_shape": f"3,{size},{size}",
        "backbone": architecture,
    }
    settings = parse(sent)
    return export.onnx_model(build(settings, Preprocessing()), settings)


def _tiny(seed: int) -> bytes:
    rng, nodes = np.random.default_rng(seed), Graph()
    mean = nodes.node(
        "ReduceMean", [nodes.node("Cast", ["pictures"], to=TensorProto.FLOAT), nodes.integers(1, 2)], keepdims=0
    )
    weights = nodes.constant(rng.normal(0, 0.02, (3, 2)).astype(np.float32))
    nodes.node("Softmax", [nodes.node("MatMul", [mean, weights])], "scores")
    return nodes.model(("pictures", ("n", "h", "w", 3)), ("scores", TensorProto.FLOAT, ("n", 2)))


@cache
def pictures(count: int = 3, size: int = 48) -> tuple[np.ndarray, ...]:
    return tuple(photo.pixels for photo in marbles.photos(count, seed=5, size=size))


def compiled_folder(
    folder: Path, seed: int = 0, architecture: str = "tiny", size: int = 32, target: str = "rasp4b", **changed: object
) -> Path:
    """A folder as a compiler writes it; `changed` are fields of Compiled. For ncnn the graph has to have convolutions."""
    (folder / "golden").mkdir(parents=True)
    data = graph(seed, architecture, size)
    (folder / "model.onnx").write_bytes(data)
    (folder / "labels.json").write_text(json.dumps(LABELS))
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    golden = {}
    for index, pixels in enumerate(pictures()):
        name = f"{index}.png"
        Image.fromarray(pixels).save(folder / "golden" / name)
        golden[name] = session.run(None, {"pictures": pixels[None]})[0][0].tolist()
    (folder / "golden" / "scores.json").write_text(json.dumps(golden))
    fields = {"target": target, "runtime": "onnxruntime", "precision": "fp32", "graph": "model.onnx", "labels": LABELS}
    if changed.get("runtime") == "ncnn":
        fields["graph"] = _convert(folder)
    compiled.write(folder, Compiled(**{**fields, "image_shape": (3, size, size), **changed}))
    return folder


def _convert(folder: Path) -> str:
    """Puts what ncnn runs in the place of model.onnx; the graph's name."""
    pictured = Samples((lambda: Sample({"pictures": pictures()[0][None]}),))
    source = folder / "model.onnx"
    built = Ncnn().compile(Source(source, "torch", pictured, pictured, pictures=True), folder)
    source.unlink()
    return built.graph


def proving(*keys: Ed25519PrivateKey, account: str = "111122223333", target: str = "rasp4b") -> Prove:
    """Proof in this process, which is quicker than in a child."""
    pems = "".join(public_pem(key) for key in keys)
    return lambda folder, probe=False: prove(folder, pems, account, target, probe)


def public_pem(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def bundle(
    folder: Path,
    key: Ed25519PrivateKey,
    sequence: int,
    account: str = "111122223333",
    target: str = "rasp4b",
    architecture: str = "tiny",
    **changed: object,
) -> Path:
    """A sealed and packed bundle `<folder>.tar.gz`; each sequence has a model of its own."""
    compiled_folder(folder, seed=sequence, target=target, architecture=architecture, **changed)
    manifest = Manifest("marbles", f"{sequence}.0", sequence, account, target, 1.5, list_files(folder))
    seal(folder, manifest, key)
    archive = folder.with_name(f"{folder.name}.tar.gz")
    pack(folder, archive)
    return archive
