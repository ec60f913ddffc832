"""Human task UIs: the templates of the pages at which a task is done."""

from tobo.resources.human_task_uis import api

__all__ = ["api"]
