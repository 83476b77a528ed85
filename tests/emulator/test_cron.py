"""Times of cron expressions."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from analytics.emulator.runs.cron import Cron, CronError

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)  # a Tuesday
BERLIN = ZoneInfo("Europe/Berlin")


def fires(text: str, start: datetime, count: int, zone: ZoneInfo | None = None) -> list[str]:
    """Return the next instants, in UTC, at which the times of a zone match."""
    cron, moment, found = Cron.parse(text), start, []
    for _ in range(count):
        moment = cron.next_after(moment, zone or ZoneInfo("UTC"))
        found.append(f"{moment:%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-11-24 15:31"),
        ("30 15 * * *", "2026-11-25 15:30"),
        ("0 9 * * 1-5", "2026-11-25 09:00"),
        ("0 9 * * mon", "2026-11-30 09:00"),
        ("0 9 * * 7", "2026-11-29 09:00"),
        ("*/20 * * * *", "2026-11-24 15:40"),
        ("5/20 * * * *", "2026-11-24 15:45"),
        ("10-20/5,50 16 * * *", "2026-11-24 16:10"),
        ("0 0 1 jan *", "2027-01-01 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 0 31 * *", "2026-12-31 00:00"),
        ("0 12 */2 * fri", "2026-11-27 12:00"),
    ],
)
def test_an_expression_fires_next(text: str, expected: str) -> None:
    """Numbers, names, lists, ranges and steps; of two kinds of day, either is enough."""
    assert fires(text, NOW, 1) == [expected]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "5 fields, not 0"),
        ("* * * * * *", "5 fields, not 6"),
        ("60 * * * *", "'60' is no minute"),
        ("* 24 * * *", "'24' is no hour"),
        ("* * 0 * *", "'0' is no day of month"),
        ("* * * mon *", "'mon' is no month"),
        ("* * * * 8", "'8' is no day of week"),
        ("*/0 * * * *", "'*/0' holds no minute"),
        ("20-10 * * * *", "'20-10' holds no minute"),
        ("1,,2 * * * *", "'' is no minute"),
        ("٣ * * * *", "is no minute"),
        ("9999999999 * * * *", "is no minute"),
    ],
)
def test_what_is_no_expression_is_refused(text: str, reason: str) -> None:
    """The error names the field and its problem."""
    with pytest.raises(CronError) as error:
        Cron.parse(text)

    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("30 2 * * *", "2027-03-27 12:00", ["2027-03-29 00:30", "2027-03-30 00:30"]),
        ("0 * * * *", "2027-03-28 00:30", ["2027-03-28 01:00", "2027-03-28 02:00"]),
        ("30 2 * * *", "2026-10-24 12:00", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("*/30 2 * * *", "2026-10-24 12:00", ["2026-10-25 00:00", "2026-10-25 00:30"]),
        ("0 3 * * *", "2026-10-24 12:00", ["2026-10-25 02:00", "2026-10-26 02:00"]),
    ],
)
def test_a_wall_time_fires_once(text: str, start: str, expected: list[str]) -> None:
    """In Berlin a time that the clock skips does not fire; one that comes twice fires first."""
    moment = datetime.fromisoformat(f"{start}Z")

    assert fires(text, moment, 2, BERLIN) == expected
