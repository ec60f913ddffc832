"""Edge deployment plans: which devices of a fleet get which models, stage by stage."""

from tobo.resources.edge_deployment_plans import api, listing, stages, work

__all__ = ["api", "listing", "stages", "work"]
