"""How an algorithm moves: through the jobs of its validation. Pure; one without a validation is born Completed."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Pending", "started"): Step("Training", ("await_training",)),
    ("Pending", "failed"): Step("Failed", ("clean",)),
    ("Training", "trained"): Step("Transforming", ("transform", "await_transform")),
    ("Training", "validated"): Step("Completed", ("clean",)),
    ("Training", "failed"): Step("Failed", ("clean",)),
    ("Transforming", "validated"): Step("Completed", ("clean",)),
    ("Transforming", "failed"): Step("Failed", ("clean",)),
}
"""`Pending` has the command `train`."""

STATUS = {
    "Pending": "Pending",
    "Training": "InProgress",
    "Transforming": "InProgress",
    "Completed": "Completed",
    "Failed": "Failed",
}
"""The AWS AlgorithmStatus of each state."""
