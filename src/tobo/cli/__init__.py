"""The command line: one thin file a command; what is heavy is imported by the command that needs it."""

import typer

from tobo.cli.configure import configure
from tobo.cli.demo import demo
from tobo.cli.doctor import doctor
from tobo.cli.env import env
from tobo.cli.serve import serve

app = typer.Typer(help="SageMaker's workflow on your own machines.", no_args_is_help=True, add_completion=False)
for command in (serve, env, configure, doctor, demo):
    app.command()(command)


def main() -> None:
    """The `tobo` command."""
    app()
