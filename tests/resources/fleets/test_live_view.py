"""The live view's two operations: who may look, what a device may show, and that nothing of it stays."""

import io
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from PIL import Image
from tests.support.browser import limited_user
from tests.support.device import enable_alias, make_device
from tests.support.fleets import Fleet, client
from tests.support.unique import unique

from tobo.kit.arn import Namespace
from tobo.operations.live_views import LOOKED_AT_SECONDS, NUDGE_SECONDS, LiveViews
from tobo.store.base import Key

TOLD = {"Part": {"Number": 7, "Verdict": "ko", "Reason": "class"}, "Decisions": 9}


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind)
    return out.getvalue()


@pytest.fixture
def live(fleet: Fleet) -> Any:
    fleet.register("cam-1")
    return client(fleet.server, "tobo-edge")


def device(fleet: Fleet, name: str = "cam-1") -> dict[str, str]:
    return {"DeviceName": name, "DeviceFleetName": fleet.name}


def test_it_is_wanted_while_somebody_looks_and_all_see_the_same(fleet: Fleet, live: Any) -> None:
    assert live.send_live_view(**device(fleet), Told=TOLD, Picture=picture())["WantedSeconds"] == 0
    found = live.describe_live_view(**device(fleet))
    assert not {"Told", "Picture"} & found.keys()  # what came while nobody looked was not kept
    assert 0 < live.send_live_view(**device(fleet))["WantedSeconds"] <= LOOKED_AT_SECONDS
    assert "ToldTime" not in live.describe_live_view(**device(fleet))
    live.send_live_view(**device(fleet), Told=TOLD, Picture=picture())
    live.send_live_view(**device(fleet), Told={**TOLD, "Decisions": 10})
    one, two = (live.describe_live_view(**device(fleet)) for _ in range(2))
    assert one["Told"] == two["Told"] == {**TOLD, "Decisions": 10}
    assert one["Picture"] == two["Picture"] == picture()
    fleet.restart()
    live = client(fleet.server, "tobo-edge")
    assert "Told" not in live.describe_live_view(**device(fleet))
    assert live.send_live_view(**device(fleet))["WantedSeconds"] > 0


@pytest.mark.parametrize(
    ("hostile", "message"),
    [
        (b"<svg onload=alert(1)>", "is not a JPEG"),
        (picture("PNG"), "is not a JPEG"),
        (picture()[:20], "is not a JPEG"),
        (picture(size=(641, 8)), "at most 640 a side"),
        (np.random.default_rng(1).bytes(20_481), "20480"),
    ],
)
def test_a_hostile_picture_is_refused_and_what_was_shown_stays(
    fleet: Fleet, live: Any, hostile: bytes, message: str
) -> None:
    live.describe_live_view(**device(fleet))
    live.send_live_view(**device(fleet), Told=TOLD, Picture=picture())
    with pytest.raises(ClientError, match=f"ValidationException.*{message}"):
        live.send_live_view(**device(fleet), Told=TOLD, Picture=hostile)
    assert live.describe_live_view(**device(fleet))["Picture"] == picture()


def test_a_device_that_is_not_there(fleet: Fleet, live: Any) -> None:
    for ask in (live.describe_live_view, live.send_live_view):
        with pytest.raises(ClientError, match="There is no device 'cam-9' in the fleet"):
            ask(**device(fleet, "cam-9"))


def test_who_may_describe_a_device_may_look_at_that_one(fleet: Fleet, live: Any) -> None:
    fleet.register("cam-2")
    arn = fleet.sagemaker.describe_device(**device(fleet))["DeviceArn"]
    keys = limited_user(
        fleet.server, unique("looks"), {"Effect": "Allow", "Action": "sagemaker:DescribeDevice", "Resource": arn}
    )
    looks = client(fleet.server, "tobo-edge", aws_access_key_id=keys[0], aws_secret_access_key=keys[1])
    looks.describe_live_view(**device(fleet))
    for ask, name in ((looks.describe_live_view, "cam-2"), (looks.send_live_view, "cam-1")):
        with pytest.raises(ClientError, match="AccessDenied"):
            ask(**device(fleet, name))


def test_a_devices_own_credentials_show_itself_and_no_other(fleet: Fleet, tmp_path: Any) -> None:
    enable_alias(fleet)
    fleet.register("cam-2")
    shows = make_device(fleet, "cam-1", tmp_path).client("tobo-edge")
    assert shows.send_live_view(**device(fleet), Told=TOLD)["WantedSeconds"] == 0
    for ask, name in ((shows.send_live_view, "cam-2"), (shows.describe_live_view, "cam-1")):
        with pytest.raises(ClientError, match="AccessDenied"):
            ask(**device(fleet, name))


def test_what_nobody_looks_at_any_more_is_forgotten_and_who_does_not_answer_is_nudged_again() -> None:
    views, one = LiveViews(), Key(Namespace("1", "r"), "device", "line/one")
    assert views.look(one, 100.0)[1]
    assert not views.look(one, 101.0)[1]
    assert views.look(one, 100.0 + NUDGE_SECONDS)[1]
    views.show(one, 111.0, TOLD, b"picture")
    view, nudge = views.look(one, 112.0)
    assert (view.picture, view.at, nudge) == (b"picture", 111.0, False)
    assert views.show(one, 112.0 + LOOKED_AT_SECONDS, TOLD, b"late") == 0
    assert views.look(one, 140.0)[0].picture == b""
