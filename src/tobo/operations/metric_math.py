"""Metric math: expressions over metrics, as GetMetricData and alarms take them. Pure.

Source: CloudWatch User Guide, "Using metric math". The subset: numbers; + - * / ^; == != < <= > >=; AND, OR (&&, ||); parentheses; lists
[m1, m2] and METRICS(), METRICS("part of an Id"); ABS, CEIL, FLOOR, LOG, LOG10; AVG, MAX, MIN, STDDEV, SUM (of one metric one number, of a list
one metric); DIFF, RATE, RUNNING_SUM, FILL(m, number or REPEAT), IF(condition, then[, else]), PERIOD(m), METRIC_COUNT(list). Other functions
are refused. Two metrics meet at the times that both have; what cannot be computed, such as a division by nothing, is no datapoint.
"""

import math
import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tobo.kit.fault import Fault

LONGEST = 2048
_DEPTH = 50

Series = dict[float, float]
"""Epoch seconds -> value."""

Value = float | Series | list[Series]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>()\[\],]))"
)


@dataclass(frozen=True)
class World:
    """The metrics by their Ids, and the seconds of a period of each."""

    metrics: Mapping[str, Series]
    period: int


Node = Callable[[World], Value]


@dataclass(frozen=True)
class Expression:
    """`ids` are those that it names; `all_metrics`: it asks for METRICS()."""

    ids: frozenset[str]
    all_metrics: bool
    node: Node

    def evaluate(self, world: World) -> Series:
        """One series; a number is that of every time that a metric has. Raises Fault ValidationError for a list."""
        found = self.node(world)
        if isinstance(found, list):
            raise refused("its value is a list of metrics; take one of them, or SUM, AVG, MIN, MAX of all")
        if isinstance(found, dict):
            return dict(sorted(found.items()))
        times = sorted({at for series in world.metrics.values() for at in series})
        return dict.fromkeys(times, found)


def evaluated(stats: Mapping[str, Series], expressions: Mapping[str, Expression], period: int) -> dict[str, Series]:
    """All of them by their Ids: the metrics as they are, and what the expressions make of them and of each other.

    Raises Fault ValidationError for what cannot be evaluated, or goes in a circle. METRICS() are the metrics alone.
    """
    found, waiting = dict(stats), dict(expressions)
    while waiting:
        ready = [name for name, expression in waiting.items() if not expression.ids & waiting.keys()]
        if not ready:
            raise refused(f"'{next(iter(waiting))}' depends on itself")
        for name in ready:
            named = {each: found[each] for each in waiting[name].ids if each in found}
            world = {**stats, **named} if waiting[name].all_metrics or not named else named
            found[name] = waiting.pop(name).evaluate(World(world, period))
    return found


def read_expression(text: str) -> Expression:
    """Raises Fault ValidationError that says what is wrong."""
    if len(text) > LONGEST:
        raise refused(f"it has {len(text)} characters; {LONGEST} are the most")
    reader = _Reader(list(_tokens(text)))
    node = reader.expression(0)
    if reader.at < len(reader.tokens):
        raise refused(f"'{reader.tokens[reader.at][1]}' is behind its end")
    return Expression(frozenset(reader.ids), reader.all_metrics, node)


def refused(what: str) -> Fault:
    return Fault("ValidationError", f"Expression is none that tobo evaluates: {what}.")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise refused(f"'{text[at:].strip()[:20]}' cannot be read")
        kind = str(match.lastgroup)
        yield kind, match[kind]
        at = match.end()


_LEVELS: Sequence[Mapping[str, Callable[[float, float], float]]] = (
    {"||": lambda a, b: float(bool(a) or bool(b)), "OR": lambda a, b: float(bool(a) or bool(b))},
    {"&&": lambda a, b: float(bool(a) and bool(b)), "AND": lambda a, b: float(bool(a) and bool(b))},
    {
        "==": lambda a, b: float(a == b),
        "!=": lambda a, b: float(a != b),
        "<": lambda a, b: float(a < b),
        "<=": lambda a, b: float(a <= b),
        ">": lambda a, b: float(a > b),
        ">=": lambda a, b: float(a >= b),
    },
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: a / b},
)
"""Operators of two sides, those that bind loosest first."""


class _Reader:
    """Reads tokens by precedence."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens, self.at = tokens, 0
        self.ids: set[str] = set()
        self.all_metrics = False
        self._deep = 0

    def expression(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._power()
        first, rest = self.expression(level + 1), list[tuple[Callable[[float, float], float], Node]]()
        while (sign := self._peek()) in _LEVELS[level]:
            self.at += 1
            rest.append((_LEVELS[level][sign], self.expression(level + 1)))
        return _chained(first, rest) if rest else first

    def _power(self) -> Node:
        negative = False
        while self._took("-"):
            negative = not negative
        node = self._one()
        if self._took("^"):
            node = _chained(node, [(lambda a, b: a**b, self._deeper(self._power))])
        return (lambda world: _each(lambda value: -value, node(world))) if negative else node

    def _deeper(self, read: Callable[[], Node]) -> Node:
        self._deep += 1
        if self._deep > _DEPTH:
            raise refused(f"it is nested deeper than {_DEPTH}")
        node = read()
        self._deep -= 1
        return node

    def _one(self) -> Node:
        return self._deeper(self._operand)

    def _operand(self) -> Node:
        kind, text = self._next()
        if kind == "number":
            return lambda world: float(text)
        if text == "(":
            inner = self.expression(0)
            self._need(")")
            return inner
        if text == "[":
            return _listed(self._arguments("]"))
        if kind != "word":
            raise refused(f"'{text}' is where a metric, a number or a function belongs")
        if self._took("("):
            return self._call(text)
        self.ids.add(text)
        return lambda world: _metric(world, text)

    def _call(self, name: str) -> Node:
        if name == "METRICS":
            self.all_metrics = True
            part = self._next()[1].strip("\"'") if self._peek() != ")" else ""
            self._need(")")
            return lambda world: [series for key, series in world.metrics.items() if part in key]
        if name == "FILL" and self.tokens[self.at + 1 : self.at + 3] == [("sign", ","), ("word", "REPEAT")]:
            metric = self.expression(0)
            self.at += 2
            self._need(")")
            return lambda world: _repeated(world, _series(name, metric(world)))
        arguments = self._arguments(")")
        if name not in _FUNCTIONS:
            raise refused(f"{name} is no function of the subset: {', '.join((*_FUNCTIONS, 'METRICS'))}")
        counts, function = _FUNCTIONS[name]
        if len(arguments) not in counts:
            raise refused(f"{name} has {len(arguments)} arguments, and takes {' or '.join(map(str, counts))}")
        return lambda world: function(world, [argument(world) for argument in arguments])

    def _arguments(self, end: str) -> list[Node]:
        found: list[Node] = []
        while not self._took(end):
            if found:
                self._need(",")
            found.append(self.expression(0))
        return found

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _took(self, text: str) -> bool:
        if self._peek() == text:
            self.at += 1
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._took(text):
            raise refused(f"'{self._peek() or 'its end'}' is where '{text}' belongs")

    def _next(self) -> tuple[str, str]:
        if self.at == len(self.tokens):
            raise refused("it ends where a metric, a number or a function belongs")
        self.at += 1
        return self.tokens[self.at - 1]


def _metric(world: World, name: str) -> Series:
    if name not in world.metrics:
        raise refused(f"'{name}' is the Id of none of the other metrics")
    return world.metrics[name]


def _listed(parts: Sequence[Node]) -> Node:
    return lambda world: [_series("a list", part(world)) for part in parts]


def _series(what: str, value: Value) -> Series:
    if not isinstance(value, dict):
        raise refused(f"{what} wants a metric, not a {'list' if isinstance(value, list) else 'number'}")
    return value


def _computed(function: Callable[..., float], *values: float) -> float | None:
    """None for what is no number."""
    try:
        found = function(*values)
        return found if isinstance(found, float | int) and math.isfinite(found) else None
    except (ArithmeticError, ValueError):
        return None


def _each(function: Callable[[float], float], value: Value) -> Value:
    if isinstance(value, list):
        return [_mapped(function, series) for series in value]
    if isinstance(value, dict):
        return _mapped(function, value)
    found = _computed(function, value)
    if found is None:
        raise refused("a number of it cannot be computed")
    return found


def _mapped(function: Callable[[float], float], series: Series) -> Series:
    computed = ((at, _computed(function, value)) for at, value in series.items())
    return {at: value for at, value in computed if value is not None}


def _chained(first: Node, rest: Sequence[tuple[Callable[[float, float], float], Node]]) -> Node:
    """From the left; a loop, since a long sum is no deep one."""

    def of(world: World) -> Value:
        value = first(world)
        for function, node in rest:
            value = _together(function, value, node(world))
        return value

    return of


def _together(function: Callable[[float, float], float], one: Value, other: Value) -> Value:
    if isinstance(one, list) or isinstance(other, list):
        if isinstance(one, list) and isinstance(other, list):
            raise refused("two lists of metrics cannot be combined")
        if isinstance(one, list):
            return [_series("a list", _together(function, series, other)) for series in one]
        assert isinstance(other, list)
        return [_series("a list", _together(function, one, series)) for series in other]
    if isinstance(one, dict) and isinstance(other, dict):
        computed = ((at, _computed(function, one[at], other[at])) for at in one if at in other)
        return {at: value for at, value in computed if value is not None}
    if isinstance(one, dict):
        bound = other
        return _mapped(lambda value: function(value, bound), one)  # type: ignore[arg-type]
    if isinstance(other, dict):
        first = one
        return _mapped(lambda value: function(first, value), other)
    return _each(lambda value: function(value, other), one)


def _statistic(function: Callable[[Sequence[float]], float]) -> Callable[[World, list[Value]], Value]:
    def of(world: World, arguments: list[Value]) -> Value:
        (value,) = arguments
        if isinstance(value, list):
            times = sorted({at for series in value for at in series})
            return {at: function([series[at] for series in value if at in series]) for at in times}
        series = _series("a statistic", value)
        return function(list(series.values())) if series else {}

    return of


def _differences(rate: bool) -> Callable[[World, list[Value]], Value]:
    def of(world: World, arguments: list[Value]) -> Value:
        items = sorted(_series("DIFF", arguments[0]).items())
        return {at: (value - before) / ((at - then) if rate else 1) for (then, before), (at, value) in pairwise(items)}

    return of


def _running_sum(world: World, arguments: list[Value]) -> Value:
    total, found = 0.0, Series()
    for at, value in sorted(_series("RUNNING_SUM", arguments[0]).items()):
        total += value
        found[at] = total
    return found


def _times(world: World) -> list[float]:
    """All that any metric has, and the periods between them."""
    times = [at for series in world.metrics.values() for at in series]
    if not times:
        return []
    return [min(times) + step * world.period for step in range(int((max(times) - min(times)) / world.period) + 1)]


def _filled(world: World, arguments: list[Value]) -> Value:
    series, filling = _series("FILL", arguments[0]), arguments[1]
    if isinstance(filling, list):
        raise refused("FILL takes a number, a metric or REPEAT")
    return {
        at: series[at] if at in series else (filling.get(at, 0.0) if isinstance(filling, dict) else filling)
        for at in _times(world)
    }


def _repeated(world: World, series: Series) -> Series:
    last: float | None = None
    found = Series()
    for at in _times(world):
        last = series.get(at, last)
        if last is not None:
            found[at] = last
    return found


def _if(world: World, arguments: list[Value]) -> Value:
    condition, then, *rest = arguments
    if any(isinstance(each, list) for each in arguments):
        raise refused("IF takes metrics and numbers, no lists")

    def at_time(value: Value, at: float) -> float | None:
        return value.get(at) if isinstance(value, dict) else float(value)  # type: ignore[arg-type]

    if not isinstance(condition, dict):
        return then if condition else (rest[0] if rest else Series())
    picked = {at: then if holds else (rest[0] if rest else None) for at, holds in condition.items()}
    values = ((at, None if value is None else at_time(value, at)) for at, value in picked.items())
    return {at: value for at, value in values if value is not None}


def _count(world: World, arguments: list[Value]) -> Value:
    (value,) = arguments
    return float(len(value)) if isinstance(value, list) else 1.0


def _period(world: World, arguments: list[Value]) -> Value:
    _series("PERIOD", arguments[0])
    return float(world.period)


def _simple(function: Callable[[float], float]) -> tuple[tuple[int, ...], Callable[[World, list[Value]], Value]]:
    return (1,), lambda world, arguments: _each(function, arguments[0])


_FUNCTIONS: Mapping[str, tuple[tuple[int, ...], Callable[[World, list[Value]], Value]]] = {
    "ABS": _simple(abs),
    "CEIL": _simple(math.ceil),
    "FLOOR": _simple(math.floor),
    "LOG": _simple(math.log),
    "LOG10": _simple(math.log10),
    "AVG": ((1,), _statistic(statistics.fmean)),
    "MAX": ((1,), _statistic(max)),
    "MIN": ((1,), _statistic(min)),
    "STDDEV": ((1,), _statistic(statistics.pstdev)),
    "SUM": ((1,), _statistic(math.fsum)),
    "DIFF": ((1,), _differences(rate=False)),
    "RATE": ((1,), _differences(rate=True)),
    "RUNNING_SUM": ((1,), _running_sum),
    "FILL": ((2,), _filled),
    "IF": ((2, 3), _if),
    "PERIOD": ((1,), _period),
    "METRIC_COUNT": ((1,), _count),
}
