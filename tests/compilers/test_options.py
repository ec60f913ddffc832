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
        ({"runtime": "ncnn"}, Options(precision="fp32", runtime="ncnn")),
        ({"runtime": "onnxruntime", "precision": "int8"}, Options(precision="int8", runtime="onnxruntime")),
        ({"thresholds": {"ok": 1}}, Options(thresholds={"ok": 1.0})),
        ({"mcpu": "skylake-avx512", "mattr": ["+neon"]}, Options(neo={"mcpu": "skylake-avx512", "mattr": ["+neon"]})),
    ],
)
def test_options(given: Any, options: Options) -> None:
    assert read_options(None if given is None else json.dumps(given), BUILT["rasp4b"]) == options


@pytest.mark.parametrize(
    ("given", "target", "sentence"),
    [
        ({"runtime": "tflite"}, "rasp4b", "which is not built: its converters need an environment of their own"),
        (
            {"runtime": "LiteRT"},
            "android_arm64",
            "(litert-torch converts a PyTorch model there); here android_arm64 is",
        ),
        ({"runtime": "mxnet"}, "rasp4b", '.runtime is "mxnet"; rasp4b is built for onnxruntime or ncnn.'),
        ({"runtime": "ncnn"}, "ml_c5", '.runtime is "ncnn"; ml_c5 is built for openvino or onnxruntime.'),
        ({"runtime": ["ncnn"]}, "rasp4b", '.runtime is ["ncnn"]; rasp4b is built for onnxruntime or ncnn.'),
        ({"runtime": "ncnn", "precision": "int8"}, "rasp4b", "the runtime ncnn is built in fp32"),
        ({"precision": "int8"}, "android_arm64", '.precision is "int8"; android_arm64 is built in fp32.'),
    ],
)
def test_runtimes_that_are_not_built(given: Any, target: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        read_options(json.dumps(given), BUILT[target])
    assert sentence in str(caught.value) and "OutputConfig.CompilerOptions" in str(caught.value)
