"""What a training will take, by those that were: pure figures; the page is tried where jobs are trained."""

import pytest

from tobo.console.alike import scaled


@pytest.mark.parametrize(
    ("jobs", "work", "expected"),
    [
        ([(100, 10.0)], 300, [30.0]),
        ([(100, 10.0), (100, 12.0)], 50, [5.0, 6.0]),
        ([(100, 7.0), (300, 11.0)], 500, [15.0, 15.0]),  # 5 s for the start, .02 s for each unit
        ([(100, 7.0), (300, 11.0), (500, 400.0)], 500, [400.0, 207.5, 400.0]),
        ([(100, 20.0), (300, 10.0)], 1000, [20.0, 10.0]),  # more work was faster: of such jobs nothing is known
    ],
)
def test_seconds_grow_with_the_work(jobs: list[tuple[int, float]], work: int, expected: list[float]) -> None:
    assert scaled(jobs, work) == pytest.approx(expected)
