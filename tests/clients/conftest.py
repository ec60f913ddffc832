"""The clients' server, and their steps played side by side."""

import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.clients.user import CLIENTS, User, missing, new_user, tobo
from tests.conftest import Server
from tests.support.jobs import CLASSES, photo

AT_A_TIME = 10
"""Steps at a time: an SDK that follows a job's log asks for news every 30 seconds and sleeps meanwhile."""


def _photos(folder: Path) -> None:
    for number in range(50):
        file = folder / ("train" if number < 40 else "validation") / CLASSES[number % 2] / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photo(number))


def _points(folder: Path) -> None:
    """Rows `kind,x,y` of 40 points: kind 0 lies around (-2, -2), kind 1 around (2, 2)."""
    random = np.random.default_rng(0)
    kinds = np.repeat([0, 1], 20)[:, None]
    folder.mkdir()
    np.savetxt(folder / "points.csv", np.hstack([kinds, random.normal(4 * kinds - 2, 0.5, (40, 2))]), "%.1f", ",")


@pytest.fixture(scope="session")
def client_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that `tobo configure` has led to a free TLS port before its first start."""
    folder = tmp_path_factory.mktemp("clients")
    served = Server(folder / "state", {"TOBO_WARM": "1"})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configured = tobo("configure", "--tls-port", str(port), server=served, home=folder)
    assert configured.returncode == 0, configured.stderr
    try:
        yield served.start()
    finally:
        served.end()


@pytest.fixture(scope="session")
def played(
    request: pytest.FixtureRequest, client_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], None]]:
    """`played(client, step)` returns when a step has been played, or raises what went wrong.

    All steps that this run has collected are played side by side; a step that names its client's first training job
    comes after it.
    """
    wanted = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    pairs = [(str(found["client"]), str(found["step"])) for found in wanted if {"client", "step"} <= found.keys()]
    users: dict[str, User] = {}
    for client in CLIENTS:
        if missing(client) is None and any(client == its for its, _ in pairs):
            users[client] = new_user(client, client_server, tmp_path_factory.mktemp(client))
            _photos(users[client].folder / "photos")
            _points(users[client].folder / "points")
            shutil.copytree(Path(__file__).parent / "sources", users[client].folder, dirs_exist_ok=True)
    pool = ThreadPoolExecutor(AT_A_TIME)
    playing: dict[tuple[str, str], Future[None]] = {
        (client, "train"): pool.submit(user.play, "train") for client, user in users.items()
    }

    def after_training(user: User, step: str) -> None:
        if user.needs_training(step):
            playing[user.client, "train"].result()
        user.play(step)

    for client, step in pairs:
        if client in users and step != "train":
            playing[client, step] = pool.submit(after_training, users[client], step)
    yield lambda client, step: playing[client, step].result()
    pool.shutdown(cancel_futures=True)
