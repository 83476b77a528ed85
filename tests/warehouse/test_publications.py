"""Records of publications: their loads, and which findings an earlier day had."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from analytics.errors import UsageError
from analytics.warehouse.layout import Layout
from analytics.warehouse.publications import (
    findings_before,
    last_loads,
    moments_on_record,
    require_past,
)

AS_OF = datetime(2026, 11, 20, 6, tzinfo=UTC)
OLD = '{"w": "load-1"}'
WITH = '{"w": "load-1", "findings": ["a", "b"]}'


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def record(layout: Layout, moment: str, text: str) -> None:
    """A record of a publication at a moment of November."""
    layout.publications.mkdir(exist_ok=True)
    (layout.publications / f"202611{moment}0000.000000Z.json").write_text(text)


def test_a_publication_may_be_a_day_ahead_of_the_clock(layout: Layout) -> None:
    """Of a later one the error has both times: the clock went back, or was ahead then."""
    record(layout, "21T05", OLD)
    require_past(layout)
    record(layout, "21T07", OLD)
    with pytest.raises(UsageError, match=r"2026-11-21 07:00 UTC, but .* says 2026-11-20 06:00 UTC"):
        require_past(layout)


@pytest.mark.parametrize("text", [OLD, WITH])
def test_loads_are_read_of_records_with_and_without_findings(layout: Layout, text: str) -> None:
    """A record of before findings were kept has its loads as ever."""
    record(layout, "19T06", text)
    (moment,) = moments_on_record(layout)

    assert last_loads(layout, moment) == {"w": "load-1"}


@pytest.mark.parametrize(
    ("records", "timezone", "day"),
    [
        ({"18T06": OLD, "19T06": WITH, "20T05": OLD}, "UTC", 19),
        ({"18T06": WITH, "19T23": WITH, "20T05": OLD}, "Asia/Tokyo", 18),  # there, 23 is the 20th
        ({"16T06": WITH}, "UTC", 16),
        ({"18T06": WITH, "19T06": OLD}, "UTC", None),
        ({"19T06": "{"}, "UTC", None),
        ({"20T05": WITH}, "UTC", None),
        ({}, "UTC", None),
    ],
)
def test_an_earlier_day_is_that_of_the_last_publication_before_today(
    layout: Layout, records: dict[str, str], timezone: str, day: int | None
) -> None:
    """Today is that of the reporting time zone; a record that names no findings tells nothing."""
    for moment, text in records.items():
        record(layout, moment, text)
    found = findings_before(layout, AS_OF, timezone)

    if day is None:
        assert found is None
    else:
        assert found
        assert (found.day, found.today) == (date(2026, 11, day), date(2026, 11, 20))
        assert found.finding_ids == {"a", "b"}
    assert findings_before(layout, None, timezone) is None
