"""A script for SageMaker's scikit-learn image, as its examples are written: points of two kinds, told apart by a line."""

import argparse
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression


def model_fn(model_dir):
    return joblib.load(Path(model_dir) / "model.joblib")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--C", type=float, default=1.0)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    given, _ = parser.parse_known_args()
    points = np.concatenate([np.loadtxt(file, delimiter=",") for file in sorted(Path(given.train).glob("*.csv"))])
    model = LogisticRegression(C=given.C).fit(points[:, 1:], points[:, 0])
    print(f"C={given.C}; train_accuracy={model.score(points[:, 1:], points[:, 0]):.4f};")
    joblib.dump(model, Path(given.model_dir) / "model.joblib")
