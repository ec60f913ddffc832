"""Small training jobs for tests: an /opt/ml tree with drawn shapes, and the algorithm's own entry in a process of its own."""

import io
import json
import multiprocessing
import os
import random
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from tobo.kit.paths import MlPaths

CLASSES = ("disc", "square")

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tobo.algorithms.image_classification.train"])


def shape(kind: str, seed: int, size: int = 24) -> Image.Image:
    """A light disc or square on dark ground, anywhere, a little taller than wide."""
    place = random.Random(seed)
    image = Image.new("RGB", (size, size + 4), (place.randrange(60), place.randrange(60), place.randrange(60)))
    side = size // 2
    x, y = place.randrange(size - side), place.randrange(size - side)
    colour = tuple(place.randrange(150, 256) for _ in range(3))
    draw = ImageDraw.Draw(image)
    (draw.ellipse if kind == "disc" else draw.rectangle)((x, y, x + side, y + side), fill=colour)
    return image


def encoded(image: Image.Image, form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, form)
    return stream.getvalue()


def picture(kind: str, seed: int) -> bytes:
    return encoded(shape(kind, seed))


@dataclass(frozen=True)
class Ended:
    """How a job ended: exit code, what it printed, and its output/failure ("" where it wrote none)."""

    code: int | None
    log: str
    failure: str


class Job:
    """One /opt/ml tree under `root`, with small settings that a test overrides; `environment` is added to the job's."""

    def __init__(self, root: Path, environment: dict[str, str] | None = None, **hyperparameters: Any) -> None:
        self.environment = environment or {}
        self.paths = MlPaths(root)
        self.paths.make()
        self.set(**hyperparameters)

    def set(self, **hyperparameters: Any) -> None:
        values = {
            "num_classes": 2,
            "num_training_samples": 32,
            "num_layers": 20,
            "image_shape": "3,16,16",
            "epochs": 1,
            "mini_batch_size": 8,
            "learning_rate": 0.01,
            "optimizer": "adam",
            **hyperparameters,
        }
        self.paths.hyperparameters.write_text(json.dumps({name: str(value) for name, value in values.items()}))

    def add(self, channel: str, name: str, data: bytes | str) -> Path:
        file = self.paths.channel(channel) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return file

    def add_folders(self, channel: str = "train", count: int = 16, seed: int = 0) -> None:
        """One folder a class, `count` pictures each."""
        for kind in CLASSES:
            for number in range(count):
                self.add(channel, f"{kind}/{number:03d}.png", picture(kind, seed + number))

    def start(self) -> "multiprocessing.process.BaseProcess":
        process = _processes.Process(target=_become, args=(str(self.paths.root), self.environment))
        process.start()
        return process

    def run(self) -> Ended:
        return self.end(self.start())

    def end(self, process: "multiprocessing.process.BaseProcess") -> Ended:
        process.join(120)
        if process.is_alive():
            process.kill()
            process.join()
        failure = self.paths.failure.read_text() if self.paths.failure.exists() else ""
        return Ended(process.exitcode, self.log(), failure)

    def log(self) -> str:
        return (self.paths.root / "log").read_text()

    def output(self, name: str) -> Any:
        """A JSON file of the model folder."""
        return json.loads((self.paths.model / name).read_text())


def _become(root: str, environment: dict[str, str]) -> None:
    """In the child: the entry, with its output in a file."""
    log = os.open(Path(root) / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - the process's own
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.update(environment)
    os.environ["TOBO_ML_ROOT"] = root
    os.environ["OMP_NUM_THREADS"] = "1"
    from tobo.algorithms.image_classification.train import main

    main()
