"""How an endpoint moves. Pure. The states are the EndpointStatus values themselves."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Creating", "ready"): Step("InService", ("supervise",)),
    ("Creating", "failed"): Step("Failed", ("stop_replicas",)),
    ("Creating", "delete"): Step("Deleting", ("remove",)),
    ("InService", "delete"): Step("Deleting", ("remove",)),
    ("Failed", "delete"): Step("Deleting", ("remove",)),
}

STATUS = {state: state for state in ("Creating", "InService", "Failed", "Deleting")}
