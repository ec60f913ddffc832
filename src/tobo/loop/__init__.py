"""The loop: labels that people gave become training data, a new model, and an honest comparison with the current one.

`definition` makes the pipeline; `gather` and `compare` are the programs of its Processing steps, which run in the
server's Python environment and speak to it as any client does.
"""
