"""The cache, the disturbance and the trainer: resumable, and the same however often they are interrupted."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tools.pretrain import formulas, generate
from tools.pretrain.disturb import disturb
from tools.pretrain.export import export
from tools.pretrain.train import Plan, Trainer

PLAN = Plan(steps=6, batch=8, rate=1e-3, warm_up=2, decay=0.5, size=32, late_size=40, late_part=0.2)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> generate.Cache:
    return generate.generate(tmp_path_factory.mktemp("cache"), per_class=4, size=48, seed=2, part=0.01)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def states(trainer: Trainer) -> list[torch.Tensor]:
    modules = [trainer.network, *([trainer.projection] if trainer.projection else [])]
    learned = [value for module in modules for value in module.state_dict().values()]
    return [*learned, *(v for s in trainer.optimizer.state.values() for v in s.values())]


def same(one: Trainer, two: Trainer) -> bool:
    return all(torch.equal(a, b) for a, b in zip(states(one), states(two), strict=True))


def test_a_cache_holds_what_the_formulas_draw(cache: generate.Cache) -> None:
    which = formulas.classes(0.01)
    assert cache.planes.shape == (len(which) * 4, 3, 48, 48) and cache.planes.dtype == np.uint8
    for number in (0, 5, len(which) - 1):
        drawn = np.stack(formulas.draw(which[number], 3, 2, 48))
        assert np.array_equal(cache.planes[number * 4 + 3], np.rint(drawn * 255).astype(np.uint8))
    assert list(np.nonzero(cache.dark)[0]) == [n for n, each in enumerate(which) if formulas.FAMILIES[each.family].dark]


def test_an_unfinished_cache_is_none(tmp_path: Path) -> None:
    np.save(tmp_path / "planes.npy", np.zeros((1, 3, 8, 8), np.uint8))
    with pytest.raises(FileNotFoundError):
        generate.read(tmp_path)


def test_a_cache_of_other_formulas_is_refused(cache: generate.Cache, tmp_path: Path) -> None:
    (tmp_path / "cache.json").write_text(json.dumps({**cache.description, "formulas": 1}))
    with pytest.raises(ValueError, match=r"was drawn by version 1 of the formulas, which are at \d+ now; draw it anew"):
        generate.read(tmp_path)


def test_a_step_sees_the_same_whenever_it_comes(cache: generate.Cache, tmp_path: Path) -> None:
    pictures, classes = Trainer(cache, PLAN, tmp_path / "one").batch(4)
    again, classes_again = Trainer(cache, PLAN, tmp_path / "two").batch(4)
    other, _ = Trainer(cache, replace(PLAN, seed=1), tmp_path / "three").batch(4)
    assert torch.equal(pictures, again) and torch.equal(classes, classes_again)
    assert not torch.equal(pictures, other)
    assert pictures.shape == (8, 3, 32, 32) and pictures.abs().max() <= 1


def test_an_epoch_shows_every_picture_once(cache: generate.Cache, tmp_path: Path) -> None:
    trainer = Trainer(cache, replace(PLAN, batch=len(cache.planes) // 2), tmp_path)
    seen = torch.cat([trainer.batch(step)[1] for step in (2, 3)])
    assert torch.equal(torch.bincount(seen), torch.full((cache.classes,), cache.per_class))


@pytest.mark.parametrize("plan", [PLAN, replace(PLAN, contrast=0.5)], ids=["classes", "and contrast"])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    cache: generate.Cache, tmp_path: Path, plan: Plan
) -> None:
    whole = Trainer(cache, plan, tmp_path / "whole")
    whole.run()
    parts = Trainer(cache, plan, tmp_path / "parts")
    for stop in (2, 4):
        while parts.step < stop:
            parts.advance()
        parts.save()
        parts = Trainer(cache, plan, tmp_path / "parts")
        assert parts.resume() and parts.step == stop
    parts.run()
    assert same(whole, parts)
    lines = [json.loads(line) for line in (tmp_path / "parts" / "curve.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 6 and np.isfinite(lines[-1]["loss"])


def test_a_longer_training_goes_on_from_where_the_rate_began_to_fall(cache: generate.Cache, tmp_path: Path) -> None:
    Trainer(cache, PLAN, tmp_path / "short").run()
    longer = replace(PLAN, steps=10)
    gone_on = Trainer(cache, longer, tmp_path / "short")
    assert gone_on.resume() and gone_on.step == PLAN.decay_from == 3
    gone_on.run()
    whole = Trainer(cache, longer, tmp_path / "long")
    whole.run()
    assert same(whole, gone_on)


def test_a_shorter_training_is_not_begun_over_a_longer_one(cache: generate.Cache, tmp_path: Path) -> None:
    trainer = Trainer(cache, PLAN, tmp_path)
    while trainer.step < 3:
        trainer.advance()
    trainer.save()
    with pytest.raises(ValueError, match="take more steps"):
        Trainer(cache, replace(PLAN, steps=4), tmp_path).resume()


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"batch": 4}, {"optimizer": "sgd"}, {"contrast": 0.5}, {"head_steps": 1}, {"start": "0f"}]
)
def test_another_training_is_not_gone_on_with(cache: generate.Cache, tmp_path: Path, change: dict[str, object]) -> None:
    Trainer(cache, PLAN, tmp_path).save()
    with pytest.raises(ValueError, match="belongs to another training"):
        Trainer(cache, replace(PLAN, **change), tmp_path).resume()  # type: ignore[arg-type]


def test_a_training_begins_with_exported_weights_and_spares_them_at_first(
    cache: generate.Cache, tmp_path: Path
) -> None:
    first = Trainer(cache, PLAN, tmp_path / "first")
    first.run()
    file = tmp_path / "mobilenetv2_100.safetensors"
    export(tmp_path / "first" / "last.pt", file)
    second = Trainer(cache, replace(PLAN, steps=20, head_steps=2), tmp_path / "second", start=file)
    assert second.plan.start == hashlib.sha256(file.read_bytes()).hexdigest()
    given = {name: value.half() for name, value in first.network.state_dict().items()}
    for step in range(4):
        now = {name: value.half() for name, value in second.network.state_dict().items()}
        kept = [name for name in given if torch.equal(given[name], now[name])]
        assert not any(name.startswith("classifier") for name in kept)
        counts = sum(name.endswith("num_batches_tracked") for name in given)
        assert (len(kept) >= len(given) - 2 - counts) == (step <= 2)
        second.advance()


def test_contrast_needs_pairs_and_pulls_them_together(cache: generate.Cache, tmp_path: Path) -> None:
    plan = replace(PLAN, contrast=1.0, steps=30, batch=16, rate=3e-3)
    with pytest.raises(ValueError, match="contrast needs pairs: 5 a class and a batch of 16 must be even"):
        Trainer(cache._replace(per_class=5), plan, tmp_path)
    with pytest.raises(ValueError, match="4 a class and a batch of 7 must be even"):
        Trainer(cache, replace(plan, batch=7), tmp_path)
    trainer = OneBatch(cache, plan, tmp_path)
    classes = trainer.batch(0)[1]
    assert torch.equal(classes[::2], classes[1::2])
    losses = [trainer.advance()[0] for _ in range(30)]
    assert losses[-1] < 0.6 * losses[0]


class OneBatch(Trainer):
    """Sees its first batch again and again."""

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        return super().batch(0)


@pytest.mark.parametrize(("optimizer", "rate"), [("adamw", 3e-3), ("sgd", 0.05)])
def test_it_learns(cache: generate.Cache, tmp_path: Path, optimizer: str, rate: float) -> None:
    plan = replace(PLAN, steps=30, batch=16, optimizer=optimizer, rate=rate, decay=0.3, warm_up=2)
    trainer = OneBatch(cache, plan, tmp_path)
    losses, accuracies = zip(*(trainer.advance() for _ in range(30)), strict=True)
    assert losses[-1] < 0.5 * losses[0] and accuracies[-1] > 0.9


@pytest.mark.parametrize(
    ("step", "rate", "size"), [(0, 1.0, 64), (1, 2.0, 64), (50, 2.0, 64), (75, 1.0, 64), (90, 2 * (1 - 0.8**0.5), 96)]
)
def test_rate_and_size_of_a_step(step: int, rate: float, size: int) -> None:
    plan = Plan(steps=100, rate=2.0, warm_up=2, decay=0.5 if step != 75 else 1 / 3, late_size=96)
    expected = rate if step != 75 else 2 * (1 - ((75 - 67) / 33) ** 0.5)
    assert plan.rate_at(step) == pytest.approx(expected) and plan.size_at(step) == size


def test_the_rate_warms_up_when_the_head_has_learned() -> None:
    plan = Plan(steps=100, rate=2.0, warm_up=4, head_steps=3)
    assert [plan.rate_at(step) for step in range(8)] == [2, 2, 2, 0.5, 1, 1.5, 2, 2]


def test_dark_figures_stay_darker_than_their_ground() -> None:
    planes = torch.zeros(64, 3, 48, 48, dtype=torch.uint8)
    planes[:, 0, 20:28] = 255  # a bar across the middle third: every crop has it
    planes[:, 0, :, 20:28] = 255
    planes[:, 2] = 191
    shown = disturb(planes, torch.ones(64, dtype=torch.bool), 32, torch.Generator().manual_seed(0)).mean(1)
    figure = shown[:, 13:19, 13:19].mean((1, 2))
    corners = torch.stack((shown[:, :4, :4], shown[:, -4:, -4:], shown[:, :4, -4:], shown[:, -4:, :4])).mean((0, 2, 3))
    assert (figure < corners).float().mean() > 0.85  # the corner of a close crop is sometimes in the shade
    either = disturb(planes, torch.zeros(64, dtype=torch.bool), 32, torch.Generator().manual_seed(0)).mean(1)
    assert 0.2 < (either[:, 13:19, 13:19].mean((1, 2)) < either[:, :4, :4].mean((1, 2))).float().mean() < 0.8
