"""The errors that a request to the Levain API can raise.

LevainError
├── TransientError            worth another try
│   ├── ConnectionFailedError no answer, or one that was cut short
│   ├── AnswerBrokenError     a 2xx whose body is not the expected JSON, or of a read no 200
│   │   └── AnswerTooLargeError  a 2xx of more than is read: not tried again
│   ├── ServerFailedError     5xx, 408 (too slow a request), 425 (too early a one)
│   ├── RedirectedError       3xx: another address, which must not see the key
│   └── TooManyRequestsError  429
├── OutcomeUnknownError       a change that may have been carried out, or not
├── DownloadFailedError       a file that could not be downloaded whole
├── UnauthorizedError         401: the key, not the request
└── RefusedError              another 4xx: trying again would change nothing
    ├── ForbiddenError        403
    └── NotFoundError         404
"""

from __future__ import annotations


class LevainError(Exception):
    """A request to the API failed; the message names the request and the cause."""

    def __init__(self, request: str, cause: str) -> None:
        super().__init__(f"{request}: {cause}")
        self.request = request
        self.cause = cause


class TransientError(LevainError):
    """Another attempt may succeed."""


class ConnectionFailedError(TransientError):
    """No complete response arrived: refused, timed out, cut short, or no such host."""


class AnswerBrokenError(TransientError):
    """The status is 2xx, and the body is not JSON of the expected shape, or of a read no 200."""


class AnswerTooLargeError(AnswerBrokenError):
    """The status is 2xx, and the body is longer, or has more in it, than this client reads.

    Another attempt would bring the same, and is not made.
    """


class OutcomeUnknownError(LevainError):
    """A change may have been carried out without confirmation; check before you repeat it."""


class DownloadFailedError(LevainError):
    """A file could not be downloaded whole from its time-limited URL."""


class StatusError(LevainError):
    """The API returned an error status; `status` is its number, `cause` the API's own message."""

    def __init__(self, request: str, status: int, detail: str) -> None:
        super().__init__(request, f"HTTP {status}" + (f", {detail}" if detail else ""))
        self.status = status
        self.detail = detail


class ServerFailedError(StatusError, TransientError):
    """The API failed (5xx), or did not take the request at that moment (408, 425)."""


class RedirectedError(StatusError, TransientError):
    """The API named another address (3xx); the key is not sent there."""


class TooManyRequestsError(StatusError, TransientError):
    """The API asked for a pause (429) of `retry_after` seconds, None if it named no duration."""

    def __init__(self, request: str, status: int, detail: str, retry_after: float | None) -> None:
        asked = f"it asks to wait {retry_after:,.0f} s" if retry_after else ""
        super().__init__(request, status, ", ".join(filter(None, (detail, asked))))
        self.retry_after = retry_after


class UnauthorizedError(StatusError):
    """The key is missing, wrong or revoked (401)."""


class RefusedError(StatusError):
    """The API refused the request (4xx)."""


class ForbiddenError(RefusedError):
    """The key may not do or read this (403)."""


class NotFoundError(RefusedError):
    """The key's workspace has no such record (404)."""
