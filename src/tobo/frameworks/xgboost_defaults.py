"""XGBoost's defaults: CSV and libsvm to a DMatrix, predictions of a Booster (SageMaker Python SDK, "Use XGBoost").

Without a model_fn of the user the one file of the model's folder is loaded as a Booster, where it is one.
"""

from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from tobo.frameworks import encoding
from tobo.frameworks.defaults import output_fn as output_fn
from tobo.kit.guest import UserError

_LIBSVM = ("text/libsvm", "text/x-libsvm")


def model_fn(model_dir: str) -> xgboost.Booster:
    """The Booster of the folder's only file. Raises UserError where there is none or a choice."""
    files = [path for path in Path(model_dir).iterdir() if path.is_file()]
    if len(files) == 1:
        booster = xgboost.Booster()
        try:
            booster.load_model(files[0])
            return booster
        except xgboost.core.XGBoostError:
            pass
    there = ", ".join(sorted(path.name for path in files)) or "nothing"
    raise UserError(
        f"The model's folder holds {there}, not one file that Booster.save_model wrote; define model_fn(model_dir)."
    )


def input_fn(body: str | bytes, content_type: str) -> xgboost.DMatrix:
    """CSV without a header and without labels, libsvm, or an array; other content types are UnsupportedType."""
    if encoding.bare(content_type) in _LIBSVM:
        return xgboost.DMatrix(_libsvm(encoding.text(body)))
    data = encoding.decode(body, content_type)
    if encoding.bare(content_type) == encoding.CSV:
        lines = [line for line in encoding.text(body).splitlines() if line.strip()]
        data = data.reshape(len(lines), -1)
    return xgboost.DMatrix(data)


def predict_fn(data: xgboost.DMatrix, model: xgboost.Booster) -> Any:
    """The Booster's predictions up to its best iteration."""
    return model.predict(data, validate_features=False)


def _libsvm(text: str) -> Any:
    """`label index:value ...` lines as a sparse matrix; what is absent is missing, not zero."""
    from scipy.sparse import csr_matrix

    values: list[float] = []
    columns: list[int] = []
    ends = [0]
    for line in filter(None, map(str.strip, text.splitlines())):
        for pair in line.split("#")[0].split():
            index, colon, value = pair.partition(":")
            if colon and index != "qid":
                columns.append(int(index))
                values.append(float(value))
        ends.append(len(values))
    shape = (len(ends) - 1, max(columns, default=0) + 1)
    return csr_matrix((np.array(values, np.float32), np.array(columns), np.array(ends)), shape)
