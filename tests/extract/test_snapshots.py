from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analytics.extract.snapshots import Row, overlaps, snapshots_by_agent, take_snapshot
from analytics.warehouse.run_lists import Watermark

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
WATERMARK = Watermark("m", "2026-11-19T12:00:00+00:00")


def row(
    run_id: str,
    created_at: str | None = "2026-11-20T01:00:00+00:00",
    agent_id: str | None = "a",
) -> Row:
    return Row(run_id, agent_id, created_at)


NOON = "2026-11-19T12:00:00Z"
EMPTY = Watermark(None, None)
JOINS: dict[str, tuple[list[Row], Watermark | None, bool, bool]] = {
    "an empty list is whole": ([], None, True, True),
    "a whole list joins anything": ([row("x")], None, True, True),
    "a first pull of a full list joins nothing": ([row("x")], None, False, False),
    "the watermark is in it": ([row("x"), row("m")], WATERMARK, False, True),
    "the watermark is not in it": ([row("x"), row("y")], WATERMARK, False, False),
    "it reaches behind": ([row("x"), row("y", "2026-11-19T11:59:59Z")], WATERMARK, False, True),
    "a tie is no proof": ([row("x"), row("y", NOON)], WATERMARK, False, False),
    "a time not to be read": ([row("x"), row("y", "soon")], WATERMARK, False, False),
    "UTC is meant": ([row("x"), row("y", "2026-11-19T11:00:00")], WATERMARK, False, True),
    "the list was empty before": ([row("x")], EMPTY, False, False),
}


@pytest.mark.parametrize("case", JOINS)
def test_when_a_pull_joins(case: str) -> None:
    """A snapshot overlaps the previous one of its list only if no run can lie between the two."""
    rows, watermark, is_whole, expected = JOINS[case]

    assert overlaps(rows, watermark, is_whole=is_whole) is expected


@pytest.mark.parametrize(("oldest", "joins"), [(NOON, (True, False)), ("soon", (True, True))])
def test_an_unfiltered_list_does_not_end_at_its_watermark(
    oldest: str, joins: tuple[bool, bool]
) -> None:
    """Behind a page that ends at the watermark's instant, another agent's run may be of it too."""
    rows = [row("m", WATERMARK.created_at), row("y", oldest)]

    assert joins == (
        overlaps(rows, WATERMARK, is_whole=False),
        overlaps(rows, WATERMARK, is_whole=False, is_unfiltered=True),
    )


def test_times_that_cannot_be_read_bound_nothing() -> None:
    """A snapshot reaches from the oldest readable time to the newest one."""
    rows = [row("x", "soon"), row("y"), row("z", "2026-11-20T00:00:00+00:00"), row("w", None)]

    this = take_snapshot("a", rows, WATERMARK, is_whole=False, pulled_at=NOW, since=WATERMARK)

    assert (this.newest_run_id, this.newest_created_at) == ("x", rows[1].created_at)
    assert (this.oldest_created_at, this.unread_until) == (rows[2].created_at,) * 2


@pytest.mark.parametrize(
    ("agent_id", "oldest", "watermark", "gap"),
    [
        ("a", "2026-11-20T00:00:00+00:00", WATERMARK, (WATERMARK.created_at, "oldest")),
        # a first snapshot that reaches behind what is known otherwise has only older runs unread
        ("a", "2026-11-19T11:00:00+00:00", None, (None, "oldest")),
        # after an unfiltered list, the agents' own lists are read
        (None, "2026-11-20T00:00:00+00:00", WATERMARK, (None, None)),
    ],
)
def test_a_gap_is_the_window_between_two_pulls(
    agent_id: str | None, oldest: str, watermark: Watermark | None, gap: tuple[str | None, ...]
) -> None:
    """A snapshot of an agent's list that does not overlap records both ends of the gap."""
    rows = [row("x"), row("y", oldest)]

    this = take_snapshot(
        agent_id,
        rows,
        watermark,
        is_whole=False,
        pulled_at=NOW,
        since=WATERMARK if agent_id else None,
    )

    assert (this.unread_from, this.unread_until) == (gap[0], gap[1] and oldest)
    assert (this.newest_run_id, this.row_count, this.is_contiguous) == ("x", 2, False)


def test_a_joined_unfiltered_pull_proves_each_agents_list() -> None:
    """Each agent in an overlapping unfiltered snapshot is covered up to its newest row there."""
    rows = [row("x"), row("y", agent_id="b"), row("z"), row("n", None, None)]
    this = take_snapshot(None, rows, None, is_whole=True, pulled_at=NOW)

    proven = snapshots_by_agent(this, rows)

    assert [(each.agent_id, each.newest_run_id, each.row_count) for each in proven] == [
        ("a", "x", 2),
        ("b", "y", 1),
    ]
    assert all(each.is_contiguous for each in proven)
