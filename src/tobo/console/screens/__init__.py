"""screens: one file a subject; each tuple of screens is named here once."""

from tobo.console.routing import Screen
from tobo.console.screens import (
    alarms,
    audit,
    buckets,
    compilation_jobs,
    costs,
    deployment,  # before the endpoints' own pages
    deployment_plans,
    devices,
    endpoints,
    evaluation,
    fleets,
    flow_definitions,
    home,
    labelling,
    labelling_jobs,
    logs,
    loops,
    model_packages,
    models,
    notebooks,
    objects,
    packaging_jobs,
    palette,
    people,
    pipelines,
    preferences,
    reaper,
    s3_preview,
    server,
    styleguide,
    teams,
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
    teams,  # before the queues: none of them is called so
    labelling,
    labelling_jobs,
    flow_definitions,
    work,
    logs,
    notebooks,
    training_create,  # before the jobs' own pages
    training_jobs,
    tuning_jobs,
    evaluation,
    loops,  # before the pipelines' own pages
    pipelines,
    model_packages,
    models,
    deployment,  # before the endpoints' own pages
    endpoints,
    transform_jobs,
    compilation_jobs,
    costs,
    reaper,
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
