"""What a reader or writer is told besides the file."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """`attribute` is the label attribute of a manifest; `classes` the names in the order of their indices.

    `pictures` is the folder of the pictures where they do not lie beside the labels. `job` and `made` (ISO 8601) stand
    in a written manifest where a picture's own are unknown; without `made` it is the present time.
    """

    attribute: str = ""
    classes: tuple[str, ...] = ()
    pictures: Path | None = None
    job: str = "labeling-job/imported"
    made: str = ""


DEFAULT = Options()
