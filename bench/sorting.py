"""Marbles in the right bin: the story's two versions, trained as it trains them, on simulated lines that nobody tuned for.

The agent's own loop sorts in the lines' virtual time, so that no answer is late because this machine is busy. Version 1
learns from the demo's photos; version 2 also from the frames that it would have sent home.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bench.rows import Row
from tobo.cli.line import NOVEL_SHARE, TARGET, line_recipe
from tobo.cli.story.factory import KEEP
from tobo.cli.story.photos import SHARE, Collection, Picture, marbles, split
from tobo.edge import classifier, loop
from tobo.edge.decision import Rule
from tobo.edge.keeper import QUALITY
from tobo.edge.loop import Keeping, Loop, Model
from tobo.edge.records import Record, Records
from tobo.inference.pictures import encode_jpeg
from tobo.kit.paths import MlPaths
from tobo.line.config import LineConfig, Mix
from tobo.line.twin import Line

PHOTOS, COUNT, SEEDS = 800, 1000, range(11, 16)
HOME, HOME_COUNT = (1, 2), 250
"""The lines, and the marbles of each, from which version 2 has its frames."""
NEW = Mix(novel=NOVEL_SHARE)


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="tobo-bench-") as name:
        known = marbles(PHOTOS)
        first = _model(Path(name) / "1", known)
        frames = [frame for seed in HOME for frame in _frames(first, seed)]
        more, check = split(frames, SHARE, 0)
        second = _model(Path(name) / "2", replace(known, train=known.train + more, validation=known.validation + check))
        rows = [_row("version 1", first, Mix()), _row("version 1, a quarter metallic", first, NEW, None)]
        return [*rows, _row(f"version 2, {len(frames)} frames more", second, NEW)]


def _row(what: str, model: Model, mix: Mix, aim: float | None = 99.0) -> Row:
    rights, wrong = [], Counter[str]()
    for seed in SEEDS:
        done, found = _sorted(model, LineConfig(seed=seed, mix=mix), COUNT)
        rights.append(100 * done.tally.right / done.tally.sorted)
        wrong += found
    told = ", ".join(f"{kind} {count}" for kind, count in wrong.most_common())
    note = f"{min(rights):.1f} to {max(rights):.1f}; wrong: {told}"
    mean = sum(rights) / len(rights)
    return Row(f"{what}: in the right bin", mean, "%", aim=aim, at_least=True, note=note)


def _sorted(model: Model, config: LineConfig, count: int) -> tuple[Line, Counter[str]]:
    """A line whose marbles are all in a bin; why those in the wrong one are there."""
    line, seen = Line(config, limit=count), 0
    wrong: Counter[str] = Counter()
    sorting = _loop(line, model, Keeping(0.0, 0.0))
    while not line.done:
        sorting.step(0.5)
        sorting.records.take()
        new = line.tally.sorted - seen
        for fallen in list(line.tally.fallen)[-new:] if new else ():
            if fallen.bin != fallen.marble.label:
                wrong["by hand" if fallen.hand else "late" if fallen.late else fallen.marble.kind] += 1
        seen += new
    return line, wrong


def _loop(line: Line, model: Model, keeping: Keeping) -> Loop:
    rule = Rule(budget=line.config.budget, separation=line.config.separation)
    parts = loop.Line(line.timer, line.trigger, line.camera, line.actuator)
    return Loop(parts, model, rule, keeping, Records(limit_frames=COUNT), seed=line.config.seed)


def _frames(model: Model, seed: int) -> Iterable[Picture]:
    """What a device keeps, labelled."""
    line = Line(LineConfig(seed=seed, mix=NEW), limit=HOME_COUNT)
    sorting = _loop(line, model, Keeping(KEEP.margin, KEEP.share, KEEP.per_minute))
    while not line.done:
        record: Record | None = sorting.step(0.5)
        if record is not None and record.frame is not None:
            marble = line.shown(record.frame)
            label = "ko" if marble is None else marble.label
            yield Picture(f"{label}/{seed}-{record.number}.jpg", label, encode_jpeg(record.frame.pixels, QUALITY))


def _model(folder: Path, collection: Collection) -> Model:
    trained, compiled = MlPaths(folder / "train"), MlPaths(folder / "compile")
    trained.make()
    for channel, pictures in (("train", collection.train), ("validation", collection.validation)):
        for picture in pictures:
            file = trained.channel(channel) / picture.name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture.read())
    sizes = {"num_classes": "2", "num_training_samples": str(len(collection.train))}
    trained.hyperparameters.write_text(json.dumps({**line_recipe(), **sizes}))
    _entry("tobo.algorithms.image_classification.train", trained)
    compiled.make()
    compiled.channel("model").parent.mkdir(parents=True)
    compiled.channel("model").symlink_to(trained.model)
    asked = {"InputConfig": {"Framework": "PYTORCH"}, "OutputConfig": {"TargetDevice": TARGET}}
    (compiled.config / "compilation.json").write_text(json.dumps(asked))
    _entry("tobo.compilers.job", compiled)
    return Model(classifier.load(compiled.model))


def _entry(module: str, paths: MlPaths) -> None:
    environment = {**os.environ, "TOBO_ML_ROOT": str(paths.root), "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, "-c", f"from {module} import main; main()"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
