"""The device's agent: frame to command, start to first decision, memory at rest; MobileNetV2 at 128 px, one thread."""

import http.server
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image

from bench.listener import listener
from bench.rows import Row
from tobo.algorithms.image_classification import export
from tobo.algorithms.image_classification.classifier import Preprocessing, build
from tobo.algorithms.image_classification.settings import parse
from tobo.edge import classifier, compiled
from tobo.edge.actuators.silent import NoActuator
from tobo.edge.bundle import Manifest, list_files, seal
from tobo.edge.compiled import Compiled
from tobo.edge.live import EVERY, small_jpeg
from tobo.edge.loop import Line, Loop, Model
from tobo.edge.ports import Frame
from tobo.edge.timers import SystemTimer
from tobo.line import marbles

SIDE, PARTS = 128, 2000
ACCOUNT, TARGET = "111122223333", "linux_x86_64"
_HYPERPARAMETERS = {
    "num_classes": "2",
    "num_training_samples": "2",
    "image_shape": f"3,{SIDE},{SIDE}",
    "backbone": "mobilenet_v2",
}

Pixels = npt.NDArray[np.uint8]


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shown = [photo.pixels for photo in marbles.photos(40, seed=3, size=SIDE)]
        for index, pixels in enumerate(shown):
            Image.fromarray(pixels).save(folder / f"{index}.png")
        settings = parse(_HYPERPARAMETERS)
        graph = export.onnx_model(build(settings, Preprocessing()), settings)
        full = _compiled(folder / "fp32", graph, shown, "fp32")
        small = _compiled(folder / "int8", _quantized(folder, graph, shown), shown, "int8")
        started = min(_start_to_first_decision(_device(folder, full, 0.01, f"start-{turn}")) for turn in range(3))
        rows = [
            *_latency(full, shown),
            _watched(full, shown),
            Row("agent start to first decision", started, "s", aim=2.0),
        ]
        for name, model, aim in (("int8", small, 80.0), ("fp32", full, None)):
            resident = _idle_mib(_device(folder, model, 10_000, f"idle-{name}"))
            rows.append(Row(f"idle agent, {name}, RSS", resident, "MiB", aim=aim, note="model loaded, page open"))
        return rows


class _Shown:
    """A camera that costs nothing, and a trigger that never waits."""

    def __init__(self, shown: list[Pixels], timer: SystemTimer) -> None:
        self._shown, self._timer, self._number = shown, timer, 0

    def wait(self, timeout: float) -> float | None:
        return self._timer.now()

    def grab(self) -> Frame:
        self._number += 1
        return Frame(self._shown[self._number % len(self._shown)], self._timer.now(), self._number)

    def close(self) -> None:
        pass


def _latency(model: Path, shown: list[Pixels]) -> list[Row]:
    timer = SystemTimer()
    shows = _Shown(shown, timer)
    loaded = classifier.load(model)
    loop = Loop(Line(timer, shows, shows, NoActuator()), Model(loaded))
    begin = time.thread_time()
    for _ in range(PARTS):
        loop.step(1.0)
        loop.records.take()
    sorted_in = time.thread_time() - begin
    begin = time.thread_time()
    for number in range(PARTS):
        loaded.classify(shown[number % len(shown)])
    classified_in = time.thread_time() - begin
    found = loop.tally.percentiles(50, 99)
    assert found is not None
    p50, p99 = found
    return [
        Row("frame to command, p99", p99, "ms", aim=20.0, note=f"{SIDE} px, {PARTS} parts, one thread"),
        Row(
            "frame to command",
            sorted_in / PARTS * 1000,
            "CPU-ms",
            "the model alone",
            classified_in / PARTS * 1000,
            aim_ratio=1.2,
        ),
        Row("frame to command, p50", p50, "ms", note=f"jitter, p99 less p50: {p99 - p50:.1f} ms"),
    ]


def _watched(model: Path, shown: list[Pixels]) -> Row:
    """The same with a live view: pictures of a large camera, made and sent in a thread as often as the agent does."""
    large = [np.repeat(np.repeat(pixels, 8, 0), 8, 1) for pixels in shown[:8]]
    timer = SystemTimer()
    shows = _Shown(large, timer)
    loop = Loop(Line(timer, shows, shows, NoActuator()), Model(classifier.load(model)))
    over = threading.Event()

    def show() -> None:
        while not over.wait(EVERY):
            if loop.latest is not None:
                small_jpeg(loop.latest[0])

    found: dict[bool, list[float]] = {}
    for watched in (False, True):
        loop.tally.latencies.clear()
        thread = threading.Thread(target=show)
        if watched:
            thread.start()
        for _ in range(PARTS):
            loop.step(1.0)
            loop.records.take()
        found[watched] = loop.tally.percentiles(99) or [0.0]
        over.set()
    side = large[0].shape[0]
    return Row(
        "frame to command while somebody looks, p99", found[True][0], "ms", "nobody", found[False][0], note=f"{side} px"
    )


def _compiled(folder: Path, graph: bytes, shown: list[Pixels], precision: str) -> Path:
    (folder / "golden").mkdir(parents=True)
    (folder / "model.onnx").write_bytes(graph)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    golden = {}
    for index, pixels in enumerate(shown[:4]):
        Image.fromarray(pixels).save(folder / "golden" / f"{index}.png")
        golden[f"{index}.png"] = session.run(None, {"pictures": pixels[None]})[0][0].tolist()
    (folder / "golden" / "scores.json").write_text(json.dumps(golden))
    compiled.write(folder, Compiled(TARGET, "onnxruntime", precision, "model.onnx", ("ko", "ok"), (3, SIDE, SIDE)))
    return folder


def _quantized(folder: Path, graph: bytes, shown: list[Pixels]) -> bytes:
    """QDQ, calibrated on a few of the pictures; only its size in memory is looked at."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    class Pictures(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = iter(shown[:8])

        def get_next(self) -> dict[str, Pixels] | None:
            pixels = next(self._left, None)
            return None if pixels is None else {"pictures": pixels[None]}

    (folder / "fp32.onnx").write_bytes(graph)
    quantize_static(folder / "fp32.onnx", folder / "int8.onnx", Pictures(), quant_format=QuantFormat.QDQ)
    return (folder / "int8.onnx").read_bytes()


def _device(folder: Path, model: Path, seconds: float, name: str) -> Path:
    """The folders of a device that was enrolled and deployed to, and whose house is away."""
    device = folder / name
    slot, enrolment = device / "state" / "slots" / "a", device / "enrolment"
    enrolment.mkdir(parents=True)
    key = Ed25519PrivateKey.generate()
    slot.parent.mkdir(parents=True)
    subprocess.run(["cp", "-r", model, slot], check=True)
    seal(slot, Manifest("marbles", "1.0", 1, ACCOUNT, TARGET, 0.0, list_files(slot)), key)
    (slot.parent / "current.json").write_text(json.dumps({"slot": "a", "sources": {}}))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    away = {"endpoint": "http://127.0.0.1:1", "credentials": "http://127.0.0.1:1/credentials", "mqtt": None}
    names = {
        "account": ACCOUNT,
        "region": "us-east-1",
        "fleet": "line",
        "device": name,
        "target": TARGET,
        "thing": name,
    }
    (enrolment / "device.json").write_text(json.dumps({"format": 1, **names, **away}))
    (enrolment / "signing.pem").write_bytes(public)
    for file in ("device.pem", "device.key", "authority.pem"):
        (enrolment / file).write_text("")
    with _free_port() as port:
        (device / "agent.toml").write_text(
            f'state = "{device / "state"}"\n'
            f'[camera]\nkind = "folder"\nsource = "{folder}"\n'
            f"[trigger]\nseconds = {seconds}\n"
            f"[page]\nport = {port}\n"
        )
    return device


@contextmanager
def _free_port() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        yield server.server_port


@contextmanager
def _running(device: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (device / "log").open("wb") as log:
        agent = subprocess.Popen([sys.executable, "-m", "tobo.edge", "run", "--folder", device], stderr=log)
    try:
        yield agent
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait(timeout=30)


def _start_to_first_decision(device: Path) -> float:
    """Seconds from exec to the first command that the arm gets."""
    commanded: list[float] = []

    def take(headers: Mapping[str, str], body: bytes) -> int:
        commanded.append(time.monotonic())
        return 200

    with listener(take) as address:
        with (device / "agent.toml").open("a") as settings:
            settings.write(f'[actuator]\nkind = "http"\nurl = "{address}"\ntimeout_ms = 5000\n')
        begin = time.monotonic()
        with _running(device):
            while not commanded and time.monotonic() - begin < 60:
                time.sleep(0.005)
    return commanded[0] - begin


def _idle_mib(device: Path) -> float:
    with _running(device) as agent:
        deadline = time.monotonic() + 60
        while not (device / "state" / "page.json").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(3)
        for line in Path(f"/proc/{agent.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise AssertionError("a running process has a VmRSS")
