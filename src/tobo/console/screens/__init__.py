"""screens: one file a subject; each tuple of screens is named here once."""

from tobo.console.routing import Screen
from tobo.console.screens import home, palette, preferences, styleguide, training_jobs, tuning_jobs

SCREENS: tuple[Screen, ...] = (
    *home.SCREENS,
    *palette.SCREENS,
    *preferences.SCREENS,
    *styleguide.SCREENS,
    *training_jobs.SCREENS,
    *tuning_jobs.SCREENS,
)
