"""How a guest ends: its failure goes where the house reads it, and its exit code says the rest."""

import sys
import traceback
from collections.abc import Callable

from tobo.kit.paths import MlPaths


class UserError(ValueError):
    """The user's data or settings are wrong; the message is one sentence with value, place and mend."""


def run_guest(main: Callable[[], None]) -> None:
    """Runs `main`; on an error writes `<root>/output/failure` and exits 1.

    UserError becomes `ClientError: <sentence>`, as SageMaker's built-in algorithms report it; whatever else is raised
    becomes `AlgorithmError: <type>: <message>`, with its trace on stderr (SageMaker Developer Guide, "How Amazon
    SageMaker processes training output": the first 1,024 characters become FailureReason).
    """
    try:
        main()
    except UserError as error:
        _fail(f"ClientError: {error}")
    except Exception as error:
        traceback.print_exc()
        _fail(f"AlgorithmError: {type(error).__name__}: {error}")


def _fail(reason: str) -> None:
    failure = MlPaths.from_environment().failure
    failure.parent.mkdir(parents=True, exist_ok=True)
    failure.write_text(reason)
    print(reason, file=sys.stderr, flush=True)
    sys.exit(1)
