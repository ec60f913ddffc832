"""Drawing a marble's photo."""

import time

from bench.rows import Row
from tobo.line.marbles import photos

COUNT = 100


def run() -> list[Row]:
    list(photos(5))
    begin = time.process_time()
    list(photos(COUNT, seed=1))
    return [Row("marble photo, 96 px", (time.process_time() - begin) * 1000 / COUNT, "CPU-ms", aim=10)]
