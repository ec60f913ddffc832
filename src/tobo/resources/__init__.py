"""The nouns. Each has api.py (operations), states.py (pure table) and work.py (side effects), as far as it needs them."""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

NOUNS = (
    "identity",
    "buckets",
    "logs",
    "metrics",
    "alarms",
    "topics",
    "algorithms",
    "training_jobs",
    "tuning_jobs",
    "processing_jobs",
    "compilation_jobs",
    "model_packages",
    "models",
    "transform_jobs",
    "endpoint_configs",
    "endpoints",
    "autoscaling",
    "things",
    "device_fleets",
    "devices",
    "edge_packaging_jobs",
    "edge_deployment_plans",
    "edge_runtime",
    "user_pools",
    "workforces",
    "workteams",
    "human_task_uis",
    "flow_definitions",
    "human_loops",
    "experiments",
    "lineage",
    "search",
    "tags",
    "labeling_jobs",
    "pipelines",
    "code_repositories",
    "notebook_lifecycle_configs",
    "notebook_instances",
    "trail",
    "costs",
    "budgets",
    "reaper",
    "market",
    "secrets",
    "vitals",
    "event_rules",
)


@cache
def load() -> None:
    """Imports every noun, which fills the dispatch table and the machines; third parties join through `tobo.resources`."""
    for noun in NOUNS:
        import_module(f"tobo.resources.{noun}")
    for point in entry_points(group="tobo.resources"):
        point.load()
