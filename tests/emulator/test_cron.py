"""Times of cron expressions, by hand-made days and against a minute-by-minute reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.emulator.runs.cron import Cron, CronError

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)  # a Tuesday
BERLIN = ZoneInfo("Europe/Berlin")


def fires(text: str, start: datetime, count: int, zone: ZoneInfo | None = None) -> list[str]:
    """Return the next instants in local time of the zone."""
    zone = zone or ZoneInfo("UTC")
    cron, moment, found = Cron.parse(text), start, []
    for _ in range(count):
        moment = cron.next_after(moment, zone)
        found.append(moment.astimezone(zone).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-11-24 15:31"),
        ("30 15 * * *", "2026-11-25 15:30"),
        ("0 9 * * 1-5", "2026-11-25 09:00"),
        ("0 9 * * mon", "2026-11-30 09:00"),
        ("0 9 * * SUN", "2026-11-29 09:00"),
        ("0 9 * * 7", "2026-11-29 09:00"),
        ("*/20 * * * *", "2026-11-24 15:40"),
        ("5/20 * * * *", "2026-11-24 15:45"),
        ("10-20/5,50 16 * * *", "2026-11-24 16:10"),
        ("0 0 1 jan *", "2027-01-01 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 0 31 * *", "2026-12-31 00:00"),
        ("0 12 13 * fri", "2026-11-27 12:00"),
        ("0 12 */2 * fri", "2026-11-27 12:00"),
        ("  0   0  *  *  * ", "2026-11-25 00:00"),
    ],
)
def test_an_expression_fires_next(text: str, expected: str) -> None:
    """Numbers, names, lists, ranges and steps; of two kinds of day, either is enough."""
    assert fires(text, NOW, 1) == [expected]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "5 fields, not 0"),
        ("* * * *", "5 fields, not 4"),
        ("* * * * * *", "5 fields, not 6"),
        ("@daily", "5 fields, not 1"),
        ("60 * * * *", "'60' is no minute"),
        ("-1 * * * *", "'-1' is no minute"),
        ("* 24 * * *", "'24' is no hour"),
        ("* * 0 * *", "'0' is no day of month"),
        ("* * * 13 *", "'13' is no month"),
        ("* * * mon *", "'mon' is no month"),
        ("* * * * 8", "'8' is no day of week"),
        ("*/0 * * * *", "'*/0' holds no minute"),
        ("20-10 * * * *", "'20-10' holds no minute"),
        ("1,,2 * * * *", "'' is no minute"),
        ("1-2-3 * * * *", "'1-2-3' is no minute"),
        ("٣ * * * *", "is no minute"),
        ("🍞 * * * *", "is no minute"),
        ("9999999999 * * * *", "is no minute"),
    ],
)
def test_what_is_no_expression_is_refused(text: str, reason: str) -> None:
    """The error names the field and its problem."""
    with pytest.raises(CronError) as error:
        Cron.parse(text)

    assert reason in str(error.value)


def test_a_wall_time_that_is_skipped_does_not_fire() -> None:
    """In spring a skipped 02:30 does not fire; on the next day it does."""
    before = datetime(2027, 3, 27, 12, tzinfo=UTC)

    assert fires("30 2 * * *", before, 2, BERLIN) == ["2027-03-29 02:30", "2027-03-30 02:30"]
    hourly = fires("0 * * * *", datetime(2027, 3, 28, 0, 30, tzinfo=UTC), 2, BERLIN)
    assert hourly == ["2027-03-28 03:00", "2027-03-28 04:00"]


def test_a_wall_time_that_comes_twice_fires_once() -> None:
    """In autumn a match within the repeated hour fires the first time only."""
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    cron = Cron.parse("30 2 * * *")

    first = cron.next_after(before, BERLIN)
    second = cron.next_after(first, BERLIN)

    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert second == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def fields(lowest: int, highest: int) -> st.SearchStrategy[str]:
    number = st.integers(lowest, highest)
    ranges = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    part = st.one_of(st.just("*"), number.map(str), ranges, st.just("*/7"))
    return st.lists(part, min_size=1, max_size=2).map(",".join)


def matches(text: str, value: int) -> bool:
    """Match one field, naively."""
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        lowest, highest = (0, 99) if span == "*" else (int(first), int(last or first))
        start = 0 if span == "*" else lowest
        if lowest <= value <= highest and (value - start) % int(step or 1) == 0:
            return True
    return False


@settings(max_examples=60)
@given(
    minute=fields(0, 59),
    hour=fields(0, 23),
    weekday=st.one_of(st.just("*"), st.integers(0, 6).map(str)),
    zone=st.sampled_from([BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")]),
    seconds=st.integers(0, 21 * 24 * 3600),
)
def test_it_fires_at_the_first_minute_that_matches(
    minute: str, hour: str, weekday: str, zone: ZoneInfo, seconds: int
) -> None:
    """The next instant is the first later minute whose wall time matches, across clock changes."""
    moment = datetime(2026, 10, 20, tzinfo=UTC) + timedelta(seconds=seconds)
    found = Cron.parse(f"{minute} {hour} * * {weekday}").next_after(moment, zone)

    each = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while True:
        wall = each.astimezone(zone)
        day = wall.isoweekday() % 7
        is_match = matches(minute, wall.minute) and matches(hour, wall.hour)
        if is_match and matches(weekday, day) and not wall.fold:
            break
        each += timedelta(minutes=1)
    assert found == each
