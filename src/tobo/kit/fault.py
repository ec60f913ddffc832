"""Fault: a refusal in AWS's words. Whatever else is raised is our bug and becomes a 500."""

from collections.abc import Mapping
from typing import Any


class Fault(Exception):
    """The request cannot be served; `code` is the AWS error code, `message` one sentence with value, place and mend.

    `status` is used where the service model does not say which HTTP status the code has.
    `members` are further members of the modelled error shape (e.g. `OriginalStatusCode` of ModelError).
    `retry_after` is the seconds after which the caller may try again, where that is known.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        members: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members: dict[str, Any] = dict(members or {})
        self.retry_after = retry_after


def validation(message: str) -> Fault:
    """The refusal most SageMaker operations use, although their model does not list it."""
    return Fault("ValidationException", message)
