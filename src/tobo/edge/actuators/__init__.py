"""Actuators: what sorts."""
