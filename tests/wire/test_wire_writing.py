"""Answers byte by byte, where botocore's parser would not notice a difference that other clients do."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st

from tobo.kit.fault import Fault
from tobo.wire.body import FileBody
from tobo.wire.response import Response
from tobo.wire.routing import Target, Unrouted
from tobo.wire.timestamps import epoch_seconds, read_timestamp, write_timestamp
from tobo.wire.writing import write, write_fault

DESCRIBE = Target("sagemaker", "DescribeTrainingJob", "json-1.1")
GET = Target("s3", "GetObject", "rest-xml", {"Bucket": "b", "Key": "k"})
HEAD = Target("s3", "HeadObject", "rest-xml", {"Bucket": "b", "Key": "k"})


def header(response: Response, name: str) -> str | None:
    return dict(response.headers).get(name)


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ({}, b"{}"),
        ({"VpcConfig": None, "TrainingJobName": "a", "NoSuchMember": 1}, b'{"TrainingJobName":"a"}'),
        ({"CreationTime": 1_700_000_000}, b'{"CreationTime":1700000000}'),
        ({"CreationTime": 1_700_000_000.0}, b'{"CreationTime":1700000000}'),
        ({"CreationTime": datetime(2023, 11, 14, 22, 13, 20, 250000, UTC)}, b'{"CreationTime":1700000000.25}'),
        ({"CreationTime": "2023-11-14T22:13:20.250Z"}, b'{"CreationTime":1700000000.25}'),
        ({"FinalMetricDataList": [{"Value": float("nan")}, None]}, b'{"FinalMetricDataList":[{"Value":"NaN"}]}'),
        ({"HyperParameters": {}, "Environment": {"A": None}}, b'{"HyperParameters":{},"Environment":{}}'),
    ],
)
def test_json(result: dict[str, Any], body: bytes) -> None:
    response = write(DESCRIBE, result, "request-1")
    assert response.body == body
    assert response.headers == [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amzn-requestid", "request-1"),
        ("content-length", str(len(body))),
    ]


def test_an_operation_without_output_has_an_empty_body() -> None:
    response = write(Target("sagemaker", "StopTrainingJob", "json-1.1"), {}, "request-1")
    assert (response.status, response.body, header(response, "content-length")) == (200, b"", "0")


def test_lists_of_xml_are_named_as_the_model_says() -> None:
    result = {"Contents": [{"Key": "a&b\r\x01", "Size": 1}], "CommonPrefixes": [{"Prefix": "p/"}], "IsTruncated": False}
    assert write(Target("s3", "ListObjectsV2", "rest-xml", {"Bucket": "b"}), result, "r").body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<IsTruncated>false</IsTruncated><Contents><Key>a&amp;b&#13;\xef\xbf\xbd</Key><Size>1</Size></Contents>"
        b"<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>"
    )
    buckets = {"Buckets": [{"Name": "b", "CreationDate": 1_700_000_000.25}]}
    assert write(Target("s3", "ListBuckets", "rest-xml"), buckets, "r").body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<Buckets><Bucket><Name>b</Name><CreationDate>2023-11-14T22:13:20.250Z</CreationDate></Bucket></Buckets>"
        b"</ListAllMyBucketsResult>"
    )


def test_query() -> None:
    result = {"Tags": [{"Key": "a", "Value": "b"}], "IsTruncated": False}
    assert write(Target("iam", "ListRoleTags", "query"), result, "request-1").body == (
        b'<ListRoleTagsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListRoleTagsResult>'
        b"<Tags><member><Key>a</Key><Value>b</Value></member></Tags><IsTruncated>false</IsTruncated></ListRoleTagsResult>"
        b"<ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata></ListRoleTagsResponse>"
    )


def test_an_object_from_a_file() -> None:
    body = FileBody(file=0, offset=10, length=5)
    response = write(GET, {"Body": body, "ContentType": "image/png", "LastModified": 1_700_000_000}, "r")
    assert response.body is body
    assert (response.status, header(response, "content-length")) == (200, "5")
    assert header(response, "content-type") == "image/png"
    assert header(response, "last-modified") == "Tue, 14 Nov 2023 22:13:20 GMT"


def test_a_part_of_an_object_is_206() -> None:
    response = write(GET, {"Body": b"bc", "ContentRange": "bytes 1-2/4", "ContentLength": 99}, "r")
    assert (response.status, header(response, "content-length")) == (206, "2")


def test_head_has_the_length_and_no_body() -> None:
    response = write(HEAD, {"ContentLength": 4096, "ContentType": "image/png", "Metadata": {"lot": "7"}}, "r")
    assert (response.status, response.body, header(response, "content-length")) == (200, b"", "4096")
    assert header(response, "x-amz-meta-lot") == "7"


def test_no_content_has_no_length() -> None:
    response = write(Target("s3", "DeleteObject", "rest-xml", {"Bucket": "b", "Key": "k"}), {}, "r")
    assert (response.status, response.body, header(response, "content-length")) == (204, b"", None)


def test_a_header_cannot_hold_a_second_one() -> None:
    response = write(GET, {"Body": b"", "ContentDisposition": "a\r\nset-cookie: b", "Metadata": {"a": "€\n"}}, "r")
    assert header(response, "content-disposition") == "a  set-cookie: b"
    for name, value in response.headers:
        assert name.isprintable()
        value.encode("latin-1")
        assert "\r" not in value
        assert "\n" not in value


def test_faults_of_json() -> None:
    response = write_fault(DESCRIBE, Fault("ValidationException", "Requested resource not found."), "request-1")
    assert (response.status, response.body) == (
        400,
        b'{"__type":"ValidationException","message":"Requested resource not found."}',
    )
    assert header(response, "x-amzn-errortype") == "ValidationException"


def test_a_model_error_has_its_own_status_and_members() -> None:
    fault = Fault("ModelError", "It broke.", members={"OriginalStatusCode": 500, "OriginalMessage": "Traceback"})
    response = write_fault(Target("sagemaker-runtime", "InvokeEndpoint", "rest-json"), fault, "request-1")
    assert (response.status, header(response, "x-amzn-errortype")) == (424, "ModelError")
    assert response.body == (
        b'{"__type":"ModelError","OriginalStatusCode":500,"OriginalMessage":"Traceback","Message":"It broke."}'
    )


def test_faults_of_s3() -> None:
    fault = Fault("NoSuchKey", "The specified key does not exist.", members={"Key": "<k>"})
    response = write_fault(GET, fault, "request-1")
    assert (response.status, response.body) == (
        404,
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.'
        b"</Message><Key>&lt;k&gt;</Key><Resource>/b/k</Resource><RequestId>request-1</RequestId></Error>",
    )
    bare = write_fault(HEAD, fault, "request-1")
    assert (bare.status, bare.body, header(bare, "x-amz-request-id")) == (404, b"", "request-1")


def test_not_modified_has_headers_and_no_body() -> None:
    response = write_fault(GET, Fault("NotModified", "", status=304, members={"ETag": '"e"'}), "request-1")
    assert (response.status, response.body, header(response, "etag")) == (304, b"", '"e"')


def test_faults_of_query() -> None:
    response = write_fault(Target("iam", "GetRole", "query"), Fault("NoSuchEntity", "No role."), "request-1")
    assert (response.status, response.body) == (
        404,
        b'<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
        b"<Code>NoSuchEntity</Code><Message>No role.</Message></Error><RequestId>request-1</RequestId></ErrorResponse>",
    )


def test_a_service_that_once_spoke_query_tells_the_old_code() -> None:
    target = Target("cloudwatch", "GetDashboard", "json-1.0")
    response = write_fault(target, Fault("DashboardNotFoundError", "No dashboard."), "request-1")
    assert (response.status, header(response, "x-amzn-query-error")) == (404, "ResourceNotFound;Sender")
    assert header(response, "x-amzn-errortype") == "DashboardNotFoundError"


@pytest.mark.parametrize(
    ("fault", "content_type"),
    [
        (Fault("InternalFailure", "x", 500), "application/json"),
        (Unrouted("query", "UnknownOperationException", "x"), "text/xml"),
        (Unrouted("rest-xml", "UnknownOperationException", "x"), "application/xml"),
        (Unrouted("json-1.0", "UnknownOperationException", "x"), "application/x-amz-json-1.0"),
        (Unrouted("smithy-rpc-v2-cbor", "UnknownOperationException", "x"), "application/cbor"),
    ],
)
def test_a_fault_without_target_speaks_as_its_client(fault: Fault, content_type: str) -> None:
    response = write_fault(None, fault, "request-1")
    assert (response.status, header(response, "content-type")) == (fault.status, content_type)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1.5, "1969-12-31T23:59:58.500Z"),
        ("1700000000", "2023-11-14T22:13:20.000Z"),
        ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000Z"),
        ("2023-11-14T23:13:20.5+01:00", "2023-11-14T22:13:20.500Z"),
        ("2023-11-14", "2023-11-14T00:00:00.000Z"),
        ("Tue, 14 Nov 2023 22:13:20 GMT", "2023-11-14T22:13:20.000Z"),
        (datetime(2023, 11, 14, 22, 13, 20), "2023-11-14T22:13:20.000Z"),
    ],
)
def test_timestamps(given: Any, expected: str) -> None:
    moment = read_timestamp(given)
    assert write_timestamp(moment, "iso8601") == write_timestamp(given, "iso8601") == expected
    assert read_timestamp(epoch_seconds(moment)) == moment
    assert read_timestamp(write_timestamp(given, "unixtimestamp")) == moment


@settings(max_examples=300, deadline=None)
@any_of(st.text(max_size=30) | st.from_regex(r"\A[A-Za-z]{0,4},? ?[0-9]{0,6}[ :-][A-Z0-9: +-]{0,20}\Z") | st.floats())
def test_anything_is_a_time_or_a_value_error(text: object) -> None:
    with contextlib.suppress(ValueError):
        assert read_timestamp(text).tzinfo is UTC


@pytest.mark.parametrize(
    "given", ["", "soon", "nan", "inf", "1e400", "2023-13-01", "Tue, 99 Nov 2023", True, None, [], 1e300]
)
def test_what_is_no_time(given: Any) -> None:
    with pytest.raises(ValueError):
        read_timestamp(given)
