"""Durable bytes: buckets and objects. The promise is in base.py."""
