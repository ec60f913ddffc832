"""How a program of the loop ends: what is wrong becomes its job's ExitMessage."""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from tobo.kit.guest import UserError

MESSAGE = Path("/opt/ml/output/message")


def run_program(main: Callable[[], None], message: Path = MESSAGE) -> None:
    """Runs `main`; on an error leaves the sentence and exits 1."""
    try:
        main()
    except UserError as error:
        said = str(error)
    except Exception as error:
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}"
    else:
        return
    print(said, file=sys.stderr, flush=True)
    if message.parent.is_dir():
        message.write_text(said)
    sys.exit(1)
