"""A script for SageMaker's PyTorch image, as its examples are written: points of two kinds, told apart by a line."""

import argparse
import os
from pathlib import Path

import numpy as np
import torch


def model_fn(model_dir):
    model = torch.nn.Linear(2, 2)
    model.load_state_dict(torch.load(Path(model_dir) / "model.pth"))
    return model.eval()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    given, _ = parser.parse_known_args()
    points = np.concatenate([np.loadtxt(file, delimiter=",") for file in sorted(Path(given.train).glob("*.csv"))])
    inputs, kinds = torch.tensor(points[:, 1:]).float(), torch.tensor(points[:, 0]).long()
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for epoch in range(given.epochs):
        loss = torch.nn.functional.cross_entropy(model(inputs), kinds)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"epoch={epoch}; loss={loss.item():.4f};")
    torch.save(model.state_dict(), Path(given.model_dir) / "model.pth")
