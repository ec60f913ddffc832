"""Replicas that answer invocations. The promise is in base.py."""
