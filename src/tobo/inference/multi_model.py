"""Several models behind one replica: each is loaded when it is first asked for, the ones asked least lately go.

The house lays models out below <root>/models, one folder each (MlPaths.target_model), before it asks for them.
"""

import gc
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tobo.inference.invocations import Handler, Request, Response, refusal
from tobo.kit.paths import MlPaths

CACHE_BYTES = "TOBO_MODEL_CACHE_BYTES"
"""Variable with the bytes that loaded models may take together; its presence makes a replica one of several models."""


class _Loaded(NamedTuple):
    handler: Handler
    size: int


class Models:
    """A Handler. `load` makes the handler of one model's folder; whatever it raises concerns that model alone."""

    def __init__(self, paths: MlPaths, load: Callable[[Path], Handler], limit: int) -> None:
        self._paths = paths
        self._load = load
        self._limit = limit
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()

    def __call__(self, request: Request) -> Response:
        name = request.target_model
        if name not in self._loaded:
            folder = self._paths.target_model(name)
            if not folder.is_dir():
                return refusal(404, f"There is no model '{name}'.")
            self._make(name, folder)
        self._loaded.move_to_end(name)
        return self._loaded[name].handler(request)

    def _make(self, name: str, folder: Path) -> None:
        """Makes room by the size of the files, and again when the model has shown what it really takes."""
        files = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        self._make_room(files)
        begin, before = time.monotonic(), _resident()
        handler = self._load_alone(folder)
        size = max(files, _resident() - before)
        self._make_room(size)
        self._loaded[name] = _Loaded(handler, size)
        print(f"Loaded model {name} in {time.monotonic() - begin:.2f} s ({size >> 20} MiB).", flush=True)

    def _load_alone(self, folder: Path) -> Handler:
        """Modules that a model brings are its own: another's of the same name must not be taken for them."""
        path = list(sys.path)
        try:
            return self._load(folder)
        finally:
            sys.path[:] = path
            for name, module in list(sys.modules.items()):
                if (getattr(module, "__file__", None) or "").startswith(f"{folder}/"):
                    del sys.modules[name]

    def _make_room(self, size: int) -> None:
        taken = sum(loaded.size for loaded in self._loaded.values())
        gone = False
        while self._loaded and taken + size > self._limit:
            name, loaded = self._loaded.popitem(last=False)
            taken -= loaded.size
            gone = True
            print(f"Unloaded model {name} ({loaded.size >> 20} MiB).", flush=True)
            del loaded
        if gone:
            gc.collect()


def _resident() -> int:
    """Bytes of memory of this process; 0 where the system does not say, so that the files' size counts."""
    if not sys.platform.startswith("linux"):
        return 0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
