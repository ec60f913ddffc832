"""`python -m tobo` is the command line; a machine without the server hears what to install."""

import sys


def main() -> None:
    """The `tobo` command."""
    try:
        from tobo.cli import main as command
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("tobo"):
            raise
        sys.exit(
            f"`tobo` is the server's command, and {error.name} is not installed: `pip install 'tobo[server,train]'`; "
            "a device's command is `tobo-edge`."
        )
    command()


if __name__ == "__main__":
    main()
