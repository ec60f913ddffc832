"""AWS managed policies that clients attach by ARN, as statements of what they allow here."""

from collections.abc import Mapping
from typing import Any

ROOT = "arn:aws:iam::aws:policy/"


def _allow(*actions: str, also: tuple[Mapping[str, Any], ...] = ()) -> Mapping[str, Any]:
    everywhere = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [everywhere, *also]}


_SAGEMAKERS_SECRETS = {
    "Effect": "Allow",
    "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:CreateSecret"],
    "Resource": "arn:aws:secretsmanager:*:*:secret:AmazonSageMaker-*",
}
"""Those that begin so, as SageMaker's own console names them: an execution role reads no other."""


_READING = (
    "sagemaker:Describe*", "sagemaker:List*", "sagemaker:Get*", "sagemaker:Search", "sagemaker:BatchDescribe*",
    "application-autoscaling:Describe*", "cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*",
    "logs:Describe*", "logs:Get*", "logs:List*", "logs:FilterLogEvents", "logs:StartLiveTail", "logs:StartQuery",
    "s3:Get*", "s3:List*", "iam:Get*", "iam:List*", "iam:Simulate*", "sts:Get*",
)  # fmt: skip

MANAGED: Mapping[str, Mapping[str, Any]] = {
    ROOT + "AdministratorAccess": _allow("*"),
    ROOT + "PowerUserAccess": {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["iam:ListRoles", "iam:CreateServiceLinkedRole"], "Resource": "*"},
        ],
    },
    ROOT + "ReadOnlyAccess": _allow(*_READING),
    ROOT + "IAMFullAccess": _allow("iam:*"),
    ROOT + "IAMReadOnlyAccess": _allow("iam:Get*", "iam:List*", "iam:Simulate*"),
    ROOT + "AmazonS3FullAccess": _allow("s3:*"),
    ROOT + "AmazonS3ReadOnlyAccess": _allow("s3:Get*", "s3:List*", "s3:Describe*"),
    ROOT + "AmazonSageMakerFullAccess": _allow(
        "sagemaker:*", "s3:*", "logs:*", "cloudwatch:*", "application-autoscaling:*", "ecr:*",
        "iam:PassRole", "iam:GetRole", "iam:ListRoles", "iam:SimulatePrincipalPolicy", "sts:GetCallerIdentity",
        # No EC2 here, yet SageMaker SDK 3.x trains only with a role that may attach to a VPC.
        "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission", "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "secretsmanager:ListSecrets",
        also=(_SAGEMAKERS_SECRETS,),
    ),
    ROOT + "AmazonSageMakerReadOnly": _allow(
        "sagemaker:Describe*", "sagemaker:List*", "sagemaker:BatchGetMetrics", "sagemaker:GetDeviceRegistration",
        "sagemaker:GetSearchSuggestions", "sagemaker:Search", "application-autoscaling:Describe*",
        "cloudwatch:DescribeAlarms", "cloudwatch:Get*", "cloudwatch:List*", "logs:Describe*", "logs:Get*",
    ),
    ROOT + "SecretsManagerReadWrite": _allow("secretsmanager:*"),
    ROOT + "CloudWatchFullAccess": _allow("cloudwatch:*", "logs:*", "application-autoscaling:Describe*"),
    ROOT + "CloudWatchFullAccessV2": _allow("cloudwatch:*", "logs:*", "application-autoscaling:Describe*"),
    ROOT + "CloudWatchReadOnlyAccess": _allow(
        "cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*",
        "logs:Describe*", "logs:Get*", "logs:List*", "logs:FilterLogEvents", "logs:StartLiveTail",
    ),
    ROOT + "CloudWatchLogsFullAccess": _allow("logs:*", "cloudwatch:GetMetricData"),
    ROOT + "CloudWatchLogsReadOnlyAccess": _allow(
        "logs:Describe*", "logs:Get*", "logs:List*", "logs:FilterLogEvents", "logs:StartLiveTail"
    ),
}  # fmt: skip
