"""CloudWatch Logs: log groups, their streams and the events in them."""

from tobo.resources.logs import api, events, filtering, work

__all__ = ["api", "events", "filtering", "work"]
