"""L-BFGS for a convex objective, with a diagonal that it starts from: seldom more than 60 steps here.

Source: Nocedal, "Updating quasi-Newton matrices with limited storage" (Mathematics of Computation 35, 1980), the two-loop
recursion; steps are halved until Armijo's condition holds. Written here because the server has neither SciPy nor torch.
"""

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Objective = Callable[[Doubles], tuple[float, Doubles]]
"""Value and gradient at a place."""

MEMORY = 10
STEPS = 60

_TOLERANCE = 1e-6
_SHORTEST = 1e-6


def minimize(objective: Objective, start: Doubles, inverse: Doubles) -> Doubles:
    """Where the objective falls by less than a millionth a step, or STEPS have been made.

    `inverse` is a diagonal guess of the inverse Hessian, to be multiplied with a gradient.
    """
    place = start
    value, gradient = objective(place)
    memory: deque[tuple[Doubles, Doubles]] = deque(maxlen=MEMORY)
    for _ in range(STEPS):
        direction = -_turned(gradient, memory, inverse)
        slope, length = float((direction * gradient).sum()), 1.0
        new_value, new_gradient = objective(place + direction)
        while new_value > value + 1e-4 * length * slope and length > _SHORTEST:
            length /= 2
            new_value, new_gradient = objective(place + length * direction)
        if new_value >= value:
            return place
        step, change = length * direction, new_gradient - gradient
        if float((step * change).sum()) > 0:
            memory.append((step, change))
        fell = value - new_value
        place, value, gradient = place + step, new_value, new_gradient
        if fell < _TOLERANCE * max(abs(value), 1e-3):
            break
    return place


def _turned(gradient: Doubles, memory: deque[tuple[Doubles, Doubles]], inverse: Doubles) -> Doubles:
    """The inverse Hessian, as far as the last steps tell it, times the gradient."""
    rest = gradient.copy()
    parts = []
    for step, change in reversed(memory):
        part = float((step * rest).sum()) / float((step * change).sum())
        rest -= part * change
        parts.append(part)
    turned = inverse * rest
    if memory:
        step, change = memory[-1]
        turned *= float((step * change).sum()) / float((change * inverse * change).sum())
    for (step, change), part in zip(memory, reversed(parts), strict=True):
        turned += step * (part - float((change * turned).sum()) / float((step * change).sum()))
    return turned
