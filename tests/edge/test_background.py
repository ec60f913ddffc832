"""What is done beside the line: at its pace, sooner when woken, ever more seldom while it fails."""

import os
import sys
import threading

import pytest

from tobo.edge.background import FIRST, LONGEST, Background, pause
from tobo.edge.cloud import Offline


@pytest.mark.parametrize(
    ("failures", "draw", "expected"),
    [
        (0, 0.5, 60.0),
        (1, 1.0, FIRST),
        (1, 0.0, FIRST / 2),
        (2, 1.0, FIRST * 2),
        (4, 1.0, FIRST * 8),
        (50, 1.0, LONGEST),
        (5000, 0.0, LONGEST / 2),
    ],
)
def test_pauses(failures: int, draw: float, expected: float) -> None:
    assert pause(failures, 60.0, lambda: draw) == expected


def test_trouble_is_remembered_until_it_is_over() -> None:
    troubles: list[Exception] = [Offline("There is no network."), Offline("There is no network."), ValueError("a bug")]

    def deed() -> None:
        if troubles:
            raise troubles.pop(0)

    background = Background("test", deed, 60.0)
    seen = []
    while not background.try_once():
        seen.append((background.failures, background.trouble))
    assert seen == [(1, "There is no network."), (2, "There is no network."), (3, "a bug")]
    assert (background.failures, background.trouble) == (0, None) and background.done_at is not None


def test_it_is_woken_and_stopped() -> None:
    done = threading.Semaphore(0)
    background = Background("test", done.release, 3600.0)
    background.start()
    assert done.acquire(timeout=20)
    for _ in range(3):
        background.wake()
        assert done.acquire(timeout=20)
    background.stop()
    assert not background.is_alive()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have priorities of their own on Linux alone")
def test_it_gives_way_to_the_line() -> None:
    seen: list[int] = []
    done = threading.Event()

    def deed() -> None:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        done.set()

    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    background = Background("test", deed, 3600.0)
    background.start()
    assert done.wait(20)
    background.stop()
    assert seen[0] == max(10, ours) and os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == ours
