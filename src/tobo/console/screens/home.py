"""Home: what runs now."""

from starlette.responses import Response

from tobo.console.routing import Screen, shown
from tobo.console.visit import Visit


@shown("/")
def _home(visit: Visit) -> Response:
    running = visit.call("sagemaker", "ListTrainingJobs", StatusEquals="InProgress", MaxResults=100)
    return visit.page("home.html", running=running["TrainingJobSummaries"])


SCREENS: tuple[Screen, ...] = (_home,)
