"""The backbone's yardstick: its head, its accuracy, its table, on drawn marbles where no data is there."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from bench.backbone import data, frozen, measure, tuned


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sets of marbles, and no shared data."""
    for name, count in (("KNOWN", 24), ("UNSEEN", 50), ("POOL", 40)):
        monkeypatch.setattr(data, name, count)
    monkeypatch.setattr(data.there, "__defaults__", (tmp_path,))
    data.load.cache_clear()
    yield
    data.load.cache_clear()


def test_the_head_separates_what_can_be_separated() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 120)
    points = torch.from_numpy((np.eye(3)[classes] * 4 + rng.normal(0, 0.5, (120, 3))).astype(np.float32))
    constant = torch.cat((points, torch.ones(120, 1)), 1)
    assert (frozen.logistic(constant[:80], classes[:80], constant[80:]) == classes[80:]).all()


@pytest.mark.parametrize(
    ("said", "true", "expected"),
    [([0, 1], [0, 1], 1.0), ([0, 0, 0, 0], [0, 0, 0, 1], 0.5), ([0, 1, 1, 1], [0, 0, 1, 2], 0.5)],
)
def test_balanced_accuracy_is_the_mean_of_recalls(said: list[int], true: list[int], expected: float) -> None:
    assert data.balanced_accuracy(np.array(said), np.array(true)) == pytest.approx(expected)


def test_the_last_layer_is_the_mean_of_the_last_depth() -> None:
    made = frozen.network(None, seed=3)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    with torch.inference_mode():
        maps = made.backbone.features(made.normalise(torch.from_numpy(pixels)))
    last = frozen.last_layer(frozen.features(made, pixels))
    assert last.shape == (2, 1280) and torch.allclose(last, maps[-1].mean((2, 3)), atol=1e-6)


def test_weights_are_measured_on_marbles_and_never_twice(few: None, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    found = measure.measure("random", None, 32, 32, 2, kept, ("all depths",))
    assert list(found["all depths"]) == ["marbles"]
    assert len(found["all depths"]["marbles"]) == 2 and all(0 <= each <= 1 for each in found["all depths"]["marbles"])
    known = json.loads(kept.read_text())
    key = "random marbles all depths 32 px 2 seeds"
    kept.write_text(json.dumps({**known, key: [0.125, 0.25]}))
    assert measure.measure("random", None, 32, 32, 2, kept, ("all depths",)) == {
        "all depths": {"marbles": [0.125, 0.25]}
    }


def test_fine_tuning_runs_the_product_from_these_weights(few: None) -> None:
    torch.manual_seed(0)
    found = tuned.accuracies(None, "marbles", 32, 1)
    assert len(found) == 1 and 0 <= found[0] <= 1


def test_aims_are_set_by_the_gap_and_by_imagenet() -> None:
    cell = {"random": [0.5, 0.6, 0.7], "shipped": [0.9, 0.8, 0.95], "imagenet": [1.0]}
    row = measure._row("marbles", "all depths", cell)
    assert row.ours == 0.9 and row.aim == pytest.approx(0.6 + 0.95 * 0.4) and row.met is False
    assert "75 % of the gap" in row.note
    assert measure._row("marbles", measure.TUNED, cell).aim == pytest.approx(0.98)
    assert measure._row("marbles", "last layer", {k: cell[k] for k in ("random", "shipped")}).met is None
