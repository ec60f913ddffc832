"""Stdlib-only vocabulary shared by the house and its guests."""
