"""The form of the server's log: one JSON object a line, with the members of a request where it is about one."""

import logging
from datetime import UTC, datetime

import orjson


class JsonLines(logging.Formatter):
    """`extra={"request": {...}}` members are put beside time, level and logger."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if message := record.getMessage():
            line["message"] = message
        line.update(getattr(record, "request", {}))
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def log_json(level: str) -> None:
    """From here on everything that is logged goes to stderr in this form; other people's loggers from warnings on."""
    # A record's thread, process, task and source line are not written: finding them costs more than the line itself.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("tobo").setLevel(level)
