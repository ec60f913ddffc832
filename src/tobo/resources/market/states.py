"""How a subscription moves: a sealed one is asked for, granted, and over; one that is not sealed begins active."""

from tobo.kit.states import Step, Table

REQUESTED, ACTIVE, ENDED, FAILED = "Requested", "Active", "Ended", "Failed"

TABLE: Table = {
    (REQUESTED, "granted"): Step(ACTIVE, ("watch",)),
    (REQUESTED, "ended"): Step(ENDED, ("settle",)),
    (REQUESTED, "failed"): Step(FAILED),
    (ACTIVE, "granted"): Step(ACTIVE, ("watch",)),
    (ACTIVE, "ended"): Step(ENDED, ("settle",)),
    (ACTIVE, "failed"): Step(FAILED),
    (ENDED, "failed"): Step(ENDED),
    (FAILED, "ended"): Step(ENDED, ("settle",)),
}

STATUS = {state: state for state in (REQUESTED, ACTIVE, ENDED, FAILED)}
