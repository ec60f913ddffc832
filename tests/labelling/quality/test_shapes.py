"""Boxes, polygons, masks and spans of several workers, by hand and by simulation."""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tobo.labelling.quality import boxes, masks, polygons, spans
from tobo.labelling.quality.boxes import Box
from tobo.labelling.quality.polygons import Polygon
from tobo.labelling.quality.spans import Span


def test_iou_of_boxes() -> None:
    edges = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 9]], float)
    found = boxes.iou(edges, edges)
    assert found[0].tolist() == pytest.approx([1, 50 / 150, 0, 0])
    assert found[3].tolist() == [0, 0, 0, 0]
    assert (found == found.T).all()


def test_three_workers_two_things() -> None:
    """All see the left one, one of them calls it otherwise; the right one is seen by one."""
    drawn = [
        Box("ann", "ok", 10, 10, 20, 20),
        Box("bob", "ok", 12, 10, 20, 20),
        Box("cyd", "ko", 11, 8, 20, 24),
        Box("bob", "ko", 70, 70, 10, 10),
    ]
    found = boxes.consolidate(drawn)
    (left,), (right,) = found.kept, found.dropped
    assert (left.left, left.top, left.width, left.height) == (11, 10, 20, 20)
    assert (left.label, left.standing.workers) == ("ok", ("ann", "bob", "cyd"))
    assert left.standing.votes == (("ok", 2), ("ko", 1)) and left.standing.share == 1.0
    overlaps = (380 / 420, 380 / 420, 400 / 480)
    assert left.confidence == pytest.approx(2 / 3 * np.mean(overlaps))
    assert (right.label, right.standing.share, right.confidence) == ("ko", 1 / 3, 1 / 3)
    assert found.confidence == pytest.approx(left.confidence)
    assert boxes.consolidate(drawn[::-1]) == found


def test_half_of_the_workers_are_too_few() -> None:
    drawn = [Box("ann", "ok", 0, 0, 9, 9)]
    assert len(boxes.consolidate(drawn).kept) == 1
    assert len(boxes.consolidate(drawn, workers=2).dropped) == 1
    assert boxes.consolidate(drawn, workers=2).confidence == 0.5
    assert boxes.consolidate(drawn, workers=4).confidence == 0.75
    with pytest.raises(ValueError, match="1 workers answered, it says, but 2"):
        boxes.consolidate([*drawn, Box("bob", "ok", 0, 0, 9, 9)], workers=1)


def test_nothing_drawn_is_agreement() -> None:
    found = boxes.consolidate([], workers=3)
    assert (found.kept, found.dropped, found.confidence) == ((), (), 1.0)


def test_neighbours_of_one_worker_stay_two_things() -> None:
    """Two things overlap by more than the threshold; every worker drew both, so they are two."""
    drawn = [Box(w, "ok", x + dx, 0, 30, 30) for w, dx in (("a", 0), ("b", 1), ("c", -1)) for x in (0, 8)]
    found = boxes.consolidate(drawn)
    assert [(box.left, box.standing.share) for box in found.kept] == [(0, 1.0), (8, 1.0)]


def test_a_chain_does_not_become_one_thing() -> None:
    """Each overlaps the next, the ends hardly: no more than pairs come together."""
    drawn = [Box(f"w{n}", "ok", 9 * n, 0, 30, 30) for n in range(4)]
    found = boxes.consolidate(drawn)
    assert [len(box.standing.workers) for box in found.dropped] == [2, 2] and not found.kept


def test_an_equal_label_finds_its_partner() -> None:
    """A rider and his horse in nearly the same place."""
    drawn = [
        Box("a", "horse", 0, 0, 40, 40), Box("a", "rider", 1, 0, 40, 40),
        Box("b", "rider", 0, 0, 40, 40), Box("b", "horse", 1, 0, 40, 40),
    ]  # fmt: skip
    assert [box.standing.votes for box in boxes.consolidate(drawn).kept] == [(("horse", 2),), (("rider", 2),)]


def test_simulated_workers_are_better_together() -> None:
    """Five workers who miss a twentieth, see ghosts and are some pixels off, in five pictures of twelve things."""
    chance = np.random.default_rng(5)
    truth = [Box("", "ok", 60.0 * (n % 4), 60.0 * (n // 4), 40, 40) for n in range(12)]
    edges = _edges(truth)
    for _ in range(5):
        drawn: list[Box] = []
        for worker in "abcde":
            for one in truth:
                if chance.random() < 0.95:
                    dx, dy, dw, dh = chance.normal(0, 2, 4)
                    drawn.append(Box(worker, "ok", one.left + dx, one.top + dy, one.width + dw, one.height + dh))
            drawn.append(Box(worker, "ko", *chance.uniform(0, 200, 2), 15, 15))
        found = boxes.consolidate(drawn)
        agreed = [Box("agreed", box.label, box.left, box.top, box.width, box.height) for box in found.kept]
        assert boxes.alike(agreed, truth, 0.75)
        alone = boxes.iou(_edges([box for box in drawn if box.label == "ok"]), edges).max(1).mean()
        assert boxes.iou(_edges(agreed), edges).max(1).mean() > alone


def _edges(drawn: list[Box]) -> npt.NDArray[np.float64]:
    return np.array([(box.left, box.top, box.left + box.width, box.top + box.height) for box in drawn])


def circle(radius: float, at: tuple[float, float], corners: int = 60) -> tuple[tuple[float, float], ...]:
    turns = [2 * math.pi * n / corners for n in range(corners)]
    return tuple((at[0] + radius * math.cos(turn), at[1] + radius * math.sin(turn)) for turn in turns)


def test_iou_of_polygons() -> None:
    square = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
    triangle = ((0.0, 0.0), (10.0, 0.0), (0.0, 10.0))
    assert polygons.iou(square, square) == 1.0
    assert polygons.iou(square, triangle) == pytest.approx(0.5, abs=0.005)
    assert polygons.iou(circle(50, (0, 0)), circle(25, (0, 0))) == pytest.approx(0.25, abs=0.005)
    assert polygons.iou(square, circle(3, (40, 40))) == 0.0
    assert polygons.iou(square, ((1.0, 1.0), (5.0, 1.0), (9.0, 1.0))) == 0.0
    with pytest.raises(ValueError, match="three corners at least, this one has 2"):
        polygons.iou(square, ((0.0, 0.0), (1.0, 1.0)))


def test_the_polygon_that_agrees_best() -> None:
    drawn = [
        Polygon("ann", "crack", circle(30, (50, 50))),
        Polygon("bob", "crack", circle(33, (50, 50))),
        Polygon("cyd", "dent", circle(36, (50, 50))),
        Polygon("cyd", "dent", circle(5, (150, 50))),
    ]
    found = polygons.consolidate(drawn)
    (kept,), (dropped,) = found.kept, found.dropped
    assert kept.points == drawn[1].points and kept.label == "crack"
    overlap = ((30 / 33) ** 2 + (33 / 36) ** 2) / 2
    assert kept.confidence == pytest.approx(2 / 3 * overlap, abs=0.01)
    assert (dropped.label, dropped.confidence) == ("dent", 1 / 3)
    assert found.confidence == kept.confidence
    assert polygons.consolidate(drawn[::-1]) == found
    assert polygons.consolidate([], workers=2).confidence == 1.0


def test_pixel_vote() -> None:
    one, two, three = (
        np.array(rows, np.uint8) for rows in ([[0, 1, 2], [1, 1, 3]], [[0, 1, 1], [1, 2, 2]], [[0, 1, 2], [0, 0, 1]])
    )
    found = masks.consolidate([one, two, three])
    assert found.classes.tolist() == [[0, 1, 2], [1, 0, 1]] and found.classes.dtype == np.uint8
    np.testing.assert_allclose(found.agreement, [[1, 1, 2 / 3], [2 / 3, 1 / 3, 1 / 3]], rtol=1e-6)
    assert found.confidences == pytest.approx({0: 2 / 3, 1: 2 / 3, 2: 2 / 3})
    assert found.confidence == pytest.approx(2 / 3)


def test_two_painters_who_differ_leave_the_background() -> None:
    found = masks.consolidate([np.array([[0, 5, 5]], np.uint16), np.array([[0, 0, 5]], np.uint16)])
    assert found.classes.tolist() == [[0, 0, 5]]
    assert found.confidences == {0: 0.75, 5: 1.0}


def test_painters_of_mixed_care_are_better_together() -> None:
    chance = np.random.default_rng(2)
    truth = np.zeros((120, 160), np.uint8)
    truth[20:80, 30:90], truth[60:110, 100:150] = 1, 2
    painted = [
        np.where(chance.random(truth.shape) < wrong, chance.integers(0, 3, truth.shape), truth).astype(np.uint8)
        for wrong in (0.05, 0.2, 0.2, 0.4, 0.4)
    ]
    together = (masks.consolidate(painted).classes == truth).mean()
    assert together > max((mask == truth).mean() for mask in painted)


def test_masks_have_one_size() -> None:
    with pytest.raises(ValueError, match="one size"):
        masks.consolidate([np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)])
    with pytest.raises(ValueError, match="there is no mask"):
        masks.consolidate([])


def test_spans() -> None:
    marked = [
        Span("ann", "ORG", 10, 14), Span("bob", "ORG", 10, 14), Span("cyd", "PER", 10, 14),
        Span("ann", "LOC", 0, 5), Span("bob", "LOC", 0, 4),
    ]  # fmt: skip
    found = spans.consolidate(marked)
    assert [(span.start, span.end, span.label) for span in found.kept] == [(10, 14, "ORG")]
    assert found.kept[0].standing.votes == (("ORG", 2), ("PER", 1))
    assert found.kept[0].confidence == pytest.approx(2 / 3)
    assert [(span.start, span.end, span.confidence) for span in found.dropped] == [(0, 4, 1 / 3), (0, 5, 1 / 3)]
    assert spans.consolidate(marked[::-1]) == found
    assert spans.consolidate(marked, workers=6).kept == ()
    assert spans.consolidate([], workers=2).confidence == 1.0


def test_a_span_counts_once_a_worker() -> None:
    twice = [Span("ann", "PER", 3, 8), Span("ann", "ORG", 3, 8), Span("bob", "PER", 3, 8)]
    (found,) = spans.consolidate(twice, workers=2).kept
    assert found.standing.votes == (("ORG", 1), ("PER", 1)) and found.standing.workers == ("ann", "bob")
    with pytest.raises(ValueError, match="3 to 3 of ann is empty"):
        spans.consolidate([replace(twice[0], end=3)])
