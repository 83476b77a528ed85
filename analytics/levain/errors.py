"""What can go wrong when the Levain API is asked.

LevainError
├── TransientError            worth another try
│   ├── ConnectionFailedError no answer, or one that was cut short
│   ├── AnswerBrokenError     a 2xx whose body is not the JSON that was asked for
│   ├── ServerFailedError     5xx
│   └── TooManyRequestsError  429
├── OutcomeUnknownError       a change that may have been carried out, or not
├── DownloadFailedError       a file that could not be had whole
├── UnauthorizedError         401: the key, not what was asked for
└── RefusedError              another 4xx: trying again would change nothing
    ├── ForbiddenError        403
    └── NotFoundError         404
"""

from __future__ import annotations


class LevainError(Exception):
    """The API did not give what was asked for; the message names the request and the cause."""

    def __init__(self, request: str, cause: str) -> None:
        super().__init__(f"{request}: {cause}")
        self.request = request
        self.cause = cause


class TransientError(LevainError):
    """Another try may succeed."""


class ConnectionFailedError(TransientError):
    """No whole answer came: refused, timed out, cut short, or no such host."""


class AnswerBrokenError(TransientError):
    """The answer says that all is well, and its body is not JSON of the expected shape."""


class OutcomeUnknownError(LevainError):
    """A change may have been carried out, unconfirmed: look before you ask for it again."""


class DownloadFailedError(LevainError):
    """A file could not be had whole from its time-limited URL."""


class StatusError(LevainError):
    """The API answered with an error status; `status` is its number, `cause` its own words."""

    def __init__(self, request: str, status: int, detail: str) -> None:
        super().__init__(request, f"HTTP {status}" + (f", {detail}" if detail else ""))
        self.status = status
        self.detail = detail


class ServerFailedError(StatusError, TransientError):
    """The API failed (5xx)."""


class TooManyRequestsError(StatusError, TransientError):
    """The API asks for a pause (429); `retry_after` in seconds, None where it names none."""

    def __init__(self, request: str, status: int, detail: str, retry_after: float | None) -> None:
        super().__init__(request, status, detail)
        self.retry_after = retry_after


class UnauthorizedError(StatusError):
    """The key is missing, wrong or revoked (401)."""


class RefusedError(StatusError):
    """The API refused what was asked for (4xx)."""


class ForbiddenError(RefusedError):
    """The key may not do or see this (403)."""


class NotFoundError(RefusedError):
    """There is no such thing in the key's workspace (404)."""
