"""The instance catalogue against AWS's own list of names."""

import botocore.session
import pytest

from tobo.compute.instances import instance, instance_names
from tobo.kit.fault import Fault

UNKNOWN_FAMILIES = {"g7"}
"""In the model; their sizes are not public knowledge of ours."""


@pytest.mark.parametrize("shape", ["TrainingInstanceType", "ProductionVariantInstanceType", "TransformInstanceType"])
def test_every_modelled_type_is_there(shape: str) -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    modelled = {name for name in model.shape_for(shape).enum if name.split(".")[1] not in UNKNOWN_FAMILIES}
    assert modelled
    assert modelled <= set(instance_names())


@pytest.mark.parametrize(
    ("name", "vcpus", "gib", "gpus", "price"),
    [
        ("ml.t3.medium", 2, 4, 0, 0.05),
        ("ml.m5.large", 2, 8, 0, 0.115),
        ("ml.m5.24xlarge", 96, 384, 0, 5.53),
        ("ml.c5.18xlarge", 72, 144, 0, 3.672),
        ("ml.c4.8xlarge", 36, 60, 0, 1.909),
        ("ml.r5.large", 2, 16, 0, 0.151),
        ("ml.p3.2xlarge", 8, 61, 1, 3.825),
        ("ml.g4dn.xlarge", 4, 16, 1, 0.736),
        ("ml.g5.12xlarge", 48, 192, 4, 7.09),
        ("ml.inf1.xlarge", 4, 8, 0, 0.297),
        ("ml.p5.48xlarge", 192, 2048, 8, None),
    ],
)
def test_what_a_type_has(name: str, vcpus: int, gib: float, gpus: int, price: float | None) -> None:
    found = instance(name)
    assert (found.vcpus, found.memory_bytes, found.gpus, found.price) == (vcpus, gib * (1 << 30), gpus, price)
    assert bool(found.price_source and found.price_date) == (price is not None)


@pytest.mark.parametrize("name", ["local", "local_gpu"])
def test_local_is_this_machine(name: str) -> None:
    assert instance(name).vcpus >= 1
    assert instance(name).memory_bytes > 1 << 28


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(Fault, match=r"'ml\.x9\.large'") as refused:
        instance("ml.x9.large")
    assert refused.value.code == "ValidationException"
