"""Proves a version in a process of its own: who signed it, that it is whole, and that it gives its golden scores.

A model that takes its runtime down takes this process down, not the belt; and what proving needs of memory is given
back with it.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tobo.edge.bundle import BadBundle, Manifest, read_manifest, verify

TIMEOUT = 120.0
"""Seconds; a Pi of 2015 proves 50 MB in ten."""


class Prove(Protocol):
    """What the slots need: proof of an unpacked bundle."""

    def __call__(self, folder: Path, probe: bool = False) -> Manifest:
        """The manifest. With `probe` the model is loaded and asked for its golden scores, too. Raises BadBundle."""
        ...


@dataclass(frozen=True)
class InChild:
    """`keys` gives the PEM of those that bundles may be signed with."""

    keys: Callable[[], str]
    account: str
    target: str

    def __call__(self, folder: Path, probe: bool = False) -> Manifest:
        asked = {"keys": self.keys(), "account": self.account, "target": self.target, "probe": probe}
        try:
            child = subprocess.run(
                [sys.executable, "-m", "tobo.edge.prove", str(folder)],
                input=json.dumps(asked),
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BadBundle(f"The version could not be proved within {TIMEOUT:g} seconds.") from None
        if child.returncode:
            last = (child.stderr.strip().splitlines() or [""])[-1]
            raise BadBundle(f"The process that proved the version ended with {child.returncode}. {last}".strip())
        answer = json.loads(child.stdout)
        if "refused" in answer:
            raise BadBundle(answer["refused"])
        return read_manifest(answer["manifest"].encode())


def prove(folder: Path, keys: str, account: str, target: str, probe: bool) -> Manifest:
    """In this process. Raises BadBundle."""
    from tobo.edge import classifier
    from tobo.edge.compiled import BadModel
    from tobo.edge.enrolment import BadEnrolment, keys_of

    try:
        manifest = verify(folder, keys_of(keys), account, target)
        if probe:
            classifier.probe(folder, classifier.load(folder))
    except (BadModel, BadEnrolment) as error:
        raise BadBundle(str(error)) from None
    return manifest


def main() -> None:
    """The child: its folder as the argument, the rest as JSON on stdin, the manifest or the refusal on stdout."""
    asked = json.load(sys.stdin)
    try:
        answer = {"manifest": prove(Path(sys.argv[1]), **asked).to_bytes().decode()}
    except BadBundle as error:
        answer = {"refused": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
