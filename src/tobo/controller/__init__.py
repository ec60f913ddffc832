"""The control loop: claims what is due and runs its work."""
