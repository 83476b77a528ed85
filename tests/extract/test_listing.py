from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analytics.extract.listing import Row, Watermark, overlaps, snapshots_by_agent, take_snapshot

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
WATERMARK = Watermark("m", "2026-11-19T12:00:00+00:00")


def row(
    run_id: str,
    created_at: str | None = "2026-11-20T01:00:00+00:00",
    agent_id: str | None = "a",
) -> Row:
    return Row(run_id, agent_id, created_at)


@pytest.mark.parametrize(
    ("rows", "watermark", "is_whole", "expected"),
    [
        pytest.param([], None, True, True, id="an empty list is whole"),
        pytest.param([row("x")], None, True, True, id="a whole list joins anything"),
        pytest.param(
            [row("x")], None, False, False, id="a first pull of a full list joins nothing"
        ),
        pytest.param([row("x"), row("m")], WATERMARK, False, True, id="the watermark is in it"),
        pytest.param(
            [row("x"), row("y")], WATERMARK, False, False, id="the watermark is not in it"
        ),
        pytest.param(
            [row("x"), row("y", "2026-11-19T11:59:59Z")],
            WATERMARK,
            False,
            True,
            id="it reaches behind",
        ),
        pytest.param(
            [row("x"), row("y", "2026-11-19T12:00:00Z")],
            WATERMARK,
            False,
            False,
            id="a tie is no proof",
        ),
        pytest.param(
            [row("x"), row("y", "soon")], WATERMARK, False, False, id="a time not to be read"
        ),
        pytest.param(
            [row("x"), row("y", "2026-11-19T11:00:00")], WATERMARK, False, True, id="UTC is meant"
        ),
        pytest.param(
            [row("x")], Watermark(None, None), False, False, id="the list was empty before"
        ),
    ],
)
def test_when_a_pull_joins(
    rows: list[Row], watermark: Watermark | None, is_whole: bool, expected: bool
) -> None:
    """A snapshot overlaps the previous one of its list only if no run can lie between the two."""
    assert overlaps(rows, watermark, is_whole=is_whole) is expected


@pytest.mark.parametrize(
    ("oldest", "joins"), [("2026-11-19T12:00:00Z", (True, False)), ("soon", (True, True))]
)
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


def test_a_gap_is_the_window_between_two_pulls() -> None:
    """A snapshot of an agent's list that does not overlap records both ends of the gap."""
    rows = [row("x"), row("y", "2026-11-20T00:00:00+00:00")]

    this = take_snapshot("a", rows, WATERMARK, is_whole=False, pulled_at=NOW, since=WATERMARK)

    assert (this.unread_from, this.unread_until) == (WATERMARK.created_at, rows[-1].created_at)
    assert (this.newest_run_id, this.row_count, this.is_contiguous) == ("x", 2, False)


def test_a_gap_does_not_begin_after_its_end() -> None:
    """A first snapshot that reaches behind what is known otherwise has only older runs unread."""
    rows = [row("x"), row("y", "2026-11-19T11:00:00+00:00")]

    this = take_snapshot("a", rows, None, is_whole=False, pulled_at=NOW, since=WATERMARK)

    assert (this.unread_from, this.unread_until) == (None, rows[-1].created_at)


def test_the_unfiltered_list_leaves_no_gap() -> None:
    """An unfiltered snapshot that does not overlap has no gap: the agents' own lists are read."""
    this = take_snapshot(None, [row("x")], WATERMARK, is_whole=False, pulled_at=NOW)

    assert not this.is_contiguous
    assert this.unread_until is None


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
