"""Retention of metrics: once an hour old points are rolled up, and the oldest are deleted.

CloudWatch keeps points of less than a minute for 3 hours, then periods of a minute for 15 days, of five for 63 days, of
an hour for 455 days (User Guide, "Metrics retention"). Here points are kept as they were put for a day, since percentiles
need them.
"""

from tobo.operations.context import Context
from tobo.operations.timers import every

_HOUR, _DAY = 3600.0, 86_400.0

ROLLED_UP = ((1 * _DAY, 60), (15 * _DAY, 300), (63 * _DAY, 3600))
"""(seconds after which, period in seconds)"""

FORGOTTEN = 455 * _DAY

LEARNING_CURVES = (
    "/aws/sagemaker/TrainingJobs",
    "/aws/sagemaker/TrialComponents",
    "/aws/sagemaker/TrialComponents/steps",
)
"""Namespaces whose points stay: they tell of a job, not of a time, and there are as many as the job has printed."""


@every(_HOUR, "metrics-retention", "Aging")
def age(context: Context) -> None:
    """Done twice it changes nothing more."""
    now = context.clock.now()
    context.metrics.forget(now - FORGOTTEN, LEARNING_CURVES)
    for seconds, period in ROLLED_UP:
        context.metrics.roll_up(now - seconds, period, LEARNING_CURVES)
