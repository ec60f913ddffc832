"""The command line: one thin file a command; what is heavy is imported by the command that needs it."""

import typer

from tobo.cli.configure import configure
from tobo.cli.console import console
from tobo.cli.demo import demo
from tobo.cli.doctor import doctor
from tobo.cli.edge import app as edge
from tobo.cli.env import env
from tobo.cli.images import app as images
from tobo.cli.invoke import invoke
from tobo.cli.jobs import app as jobs
from tobo.cli.labels import app as labels
from tobo.cli.line import line
from tobo.cli.logs import logs
from tobo.cli.loop import app as loop
from tobo.cli.market import app as market
from tobo.cli.reaper import app as reaper
from tobo.cli.serve import serve
from tobo.cli.tune import tune

app = typer.Typer(help="SageMaker's workflow on your own machines.", no_args_is_help=True, add_completion=False)
for command in (serve, console, env, configure, doctor, demo, line, tune, logs, invoke):
    app.command()(command)
app.add_typer(jobs, name="jobs")
app.add_typer(labels, name="labels")
app.add_typer(images, name="images")
app.add_typer(edge, name="edge")
app.add_typer(reaper, name="reaper")
app.add_typer(market, name="market")
app.add_typer(loop, name="loop")


def main() -> None:
    """The `tobo` command."""
    app()
