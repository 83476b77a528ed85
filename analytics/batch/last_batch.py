"""The result of the last batch, stored beside the data for `analytics status`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

import msgspec

from analytics.errors import INTERRUPTED, AnalyticsError
from analytics.files import replace
from analytics.warehouse.layout import Layout


class LastBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Time, exit code, warnings or error, and seconds by stage of the last batch.

    Loading overlaps with the extract, so its seconds are among those of `extract` too. `good_at` is
    the end of the last batch that ended with exit code 0.
    """

    started_at: datetime
    ended_at: datetime
    exit_code: int
    messages: list[str]
    seconds: dict[str, float] = {}
    good_at: datetime | None = None

    @property
    def failure(self) -> str | None:
        """The first line of the error of a batch that failed; None if it ended well."""
        return self.messages[0] if self.exit_code and self.messages else None

    @classmethod
    def done(cls, started_at: datetime, warnings: list[str], seconds: dict[str, float]) -> Self:
        """Return the result of a successful batch."""
        ended_at = datetime.now(UTC)
        return cls(
            started_at=started_at,
            ended_at=ended_at,
            exit_code=0,
            messages=warnings,
            seconds=seconds,
            good_at=ended_at,
        )

    @classmethod
    def failed(
        cls,
        started_at: datetime,
        error: BaseException,
        seconds: dict[str, float],
        before: LastBatch | None,
    ) -> Self:
        """Return the result of a batch that failed or was stopped, after the one `before`."""
        return cls(
            started_at=started_at,
            ended_at=datetime.now(UTC),
            exit_code=_exit_code(error),
            messages=str(error).splitlines() or [f"It was stopped ({type(error).__name__})."],
            seconds=seconds,
            good_at=before.good_at if before else None,
        )


def _exit_code(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return error.exit_code if isinstance(error, AnalyticsError) else 1


def write_last_batch(layout: Layout, batch: LastBatch) -> None:
    """Write the result, replacing the one before; AnalyticsError if a folder is in its place."""
    try:
        replace(layout.last_batch, msgspec.json.encode(batch))
    except IsADirectoryError as error:
        raise AnalyticsError(
            f"{layout.last_batch} is a folder, so that the result of the batch cannot be written.\n"
            "Remove it and run again. What was published stands."
        ) from error


def last_messages(layout: Layout) -> list[str]:
    """Return the messages of the last batch; none where it has left no result."""
    batch = read_last_batch(layout)
    return batch.messages if batch else []


def read_last_batch(layout: Layout) -> LastBatch | None:
    """Read the result; None before the first batch, or where it is damaged."""
    try:
        return msgspec.json.decode(layout.last_batch.read_bytes(), type=LastBatch)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return None
