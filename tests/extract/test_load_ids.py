"""Names of loads, and the times that they are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from analytics.disk import UNFINISHED
from analytics.errors import AnalyticsError
from analytics.extract.loads import BATCH_ID, new_loads
from analytics.levain.http11 import DirectConnection
from analytics.levain.replies import Reply
from tests.conftest import NOW, Batch, StartRun


def test_loads_beyond_the_thousandth_stay_in_order(tmp_path: Path) -> None:
    """Loads sort by name in the order of their numbers, beyond three digits too."""
    (tmp_path / "20261119T060000Z-999-lists").mkdir()
    (tmp_path / "20261120T060000Z-000998-lists").mkdir()
    loads = new_loads(tmp_path, NOW)
    made = [next(loads) for _ in range(3)]
    made += [next(new_loads(tmp_path, NOW + timedelta(days=1)))]

    assert made == sorted(made)
    assert made[2:] == ["20261120T060000Z-001001", "20261121T060000Z-000001"]


def test_a_clock_that_runs_behind_keeps_the_order(tmp_path: Path) -> None:
    """Loads continue those that the API dated later, unless no load came of these."""
    (tmp_path / "20261120T060000Z-000004-workspace").mkdir()
    (tmp_path / f"20991231T060000Z-000001-lists{UNFINISHED}").mkdir()

    assert next(new_loads(tmp_path, NOW - timedelta(seconds=2))) == "20261120T060000Z-000005"


def test_a_clock_that_went_back_is_refused(tmp_path: Path) -> None:
    """A day or more before the last load, other days would be read than a batch asks for."""
    (tmp_path / "20261121T060000Z-000004-workspace").mkdir()

    with pytest.raises(AnalyticsError, match=r"2026-11-20 06:00 UTC, before .* 2026-11-21 06:00"):
        new_loads(tmp_path, NOW)


def test_a_clock_that_leaps_ahead_is_refused(tmp_path: Path) -> None:
    """A batch a year ahead of the machine would be the last for a year."""
    now = datetime.now(UTC)
    (tmp_path / f"{now:{BATCH_ID}}-000001-workspace").mkdir()

    with pytest.raises(AnalyticsError, match="Set the machine's clock"):
        new_loads(tmp_path, now + timedelta(days=365))


def test_a_machine_behind_the_last_batch_is_wrong_itself(tmp_path: Path) -> None:
    """What it says is then no reason to refuse what the API says."""
    now = datetime.now(UTC)
    (tmp_path / f"{now + timedelta(days=364):{BATCH_ID}}-000001-workspace").mkdir()
    later = now + timedelta(days=365)

    assert next(new_loads(tmp_path, later)) == f"{later:{BATCH_ID}}-000001"


def test_a_folder_that_is_named_like_a_load_has_no_time(tmp_path: Path) -> None:
    """Somebody made it, and loads sort after it all the same."""
    (tmp_path / "20269999T999999Z-000001-lists").mkdir()

    assert next(new_loads(tmp_path, NOW)) == "20269999T999999Z-000002"


def test_a_response_of_another_time_is_not_taken(batch: Batch, start_run: StartRun) -> None:
    """Where a response is days from the first one, its workspace is not read: what is final?"""
    start_run()
    exchange = DirectConnection.exchange

    async def dated(self: DirectConnection, method: str, path: str, *more: Any) -> Reply:
        reply = await exchange(self, method, path, *more)
        if path.startswith("/api/v1/runs/?"):
            reply.headers["date"] = format_datetime(NOW + timedelta(days=10), usegmt=True)
        return reply

    with patch.object(DirectConnection, "exchange", dated):
        (outcome,) = batch.extract()
    assert "2026-11-30 06:00 UTC, more than two days from" in str(outcome.error)
    assert batch.current_runs() == {}

    assert [each.error for each in batch.extract()] == [None]
    assert len(batch.current_runs()) == 1
