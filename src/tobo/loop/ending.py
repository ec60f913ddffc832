"""How a program of the loop ends: what is wrong becomes its job's ExitMessage."""

import sys
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from tobo.kit.guest import UserError


def run_program(parser: ArgumentParser, main: Callable[[Namespace], None]) -> None:
    """Runs `main` with the command line's words; on an error leaves the sentence in the file --message and exits 1."""
    parser.add_argument("--message", type=Path, required=True)
    asked = parser.parse_args()
    try:
        main(asked)
    except UserError as error:
        said = str(error)
    except Exception as error:
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}"
    else:
        return
    print(said, file=sys.stderr, flush=True)
    asked.message.write_text(said)
    sys.exit(1)
