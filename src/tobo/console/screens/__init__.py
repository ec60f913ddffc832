"""screens: one file a subject; each tuple of screens is named here once."""

from tobo.console.routing import Screen
from tobo.console.screens import (
    alarms,
    audit,
    buckets,
    compilation_jobs,
    deployment,  # before the endpoints' own pages
    deployment_plans,
    devices,
    endpoints,
    evaluation,
    fleets,
    home,
    labelling,
    logs,
    models,
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
    transform_jobs,
    tuning_jobs,
    wizard,
    work,
)

_SUBJECTS = (
    home,
    wizard,
    s3_preview,  # before the objects: a bucket has no such name
    buckets,
    objects,
    labelling,
    work,
    logs,
    training_create,  # before the jobs' own pages
    training_jobs,
    tuning_jobs,
    evaluation,
    models,
    deployment,  # before the endpoints' own pages
    endpoints,
    transform_jobs,
    compilation_jobs,
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
