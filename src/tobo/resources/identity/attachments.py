"""Attachments: managed and inline policies of roles and users; one set of functions, registered for both."""

from collections.abc import Callable
from typing import Any, Literal

from tobo.kit.fault import Fault
from tobo.operations.context import Call
from tobo.operations.registry import Asked, operation
from tobo.resources.identity import records
from tobo.resources.identity.policies import check_policy
from tobo.store.base import Row

Holder = Literal["Role", "User"]


def _register(holder: Holder) -> None:
    """Registers {Attach,Detach,Put,Get,Delete,List...}<holder>Polic{y,ies}."""
    kind = holder.lower()

    def row(call: Call, asked: Asked) -> Row:
        return records.row_of(call, kind, asked[f"{holder}Name"])

    def arn(call: Call, asked: Asked) -> str:
        return records.arn_of(call, kind, asked[f"{holder}Name"])

    def change(call: Call, asked: Asked, decide: Callable[[Row], dict[str, Any]]) -> Any:
        records.change(call, lambda: row(call, asked), lambda found: {"found": {**found.found, **decide(found)}})
        return {}

    def attach(call: Call, asked: Asked) -> Any:
        """Attaching twice is no error."""
        check_policy(call, asked["PolicyArn"])
        return change(call, asked, lambda found: {"Attached": sorted({*found.found["Attached"], asked["PolicyArn"]})})

    def detach(call: Call, asked: Asked) -> Any:
        def without(found: Row) -> dict[str, Any]:
            if asked["PolicyArn"] not in found.found["Attached"]:
                raise Fault("NoSuchEntity", f"Policy {asked['PolicyArn']} was not found.", 404)
            return {"Attached": [policy for policy in found.found["Attached"] if policy != asked["PolicyArn"]]}

        return change(call, asked, without)

    def list_attached(call: Call, asked: Asked) -> Any:
        found = [
            {"PolicyName": policy.rsplit("/", 1)[-1], "PolicyArn": policy}
            for policy in row(call, asked).found["Attached"]
        ]
        return records.cut(found, asked, "AttachedPolicies")

    def put(call: Call, asked: Asked) -> Any:
        document = records.policy_text(asked["PolicyDocument"], "PolicyDocument")
        return change(call, asked, lambda found: {"Inline": {**found.found["Inline"], asked["PolicyName"]: document}})

    def get(call: Call, asked: Asked) -> Any:
        document = row(call, asked).found["Inline"].get(asked["PolicyName"])
        if document is None:
            raise _no_inline(kind, asked)
        return {
            f"{holder}Name": asked[f"{holder}Name"],
            "PolicyName": asked["PolicyName"],
            "PolicyDocument": records.encoded(document),
        }

    def delete(call: Call, asked: Asked) -> Any:
        def without(found: Row) -> dict[str, Any]:
            if asked["PolicyName"] not in found.found["Inline"]:
                raise _no_inline(kind, asked)
            return {
                "Inline": {name: text for name, text in found.found["Inline"].items() if name != asked["PolicyName"]}
            }

        return change(call, asked, without)

    def list_inline(call: Call, asked: Asked) -> Any:
        return records.cut(sorted(row(call, asked).found["Inline"]), asked, "PolicyNames")

    for name, serve in (
        (f"Attach{holder}Policy", attach),
        (f"Detach{holder}Policy", detach),
        (f"ListAttached{holder}Policies", list_attached),
        (f"Put{holder}Policy", put),
        (f"Get{holder}Policy", get),
        (f"Delete{holder}Policy", delete),
        (f"List{holder}Policies", list_inline),
    ):
        operation("iam", name, resource=arn)(serve)


def _no_inline(kind: str, asked: Asked) -> Fault:
    return Fault("NoSuchEntity", f"The {kind} policy with name {asked['PolicyName']} cannot be found.", 404)


_register("Role")
_register("User")
