"""screens: one file a subject; each tuple of screens is named here once."""

from tobo.console.routing import Screen
from tobo.console.screens import audit, home, palette, people, preferences, styleguide, training_jobs

SCREENS: tuple[Screen, ...] = (
    *audit.SCREENS,
    *home.SCREENS,
    *palette.SCREENS,
    *people.SCREENS,
    *preferences.SCREENS,
    *styleguide.SCREENS,
    *training_jobs.SCREENS,
)
