"""DataInputConfig and CompilerOptions as their tables say."""

import json
from typing import Any

import pytest

from tobo.compilers.options import Options, is_named, read_options, read_shapes
from tobo.compilers.targets import BUILT
from tobo.kit.guest import UserError


@pytest.mark.parametrize(
    ("given", "shapes"),
    [
        (None, None),
        ({"input": [1, 3, 224, 224]}, {"input": (1, 3, 224, 224)}),
        ({"a": [1, 2], "b": {"shape": [3]}}, {"a": (1, 2), "b": (3,)}),
        ([[1, 3, 8, 8], [1, 4]], {"#0": (1, 3, 8, 8), "#1": (1, 4)}),
        ([{"shape": [1, 3, 8, 8]}], {"#0": (1, 3, 8, 8)}),
    ],
)
def test_shapes(given: Any, shapes: dict[str, tuple[int, ...]] | None) -> None:
    found = read_shapes(None if given is None else json.dumps(given))
    assert found == shapes
    assert all(is_named(name) == isinstance(given, dict) for name in found or {})


@pytest.mark.parametrize(
    "given", ["{", "3", "{}", "[]", '{"a": 1}', '{"a": []}', '{"a": [1, 2.5]}', '{"a": ["1..9"]}', "[[true]]"]
)
def test_shapes_that_are_none(given: str) -> None:
    with pytest.raises(UserError, match=r"InputConfig.DataInputConfig .*\{\"input\": \[1, 3, 224, 224\]\}"):
        read_shapes(given)


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (None, Options()),
        ({}, Options()),
        ({"precision": "fp32", "tolerance": 0}, Options(precision="fp32", tolerance=0.0)),
        ({"calibration": "s3://b/p/"}, Options(calibration="s3://b/p/")),
        ({"thresholds": {"ok": 1}}, Options(thresholds={"ok": 1.0})),
        ({"mcpu": "skylake-avx512", "mattr": ["+neon"]}, Options(neo={"mcpu": "skylake-avx512", "mattr": ["+neon"]})),
    ],
)
def test_options(given: Any, options: Options) -> None:
    assert read_options(None if given is None else json.dumps(given), BUILT["rasp4b"]) == options
