"""Durable rows: one table of resources, whatever the noun. The promise is in base.py."""
