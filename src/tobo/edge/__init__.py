"""The agent on a device: camera -> classifier -> actuator, with no network; it installs without the server."""
