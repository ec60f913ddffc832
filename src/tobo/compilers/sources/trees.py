"""An XGBoost model (JSON, UBJSON or the old binary form) as an ONNX graph of its trees, by onnxmltools."""

import json
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from tobo.compilers.model import Sample, Samples, Source
from tobo.compilers.onnx_runtime import last_line
from tobo.kit.guest import UserError

INPUT = "features"
SAMPLES = 256
"""Rows that are drawn, some of their values missing."""

_NAMES = ("xgboost-model", "*.json", "*.ubj", "*.model", "*.bst", "*.bin")
"""What SageMaker's XGBoost and xgboost itself call a model."""

_OPSET = 15


def read(folder: Path, work: Path) -> Source:
    """Raises UserError: no model, an unreadable one, or trees that ONNX cannot express."""
    if missing := [name for name in ("xgboost", "onnxmltools") if find_spec(name) is None]:
        raise UserError(f"XGBoost models need {' and '.join(missing)}: pip install 'tobo[frameworks,compile]'.")
    file = _find(folder)
    booster = _load(file)
    columns = int(booster.num_features())
    graph = work / "trees.onnx"
    _convert(booster, columns, graph)
    return Source(
        graph=graph,
        reference="xgboost",
        examined=_samples(booster, columns),
        calibration=Samples(),
        trees=True,
    )


def _find(folder: Path) -> Path:
    for pattern in _NAMES:
        if found := sorted(path for path in folder.rglob(pattern) if path.is_file()):
            return found[0]
    raise UserError("The archive holds no XGBoost model; put one in as xgboost-model, model.json or model.ubj.")


def _load(file: Path) -> Any:
    import xgboost

    try:
        booster = xgboost.Booster(model_file=str(file))
        if (
            _objective(booster) == "multi:softmax"
        ):  # it answers the class alone; a device shall have every class's score
            booster.set_param({"objective": "multi:softprob"})
        return booster
    except xgboost.core.XGBoostError as error:
        raise UserError(
            f"xgboost cannot read '{file.name}' ({last_line(error)}); save it with Booster.save_model('model.json')."
        ) from None


def _convert(booster: Any, columns: int, graph: Path) -> None:
    """Writes features float32 [n, columns] -> scores float32 [n, classes], or [n, 1] of a regression."""
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    booster.feature_names = booster.feature_types = None  # ONNX counts features, and so does the converter
    try:
        model = convert_xgboost(booster, initial_types=[(INPUT, FloatTensorType([None, columns]))], target_opset=_OPSET)
    except Exception as error:  # the converter's own, which have no common class
        raise UserError(f"The trees cannot be written as ONNX: {last_line(error)}") from None
    for output in list(model.graph.output):
        if output.name == "label":  # what counts is for the rule to decide, outside of the model
            model.graph.output.remove(output)
    onnx.save(model, str(graph))


def _samples(booster: Any, columns: int) -> Samples:
    """Rows around the trees' own thresholds, some values missing, with xgboost's scores."""
    import xgboost

    random = np.random.default_rng(0)
    splits = _splits(booster, columns)
    rows = np.empty((SAMPLES, columns), np.float32)
    for column, at in enumerate(splits):
        spread = np.ptp(at) or 1.0
        rows[:, column] = random.choice(at, SAMPLES) + random.normal(0, 0.3 * spread, SAMPLES)
    rows[random.random(rows.shape) < 0.05] = np.nan
    scores = _scores(booster, xgboost.DMatrix(rows))

    def sample(number: int) -> Sample:
        return Sample({INPUT: rows[number : number + 1]}, scores[number])

    origin = "rows drawn around the trees' thresholds, with xgboost's scores"
    return Samples(tuple(partial(sample, number) for number in range(SAMPLES)), origin)


def _scores(booster: Any, matrix: Any) -> npt.NDArray[np.float32]:
    """xgboost's answers [n, k] as the graph gives them: every class's score."""
    scores = np.asarray(booster.predict(matrix), np.float32).reshape(SAMPLES, -1)
    return np.hstack((1 - scores, scores)) if _objective(booster) == "binary:logistic" else scores


def _objective(booster: Any) -> str:
    return str(json.loads(booster.save_config())["learner"]["objective"]["name"])


def _splits(booster: Any, columns: int) -> list[Any]:
    """The thresholds of each feature; [0] where no tree asks it."""
    found: list[list[float]] = [[] for _ in range(columns)]
    nodes = [json.loads(tree) for tree in booster.get_dump(dump_format="json")]
    while nodes:
        node = nodes.pop()
        if "children" in node:
            found[int(str(node["split"]).removeprefix("f"))].append(float(node.get("split_condition", 0.5)))
            nodes += node["children"]
    return [np.array(each or [0.0], np.float32) for each in found]
