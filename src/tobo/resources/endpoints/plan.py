"""What an endpoint configuration means for an endpoint: its variants with all that their work needs, fixed when asked."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tobo.kit.fault import validation
from tobo.operations.artifacts import container_of, start_seconds
from tobo.operations.context import Call, Context
from tobo.operations.quotas import check_instances
from tobo.resources.endpoints.deployment import check_deployment
from tobo.resources.endpoints.fleets import Fleet, Variant, grown, instances_of, new_fleet
from tobo.resources.endpoints.rollback import check_alarms_exist


def planned_fleet(
    call: Call, config_name: str, number: int, deployment: Mapping[str, Any], retained: Mapping[str, Variant]
) -> dict[str, Any]:
    """The fleet of an endpoint configuration; configuration and models may be deleted afterwards.

    `retained` are what variants, by their name, keep. Raises Fault ValidationException where the configuration or a model
    is unknown, or the deployment is none that is built, ResourceLimitExceeded for too many instances.
    """
    config = call.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=config_name)
    variants = [
        {**_variant(call, variant, shadow), **_kept(variant, retained.get(variant["VariantName"], {}))}
        for member, shadow in (("ProductionVariants", False), ("ShadowProductionVariants", True))
        for variant in config.get(member, ())
    ]
    check_instances(call.context, "an endpoint", (variant["InstanceCount"] for variant in variants))
    fleet = new_fleet(number, config, variants, call.now, deployment)
    check_deployment(deployment, instances_of(fleet))
    check_alarms_exist(call.context, call.space, deployment)
    return fleet


def retained_properties(fleet: Fleet, excluded: Collection[str]) -> dict[str, Variant]:
    """What RetainAllVariantProperties keeps of each variant. Source: API reference, UpdateEndpoint."""
    members = {"DesiredInstanceCount": "InstanceCount", "DesiredWeight": "Weight"}
    kept = [member for property, member in members.items() if property not in excluded]
    return {v["VariantName"]: _kept(v, {member: v[member] for member in kept}) for v in fleet["variants"]}


def _kept(variant: Variant, retained: Mapping[str, Any]) -> dict[str, Any]:
    """A serverless variant neither gives nor takes a count of instances."""
    serverless = variant.get("ServerlessConfig")
    return {member: value for member, value in retained.items() if not (serverless and member == "InstanceCount")}


def resizing(context: Context, fleet: Fleet, arn: str, wishes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The fleet of endpoint `arn` with the weights and counts of DesiredWeightsAndCapacities and the replicas to add.

    Raises Fault ValidationException where a wish does not fit its variant, ResourceLimitExceeded for too many instances.
    """
    by_name = {wish["VariantName"]: wish for wish in wishes}
    known = [variant["VariantName"] for variant in fleet["variants"]]
    if len(by_name) < len(wishes):
        raise validation("DesiredWeightsAndCapacities names a variant twice; say once what it shall have.")
    if unknown := [name for name in by_name if name not in known]:
        raise validation(
            f'The endpoint "{arn}" has no variant {", ".join(unknown)}; its variants are {", ".join(known)}.'
        )
    variants = [_wished(variant, by_name.get(variant["VariantName"], {})) for variant in fleet["variants"]]
    check_instances(context, "an endpoint", (variant["InstanceCount"] for variant in variants))
    changed = {**fleet, "variants": variants, "before": {"variants": fleet["variants"], "last": fleet["last"]}}
    for variant in variants:
        changed = grown(changed, variant["VariantName"], variant["InstanceCount"])
    return changed


def _wished(variant: Mapping[str, Any], wish: Mapping[str, Any]) -> dict[str, Any]:
    changed = {**variant, "Weight": wish.get("DesiredWeight", variant["Weight"])}
    serverless, name = variant.get("ServerlessConfig"), variant["VariantName"]
    if (count := wish.get("DesiredInstanceCount")) is not None:
        if serverless:
            raise validation(f"The variant {name} is serverless and has no instances; leave DesiredInstanceCount out.")
        changed["InstanceCount"] = count
    if update := wish.get("ServerlessUpdateConfig"):
        if not serverless:
            raise validation(f"The variant {name} is not serverless; leave ServerlessUpdateConfig out.")
        changed["ServerlessConfig"] = {**serverless, **update}
        most, provisioned = (
            changed["ServerlessConfig"].get(f"{kind}Concurrency", 0) for kind in ("Max", "Provisioned")
        )
        if provisioned > most:
            raise validation(
                f"The ProvisionedConcurrency {provisioned} of variant {name} is more than its MaxConcurrency {most}."
            )
    return changed


def _variant(call: Call, variant: Mapping[str, Any], shadow: bool) -> dict[str, Any]:
    container = container_of(call.call("sagemaker", "DescribeModel", ModelName=variant["ModelName"]))
    given = {member: variant[member] for member in ("InstanceType", "ServerlessConfig") if member in variant}
    return {
        **container,
        **given,
        "VariantName": variant["VariantName"],
        "Shadow": shadow,
        "InstanceCount": variant.get("InitialInstanceCount", 0),
        "Weight": variant["InitialVariantWeight"],
        "StartSeconds": variant.get("ContainerStartupHealthCheckTimeoutInSeconds")
        or start_seconds(call.context, container),
    }
