"""A model archive of the built-in image classification: its graph, its labels and the pictures that travel with it.

What the archive holds is written by algorithms/image_classification/export.py and golden.py. An archive of an earlier
version, without labels.json in golden/ and without calibration/, is read, too.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tobo.compilers.model import Sample, Samples, Source
from tobo.inference.pictures import UnreadablePicture, decode
from tobo.kit.guest import UserError

_INPUT = "pictures"


def is_one(folder: Path) -> bool:
    """Whether an archive says that it is one."""
    try:
        found = json.loads((folder / "model.json").read_text())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("algorithm") == "image-classification"


def read(folder: Path, shapes: Mapping[str, tuple[int, ...]] | None, calibration: Path | None) -> Source:
    """Raises UserError: no graph, no golden pictures, shapes that are not the network's, broken calibration pictures."""
    if not (folder / "model.onnx").is_file():
        raise UserError(
            "The archive's model.json says that it is an image classifier, but there is no model.onnx; give the archive "
            "as the training job wrote it."
        )
    try:
        about = json.loads((folder / "model.json").read_text())
        labels = tuple(str(label) for label in about["labels"])
        channels, height, width = about["image_shape"]
        multi_label, preprocessing = bool(about["multi_label"]), {**about["preprocessing"], "resize": about["resize"]}
        examined = _golden(folder / "golden", labels)
    except UserError:
        raise
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise UserError(
            f"The archive's model.json or golden/ lacks or mistypes {error}; train the model again."
        ) from None
    if not len(examined):
        raise UserError("The archive has no golden pictures to prove a compiled model with; train the model again.")
    _check_shapes(shapes, (channels, height, width))
    return Source(
        graph=folder / "model.onnx",
        reference="torch",
        examined=examined,
        calibration=_calibration(folder / "calibration", calibration),
        labels=labels,
        pictures=True,
        multi_label=multi_label,
        image_shape=(channels, height, width),
        preprocessing=preprocessing,
        scores=_distribution(folder),
    )


def picture(file: Path) -> dict[str, npt.NDArray[Any]]:
    """The graph's input for a picture; raises UnreadablePicture, OSError."""
    return {_INPUT: decode(file.read_bytes()).pixels[None]}


def readable(folder: Path) -> Iterator[Path]:
    """The files of a folder and the folders below it that are pictures, in the order of their names."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else ():
        try:
            decode(file.read_bytes())
        except UnreadablePicture as error:
            print(f"Skipped: '{file.name}' for calibration {error}.", flush=True)
            continue
        yield file


def _golden(folder: Path, labels: tuple[str, ...]) -> Samples:
    expected = json.loads((folder / "scores.json").read_text())
    known = folder / "labels.json"
    truth = json.loads(known.read_text()) if known.is_file() else {}
    if astray := next((name for name in expected if Path(name).name != name), None):
        raise UserError(f"The archive's golden/scores.json names '{astray}', which is no file of golden/.")

    def sample(name: str) -> Sample:
        file = folder / name
        try:
            feeds = picture(file)
        except UnreadablePicture as error:
            raise UserError(f"The archive's golden picture '{name}' {error}; train the model again.") from None
        except OSError:
            raise UserError(f"The archive lacks the golden picture '{name}'; train the model again.") from None
        return Sample(feeds, np.array(expected[name], np.float32), _flags(truth.get(name), len(labels)), file)

    return Samples(tuple(partial(sample, name) for name in sorted(expected)), "golden pictures of the training job")


def _flags(label: Any, count: int) -> npt.NDArray[np.bool_] | None:
    """A class index, or one 0 or 1 for each class, as bool [count]."""
    if label is None:
        return None
    if isinstance(label, list):
        return np.array(label, np.bool_)
    return np.array([index == label for index in range(count)], np.bool_)


def _calibration(own: Path, given: Path | None) -> Samples:
    """Those that the request names, in place of the archive's."""
    folder = own if given is None else given
    readers: list[Callable[[], Sample]] = [partial(_unlabelled, file) for file in readable(folder)]
    if given is not None and not readers:
        raise UserError("None of the objects at CompilerOptions.calibration is a picture.")
    return Samples(tuple(readers), "the archive's calibration/" if given is None else "CompilerOptions.calibration")


def _unlabelled(file: Path) -> Sample:
    return Sample(picture(file), file=file)


def _check_shapes(shapes: Mapping[str, tuple[int, ...]] | None, own: tuple[int, int, int]) -> None:
    """DataInputConfig may be left out; where it is given it has the network's shape, as NCHW or NHWC."""
    if shapes is None:
        return
    channels, height, width = own
    fitting = [own, (height, width, channels)]
    if len(shapes) != 1 or next(iter(shapes.values()))[1:] not in fitting:
        raise UserError(
            f"InputConfig.DataInputConfig says {_told(shapes)}, but the model was trained with image_shape "
            f'{channels},{height},{width}: write {{"input": [1, {channels}, {height}, {width}]}} or leave it out.'
        )


def _told(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes.values())


def _distribution(folder: Path) -> dict[str, tuple[int, ...]]:
    """label -> how many validation pictures had its score in each tenth; none where nothing was validated."""
    try:
        validated = json.loads((folder / "metrics.json").read_text())["validation"] or {}
        return {str(label): tuple(counts) for label, counts in validated.get("score_distribution", {}).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
