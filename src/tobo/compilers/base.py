"""A compiler's promise: a model in, a folder's graph out that gives the same answers, and the way to run it here.

Whatever the adapter:
- `compile` writes into the folder that it is given and nowhere else, and what it writes needs nothing beside it: the
  folder can be moved, packed and read on another machine.
- The compiled graph has the source's inputs, by name, element type and shape, pictures of any size included, and its
  outputs in their order. Preprocessing stays in it, and stays exact: only the network may be computed in int8.
- Compiling again gives a graph that answers the same.
- What cannot be done is a UserError of one sentence, never a graph that answers differently: an operator that the
  runtime lacks is named, and a precision that needs samples to calibrate with says so where there are none.
- `load` runs what `compile` wrote, on this machine, on one thread: what it answers is what the certificate tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tobo.compilers.model import Run, Source
from tobo.compilers.targets import Precision, Runtime


@dataclass(frozen=True)
class Built:
    """What a compiler wrote. `graph` is the folder's file to load, `files` all that belong to it, that one included.

    `requirements` are pip's, for the device; `details` what its runtime is to be told.
    """

    runtime: Runtime
    precision: Precision
    graph: str
    files: tuple[str, ...]
    requirements: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict)

    def size(self, folder: Path) -> int:
        """Bytes of its files."""
        return sum((folder / name).stat().st_size for name in self.files)


class Compiler(Protocol):
    """See the module's docstring for what is guaranteed."""

    runtime: Runtime
    precision: Precision
    variant: str
    """Tells compilers of one runtime and precision apart, by how they calibrate; "" where there is one."""

    def compile(self, source: Source, folder: Path) -> Built:
        """Raises UserError."""
        ...

    def load(self, folder: Path, built: Built) -> Run:
        """Raises UserError where the runtime refuses the graph."""
        ...
