"""What CreateCompilationJob refuses before anything starts, beyond what the AWS model says."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from tobo.compilers.options import Options, check_framework, read_options, read_shapes
from tobo.compilers.targets import Target, find_target
from tobo.kit.fault import validation
from tobo.kit.guest import UserError
from tobo.kit.s3_uri import S3Uri, parse_s3_uri

DEFAULT_MAX_RUNTIME = 86_400
"""Seconds; StoppingCondition's documented default."""


def check_request(asked: Mapping[str, Any]) -> tuple[Target, Options]:
    """The target and the compiler's options; raises Fault ValidationException in one sentence."""
    source = asked.get("InputConfig")
    if asked.get("ModelPackageVersionArn"):
        raise validation("ModelPackageVersionArn is not supported yet; give the model's archive as InputConfig.S3Uri.")
    if source is None:
        raise validation("InputConfig is missing; give S3Uri and Framework of the model to compile.")
    output = asked["OutputConfig"]
    archive(source)
    parse_s3_uri(output["S3OutputLocation"], "OutputConfig.S3OutputLocation")
    try:
        check_framework(source["Framework"])
        read_shapes(source.get("DataInputConfig"))
        target = find_target(output)
        options = read_options(output.get("CompilerOptions"), target)
    except UserError as error:
        raise validation(str(error)) from None
    if options.calibration:
        parse_s3_uri(options.calibration, "OutputConfig.CompilerOptions.calibration")
    return target, options


def archive(source: Mapping[str, Any]) -> S3Uri:
    """The address of an InputConfig's archive; raises Fault."""
    place = "InputConfig.S3Uri"
    uri = parse_s3_uri(source["S3Uri"], place)
    if not uri.key.endswith((".tar.gz", ".tgz", ".tar")):
        raise validation(f"{place} is '{uri}'; it has to name one .tar.gz archive with the model in it.")
    return uri


def artifact(asked: Mapping[str, Any], target: Target) -> S3Uri:
    """Where the compiled archive goes: <S3OutputLocation>/<archive's stem>-<target>.tar.gz, as Neo names it."""
    stem = PurePosixPath(archive(asked["InputConfig"]).key).name
    for suffix in (".tar.gz", ".tgz", ".tar"):
        stem = stem.removesuffix(suffix)
    location = parse_s3_uri(asked["OutputConfig"]["S3OutputLocation"], "OutputConfig.S3OutputLocation")
    return location.below(f"{stem}-{target.name}.tar.gz")
