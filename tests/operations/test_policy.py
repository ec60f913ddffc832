"""IAM's evaluation: explicit Deny, Allow, nothing."""

import pytest

from tobo.operations.policy import decide, read_policy

READ_ONLY = {"Statement": {"Effect": "Allow", "Action": ["sagemaker:Describe*", "sagemaker:List*"], "Resource": "*"}}
ONE_BUCKET = {
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"]}]
}
NOT_DELETE = {
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"},
    ]
}
ALL_BUT_IAM = {"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}
WITH_CONDITION = {
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"x": "true"}}}]
}


@pytest.mark.parametrize(
    ("policy", "action", "resource", "expected"),
    [
        (READ_ONLY, "sagemaker:DescribeTrainingJob", "arn:x", "allowed"),
        (READ_ONLY, "sagemaker:describetrainingjob", "arn:x", "allowed"),
        (READ_ONLY, "sagemaker:CreateTrainingJob", "arn:x", "implicitDeny"),
        (ONE_BUCKET, "s3:GetObject", "arn:aws:s3:::photos/a.jpg", "allowed"),
        (ONE_BUCKET, "s3:GetObject", "arn:aws:s3:::photos2/a.jpg", "implicitDeny"),
        (ONE_BUCKET, "s3:GetObject", "arn:aws:s3:::Photos/a.jpg", "implicitDeny"),
        (NOT_DELETE, "s3:DeleteObject", "arn:aws:s3:::photos/a.jpg", "explicitDeny"),
        (NOT_DELETE, "s3:PutObject", "arn:aws:s3:::photos/a.jpg", "allowed"),
        (ALL_BUT_IAM, "iam:CreateUser", "*", "implicitDeny"),
        (ALL_BUT_IAM, "s3:PutObject", "*", "allowed"),
        (WITH_CONDITION, "s3:PutObject", "*", "implicitDeny"),
        ({"Statement": []}, "s3:PutObject", "*", "implicitDeny"),
    ],
)
def test_decisions(policy: dict, action: str, resource: str, expected: str) -> None:
    assert decide(read_policy(policy), action, resource) == expected
