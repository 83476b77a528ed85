"""`analytics fleet status` as text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analytics.fleet.status import FleetState, ShardState, print_text


def test_a_shard_has_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """However long its message is; what failed comes first, and markup in a message is text."""
    ended_at = datetime(2026, 11, 20, 6, tzinfo=UTC)
    message = f"[red]the API refused the key: {'x' * 100}"
    good = ShardState(shard="a", is_merged=True, ended_at=ended_at, exit_code=0)
    failed = ShardState(shard="b", is_merged=False, ended_at=ended_at, exit_code=2, message=message)
    print_text(
        FleetState(merged_at=None, shards=[good, failed, ShardState(shard="c", is_merged=False)])
    )
    lines = [line.strip().split(maxsplit=5) for line in capsys.readouterr().out.splitlines()]

    assert [line[0] for line in lines] == ["shard", "b", "c", "a", "3"]
    assert lines[1][1:] == ["2026-11-20", "06:00", "2", "no", message]
