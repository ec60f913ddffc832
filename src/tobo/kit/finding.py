"""What a doctor found: one line of the report about a machine."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "weak", "missing"]
"""weak: it works, with less; missing: something that the machine is for does not."""


@dataclass(frozen=True)
class Finding:
    """`mend` says what to do about it, "" where nothing is to be done."""

    what: str
    verdict: Verdict
    found: str
    mend: str = ""
