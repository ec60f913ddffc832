"""From CreateTrainingJob to the first optimizer step of image-classification, on a server whose warm parent is ready."""

import statistics
import time

from bench.rows import Row
from bench.servers import tobo
from bench.training import first_line, train, upload
from tobo.line import marbles

JOBS = 7
HYPERPARAMETERS = {
    "num_classes": 2,
    "num_training_samples": 32,
    "num_layers": 20,
    "image_shape": "3,32,32",
    "epochs": 1,
    "mini_batch_size": 16,
}


def run() -> list[Row]:
    pictures = [(f"train/{photo.label}/{n}.jpg", marbles.jpeg(photo)) for n, photo in enumerate(marbles.photos(32))]
    with tobo(warm=True) as server:
        upload(server, pictures)
        train(server, "first", ["train"], HYPERPARAMETERS)  # until the warm parent has loaded torch
        seconds, whole = [], []
        for number in range(JOBS):
            time.sleep(0.5)  # what the last one left behind is cleared away
            job = train(server, f"job-{number}", ["train"], HYPERPARAMETERS)
            seconds.append(first_line(server, f"job-{number}", "Batch [0]") - job["asked_at"])
            whole.append(job["seconds"])
    note = f"p50 of {JOBS}, {min(seconds):.2f} to {max(seconds):.2f}; Completed after {statistics.median(whole):.2f}"
    return [Row("CreateTrainingJob to first optimizer step", statistics.median(seconds), "s", aim=0.5, note=note)]
