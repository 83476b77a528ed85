"""A client of the Levain API: async httpx, typed records, one error tree."""

from analytics.levain.client import AsyncLevain
from analytics.levain.errors import (
    AnswerBrokenError,
    ConnectionFailedError,
    LevainError,
    NotFoundError,
    RefusedError,
    ServerFailedError,
    TooManyRequestsError,
    UnauthorizedError,
)
from analytics.levain.transport import Answer, Record

__all__ = [
    "Answer",
    "AnswerBrokenError",
    "AsyncLevain",
    "ConnectionFailedError",
    "LevainError",
    "NotFoundError",
    "Record",
    "RefusedError",
    "ServerFailedError",
    "TooManyRequestsError",
    "UnauthorizedError",
]
