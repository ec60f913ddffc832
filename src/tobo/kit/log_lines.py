r"""The form of a stored log line: `<epoch milliseconds>\t<message>\n`; backslash, newline, carriage return are escaped in the message."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
_BACK = {"\\": "\\", "n": "\n", "r": "\r"}


def write_line(milliseconds: int, message: str) -> bytes:
    """One event as the bytes of its line."""
    return f"{milliseconds}\t{message.translate(_ESCAPES)}\n".encode("utf-8", "replace")


def written(text: str) -> bytes:
    """A part of a message as its line has it: a line whose message holds `text` holds these bytes."""
    return text.translate(_ESCAPES).encode("utf-8", "replace")


def read_line(line: bytes) -> tuple[int, str]:
    """(epoch milliseconds, message) of one line, with or without its newline; raises ValueError on a torn one."""
    stamp, tab, text = line.rstrip(b"\n").partition(b"\t")
    if not tab:
        raise ValueError("a log line without a tab")
    message = text.decode("utf-8", "replace")
    if "\\" in message:
        parts: list[str] = []
        at = 0
        while (slash := message.find("\\", at)) >= 0 and slash + 1 < len(message):
            parts += (message[at:slash], _BACK.get(message[slash + 1], message[slash + 1]))
            at = slash + 2
        message = "".join(parts) + message[at:]
    return int(stamp), message
