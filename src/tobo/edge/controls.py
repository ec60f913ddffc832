"""What is changed while the line runs: thresholds and the override; remembered over a restart."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tobo.edge.decision import Override, Rule
from tobo.edge.durable import Disk, read_json, replace_json
from tobo.edge.settings import Settings

log = logging.getLogger(__name__)

_OVERRIDES: tuple[Override, ...] = ("auto", "ok", "ko")


class BadChange(ValueError):
    """What was asked for cannot be set; the message is one sentence."""


class Controls:
    """The rule in force: the model's thresholds, below the settings', below what was changed here."""

    def __init__(self, settings: Settings, changed: Callable[[Rule], None], tell: Callable[..., None]) -> None:
        """`changed` is given each new rule, `tell(kind, **members)` the event."""
        self._settings, self._changed, self._tell = settings, changed, tell
        self._file, self._disk = settings.state / "rule.json", Disk()
        self._lock = threading.Lock()  # two browsers may change two things at once
        self._labels: tuple[str, ...] = ()
        self._model: Mapping[str, float] = {}
        kept = read_json(self._file) or {}
        self._thresholds = {str(label): float(value) for label, value in (kept.get("thresholds") or {}).items()}
        self._override: Override = kept["override"] if kept.get("override") in _OVERRIDES else "auto"

    def rule(self) -> Rule:
        rule = self._settings.rule(self._model)
        return replace(rule, thresholds={**rule.thresholds, **self._thresholds}, override=self._override)

    def use(self, labels: tuple[str, ...], thresholds: Mapping[str, float]) -> None:
        """Another model sorts from now on, with thresholds of its own."""
        self._labels, self._model = labels, thresholds
        self._changed(self.rule())

    def set_threshold(self, label: str, value: float | None) -> Rule:
        """None gives the label back to the settings and the model. Raises BadChange."""
        if label not in self._labels:
            raise BadChange(f"The model has no label '{label}'; it has {', '.join(self._labels) or 'none yet'}.")
        if value is not None and not 0 <= value <= 1:
            raise BadChange(f"The threshold {value:g} of '{label}' is not in 0 to 1.")
        with self._lock:
            kept = {name: one for name, one in self._thresholds.items() if name != label}
            self._thresholds = kept if value is None else {**kept, label: float(value)}
            return self._apply({"label": label, "threshold": value})

    def set_override(self, override: str) -> Rule:
        """Raises BadChange."""
        found = next((one for one in _OVERRIDES if one == override), None)
        if found is None:
            raise BadChange(f"The override '{override}' is none of {', '.join(_OVERRIDES)}.")
        with self._lock:
            self._override = found
            return self._apply({"override": found})

    def _apply(self, change: dict[str, Any]) -> Rule:
        rule = self.rule()
        self._changed(rule)
        self._tell("rule", **change)
        try:
            replace_json(self._disk, self._file, {"thresholds": self._thresholds, "override": self._override})
        except OSError as error:
            log.warning("the change will not outlive a restart: %s", error)
        return rule
