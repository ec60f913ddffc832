"""Built-in algorithms: guests that train inside a job, found by the repository name of their image."""

from functools import cache
from importlib.metadata import entry_points

from tobo.algorithms import echo, image_classification
from tobo.kit.algorithm import Algorithm, repository_of

_OURS = (image_classification.ALGORITHM, echo.ALGORITHM)


@cache
def algorithms() -> dict[str, Algorithm]:
    """All installed algorithms by repository name; third parties join through the entry point group `tobo.algorithms`."""
    found: dict[str, Algorithm] = {}
    for algorithm in (*_OURS, *(point.load() for point in entry_points(group="tobo.algorithms"))):
        found.update(dict.fromkeys(algorithm.repositories, algorithm))
    return found


def find_algorithm(image_uri: str) -> Algorithm | None:
    """The algorithm that an image URI means, or None."""
    return algorithms().get(repository_of(image_uri))
