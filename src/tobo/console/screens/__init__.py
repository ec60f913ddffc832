"""screens: one file a subject; each tuple of screens is named here once."""

from tobo.console.routing import Screen
from tobo.console.screens import alarms, audit, home, palette, people, preferences, server, styleguide, training_jobs

SCREENS: tuple[Screen, ...] = (
    *alarms.SCREENS,
    *audit.SCREENS,
    *home.SCREENS,
    *palette.SCREENS,
    *people.SCREENS,
    *preferences.SCREENS,
    *server.SCREENS,
    *styleguide.SCREENS,
    *training_jobs.SCREENS,
)
