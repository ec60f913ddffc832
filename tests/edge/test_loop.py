"""The line's loop: every part is sorted, whatever fails is ko, and the loop goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.compiled_model import compiled_folder, pictures
from tests.support.scripted_line import (
    Brightness,
    ScriptedArm,
    ScriptedArrivals,
    ScriptedTrigger,
    SetTimer,
    grey,
    scripted,
)

from tobo.edge.cameras.folder import FolderCamera
from tobo.edge.classifier import ClassifierFault, load
from tobo.edge.decision import Rule
from tobo.edge.loop import Keeping, Line, Loop, Model
from tobo.edge.ports import ActuatorFault, CameraFault, Verdict
from tobo.edge.records import Records

BRIGHT, DARK, DOUBTFUL = grey(0.9), grey(0.1), grey(0.55)
KEEP_NONE = Keeping(margin=0.0, share=0.0)


def test_a_folder_of_pictures_is_sorted_by_a_real_model(tmp_path: Path) -> None:
    classifier = load(compiled_folder(tmp_path / "model"))
    shown = pictures(6)
    for index, pixels in enumerate(shown):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    timer, arm = SetTimer(), ScriptedArm()
    (tmp_path / "model").rename(tmp_path.parent / f"{tmp_path.name}-model")  # loaded: no disk any more
    line = Line(timer, ScriptedTrigger(timer), FolderCamera(tmp_path, timer), arm)
    loop = Loop(line, Model(classifier, "digest"))
    records = [loop.step(2.0) for _ in shown]
    expected = ["ok" if classifier.classify(pixels).argmax() == 1 else "ko" for pixels in shown]
    assert arm.turns == expected
    assert [record.decision.verdict for record in records if record] == expected
    assert {record.model for record in records if record} == {"digest"}
    assert loop.tally.decisions == 6 and loop.tally.percentiles(50) is not None


@pytest.mark.parametrize(
    ("frame", "verdict", "reason", "fault"),
    [
        (BRIGHT, "ok", "class", None),
        (DARK, "ko", "class", None),
        (CameraFault("The camera is unplugged."), "ko", "failed", "The camera is unplugged."),
        (ZeroDivisionError("in a driver"), "ko", "failed", "ZeroDivisionError: in a driver"),
    ],
)
def test_one_part(frame: np.ndarray | Exception, verdict: Verdict, reason: str, fault: str | None) -> None:
    line, arm, _ = scripted([frame, BRIGHT])
    loop = Loop(line, Model(Brightness()))
    record = loop.step(1.0)
    assert record is not None and arm.turns == [verdict]
    assert (record.decision.verdict, record.decision.reason, record.fault) == (verdict, reason, fault)
    after = loop.step(1.0)
    assert after is not None and after.decision.verdict == "ok" and arm.turns[-1] == "ok"


def test_a_model_that_fails_or_is_missing_is_ko() -> None:
    line, arm, _ = scripted([BRIGHT] * 3)
    loop, model = Loop(line), Brightness()
    record = loop.step(1.0)
    assert record is not None and record.fault == "There is no model yet; deploy one to this device."
    loop.model = Model(model)
    model.fails = ClassifierFault("The model failed.")
    loop.step(1.0)
    model.fails = None
    loop.step(1.0)
    assert arm.turns == ["ko", "ko", "ok"]
    assert (loop.tally.decisions, loop.tally.rejects, loop.tally.faults) == (3, 2, 2)


def test_a_late_decision_is_ko() -> None:
    line, arm, _ = scripted([BRIGHT, BRIGHT], takes=0.2)
    loop = Loop(line, Model(Brightness()), Rule(budget=0.1))
    late = loop.step(1.0)
    loop.rule = Rule(budget=0.3)
    in_time = loop.step(1.0)
    assert late is not None and late.decision.reason == "late" and loop.tally.late == 1
    assert in_time is not None and arm.turns == ["ko", "ok"]


@pytest.mark.parametrize(
    ("arrivals", "frames", "turns"),
    [
        # far enough apart
        ((0.0, 0.5), (BRIGHT, DARK), [(0.02, "ok"), (0.52, "ko")]),
        # the second waits until the first has passed, where the arm has to move
        ((0.0, 0.2), (BRIGHT, DARK), [(0.02, "ok"), (0.4, "ko")]),
        ((0.0, 0.2), (DARK, BRIGHT), [(0.02, "ko"), (0.4, "ok")]),
        ((0.0, 0.2), (BRIGHT, BRIGHT), [(0.02, "ok"), (0.22, "ok")]),
        ((0.0, 0.2, 0.5), (BRIGHT, DARK, BRIGHT), [(0.02, "ok"), (0.4, "ko"), (0.6, "ok")]),
        # no time to wait: both are ko
        ((0.0, 0.1), (BRIGHT, BRIGHT), [(0.02, "ok"), (0.12, "ko")]),
        # a third that comes while the second is held: nobody looked at it in time
        ((0.0, 0.2, 0.39), (DARK, BRIGHT, BRIGHT), [(0.02, "ko"), (0.4, "ok"), (0.42, "ko")]),
    ],
)
def test_the_arm_turns_when_the_part_before_has_passed(
    arrivals: tuple[float, ...], frames: tuple[np.ndarray, ...], turns: list[tuple[float, Verdict]]
) -> None:
    line, arm, timer = scripted(frames, takes=0.02)
    arm.timer, begin = timer, timer.now()
    line = replace(line, trigger=ScriptedArrivals(timer, arrivals))
    loop = Loop(line, Model(Brightness()), Rule(budget=0.25, separation=0.4))
    for _ in arrivals:
        loop.step(1.0)
    assert arm.turns == [verdict for _, verdict in turns]
    assert np.array(arm.times) - begin == pytest.approx([at for at, _ in turns])


def test_a_threshold_and_an_override_take_hold_at_the_next_part() -> None:
    line, arm, _ = scripted([BRIGHT] * 4)
    loop = Loop(line, Model(Brightness()))
    for rule in (Rule(), Rule({"ok": 0.95}), Rule(override="ok"), Rule(override="ko")):
        loop.rule = rule
        loop.step(1.0)
    assert arm.turns == ["ok", "ko", "ok", "ko"]


def test_an_arm_that_does_not_obey_stops_the_belt_and_the_loop_goes_on() -> None:
    line, arm, _ = scripted([BRIGHT] * 3, faults={1: ActuatorFault("The servo is stuck."), 2: OSError("gone")})
    loop = Loop(line, Model(Brightness()))
    faults = [record.arm_fault for record in (loop.step(1.0) for _ in range(3)) if record]
    assert faults == ["The servo is stuck.", "OSError: gone", None]
    assert arm.stops == 2 and loop.tally.arm_faults == 2


def test_the_arm_rests_at_ko() -> None:
    line, arm, _ = scripted([BRIGHT])
    loop = Loop(line, Model(Brightness()), rest_after=2.0)
    loop.step(1.0)
    line.trigger.parts = 0  # type: ignore[attr-defined]
    loop.step(1.0)
    assert arm.turns == ["ok"]
    loop.step(1.0)
    loop.step(1.0)
    assert arm.turns == ["ok", "ko"]
    line.close()
    assert arm.closed


def test_a_trigger_that_fails_costs_no_more_than_its_parts() -> None:
    line, arm, _ = scripted([BRIGHT])

    class Broken(ScriptedTrigger):
        fails = True

        def wait(self, timeout: float) -> float | None:
            if self.fails:
                raise OSError("no such pin")
            return super().wait(timeout)

    trigger = Broken(line.timer)  # type: ignore[arg-type]
    loop = Loop(Line(line.timer, trigger, line.camera, arm), Model(Brightness()))
    assert loop.step(1.0) is None
    trigger.fails = False
    assert loop.step(1.0) is not None and arm.turns == ["ok"]


def test_doubtful_frames_and_a_random_share_are_kept() -> None:
    line, _, _ = scripted([BRIGHT, DOUBTFUL] * 50)
    loop = Loop(
        line,
        Model(Brightness()),
        keeping=Keeping(margin=0.2, share=0.2, per_minute=1000),
        seed=1,
        records=Records(500, 500),
    )
    for _ in range(100):
        loop.step(1.0)
    kept = [record.kept for record in loop.records.take()]
    assert set(kept[1::2]) == {"margin"}
    assert 2 <= kept[0::2].count("random") <= 20 and set(kept[0::2]) == {"random", None}


def test_a_line_full_of_doubts_keeps_so_many_frames_a_minute() -> None:
    line, _, _ = scripted([DOUBTFUL] * 300)
    loop = Loop(line, Model(Brightness()), keeping=Keeping(per_minute=6), records=Records(500, 500))
    for _ in range(300):  # a part a second
        loop.step(1.0)
    kept = [record.number for record in loop.records.take() if record.kept]
    assert kept[:6] == [1, 2, 3, 4, 5, 6] and 33 <= len(kept) <= 36


def test_what_nobody_fetches_is_dropped_and_counted() -> None:
    line, _, _ = scripted([DOUBTFUL] * 10)
    loop = Loop(line, Model(Brightness()), records=Records(limit=5, limit_frames=2))
    for _ in range(10):
        loop.step(1.0)
    taken = loop.records.take()
    assert [record.number for record in taken] == [1, 2, 3, 4, 5]
    assert [record.frame is not None for record in taken] == [True, True, False, False, False]
    assert (loop.records.dropped, loop.records.dropped_frames) == (5, 8)
    line, _, _ = scripted([DOUBTFUL])
    loop.line = line
    loop.step(1.0)
    assert loop.records.take()[0].frame is not None


def test_run_shows_that_it_is_alive_even_when_no_part_comes() -> None:
    line, _, timer = scripted([])
    line.trigger.parts = 0  # type: ignore[attr-defined]
    beats: list[float] = []
    Loop(line).run(lambda: len(beats) >= 4, lambda: beats.append(timer.now()))
    assert max(np.diff(beats)) <= 0.5
