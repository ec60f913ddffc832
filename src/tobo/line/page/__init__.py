"""The live page of a simulated line: a small HTTP server, its events, and what it shows."""
