"""How a flow definition moves. Pure."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Initializing", "verified"): Step("Active"),
    ("Initializing", "failed"): Step("Failed"),
    **{(state, "delete"): Step("Deleting", ("remove",)) for state in ("Initializing", "Active", "Failed")},
}

STATUS = {state: state for state in ("Initializing", "Active", "Failed", "Deleting")}
"""The AWS FlowDefinitionStatus of each state."""
