"""What an endpoint configuration may ask for beside its variants: data capture and asynchronous inference."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import validation
from tobo.kit.s3_uri import parse_s3_uri


def check_features(asked: Mapping[str, Any]) -> None:
    """Of a CreateEndpointConfig request; raises Fault ValidationException."""
    capture = asked.get("DataCaptureConfig")
    if capture and capture.get("EnableCapture"):
        parse_s3_uri(capture["DestinationS3Uri"], "DataCaptureConfig.DestinationS3Uri")
    output = asked.get("AsyncInferenceConfig", {}).get("OutputConfig")
    if output is None:
        return
    if not output.get("S3OutputPath"):
        raise validation("AsyncInferenceConfig.OutputConfig has no S3OutputPath; say where answers shall be written.")
    for member in ("S3OutputPath", "S3FailurePath"):
        if output.get(member):
            parse_s3_uri(output[member], f"AsyncInferenceConfig.OutputConfig.{member}")
    for variant in asked["ProductionVariants"]:
        if variant.get("ServerlessConfig"):
            raise validation(
                f"The variant '{variant['VariantName']}' is serverless, which an asynchronous endpoint cannot be; give it "
                "an InstanceType, or leave AsyncInferenceConfig out."
            )
