"""Artifacts, actions, contexts, associations, and questions along them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server


@pytest.mark.parametrize("noun", ["Action", "Context"])
def test_a_named_entity_from_birth_to_deletion(server: Server, noun: str) -> None:
    sagemaker, lower = server.client("sagemaker"), noun.lower()

    def ask(verb: str, **asked: Any) -> Any:
        return getattr(sagemaker, f"{verb}_{lower}")(**{f"{noun}Name": f"life-{lower}", **asked})

    made = {
        "Source": {"SourceUri": f"s3://life/{lower}", "SourceType": "thing"},
        f"{noun}Type": "Kind",
        "Properties": {"a": "1", "b": "2"},
    }
    arn = ask("create", **made)[f"{noun}Arn"]
    assert arn.endswith(f":{lower}/life-{lower}")
    with pytest.raises(ClientError, match="already exists"):
        ask("create", **made)
    ask("update", Description="new", Properties={"a": "3"}, PropertiesToRemove=["b"])
    told = ask("describe")
    assert told.items() >= {"Properties": {"a": "3"}, "Description": "new", f"{noun}Type": "Kind"}.items()
    assert told["Source"] == made["Source"] and told["LastModifiedTime"] > told["CreationTime"]
    assert ask("describe", **{f"{noun}Name": arn})[f"{noun}Arn"] == arn

    listing = getattr(sagemaker, f"list_{lower}s")
    for filters, expected in (
        ({"SourceUri": f"s3://life/{lower}"}, 1),
        ({"SourceUri": "s3://life/other"}, 0),
        ({f"{noun}Type": "Kind"}, 1),
        ({f"{noun}Type": "Other"}, 0),
        ({"SourceUri": f"s3://life/{lower}", "CreatedAfter": datetime.now(UTC) + timedelta(hours=1)}, 0),
    ):
        assert len(listing(**filters)[f"{noun}Summaries"]) == expected, filters
    many = {f"p{number}": "" for number in range(30)}
    with pytest.raises(ClientError, match="would have 31 properties"):
        ask("update", Properties=many)
    ask("delete")
    for verb in ("describe", "update", "delete"):
        with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="does not exist"):
            ask(verb)


def test_an_artifact_is_its_source(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    plain = {"SourceUri": "s3://artifacts/one"}
    hashed = {**plain, "SourceTypes": [{"SourceIdType": "MD5Hash", "Value": "abc"}]}
    arn = sagemaker.create_artifact(ArtifactName="one", Source=plain, ArtifactType="DataSet")["ArtifactArn"]
    other = sagemaker.create_artifact(Source=hashed, ArtifactType="DataSet")["ArtifactArn"]
    assert arn != other
    with pytest.raises(ClientError, match=f"already exists: {arn}"):
        sagemaker.create_artifact(Source=plain, ArtifactType="Model")
    found = sagemaker.list_artifacts(SourceUri="s3://artifacts/one", SortOrder="Ascending")["ArtifactSummaries"]
    assert [one["ArtifactArn"] for one in found] == [arn, other] and found[0]["ArtifactName"] == "one"
    assert sagemaker.list_artifacts(SourceUri="s3://artifacts/one", ArtifactType="Model")["ArtifactSummaries"] == []
    assert sagemaker.list_artifacts(SourceUri="s3://artifacts/o")["ArtifactSummaries"] == []
    sagemaker.update_artifact(ArtifactArn=arn, ArtifactName="renamed", Properties={"k": "v"})
    told = sagemaker.describe_artifact(ArtifactArn=arn)
    assert (told["ArtifactName"], told["Properties"], told["Source"]) == ("renamed", {"k": "v"}, plain)
    with pytest.raises(ClientError, match="give one of them"):
        sagemaker.delete_artifact()
    assert sagemaker.delete_artifact(Source=hashed)["ArtifactArn"] == other
    sagemaker.delete_artifact(ArtifactArn=arn)
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_artifact(ArtifactArn=arn)


@pytest.fixture(scope="module")
def chain(server: Server) -> dict[str, str]:
    """raw -> clean -> (training) -> model -> deployment, and a project that the training belongs to; ARNs by name."""
    sagemaker = server.client("sagemaker")
    arns = {}
    for name, kind in (("raw", "DataSet"), ("clean", "DataSet"), ("model", "Model")):
        source = {"SourceUri": f"s3://chain/{name}"}
        arns[name] = sagemaker.create_artifact(Source=source, ArtifactType=kind, Properties={"of": name})["ArtifactArn"]
    arns["training"] = sagemaker.create_trial_component(TrialComponentName="chain")["TrialComponentArn"]
    source = {"SourceUri": "s3://chain"}
    arns["deployment"] = sagemaker.create_action(ActionName="chain", Source=source, ActionType="ModelDeployment")[
        "ActionArn"
    ]
    arns["project"] = sagemaker.create_context(ContextName="chain", Source=source, ContextType="Project")["ContextArn"]
    for start, end, kind in (
        ("raw", "clean", "DerivedFrom"),
        ("clean", "training", "ContributedTo"),
        ("training", "model", "Produced"),
        ("model", "deployment", "ContributedTo"),
        ("training", "project", "AssociatedWith"),
    ):
        sagemaker.add_association(SourceArn=arns[start], DestinationArn=arns[end], AssociationType=kind)
    return arns


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"StartArns": ["clean"]}, "raw training model project deployment"),
        ({"StartArns": ["clean"], "Direction": "Ascendants"}, "raw"),
        ({"StartArns": ["clean"], "Direction": "Descendants"}, "training model project deployment"),
        ({"StartArns": ["clean"], "Direction": "Descendants", "MaxDepth": 1}, "training"),
        ({"StartArns": ["deployment"]}, "model training clean raw"),
        ({"StartArns": ["clean"], "Filters": {"LineageTypes": ["Artifact"]}}, "raw model"),
        ({"StartArns": ["clean"], "Filters": {"Types": ["Model", "Project"]}}, "model project"),
        ({"StartArns": ["clean"], "Filters": {"Properties": {"of": "model"}}}, "model"),
        ({"StartArns": ["clean"], "Filters": {"CreatedBefore": datetime(2020, 1, 1, tzinfo=UTC)}}, ""),
        ({"StartArns": ["clean"], "Filters": {"ModifiedAfter": datetime(2020, 1, 1, tzinfo=UTC)}, "MaxDepth": 1}, "raw training"),
    ],
)  # fmt: skip
def test_questions(server: Server, chain: dict[str, str], asked: dict[str, Any], expected: str) -> None:
    names = {arn: name for name, arn in chain.items()}
    asked = {**asked, "StartArns": [chain[name] for name in asked["StartArns"]]}
    found = server.client("sagemaker").query_lineage(**asked)
    assert [names[one["Arn"]] for one in found["Vertices"]] == expected.split()
    told = {one["Arn"] for one in found["Vertices"]} | set(asked["StartArns"])
    assert all({edge["SourceArn"], edge["DestinationArn"]} <= told for edge in found["Edges"])


def test_pages_of_a_question(server: Server, chain: dict[str, str]) -> None:
    """Every vertex and every edge comes once."""
    sagemaker = server.client("sagemaker")
    whole = sagemaker.query_lineage(StartArns=[chain["clean"]])
    assert len(whole["Edges"]) == 5
    vertices, edges, token = [], [], {}
    while True:
        page = sagemaker.query_lineage(StartArns=[chain["clean"]], MaxResults=2, **token)
        vertices += page["Vertices"]
        edges += page["Edges"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert vertices == whole["Vertices"]
    assert sorted(edges, key=str) == sorted(whole["Edges"], key=str)
    kinds = {one["Arn"]: (one["Type"], one["LineageType"]) for one in vertices}
    assert kinds[chain["model"]] == ("Model", "Artifact") and kinds[chain["project"]] == ("Project", "Context")
    assert kinds[chain["training"]] == ("TrialComponent", "TrialComponent")
    # The SageMaker SDK indexes Edges without asking.
    assert sagemaker.query_lineage(StartArns=[chain["clean"]], IncludeEdges=False)["Edges"] == []


def test_a_circle_ends(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    ring = [
        sagemaker.create_artifact(Source={"SourceUri": f"s3://ring/{number}"}, ArtifactType="X")["ArtifactArn"]
        for number in range(3)
    ]
    for number in range(3):
        sagemaker.add_association(SourceArn=ring[number], DestinationArn=ring[(number + 1) % 3])
    found = sagemaker.query_lineage(StartArns=[ring[0]])
    assert {one["Arn"] for one in found["Vertices"]} == set(ring[1:]) and len(found["Edges"]) == 3


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"SourceArn": "training"}, {"project", "model"}),
        ({"DestinationArn": "training"}, {"training"}),
        ({"SourceArn": "training", "AssociationType": "Produced"}, {"model"}),
        ({"SourceArn": "training", "DestinationType": "Model"}, {"model"}),
        ({"SourceArn": "training", "SourceType": "Model"}, set()),
        ({"SourceArn": "training", "DestinationArn": "model"}, {"model"}),
        ({"SourceArn": "raw", "CreatedBefore": datetime(2020, 1, 1, tzinfo=UTC)}, set()),
    ],
)
def test_associations(server: Server, chain: dict[str, str], filters: dict[str, Any], expected: set[str]) -> None:
    names = {arn: name for name, arn in chain.items()}
    asked = {name: chain.get(value, value) if isinstance(value, str) else value for name, value in filters.items()}
    found = server.client("sagemaker").list_associations(**asked)["AssociationSummaries"]
    assert {names[one["DestinationArn"]] for one in found} == expected


@pytest.mark.parametrize("order", ["SourceArn", "DestinationArn", "SourceType", "DestinationType", "CreationTime"])
def test_orders_of_associations(server: Server, chain: dict[str, str], order: str) -> None:
    pages = (
        server.client("sagemaker")
        .get_paginator("list_associations")
        .paginate(SortBy=order, SortOrder="Ascending", PaginationConfig={"PageSize": 2})
    )
    found = [one for page in pages for one in page["AssociationSummaries"]]
    assert len(found) >= 5 and [one[order] for one in found] == sorted(one[order] for one in found)


def test_what_is_associated_is_not_deleted(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    source = sagemaker.create_artifact(Source={"SourceUri": "s3://bound"}, ArtifactType="X")["ArtifactArn"]
    component = sagemaker.create_trial_component(TrialComponentName="bound")["TrialComponentArn"]
    ends = {"SourceArn": source, "DestinationArn": component}
    sagemaker.add_association(**ends)
    with pytest.raises(ClientError, match="already exists"):
        sagemaker.add_association(**ends)
    with pytest.raises(ClientError, match="has associations; delete them first"):
        sagemaker.delete_artifact(ArtifactArn=source)
    sagemaker.delete_trial_component(TrialComponentName="bound")  # takes its associations along
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="No association leads from"):
        sagemaker.delete_association(**ends)
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="does not exist"):
        sagemaker.add_association(**ends)
    sagemaker.delete_artifact(ArtifactArn=source)
    with pytest.raises(ClientError, match="StartArns is missing"):
        sagemaker.query_lineage()
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.query_lineage(StartArns=[source])
