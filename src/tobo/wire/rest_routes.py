"""REST routes of one or more services: method, path template, query literals and required keys -> operation.

A template is matched by its number of segments; among the operations of one template the one with the most query
literals and required keys wins (S3 tells 40 operations apart on GET /{Bucket} this way).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from tobo.wire.models import description
from tobo.wire.request import Request

_SHADOWED = frozenset({("s3", "ListDirectoryBuckets")})
"""Same request as another operation, at a host of its own that we do not have."""


@dataclass(frozen=True)
class Route:
    """One operation behind a template. `literals` are (key, value or None for any) of the query."""

    service: str
    operation: str
    literals: tuple[tuple[str, str | None], ...]
    query_keys: tuple[str, ...]
    headers: tuple[str, ...]

    @property
    def weight(self) -> tuple[int, int]:
        return len(self.literals), len(self.query_keys) + len(self.headers)

    def has_literals(self, parameters: Mapping[str, list[str]]) -> bool:
        return all(key in parameters and value in (None, parameters[key][0]) for key, value in self.literals)

    def has_required(self, request: Request) -> bool:
        return all(key in request.parameters for key in self.query_keys) and all(
            name in request.headers for name in self.headers
        )


class Template:
    """One method and path template with the operations behind it."""

    def __init__(self, path: str) -> None:
        parts = path.strip("/").split("/") if path != "/" else []
        self.greedy = bool(parts) and parts[-1].endswith("+}")
        self.depth = len(parts)
        self._fixed = tuple((at, part) for at, part in enumerate(parts) if not part.startswith("{"))
        self._labels = tuple((at, part.strip("{+}")) for at, part in enumerate(parts) if part.startswith("{"))
        self._bare: list[Route] = []
        self._by_literal: dict[str, list[Route]] = {}

    @property
    def weight(self) -> tuple[int, bool]:
        return len(self._fixed), not self.greedy

    def add(self, route: Route) -> None:
        group = self._by_literal.setdefault(route.literals[0][0], []) if route.literals else self._bare
        group.append(route)
        group.sort(key=lambda one: one.weight, reverse=True)

    def labels(self, segments: list[str]) -> dict[str, str] | None:
        """Raw label values, or None where the fixed segments differ. `segments` are as many as the template has."""
        for at, text in self._fixed:
            if segments[at] != text:
                return None
        return {name: segments[at] for at, name in self._labels}

    def choose(self, request: Request) -> tuple[Route | None, bool]:
        """(the most specific operation or None, whether the request can mean no other).

        Query literals decide first: `GET /b/k?attributes` is GetObjectAttributes even without its required header, so
        that the check can name what is missing.
        """
        named: list[Route] = []
        if self._by_literal and request.query:
            parameters = request.parameters
            for key in parameters:
                named += [route for route in self._by_literal.get(key, ()) if route.has_literals(parameters)]
        group = named or self._bare
        for route in group:
            if route.has_required(request):
                return route, True
        return (group[0] if group else None), bool(named)


class RestRoutes:
    """The index over all templates."""

    def __init__(self) -> None:
        self._by_path: dict[tuple[str, str], Template] = {}
        self._exact: dict[tuple[str, int], list[Template]] = {}
        self._greedy: dict[str, list[Template]] = {}

    def add(self, method: str, path: str, route: Route) -> None:
        template = self._by_path.get((method, path))
        if template is None:
            template = self._by_path[method, path] = Template(path)
            greedy, exact = self._greedy, self._exact
            place = greedy.setdefault(method, []) if template.greedy else exact.setdefault((method, template.depth), [])
            place.append(template)
            place.sort(key=lambda one: one.weight, reverse=True)
        template.add(route)

    def match(self, request: Request) -> tuple[Route, Mapping[str, str]] | None:
        """The most specific operation and its raw labels, or None; one that lacks required keys only if no other fits."""
        lacking: tuple[Route, Mapping[str, str]] | None = None
        for template, labels in self._templates(request):
            route, complete = template.choose(request)
            if route is not None and complete:
                return route, labels
            if route is not None and lacking is None:
                lacking = route, labels
        return lacking

    def _templates(self, request: Request) -> Iterator[tuple[Template, Mapping[str, str]]]:
        path = request.path[1:]
        segments = path.split("/") if path else []
        if len(segments) == 2 and not segments[1]:
            segments.pop()  # /bucket/ is /bucket; deeper trailing slashes are part of a key
        for template in self._exact.get((request.method, len(segments)), ()):
            labels = template.labels(segments)
            if labels is not None:
                yield template, labels
        for template in self._greedy.get(request.method, ()):
            if len(segments) >= template.depth:
                head = segments[: template.depth - 1]
                labels = template.labels([*head, "/".join(segments[template.depth - 1 :])])
                if labels is not None:
                    yield template, labels


def _route(service: str, name: str) -> tuple[str, str, Route]:
    """(method, path template, route) of an operation.

    Read from the model file itself: botocore's shapes of all operations together would be megabytes.
    """
    shapes, operation = description(service)["shapes"], description(service)["operations"][name]
    path, _, query = operation["http"]["requestUri"].partition("?")
    literals = tuple(
        (key, value if equals else None)
        for key, equals, value in (part.partition("=") for part in query.split("&") if part)
    )
    query_keys: list[str] = []
    headers: list[str] = []
    asked = shapes[operation["input"]["shape"]] if "input" in operation else {}
    for required in asked.get("required", ()):
        member = asked["members"][required]
        if member.get("location") == "querystring":
            query_keys.append(member.get("locationName", required))
        elif member.get("location") == "header":
            headers.append(member.get("locationName", required).lower())
    return operation["http"]["method"], path, Route(service, name, literals, tuple(query_keys), tuple(headers))


@cache
def rest_routes(services: tuple[str, ...]) -> RestRoutes:
    """The index of all REST operations of these services, made once."""
    routes = RestRoutes()
    for service in services:
        model = description(service)
        if not model["metadata"]["protocol"].startswith("rest-"):
            continue
        for name, operation in model["operations"].items():
            if (service, name) not in _SHADOWED and not operation.get("deprecated"):
                routes.add(*_route(service, name))
    return routes
