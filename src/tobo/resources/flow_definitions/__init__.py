"""Flow definitions: who is asked about doubtful predictions, on which page, and where the answers go (Amazon A2I)."""

from tobo.resources.flow_definitions import api, work

__all__ = ["api", "work"]
