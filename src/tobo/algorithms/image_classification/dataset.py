"""A channel's pictures at the network's size: decoded when first asked for, then kept, broken ones left out.

A broken picture is named in a line of the log and left out. A channel with more than MAX_BROKEN of its pictures broken
ends the job: then it is the data that needs a look, not the model.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tobo.algorithms.image_classification.examples import Examples
from tobo.algorithms.image_classification.resizing import Resizer, centre_crop
from tobo.algorithms.image_classification.settings import Settings
from tobo.inference.pictures import Pixels, UnreadablePicture, decode
from tobo.kit.guest import UserError

MAX_BROKEN = 0.1
"""Share of a channel's pictures that may be broken."""

KEPT_BYTES = 1 << 30
"""Decoded pictures of a channel beyond this are decoded again in every epoch."""

_AHEAD = 2
"""Batches that are decoded while one is computed."""


class Batch(NamedTuple):
    """`pixels`: one uint8 [h, w, 3] a picture (sizes differ where `resize` left them to be cropped); `targets`: int64
    [n], or float32 [n, classes] with multi_label; `indices` into the channel's examples."""

    pixels: list[Pixels]
    targets: npt.NDArray[Any]
    indices: list[int]


class Dataset:
    """The pictures of one channel; `name` is the channel's. UserError where a larger share than `most_broken` is broken."""

    def __init__(
        self,
        name: str,
        examples: Examples,
        settings: Settings,
        resizer: Resizer,
        threads: int,
        most_broken: float = MAX_BROKEN,
    ) -> None:
        self.name = name
        self.examples = examples.items
        self.settings = settings
        dtype = np.float32 if settings.multi_label else np.int64
        self.targets = np.array([example.label for example in examples.items], dtype)
        self.broken: dict[int, str] = {}
        self._most_broken = most_broken
        self._resizer = resizer
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"decode-{name}")
        self._kept: dict[int, Pixels] = {}
        self._remarked: set[int] = set()
        self._keeps = len(self.examples) * settings.height * settings.width * 3 <= KEPT_BYTES

    def __len__(self) -> int:
        return len(self.examples) - len(self.broken)

    def indices(self) -> list[int]:
        """The examples that are not known to be broken."""
        return [index for index in range(len(self.examples)) if index not in self.broken]

    def batches(self, order: Sequence[int], size: int) -> Iterator[Batch]:
        """`order` in batches of nearly equal size, about `size` and at least 2; decoding runs ahead in threads."""
        chunks = iter(np.array_split(np.asarray(order), batch_count(len(order), size)))
        waiting = [self._start(chunk) for chunk in islice(chunks, _AHEAD)]
        while waiting:
            decoding = waiting.pop(0)
            batch = self._finish(decoding)
            waiting += [self._start(chunk) for chunk in islice(chunks, 1)]
            if batch.indices:
                yield batch

    def cropped(self, batch: Batch) -> Pixels:
        """The batch as serving sees it: uint8 [n, height, width, 3]."""
        return np.stack([centre_crop(pixels, self.settings.height, self.settings.width) for pixels in batch.pixels])

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, chunk: npt.NDArray[np.int64]) -> list[tuple[int, "Future[tuple[Pixels, str]] | None"]]:
        return [
            (index, None if index in self._kept else self._pool.submit(self._prepare, index))
            for index in chunk.tolist()
        ]

    def _prepare(self, index: int) -> tuple[Pixels, str]:
        try:
            data = self.examples[index].read()
        except OSError as error:
            raise UnreadablePicture(f"cannot be read ({error.strerror or error})") from None
        picture = decode(data)
        return self._resizer(picture.pixels), picture.remark

    def _finish(self, decoding: "list[tuple[int, Future[tuple[Pixels, str]] | None]]") -> Batch:
        pixels: list[Pixels] = []
        indices: list[int] = []
        for index, future in decoding:
            if future is None:
                picture = self._kept[index]
            else:
                try:
                    picture, remark = future.result()
                except UnreadablePicture as error:
                    self._leave_out(index, str(error))
                    continue
                if self._keeps:
                    self._kept[index] = picture
                if remark and index not in self._remarked:
                    self._remarked.add(index)
                    print(f"Note: the picture '{self.examples[index].key}' of '{self.name}' {remark}.", flush=True)
            pixels.append(picture)
            indices.append(index)
        return Batch(pixels, self.targets[indices], indices)

    def _leave_out(self, index: int, reason: str) -> None:
        if index in self.broken:
            return
        self.broken[index] = reason
        print(f"Skipped: the picture '{self.examples[index].key}' of '{self.name}' {reason}.", flush=True)
        if len(self.broken) > self._most_broken * len(self.examples):
            some = "; ".join(f"'{self.examples[i].key}' {why}" for i, why in list(self.broken.items())[:3])
            raise UserError(
                f"More than {self._most_broken:.0%} of the {len(self.examples)} pictures in the channel '{self.name}' "
                f"cannot be used, among them: {some}."
            )


def batch_count(pictures: int, size: int) -> int:
    """Into how many batches pictures are cut: ceil(n / size), unless that leaves one alone."""
    return max(1, min(-(-pictures // size), pictures // 2))


def cpus() -> int:
    """The processors that the job was given (OMP_NUM_THREADS, SM_NUM_CPUS), at most those it may run on."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = (os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "SM_NUM_CPUS"))
    return next((min(int(value), there) for value in given if value.isdigit() and int(value) > 0), there)
