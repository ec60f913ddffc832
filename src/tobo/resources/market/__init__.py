"""The market: models offered in catalogues, subscribed to, opened and metered; tobo's own service `tobo-market`, since
AWS Marketplace sells through AWS alone."""

from tobo.resources.market import api, buyers, selling, work

__all__ = ["api", "buyers", "selling", "work"]
