"""Head training on 500 crops of printed circuit boards with a pretrained MobileNetV2 (data and weights from TOBO_SHARED)."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

from bench.rows import Row
from bench.servers import tobo
from bench.training import train, upload

SHARED = Path(os.environ.get("TOBO_SHARED", Path(__file__).parents[2] / "shared"))
TRAINED, TESTED = 500, 350


def run() -> list[Row]:
    what = f"head training, {TRAINED} PCB crops"
    crops, weights = SHARED / "data" / "deeppcb_crops", SHARED / "weights"
    if not crops.is_dir() or not weights.is_dir():
        return [Row(what, None, "s", aim=15, note=f"no {crops} (TOBO_SHARED)")]
    hyperparameters = {
        "num_classes": len([folder for folder in (crops / "train").iterdir() if folder.is_dir()]),
        "num_training_samples": TRAINED,
        "image_shape": "3,128,128",
        "backbone": "mobilenet_v2",
        "train_layers": "head",
        "use_pretrained_model": 1,
    }
    with tobo(warm=True, TOBO_PRETRAINED=str(weights)) as server:
        upload(
            server, [*_pictures(crops / "train", "train", TRAINED), *_pictures(crops / "test", "validation", TESTED)]
        )
        job = train(server, "head", ["train", "validation"], hyperparameters)
    accuracy = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}["validation:accuracy"]
    return [
        Row(what, job["seconds"], "s", aim=15, note="CreateTrainingJob to Completed, warm"),
        Row(f"its accuracy on {TESTED} others", accuracy, "", aim=0.69, at_least=True),
    ]


def _pictures(folder: Path, channel: str, count: int) -> Iterator[tuple[str, bytes]]:
    """(key, bytes) of so many pictures, drawn with one seed."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    for file in random.Random(0).sample(files, count):
        yield f"{channel}/{file.relative_to(folder)}", file.read_bytes()
