"""Measurements against a real server, its floor and its peers, within one run; only ratios travel between machines."""
