"""Work teams: the groups of people to whom a labelling job is given."""

from tobo.resources.workteams import api, subscribed

__all__ = ["api", "subscribed"]
