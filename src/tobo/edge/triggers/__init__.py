"""Triggers: what says that a part lies under the camera."""
