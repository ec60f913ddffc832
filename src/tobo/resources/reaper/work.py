"""The reaper's round: every ten seconds, where somebody has enabled a rule."""

from tobo.operations.context import Context
from tobo.operations.timers import every
from tobo.resources.reaper.cases import RULE, cases_of, rules_of
from tobo.resources.reaper.reaping import perform, reap


@every(10.0, "reaper", "Watching")
def go_round(context: Context) -> None:
    for space in context.store.spaces(RULE):
        rules = [rule for rule in rules_of(context, space.account) if rule.get("Enabled")]
        if rules or next(cases_of(context, space.account), None) is not None:
            reap(context, space.account, rules, perform)
