"""How an alarm moves: its states are CloudWatch's, and an event is called as the state that it leads to. Pure."""

from tobo.kit.states import Step, Table

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")

TABLE: Table = {
    (state, event): Step(event, ("tell", "watch")) for state in STATES for event in STATES if state != event
} | {(state, "failed"): Step(state, ("rest", "tell", "watch")) for state in STATES}
"""What fails is a bug of ours or a full disk: the alarm rests, and is watched again."""
