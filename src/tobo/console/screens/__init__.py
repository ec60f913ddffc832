"""screens: one file a subject; each tuple of screens is named here once."""

from tobo.console.routing import Screen
from tobo.console.screens import (
    evaluation,
    home,
    labelling,
    palette,
    preferences,
    s3_preview,
    styleguide,
    training_jobs,
    tuning_jobs,
)

SCREENS: tuple[Screen, ...] = (
    *evaluation.SCREENS,
    *home.SCREENS,
    *labelling.SCREENS,
    *palette.SCREENS,
    *preferences.SCREENS,
    *s3_preview.SCREENS,
    *styleguide.SCREENS,
    *training_jobs.SCREENS,
    *tuning_jobs.SCREENS,
)
