"""The result of the last batch, stored beside the data for `analytics status`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from analytics.batch.failures import failure_of
from analytics.errors import AnalyticsError
from analytics.files import replace
from analytics.warehouse.layout import Layout


class LastBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Time, exit code, error and warnings, and seconds by stage of the last batch.

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


def ended_batch(
    layout: Layout,
    started_at: datetime,
    seconds: Mapping[str, float],
    warnings: Sequence[str] = (),
    error: BaseException | None = None,
) -> LastBatch:
    """Return the result of a batch that ends now, well or with an error."""
    now, before = datetime.now(UTC), read_last_batch(layout)
    good_before = before.good_at if before else None
    failure = failure_of(error) if error else None
    messages = [*warnings]
    if failure:
        is_told = failure.kind not in {"defect", "interrupted"}
        text = failure.text if is_told else str(error)
        lines = text.splitlines() or [f"It was stopped ({type(error).__name__})."]
        known = [line.strip() for line in lines if line.strip()]
        messages = [*lines, *(each for each in messages if not any(one in each for one in known))]
    return LastBatch(
        started_at=started_at,
        ended_at=now,
        exit_code=failure.exit_code if failure else 0,
        messages=messages,
        seconds=dict(seconds),
        good_at=good_before if error else now,
    )


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
