"""Trains MobileNetV2 1.0 to tell the classes of a cache apart; resumes where it was stopped.

AdamW or SGD with momentum, on two questions: which class, and which kind of pattern. With `contrast`, pictures of a class
(and of a kind) are besides drawn near each other. The network is random, or an exported one. The rate warms up, stays, and
falls to zero over the last part of the steps ("warm-up, stable, decay": Hägele et al. 2024, arXiv:2405.18392).
`stable.pt` is kept where the fall begins: with more --steps a longer training goes on from there, none of the work
lost. What a step sees depends on the seed and its number alone.
"""

import argparse
import hashlib
import json
import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tools.pretrain import generate
from tools.pretrain.contrast import Projection, contrast, pairs
from tools.pretrain.disturb import disturb
from torch import Tensor, nn
from torch.nn import functional

from tobo.algorithms.image_classification import weights
from tobo.algorithms.image_classification.classifier import Classifier
from tobo.algorithms.image_classification.models.mobilenet_v2 import MobileNetV2

_LOG_EVERY = 50
_MAY_CHANGE = ("steps", "decay", "late_size", "late_part")
"""What may be another than it was when a training goes on."""


@dataclass(frozen=True)
class Plan:
    """What makes a training what it is. `late_size` is the picture's side in the last `late_part` of the steps.

    `contrast` weighs the contrastive loss; `start` is the sha256 of the weights it began with, "" where they were
    random. In the first `head_steps` the backbone stays as it is: a new classifier's gradients would spoil it.
    """

    steps: int
    batch: int = 128
    optimizer: str = "adamw"
    rate: float = 2e-3
    warm_up: int = 300
    decay: float = 0.3
    momentum: float = 0.9
    weight_decay: float = 0.05
    smoothing: float = 0.1
    size: int = 64
    late_size: int = 64
    late_part: float = 0.1
    contrast: float = 0.0
    start: str = ""
    head_steps: int = 0
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The learning rate of a step: warm-up after the head's steps, 1 - sqrt over the decay."""
        falling = (step - self.decay_from) / max(self.steps - self.decay_from, 1)
        risen = 1.0 if step < self.head_steps else min((step - self.head_steps + 1) / self.warm_up, 1.0)
        return self.rate * risen * (1 - math.sqrt(max(falling, 0.0)))

    @property
    def decay_from(self) -> int:
        return round(self.steps * (1 - self.decay))

    def size_at(self, step: int) -> int:
        return self.late_size if step >= self.steps * (1 - self.late_part) else self.size


def _optimizer(learning: list[nn.Parameter], plan: Plan) -> torch.optim.Optimizer:
    """The plan's optimizer; biases and BatchNorm's scales are not decayed."""
    groups = [
        {"params": [each for each in learning if each.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [each for each in learning if each.ndim <= 1], "weight_decay": 0.0},
    ]
    if plan.optimizer == "sgd":
        return torch.optim.SGD(groups, plan.rate, plan.momentum, nesterov=True)
    return torch.optim.AdamW(groups, plan.rate)


def _network(classes: int, start: Path | None) -> MobileNetV2:
    """A random network, or one with an exported backbone and a random classifier."""
    network = MobileNetV2(3, classes)
    if start is not None:
        found = weights.read(start, "mobilenetv2_100")
        weights.put(Classifier(network, found.preprocessing, 3), found)
        return network
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1:  # its fan-out is a single channel's
            nn.init.normal_(module.weight, 0.0, (2 / 9) ** 0.5)
    return network


class Trainer:
    """A network, its optimizer and the next step's number, in a folder."""

    def __init__(
        self, cache: generate.Cache, plan: Plan, folder: Path, device: str = "cpu", start: Path | None = None
    ) -> None:
        """`start` is an exported backbone; its hash becomes the plan's. Raises ValueError where `contrast` has no pairs."""
        if plan.contrast and (cache.per_class % 2 or plan.batch % 2):
            raise ValueError(
                f"contrast needs pairs: {cache.per_class} a class and a batch of {plan.batch} must be even"
            )
        self.cache, self.folder, self.device = cache, folder, torch.device(device)
        self.plan = replace(plan, start=hashlib.sha256(start.read_bytes()).hexdigest()) if start else plan
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(plan.seed)
        self.network = _network(cache.classes, start).to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub omits it
        self.projection = Projection(MobileNetV2.depths[-1]).to(self.device) if plan.contrast else None
        modules = [self.network, *([self.projection] if self.projection else [])]
        self.optimizer = _optimizer([each for module in modules for each in module.parameters()], plan)
        self.kind = torch.from_numpy(cache.kinds).to(self.device)
        self.kinds = functional.one_hot(self.kind).float()
        self.dark = torch.from_numpy(cache.dark).to(self.device)
        # A GPU would starve on pictures sent one batch after the other; the whole cache fits into its memory.
        self.planes = torch.from_numpy(np.ascontiguousarray(cache.planes)).to(self.device) if device != "cpu" else None
        self.step = 0
        self._ahead = ThreadPoolExecutor(1)
        self._next: tuple[int, Future[tuple[Tensor, Tensor]]] | None = None

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Pictures [batch, 3, size, size] and classes [batch] of a step."""
        count, wanted = len(self.cache.planes), self.plan.batch
        rows = []
        place, left = step * wanted, wanted
        while left:  # an epoch ends anywhere in a batch
            epoch, start = divmod(place, count)
            order = self._order(epoch)
            rows.append(order[start : start + left])
            place, left = place + len(rows[-1]), left - len(rows[-1])
        picked = np.concatenate(rows)
        planes = self._planes(picked)
        classes = torch.from_numpy(picked // self.cache.per_class).to(self.device)
        generator = torch.Generator(self.device).manual_seed(self.plan.seed * 1_000_003 + step)
        return disturb(planes, self.dark[classes], self.plan.size_at(step), generator), classes

    def _order(self, epoch: int) -> NDArray[np.int64]:
        generator = np.random.default_rng((self.plan.seed, epoch))
        if self.plan.contrast:
            return pairs(self.cache.classes, self.cache.per_class, generator)
        return generator.permutation(len(self.cache.planes))

    def _planes(self, rows: NDArray[np.int64]) -> Tensor:
        if self.planes is None:
            return torch.from_numpy(self.cache.planes[rows])
        return self.planes[torch.from_numpy(rows).to(self.device)]

    def _fetch(self) -> tuple[Tensor, Tensor]:
        """This step's batch; the next one's is begun beside the step."""
        ready = self._next[1].result() if self._next and self._next[0] == self.step else self.batch(self.step)
        following = self.step + 1
        self._next = (following, self._ahead.submit(self.batch, following)) if following < self.plan.steps else None
        return ready

    def advance(self) -> tuple[float, float]:
        """One step; its loss and accuracy."""
        pictures, classes = self._fetch()
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        head_only = self.step < self.plan.head_steps
        self.network.train(not head_only)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            with torch.set_grad_enabled(not head_only):
                seen = self.network.features(pictures)[-1].mean((2, 3))
            logits = self.network.classifier(seen)
        loss = self._loss(logits.float(), classes)
        if self.projection is not None:
            by_class, by_kind = self.projection(seen.float())
            loss = loss + self.plan.contrast * (contrast(by_class, classes) + contrast(by_kind, self.kind[classes]))
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([each for group in self.optimizer.param_groups for each in group["params"]], 5.0)
        self.optimizer.step()
        self.step += 1
        return loss.item(), float((logits.argmax(1) == classes).float().mean())

    def _loss(self, logits: Tensor, classes: Tensor) -> Tensor:
        """Cross entropy of the class, and of its kind, whose probability is the sum of its classes'."""
        loss = functional.cross_entropy(logits, classes, label_smoothing=self.plan.smoothing)
        kinds = (functional.softmax(logits, 1) @ self.kinds).clamp(min=1e-6).log()
        return loss + functional.nll_loss(kinds, self.kind[classes])

    def save(self, name: str = "last.pt") -> None:
        """Writes a checkpoint in one move."""
        state: dict[str, Any] = {
            "step": self.step,
            "network": self.network.state_dict(),
            "projection": self.projection.state_dict() if self.projection else {},
            "optimizer": self.optimizer.state_dict(),
            "plan": asdict(self.plan),
            "cache": self.cache.description,
        }
        partial = self.folder / f"{name}.partial"
        torch.save(state, partial)
        partial.replace(self.folder / name)

    def resume(self) -> bool:
        """Goes on from the folder's checkpoint; False where there is none.

        A checkpoint whose rate has begun to fall fits its own plan alone; for another number of steps `stable.pt` is
        taken. Raises ValueError where no checkpoint fits: cache, batch, seed or rate are others, or the rate should
        have begun to fall earlier.
        """
        found = None
        for name in ("last.pt", "stable.pt"):
            file = self.folder / name
            if not file.exists():
                continue
            found, state = file, torch.load(file, map_location=self.device, weights_only=True)
            then = Plan(**state["plan"])
            same = replace(then, **{name: getattr(self.plan, name) for name in _MAY_CHANGE}) == self.plan
            if state["cache"] != self.cache.description or not same:
                raise ValueError(f"'{file}' belongs to another training; choose another folder or the same settings")
            if then != self.plan and state["step"] > min(then.decay_from, self.plan.decay_from):
                continue
            self.network.load_state_dict(state["network"])
            if self.projection is not None:
                self.projection.load_state_dict(state["projection"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]
            return True
        if found is not None:
            raise ValueError(f"'{found}' is past the step where this plan's rate begins to fall; take more steps")
        return False

    def run(self, save_every: float = 180.0) -> None:
        """Trains to the plan's last step, saving every `save_every` seconds, logging to curve.jsonl."""
        saved = started = time.monotonic()
        losses, hits = [], []
        with (self.folder / "curve.jsonl").open("a") as curve:
            while self.step < self.plan.steps:
                if self.step == self.plan.decay_from:
                    self.save("stable.pt")
                loss, accuracy = self.advance()
                losses.append(loss)
                hits.append(accuracy)
                if self.step % _LOG_EVERY == 0 or self.step == self.plan.steps:
                    now = time.monotonic()
                    line = {
                        "step": self.step,
                        "loss": round(float(np.mean(losses)), 4),
                        "accuracy": round(float(np.mean(hits)), 4),
                        "rate": round(self.plan.rate_at(self.step - 1), 5),
                        "pictures_per_second": round(len(losses) * self.plan.batch / (now - started), 1),
                    }
                    print(json.dumps(line), file=curve, flush=True)
                    losses, hits, started = [], [], now
                if time.monotonic() - saved > save_every:
                    self.save()
                    saved = time.monotonic()
        self.save()


def main() -> None:
    parser = argparse.ArgumentParser(description="Train on a cache of formula pictures, or go on where it was stopped.")
    parser.add_argument("cache", type=Path)
    parser.add_argument("folder", type=Path, help="checkpoints and curve.jsonl")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=Plan.batch)
    parser.add_argument("--optimizer", choices=("adamw", "sgd"), default=Plan.optimizer)
    parser.add_argument("--rate", type=float, default=Plan.rate)
    parser.add_argument("--warm-up", type=int, default=Plan.warm_up, help="steps in which the rate rises")
    parser.add_argument("--weight-decay", type=float, default=Plan.weight_decay)
    parser.add_argument("--decay", type=float, default=Plan.decay)
    parser.add_argument("--late-size", type=int, default=Plan.late_size)
    parser.add_argument("--late-part", type=float, default=Plan.late_part)
    parser.add_argument("--contrast", type=float, default=Plan.contrast, help="the contrastive loss's weight")
    parser.add_argument("--start", type=Path, help="an exported backbone to begin with")
    parser.add_argument("--head-steps", type=int, default=Plan.head_steps, help="steps for the classifier alone")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    plan = Plan(
        asked.steps,
        asked.batch,
        asked.optimizer,
        asked.rate,
        asked.warm_up,
        weight_decay=asked.weight_decay,
        decay=asked.decay,
        late_size=asked.late_size,
        late_part=asked.late_part,
        contrast=asked.contrast,
        head_steps=asked.head_steps,
        seed=asked.seed,
    )
    trainer = Trainer(generate.read(asked.cache), plan, asked.folder, asked.device, asked.start)
    print(f"{'resumed at' if trainer.resume() else 'starting at'} step {trainer.step} of {plan.steps}", flush=True)
    trainer.run()


if __name__ == "__main__":
    main()
