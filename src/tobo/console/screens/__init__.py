"""screens: one file a subject; each tuple of screens is named here once."""

from tobo.console.routing import Screen
from tobo.console.screens import (
    alarms,
    audit,
    buckets,
    deployment_plans,
    devices,
    evaluation,
    fleets,
    home,
    labelling,
    logs,
    objects,
    packaging_jobs,
    palette,
    people,
    preferences,
    s3_preview,
    server,
    styleguide,
    training_create,
    training_jobs,
    tuning_jobs,
    wizard,
)

_SUBJECTS = (
    home,
    wizard,
    s3_preview,  # before the objects: a bucket has no such name
    buckets,
    objects,
    labelling,
    logs,
    training_create,  # before the jobs: none is called so
    training_jobs,
    tuning_jobs,
    evaluation,
    fleets,
    devices,
    packaging_jobs,
    deployment_plans,
    alarms,
    people,
    audit,
    server,
    palette,
    preferences,
    styleguide,
)

SCREENS: tuple[Screen, ...] = tuple(screen for subject in _SUBJECTS for screen in subject.SCREENS)
