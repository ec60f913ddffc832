"""Several models in one replica: loaded when asked for, unloaded by memory, each on its own."""

import sys
from pathlib import Path

import pytest

from tobo.inference.invocations import Handler, Request, Response
from tobo.inference.multi_model import Models
from tobo.kit.paths import MlPaths

LOADED: list[str] = []


def load(folder: Path) -> Handler:
    name = (folder / "name").read_text()
    LOADED.append(name)
    if name == "broken":
        raise ValueError("it is broken")

    def answer(request: Request) -> Response:
        return Response(200, f"{name} {request.body.decode()}".encode())

    return answer


def lay(root: Path, name: str, kilobytes: int = 0, **files: str) -> None:
    folder = MlPaths(root).target_model(name)
    folder.mkdir(parents=True)
    for file, text in {"name": name, "weights": "w" * (kilobytes << 10), **files}.items():
        (folder / file).write_text(text)


def ask(models: Models, name: str) -> tuple[int, bytes | object]:
    response = models(Request(b"hello", "text/plain", "*/*", "", name))
    return response.status, response.body


@pytest.fixture(autouse=True)
def nothing_loaded() -> None:
    LOADED.clear()


def test_each_answers_for_itself_and_is_loaded_once(tmp_path: Path) -> None:
    for name in ("a.tar.gz", "b/c.tar.gz"):
        lay(tmp_path, name)
    models = Models(MlPaths(tmp_path), load, 1 << 40)
    for _ in range(2):
        assert ask(models, "a.tar.gz") == (200, b"a.tar.gz hello")
        assert ask(models, "b/c.tar.gz") == (200, b"b/c.tar.gz hello")
    assert LOADED == ["a.tar.gz", "b/c.tar.gz"]


def test_the_least_recently_used_one_goes(tmp_path: Path) -> None:
    for name in "abc":
        lay(tmp_path, name, kilobytes=1 << 12)
    models = Models(MlPaths(tmp_path), load, 1 << 40)
    for name in "abc":
        ask(models, name)
    assert LOADED == ["a", "b", "c"]
    small = Models(MlPaths(tmp_path), load, 9 << 20)
    LOADED.clear()
    for name in ("a", "b", "a", "c", "a", "b"):
        assert ask(small, name)[0] == 200
    assert LOADED == ["a", "b", "c", "b"]


def test_without_room_only_the_last_one_stays(tmp_path: Path) -> None:
    for name in "ab":
        lay(tmp_path, name, kilobytes=1)
    models = Models(MlPaths(tmp_path), load, 0)
    for name in "aabba":
        assert ask(models, name)[0] == 200
    assert LOADED == ["a", "b", "a"]


def test_a_broken_one_concerns_nobody_else(tmp_path: Path) -> None:
    lay(tmp_path, "good")
    lay(tmp_path, "broken")
    models = Models(MlPaths(tmp_path), load, 1 << 40)
    ask(models, "good")
    with pytest.raises(ValueError, match="it is broken"):
        ask(models, "broken")
    assert ask(models, "good") == (200, b"good hello")
    assert ask(models, "absent") == (404, b"There is no model 'absent'.")
    assert LOADED == ["good", "broken"]


def test_modules_of_a_model_are_its_own(tmp_path: Path) -> None:
    def load_code(folder: Path) -> Handler:
        sys.path.insert(0, str(folder))
        import modelscode

        said = modelscode.SAID
        return lambda request: Response(200, said)

    for name in "ab":
        lay(tmp_path, name, **{"modelscode.py": f"SAID = b'{name}'"})
    models = Models(MlPaths(tmp_path), load_code, 1 << 40)
    assert [ask(models, name)[1] for name in "abab"] == [b"a", b"b", b"a", b"b"]
    assert "modelscode" not in sys.modules and not any(str(tmp_path) in place for place in sys.path)
