"""Processes that outlive the server. The promise is in base.py."""
