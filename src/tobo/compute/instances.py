"""The instance catalogue: what an ml.* type has and costs at AWS, so that a job here is bounded as it would be there.

Processors and memory follow AWS's own regularity (EC2 instance type pages: a size has four vCPUs an "x", a family has a
fixed amount of memory a vCPU); what departs from it is listed. Prices are SageMaker's on-demand prices for orientation;
where none is known, there is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tobo.compute import limits
from tobo.kit.fault import validation

PRICE_SOURCE = "AWS public SageMaker on-demand prices, us-east-1, approximate"
PRICE_DATE = "2025"

_GIB = 1 << 30


@dataclass(frozen=True)
class Instance:
    """One type. `gpus` counts GPUs only, not AWS's own accelerators; `price` is USD an hour, None where unknown."""

    name: str
    vcpus: float
    memory_bytes: int
    gpus: int = 0
    price: float | None = None
    price_source: str = ""
    price_date: str = ""


def instance(name: str) -> Instance:
    """The type of that name; `local` and `local_gpu` are this machine. Raises Fault ValidationException for others."""
    if name in ("local", "local_gpu"):
        return Instance(name, limits.machine_cpus(), limits.machine_memory_bytes(), price=0.0)
    found = _CATALOGUE.get(name)
    if found is None:
        raise validation(f"Instance type '{name}' is not in the catalogue; choose another one, such as ml.m5.xlarge.")
    return found


def instance_names() -> Iterator[str]:
    """Every ml.* type of the catalogue."""
    return iter(_CATALOGUE)


_GIB_PER_VCPU = {
    2.0: {
        "c5": "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
        "c5d": "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
        "c6g c6gd c6gn c7g": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
        "c6i c6in": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
        "c7i c8g": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
        "c7i-flex c8i-flex": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
        "c8i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge",
    },
    4.0: {
        "m4": "xlarge 2xlarge 4xlarge 10xlarge 16xlarge",
        "m5 m5d": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge",
        "m6g m6gd": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
        "m6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
        "m7i m8g": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
        "m7i-flex m8i-flex": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
        "m8i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge",
        "t2 t3": "large xlarge 2xlarge",
        "g4dn": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
        "g5 g6": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
        "inf2": "xlarge 8xlarge 24xlarge 48xlarge",
        "trn1": "2xlarge 32xlarge",
        "trn1n": "32xlarge",
    },
    8.0: {
        "r5 r5d": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge",
        "r6g r6gd r7gd": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
        "r6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
        "r7i r8g": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
        "r8i-flex": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
        "r8i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge",
        "g6e": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    },
}
"""GiB a vCPU -> families -> sizes."""

_EXCEPTIONS = {
    "c4.large": (2, 3.75),
    "c4.xlarge": (4, 7.5),
    "c4.2xlarge": (8, 15),
    "c4.4xlarge": (16, 30),
    "c4.8xlarge": (36, 60),
    "c5n.large": (2, 5.25),
    "c5n.xlarge": (4, 10.5),
    "c5n.2xlarge": (8, 21),
    "c5n.4xlarge": (16, 42),
    "c5n.9xlarge": (36, 96),
    "c5n.18xlarge": (72, 192),
    "c8g.medium": (1, 2),
    "m8g.medium": (1, 4),
    "r7gd.medium": (1, 8),
    "r8g.medium": (1, 8),
    "t2.medium": (2, 4),
    "t3.medium": (2, 4),
    "dl1.24xlarge": (96, 768),
    "inf1.xlarge": (4, 8),
    "inf1.2xlarge": (8, 16),
    "inf1.6xlarge": (24, 48),
    "inf1.24xlarge": (96, 192),
    "trn2.48xlarge": (192, 2048),
    "g7e.2xlarge": (8, 64),
    "g7e.4xlarge": (16, 128),
    "g7e.8xlarge": (32, 256),
    "g7e.12xlarge": (48, 512),
    "g7e.24xlarge": (96, 1024),
    "g7e.48xlarge": (192, 2048),
    "p2.xlarge": (4, 61),
    "p2.8xlarge": (32, 488),
    "p2.16xlarge": (64, 732),
    "p3.2xlarge": (8, 61),
    "p3.8xlarge": (32, 244),
    "p3.16xlarge": (64, 488),
    "p3dn.24xlarge": (96, 768),
    "p4d.24xlarge": (96, 1152),
    "p4de.24xlarge": (96, 1152),
    "p5.4xlarge": (16, 256),
    "p5.48xlarge": (192, 2048),
    "p5e.48xlarge": (192, 2048),
    "p5en.48xlarge": (192, 2048),
    "p6-b200.48xlarge": (192, 2048),
    "p6-b300.48xlarge": (192, 4096),
    "p6e-gb200.36xlarge": (144, 960),
}
"""vCPUs and GiB of what does not follow the rule."""

_GPUS = {
    "g4dn": {"xlarge": 1, "2xlarge": 1, "4xlarge": 1, "8xlarge": 1, "12xlarge": 4, "16xlarge": 1},
    "g7e": {"2xlarge": 1, "4xlarge": 1, "8xlarge": 1, "12xlarge": 2, "24xlarge": 4, "48xlarge": 8},
    "p2": {"xlarge": 1, "8xlarge": 8, "16xlarge": 16},
    "p3": {"2xlarge": 1, "8xlarge": 4, "16xlarge": 8},
    "p3dn": {"24xlarge": 8},
    "p4d": {"24xlarge": 8},
    "p4de": {"24xlarge": 8},
    "p5": {"4xlarge": 1, "48xlarge": 8},
    "p5e": {"48xlarge": 8},
    "p5en": {"48xlarge": 8},
    "p6-b200": {"48xlarge": 8},
    "p6-b300": {"48xlarge": 8},
    "p6e-gb200": {"36xlarge": 4},
} | {
    family: {
        "xlarge": 1,
        "2xlarge": 1,
        "4xlarge": 1,
        "8xlarge": 1,
        "12xlarge": 4,
        "16xlarge": 1,
        "24xlarge": 4,
        "48xlarge": 8,
    }
    for family in ("g5", "g6", "g6e")
}

_PRICES = {
    "t3": {"medium": 0.05, "large": 0.10, "xlarge": 0.20, "2xlarge": 0.399},
    "m4": {"xlarge": 0.24, "2xlarge": 0.48, "4xlarge": 0.96, "10xlarge": 2.40, "16xlarge": 3.84},
    "m5": {"large": 0.115, "xlarge": 0.23, "2xlarge": 0.461, "4xlarge": 0.922, "12xlarge": 2.765, "24xlarge": 5.53},
    "c4": {"large": 0.119, "xlarge": 0.239, "2xlarge": 0.478, "4xlarge": 0.955, "8xlarge": 1.909},
    "c5": {"large": 0.102, "xlarge": 0.204, "2xlarge": 0.408, "4xlarge": 0.816, "9xlarge": 1.836, "18xlarge": 3.672},
    "r5": {"large": 0.151, "xlarge": 0.302, "2xlarge": 0.605, "4xlarge": 1.21, "12xlarge": 3.629, "24xlarge": 7.258},
    "g4dn": {
        "xlarge": 0.736,
        "2xlarge": 0.94,
        "4xlarge": 1.505,
        "8xlarge": 2.72,
        "12xlarge": 4.89,
        "16xlarge": 5.44,
    },
    "g5": {
        "xlarge": 1.408,
        "2xlarge": 1.515,
        "4xlarge": 2.03,
        "8xlarge": 3.06,
        "12xlarge": 7.09,
        "16xlarge": 5.12,
        "24xlarge": 10.18,
        "48xlarge": 20.36,
    },
    "p2": {"xlarge": 1.125, "8xlarge": 9.0, "16xlarge": 18.0},
    "p3": {"2xlarge": 3.825, "8xlarge": 14.688, "16xlarge": 28.152},
    "inf1": {"xlarge": 0.297, "2xlarge": 0.489},
}
"""USD an hour."""


def _vcpus(size: str) -> int:
    """`large` 2, `xlarge` 4, `<n>xlarge` 4n."""
    if size == "large":
        return 2
    times = re.fullmatch(r"(\d*)xlarge", size)
    assert times is not None, size
    return 4 * int(times[1] or 1)


def _build() -> dict[str, Instance]:
    sizes = {
        f"{family}.{size}": (_vcpus(size), ratio * _vcpus(size))
        for ratio, groups in _GIB_PER_VCPU.items()
        for families, listed in groups.items()
        for family in families.split()
        for size in listed.split()
    } | _EXCEPTIONS
    built: dict[str, Instance] = {}
    for name, (vcpus, gib) in sizes.items():
        family, _, size = name.partition(".")
        price = _PRICES.get(family, {}).get(size)
        source, date = ("", "") if price is None else (PRICE_SOURCE, PRICE_DATE)
        gpus = _GPUS.get(family, {}).get(size, 0)
        built[f"ml.{name}"] = Instance(f"ml.{name}", vcpus, int(gib * _GIB), gpus, price, source, date)
    return built


_CATALOGUE = _build()
