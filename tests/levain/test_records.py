"""Validation of records."""

from __future__ import annotations

import pytest

from analytics.levain import AnswerBrokenError, LogEvent, Run, RunCost
from analytics.levain.records import typed

RUN = b'{"id": "r-1", "status": "failed", "created_at": "2026-11-20T06:00:00", "cost_usd": %b}'


@pytest.mark.parametrize("cost", [b'"NaN"', b'"-Infinity"', b"1e15", b"1e999999999", b"1e-101"])
def test_money_is_finite(cost: bytes) -> None:
    """An amount that cannot be summed or printed raises an error that names the record."""
    with pytest.raises(AnswerBrokenError, match=r"Run r-1: .* no amount of US dollars"):
        typed(RUN % cost, Run)


@pytest.mark.parametrize("ts", [b"1e20", b"-1", b"1e400", b'"NaN"'])
def test_an_event_has_a_time_that_calendars_know(ts: bytes) -> None:
    """Unix seconds beyond the year 9999 raise AnswerBrokenError."""
    with pytest.raises(AnswerBrokenError, match=r"LogEvent 7: .*ts"):
        typed(b'{"seq": 7, "ts": %b}' % ts, LogEvent)


@pytest.mark.parametrize("prefix", [b"", b"total_"])
def test_a_measure_has_one_name(prefix: bytes) -> None:
    """Costs of a run are one field of the client, whatever the API calls it."""
    record = b'{"%btokens_in":7,"%btokens_out":null}' % (prefix, prefix)

    assert typed(record, RunCost) == RunCost(tokens_in=7)
