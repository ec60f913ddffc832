"""How a model package moves: through the job of its validation. Pure; one without a validation is born Completed."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Pending", "started"): Step("Transforming", ("await_transform",)),
    ("Pending", "failed"): Step("Failed", ("clean",)),
    ("Transforming", "validated"): Step("Completed", ("clean",)),
    ("Transforming", "failed"): Step("Failed", ("clean",)),
}
"""`Pending` has the command `transform`."""

STATUS = {"Pending": "Pending", "Transforming": "InProgress", "Completed": "Completed", "Failed": "Failed"}
"""The AWS ModelPackageStatus of each state."""
