"""Lists of secrets and of their versions, never with a value."""

from collections.abc import Mapping
from typing import Any

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.listing import page_of
from tobo.operations.registry import operation
from tobo.operations.rows import rows_of
from tobo.resources.secrets.api import stages_of, summary
from tobo.resources.secrets.rows import KIND, SERVICE, known, named
from tobo.store.base import Row

PAGE = 100


@operation(SERVICE, "ListSecrets", resource=lambda call, asked: "*")
def list_secrets(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The newest first. Raises Fault InvalidParameterException for a filter that is not built."""
    found = [
        row
        for row in rows_of(call.context.store, call.space, KIND)
        if (asked.get("IncludePlannedDeletion") or not row.found.get("DeletedDate"))
        and all(_passes(row, each) for each in asked.get("Filters", ()))
    ]
    if asked.get("SortBy") == "name":
        found.sort(key=lambda row: row.key.name)
    if asked.get("SortOrder", "desc") == "desc":
        found.reverse()
    items, more = page_of(found, KIND, asked, PAGE)
    return {"SecretList": [_listed(row) for row in items], **more}


@operation(SERVICE, "ListSecretVersionIds", resource=named)
def list_secret_version_ids(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Those with a label, and the others where IncludeDeprecated says so. Raises Fault ResourceNotFoundException."""
    row = known(call, asked)
    versions = [
        {"VersionId": version["Id"], "VersionStages": version["Stages"], "CreatedDate": version["Created"]}
        for version in row.found["_versions"]
        if version["Stages"] or asked.get("IncludeDeprecated")
    ]
    items, more = page_of(versions, f"{KIND} versions", asked, PAGE)
    return {"ARN": row.arn, "Name": row.key.name, "Versions": list(items), **more}


def _listed(row: Row) -> dict[str, Any]:
    return {**summary(row), "SecretVersionsToStages": stages_of(row)}


def _passes(row: Row, wanted: Mapping[str, Any]) -> bool:
    """Values of a filter are beginnings, one of which is enough; with a ! before it, none may be."""
    texts = {
        "name": [row.key.name],
        "description": [row.asked.get("Description", "")],
        "tag-key": list(row.tags),
        "tag-value": list(row.tags.values()),
    }
    key = wanted.get("Key", "")
    if key not in (*texts, "all"):
        raise Fault(
            "InvalidParameterException", f"Filters by '{key}' are not built; those by {', '.join(texts)} and all are."
        )
    have = [text.casefold() for name, some in texts.items() if key in (name, "all") for text in some]
    refused = [value[1:].casefold() for value in wanted.get("Values", ()) if value.startswith("!")]
    asked = [value.casefold() for value in wanted.get("Values", ()) if not value.startswith("!")]
    if any(text.startswith(value) for value in refused for text in have):
        return False
    return not asked or any(text.startswith(value) for value in asked for text in have)
