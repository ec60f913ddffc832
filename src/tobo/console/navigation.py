"""What the console has, in the order of the story: the sidebar, the palette and the tests read it here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One screen of the sidebar. `path` without the console's root; `icon` a symbol of icons.svg."""

    title: str
    path: str
    icon: str


@dataclass(frozen=True)
class Group:
    title: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Listed:
    """A kind of resource that the palette finds: how it is listed, and where one is shown."""

    kind: str
    icon: str
    service: str
    operation: str
    members: str
    name: str
    path: str
    """First part of the address; the name follows."""


NAVIGATION: tuple[Group, ...] = (
    Group("", (Place("Home", "", "house"),)),
    Group("Learn", (Place("Training jobs", "training-jobs", "graduation-cap"),)),
    Group(
        "House",
        (
            Place("Alarms", "alarms", "bell"),
            Place("Instances and prices", "instances", "coins"),
            Place("Users and roles", "users", "users"),
            Place("Audit log", "audit", "scroll-text"),
            Place("Settings", "settings", "settings"),
        ),
    ),
)

DEEDS: tuple[Place, ...] = ()
"""What one can begin from the palette."""

LISTED: tuple[Listed, ...] = (
    Listed(
        *("Training job", "graduation-cap"),
        *("sagemaker", "ListTrainingJobs", "TrainingJobSummaries", "TrainingJobName", "training-jobs"),
    ),
)
