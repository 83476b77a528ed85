from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analytics.extract.listing import Mark, Row, joins, pull, pulls_by_agent

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
MARK = Mark("m", "2026-11-19T12:00:00+00:00")


def row(
    run_id: str,
    created_at: str | None = "2026-11-20T01:00:00+00:00",
    agent_id: str | None = "a",
) -> Row:
    return Row(run_id, agent_id, created_at)


@pytest.mark.parametrize(
    ("rows", "mark", "is_whole", "expected"),
    [
        pytest.param([], None, True, True, id="an empty list is whole"),
        pytest.param([row("x")], None, True, True, id="a whole list joins anything"),
        pytest.param(
            [row("x")], None, False, False, id="a first pull of a full list joins nothing"
        ),
        pytest.param([row("x"), row("m")], MARK, False, True, id="the mark is in it"),
        pytest.param([row("x"), row("y")], MARK, False, False, id="the mark is not in it"),
        pytest.param(
            [row("x"), row("y", "2026-11-19T11:59:59Z")], MARK, False, True, id="it reaches behind"
        ),
        pytest.param(
            [row("x"), row("y", "2026-11-19T12:00:00Z")], MARK, False, False, id="a tie is no proof"
        ),
        pytest.param([row("x"), row("y", "soon")], MARK, False, False, id="a time not to be read"),
        pytest.param(
            [row("x"), row("y", "2026-11-19T11:00:00")], MARK, False, True, id="UTC is meant"
        ),
        pytest.param([row("x")], Mark(None, None), False, False, id="the list was empty before"),
    ],
)
def test_when_a_pull_joins(
    rows: list[Row], mark: Mark | None, is_whole: bool, expected: bool
) -> None:
    """A pull joins the last one of its list only where nothing can lie between the two."""
    assert joins(rows, mark, is_whole=is_whole) is expected


def test_times_that_cannot_be_read_bound_nothing() -> None:
    """A pull reaches from the oldest time that can be read to the newest one."""
    rows = [row("x", "soon"), row("y"), row("z", "2026-11-20T00:00:00+00:00"), row("w", None)]

    this = pull("a", rows, MARK, is_whole=False, pulled_at=NOW, since=MARK)

    assert (this.newest_run_id, this.newest_created_at) == ("x", rows[1].created_at)
    assert (this.oldest_created_at, this.gap_before) == (rows[2].created_at,) * 2


def test_a_gap_is_the_window_between_two_pulls() -> None:
    """A pull of an agent's list that does not join records from where to where nothing is known."""
    rows = [row("x"), row("y", "2026-11-20T00:00:00+00:00")]

    this = pull("a", rows, MARK, is_whole=False, pulled_at=NOW, since=MARK)

    assert (this.gap_after, this.gap_before) == (MARK.created_at, rows[-1].created_at)
    assert (this.newest_run_id, this.row_count, this.is_joined) == ("x", 2, False)


def test_the_unfiltered_list_leaves_no_gap() -> None:
    """Where the unfiltered list does not join, the agents' own lists tell what is missing."""
    this = pull(None, [row("x")], MARK, is_whole=False, pulled_at=NOW)

    assert not this.is_joined
    assert this.gap_before is None


def test_a_joined_unfiltered_pull_proves_each_agents_list() -> None:
    """Each agent seen in a joined unfiltered pull is known up to its newest row there."""
    rows = [row("x"), row("y", agent_id="b"), row("z"), row("n", None, None)]
    this = pull(None, rows, None, is_whole=True, pulled_at=NOW)

    proven = pulls_by_agent(this, rows)

    assert [(each.agent_id, each.newest_run_id, each.row_count) for each in proven] == [
        ("a", "x", 2),
        ("b", "y", 1),
    ]
    assert all(each.is_joined for each in proven)
