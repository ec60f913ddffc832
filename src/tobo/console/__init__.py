"""console: the window for people. Pages show and do only what the signed-in key may ask of the same operations."""

ROOT = "/_tobo/console"
"""Where the pages are."""
