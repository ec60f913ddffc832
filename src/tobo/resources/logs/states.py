"""The settings of a log group: with a retention old events are thrown away time and again, without one they stay."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Kept", "RetentionPut"): Step("Expiring", ("expire",)),
    ("Expiring", "RetentionPut"): Step("Expiring", ("expire",)),
    ("Expiring", "RetentionDeleted"): Step("Kept"),
    ("Kept", "RetentionDeleted"): Step("Kept"),
}
