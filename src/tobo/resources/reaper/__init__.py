"""The reaper: stops what is forgotten, by rules that are data; tobo's own service `tobo-reaper`, since AWS has none."""

from tobo.resources.reaper import api, work

__all__ = ["api", "work"]
