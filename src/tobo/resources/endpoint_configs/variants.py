"""What the variants of an endpoint configuration may be. Source: API reference, ProductionVariant."""

from collections.abc import Iterator, Mapping
from typing import Any

from tobo.compute.instances import instance
from tobo.kit.fault import validation


def check_variants(asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Each production and shadow variant of a CreateEndpointConfig request when it was found right.

    Raises Fault ValidationException, naming the variant.
    """
    production, shadows = asked["ProductionVariants"], asked.get("ShadowProductionVariants") or []
    if shadows and (len(production) != 1 or len(shadows) != 1):
        raise validation(
            f"ShadowProductionVariants has {len(shadows)} entries beside {len(production)} ProductionVariants; a shadow "
            "needs one of each."
        )
    names: set[str] = set()
    for variant in (*production, *shadows):
        name = variant["VariantName"]
        if name in names:
            raise validation(f"Two variants are called '{name}'; give each a VariantName of its own.")
        names.add(name)
        _check(variant, name)
        if shadows and variant.get("ServerlessConfig"):
            raise validation(
                f"The variant '{name}' is serverless, but shadows need instances; leave ServerlessConfig out."
            )
        yield variant


def _check(variant: Mapping[str, Any], name: str) -> None:
    if not variant.get("ModelName"):
        raise validation(f"The variant '{name}' has no ModelName; inference components are not supported.")
    serverless = variant.get("ServerlessConfig")
    if not serverless:
        if not variant.get("InstanceType") or not variant.get("InitialInstanceCount"):
            raise validation(
                f"The variant '{name}' needs an InstanceType and an InitialInstanceCount of 1 or more, or a ServerlessConfig."
            )
        instance(variant["InstanceType"])
        return
    if variant.get("InstanceType") or variant.get("InitialInstanceCount"):
        raise validation(
            f"The variant '{name}' has a ServerlessConfig and instances; leave InstanceType and InitialInstanceCount out."
        )
    memory, most = serverless["MemorySizeInMB"], serverless["MaxConcurrency"]
    if memory % 1024:
        raise validation(
            f"The MemorySizeInMB {memory} of variant '{name}' is not 1024, 2048, 3072, 4096, 5120 or 6144."
        )
    if (provisioned := serverless.get("ProvisionedConcurrency", 0)) > most:
        raise validation(
            f"The ProvisionedConcurrency {provisioned} of variant '{name}' is more than its MaxConcurrency {most}."
        )
