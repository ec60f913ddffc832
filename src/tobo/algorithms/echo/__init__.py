"""Echo: the image of a model that is none. It shows what an endpoint does, and what the way there and back costs."""

from tobo.kit.algorithm import Algorithm

ALGORITHM = Algorithm(
    name="tobo-echo",
    repositories=("tobo-echo",),
    hyperparameters=(),
    metrics=(),
    channels=(),
    train=None,
    serve="tobo.algorithms.echo.serve:main",
)
