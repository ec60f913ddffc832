"""Malformed: bytes that do not say what the model describes. `read` turns it into the protocol's Fault."""

from tobo.wire.routing import Protocol

_CODES: dict[Protocol, str] = {"rest-xml": "MalformedXML", "query": "MalformedQueryString"}


class Malformed(Exception):
    """What is wrong, in one sentence; on its way out it learns in which members, so that the client reads the place."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.path: list[str] = []

    def __str__(self) -> str:
        return f"{'.'.join(reversed(self.path))}: {self.sentence}" if self.path else self.sentence


def malformed_code(protocol: Protocol) -> str:
    """The code that AWS answers unreadable bytes with."""
    return _CODES.get(protocol, "SerializationException")
