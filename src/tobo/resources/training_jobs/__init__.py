"""Training jobs: an algorithm, its data and its machine, from CreateTrainingJob to model.tar.gz."""

from tobo.resources.training_jobs import api, work

__all__ = ["api", "work"]
