"""The API's clock, by the `Date` of its responses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from analytics.levain.clock import Clock

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_response_tells_the_time() -> None:
    """The time of a response is its `Date`, whatever the local clock says."""
    assert Clock().time_of("Fri, 20 Nov 2026 12:00:00 GMT") == NOW


@pytest.mark.parametrize(
    "date",
    [
        None,
        "",
        "yesterday",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
        "Fri, 20 Nov 2026 12:00:00 +9999999999",
    ],
)
def test_what_is_no_time_of_the_api(date: str | None) -> None:
    """Without a time of this age, a response has that of the clock as it was set, else ours."""
    clock = Clock()
    assert abs(clock.time_of(date) - datetime.now(UTC)) < timedelta(minutes=1)
    clock.set(NOW)
    assert abs(clock.time_of(date) - NOW) < timedelta(minutes=1)
