"""Notebook instances: JupyterLab in a sandbox, from CreateNotebookInstance to its page behind the gateway."""

from tobo.resources.notebook_instances import api, work

__all__ = ["api", "work"]
