"""The bounded queue before a variant's instances: who may go on to them, who waits, and who is refused.

Each instance is given a few requests at a time: the one that it works on, and the next ones, so that it never waits for
them. All others wait here, first come first served, so that they are served by whichever instance is free first, also by
one that autoscaling has just added. A slow model is given one ahead only, and what that one waits there is taken off what
it may wait here.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

from tobo.kit.fault import Fault
from tobo.operations.context import Context
from tobo.operations.images import find_image
from tobo.resources.endpoints.fleets import Fleet, Variant, replicas_of
from tobo.resources.endpoints.traffic import Traffic

FEWEST, MOST = 2, 8
"""Requests that an instance is given at a time; MOST to a model that answers in AHEAD_SECONDS / MOST or less."""

OWN_PROGRAM = 64
"""The same of a container's own server, which knows best what it does at once."""

AHEAD_SECONDS = 0.005
"""What a request may wait at an instance for those before it, where its model is quick."""

_ALL = 1 << 30

RETRY_SECONDS = 1
"""What a refused client is told to wait."""


class Gate:
    """The queue of one variant. `enter`, `wait` and `leave` belong to the event loop; `fit` to the endpoint's work."""

    def __init__(self) -> None:
        self.waiting = 0
        self.quickest = 0.0
        """Seconds of the quickest answer of late; 0: not known yet."""
        self._room = MOST
        self._busy = 0
        self._length = 0
        self._seconds = 0.0
        self._line: deque[asyncio.Future[None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def asleep(self) -> bool:
        """Whether there is no instance at all."""
        return self._room == 0

    def fit(self, room: int, length: int, seconds: float) -> None:
        """At most `room` requests beyond the gate, `length` before it, each of them for `seconds`."""
        grown = room > self._room
        self._room, self._length, self._seconds = room, length, seconds
        if grown and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._let_in)

    def enter(self) -> bool:
        """True where there is room, and nobody who came before; else `wait` is to be asked."""
        if self._busy >= self._room or self._line:
            return False
        self._busy += 1
        return True

    async def wait(self) -> None:
        """Until there is room. Raises Fault ThrottlingException (the queue is full), ServiceUnavailable (too long)."""
        if self.waiting >= self._length:
            raise Fault(
                "ThrottlingException",
                f"{self.waiting} requests wait for an instance already, as many as may; try again later.",
                429,
                retry_after=RETRY_SECONDS,
            )
        loop = self._loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        seconds = self._seconds
        timer = loop.call_later(seconds, _time_out, turn)
        self._line.append(turn)
        self.waiting += 1
        self._let_in()  # there may be room since `enter` was asked
        try:
            await turn
        except TimeoutError:
            raise Fault(
                "ServiceUnavailable",
                f"No instance was free for {seconds:.3g} s; try again later.",
                503,
                retry_after=RETRY_SECONDS,
            ) from None
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had just been let in
                self.leave()
            raise
        finally:
            timer.cancel()
            self.waiting -= 1

    def __enter__(self) -> None:
        """Beyond the gate, where `enter` or `wait` has let the request in, until it leaves."""

    def __exit__(self, *error: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Gives the place to who waits longest."""
        self._busy -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._line and self._busy < self._room:
            turn = self._line.popleft()
            if not turn.done():
                self._busy += 1
                turn.set_result(None)


def _time_out(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(TimeoutError())


def fit_gates(
    context: Context, gates: dict[str, Gate], fleets: Sequence[Fleet], traffic: Mapping[str, Traffic]
) -> None:
    """Has the gate of each variant know how many requests its instances take, in all fleets that answer."""
    rooms: dict[str, int] = {}
    ahead: dict[str, float] = {}
    for fleet in fleets:
        for variant in fleet["variants"]:
            if variant["Shadow"] or variant.get("ServerlessConfig"):
                continue
            name = variant["VariantName"]
            gate, counted = gates.setdefault(name, Gate()), traffic.get(name)
            if counted is not None and counted.answered:
                gate.quickest = counted.least / 1e6
            own_program = _own_program(context, variant)
            each = OWN_PROGRAM if own_program else _given_at_a_time(gate.quickest)
            ahead[name] = 0.0 if own_program else (each - 1) * gate.quickest
            ready = sum(replica["ready"] for replica in replicas_of(fleet, name))
            instances = max(1, ready) if variant["InstanceCount"] else 0
            rooms[name] = rooms.get(name, 0) + instances * each
    for name, gate in list(gates.items()):
        if name not in rooms:  # an update has left the variant out: who waited for it goes where requests go now
            del gates[name]
        seconds = max(context.settings.queue_seconds / 2, context.settings.queue_seconds - ahead.get(name, 0.0))
        gate.fit(rooms.get(name, _ALL), context.settings.queue_length, seconds)


def _own_program(context: Context, variant: Variant) -> bool:
    """Whether it is a program that serves HTTP itself, and several requests at once."""
    try:
        image = find_image(context, variant["Image"], "the model")
    except Fault:  # it was taken away meanwhile
        return False
    return image.serve is not None and bool(image.serve.argv)


def _given_at_a_time(quickest: float) -> int:
    """How many requests an instance is given at a time, whose quickest answer took so many seconds of late."""
    return max(FEWEST, min(MOST, int(AHEAD_SECONDS / quickest) if quickest > 0 else MOST))
