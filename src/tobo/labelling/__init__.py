"""Labelling: what decides over items, workers and labels, without a server."""
