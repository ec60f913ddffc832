"""What runs inside a notebook instance: its scripts, its repositories and JupyterLab. Guests: they know kit and frameworks.

All find their surroundings in the environment:

- TOBO_NOTEBOOK_HOME: the home folder, anew at each start; below it SageMaker, the volume that is kept.
- TOBO_VENV: the Python environment of kernels, scripts and terminals, anew at each start, over tobo's own.
- TOBO_GATEWAY: where there is no network, the socket of the server's gateway.
"""
