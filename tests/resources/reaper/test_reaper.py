"""The reaper on a real server: an endpoint that nobody tagged is noticed, paused, brought back, and all of it is in the audit log."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.support.browser import limited_user
from tests.support.jobs import ENDLESS, training_job, upload_photos, wait
from tests.support.named import asker, make_endpoint, make_named_model, named_variant, settled
from tests.support.processes import until
from tests.support.reaping import UNTAGGED, reaper, tobo


def refusal(call: Callable[..., Any], **asked: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**asked)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def instances(server: Server, name: str) -> int:
    described = server.client("sagemaker").describe_endpoint(EndpointName=name)
    count: int = described["ProductionVariants"][0]["DesiredInstanceCount"]
    return count


def test_the_dry_run_is_what_is_done(fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    server = fresh_server()
    make_named_model(server, "sorter")
    make_endpoint(server, "forgotten", named_variant("sorter", count=2))
    make_endpoint(server, "kept", named_variant("sorter"))
    sagemaker, rules = server.client("sagemaker"), reaper(server)
    arns = {name: sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"] for name in ("forgotten", "kept")}
    sagemaker.add_tags(ResourceArn=arns["kept"], Tags=[{"Key": "tobo:keep", "Value": ""}])
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(UNTAGGED))
    assert tobo(server, "put", str(file)).stdout.split() == ["untagged"]
    (planned,) = rules.plan_reaping()["Reapings"]
    assert (planned["ResourceArn"], planned["Step"]) == (arns["forgotten"], "Notice")
    said = tobo(server, "plan").stdout
    assert "untagged: notice endpoint/forgotten, since it has no tag 'project'" in said
    assert instances(server, "forgotten") == 2 and rules.list_cases()["Cases"] == [], "a rule that is off did something"

    assert tobo(server, "on", "untagged").returncode == 0
    until(lambda: instances(server, "forgotten") == 0, 60)
    settled(server, "forgotten")
    assert instances(server, "kept") == 1
    (case,) = rules.list_cases()["Cases"]
    assert (case["Status"], case["ResourceArn"], case["RuleName"]) == ("Done", arns["forgotten"], "untagged")
    assert case["CaseId"] in tobo(server, "cases").stdout

    events = server.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "UpdateEndpointWeightsAndCapacities"}]
    )["Events"]
    told = [json.loads(event["CloudTrailEvent"]) for event in events]
    assert [event["userIdentity"]["arn"] for event in told] == [
        f"arn:aws:sts::{server.account}:assumed-role/tobo-reaper/tobo"
    ]

    undone = tobo(server, "undo", case["CaseId"])
    assert "UpdateEndpointWeightsAndCapacities" in undone.stdout, undone.stderr
    until(lambda: settled(server, "forgotten") and instances(server, "forgotten") == 2)
    assert asker(server, "forgotten")("a") == "sorter"
    (case,) = rules.list_cases()["Cases"]
    assert case["Status"] == "Undone"
    assert refusal(rules.undo_reaping, CaseId=case["CaseId"])[0] == "ValidationException"
    server.kill()
    server.start()
    assert instances(server, "forgotten") == 2


def test_a_grace_period_begins_with_a_notice(fresh_server: Callable[..., Server]) -> None:
    """The topic is told, and nothing is done for an hour, whatever becomes of the server."""
    server = fresh_server()
    make_named_model(server, "sorter")
    make_endpoint(server, "forgotten", named_variant("sorter"))
    topic = server.client("sns").create_topic(Name="reaped")["TopicArn"]
    rule = {**UNTAGGED, "GraceMinutes": 60, "TopicArn": topic, "Enabled": True}
    reaper(server).put_rule(Rule=rule)
    until(lambda: reaper(server).list_cases()["Cases"], 60)
    events = server.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "Publish"}]
    )["Events"]
    (told,) = [json.loads(event["CloudTrailEvent"])["requestParameters"] for event in events]
    assert "PAUSE in 60 minutes, unless it is tagged tobo:keep" in told["message"]
    server.kill()
    server.start()
    (planned,) = reaper(server).plan_reaping()["Reapings"]
    (case,) = reaper(server).list_cases()["Cases"]
    assert planned["Step"] == "Wait" and (planned["At"] - case["NoticedAt"]).total_seconds() == pytest.approx(3600)
    (made,) = planned["Calls"]
    assert json.loads(made["Request"]) == {
        "EndpointName": "forgotten",
        "DesiredWeightsAndCapacities": [{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}],
    }
    sagemaker = server.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName="forgotten")["EndpointArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "project", "Value": "marbles"}])
    until(lambda: not reaper(server).list_cases()["Cases"], 60)
    assert instances(server, "forgotten") == 1


def test_a_job_that_runs_too_long_is_stopped(fresh_server: Callable[..., Server]) -> None:
    server = fresh_server(TOBO_WARM="1")
    upload_photos(server, "photos")
    sagemaker = server.client("sagemaker")
    sagemaker.create_training_job(**training_job("endless", "photos", HyperParameters=ENDLESS))
    rule = {
        "RuleName": "old",
        "Kinds": ["training-job"],
        "Conditions": {"OlderThanMinutes": 0},
        "Action": "STOP",
        "GraceMinutes": 0,
        "Enabled": True,
    }
    reaper(server).put_rule(Rule=rule)
    assert wait(sagemaker, "endless", seconds=120)["TrainingJobStatus"] == "Stopped"
    (case,) = reaper(server).list_cases()["Cases"]
    assert case["Action"] == "STOP"
    until(lambda: reaper(server).list_cases()["Cases"][0]["Status"] == "Done", 60)
    assert "nothing brings it back" in refusal(reaper(server).undo_reaping, CaseId=case["CaseId"])[1]


def test_rules_are_listed_changed_and_deleted(fresh_server: Callable[..., Server], tmp_path: Path) -> None:
    server = fresh_server()
    rules = reaper(server)
    for number in range(5):
        rules.put_rule(Rule={**UNTAGGED, "RuleName": f"r{number}"})
    first = rules.list_rules(MaxResults=3)
    second = rules.list_rules(MaxResults=3, NextToken=first["NextToken"])
    names = [rule["RuleName"] for page in (first, second) for rule in page["Rules"]]
    assert names == [f"r{number}" for number in range(5)] and "NextToken" not in second
    rules.put_rule(Rule={**UNTAGGED, "RuleName": "r0", "Action": "NOTIFY"})
    assert rules.describe_rule(RuleName="r0")["Rule"]["Action"] == "NOTIFY"
    assert len(tobo(server, "rules").stdout.splitlines()) == 5
    assert tobo(server, "delete", "r0").returncode == 0
    for call, asked in (
        (rules.describe_rule, {"RuleName": "r0"}),
        (rules.delete_rule, {"RuleName": "r0"}),
        (rules.plan_reaping, {"RuleNames": ["r0"]}),
        (rules.undo_reaping, {"CaseId": "r0/arn"}),
    ):
        assert refusal(call, **asked)[0] == "ResourceNotFound"
    assert refusal(rules.put_rule, Rule={**UNTAGGED, "Conditions": {}})[0] == "ValidationException"
    file = tmp_path / "rules.yaml"
    for text, named in (("- a", "Rule 1"), ("a: [", "not well formed")):
        file.write_text(text)
        done = tobo(server, "put", str(file))
        assert done.returncode == 1 and named in done.stderr
    key, secret = limited_user(server, "clerk", {"Effect": "Allow", "Action": "tobo-reaper:List*", "Resource": "*"})
    theirs = reaper(server, (key, secret))
    assert len(theirs.list_rules()["Rules"]) == 4
    assert refusal(theirs.put_rule, Rule=UNTAGGED)[0] == "AccessDeniedException"
