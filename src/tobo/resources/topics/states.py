"""How a delivery moves. Pure. One that arrived is deleted, after it was remembered for as long as the same message may come again."""

from tobo.kit.states import Step, Table

TABLE: Table = {
    ("Sending", "sent"): Step("Sent", ("forget",)),
    ("Sending", "failed"): Step("GivenUp", ("forget",)),
    ("Sent", "failed"): Step("Sent", ("forget",)),
    ("GivenUp", "failed"): Step("GivenUp", ("forget",)),
}
