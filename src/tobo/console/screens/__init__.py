"""screens: one file a subject; each tuple of screens is named here once."""

from tobo.console.routing import Screen
from tobo.console.screens import (
    buckets,
    deployment_plans,
    devices,
    fleets,
    home,
    objects,
    packaging_jobs,
    palette,
    preferences,
    s3_preview,
    styleguide,
    training_jobs,
)

SCREENS: tuple[Screen, ...] = (
    *home.SCREENS,
    *s3_preview.SCREENS,  # before the buckets, one of which may be called so
    *buckets.SCREENS,
    *objects.SCREENS,
    *palette.SCREENS,
    *preferences.SCREENS,
    *styleguide.SCREENS,
    *training_jobs.SCREENS,
    *fleets.SCREENS,
    *devices.SCREENS,
    *packaging_jobs.SCREENS,
    *deployment_plans.SCREENS,
)
