"""UTC days that were read: of windowed sources, and of the counts of each agent's runs."""

from __future__ import annotations

from datetime import date

from analytics.warehouse.sources import MOST_RUNS_APART, TERMINAL_STATUSES
from analytics.warehouse.store import Store

_WINDOWS = "from ledger.requests where {mine} and source = $source and status = 200"

# Loads are named by their time, so the names tell whether a roll-up changed after a count.
_WRONG_COUNTS = """
    select agent_id, date
    from (
        select agent_id, date,
            if(bool_and(replaced_by is not null), 0, sum(run_count) filter (replaced_by is null))
                as run_count,
            max(greatest(load_id, replaced_by)) as changed_by
        from raw.agent_rollups left join (
            select version_id, load_id as replaced_by from raw.superseded
        ) using (version_id)
        where {mine} and agent_id is not null and date >= $first group by all
    ) as rollups
    left join (
        select agent_id, date, sum(run_count) as counted
        from raw.run_counts anti join raw.superseded using (version_id)
        where {mine} and date >= $first group by all
    ) as counts using (agent_id, date)
    left join (
        select agent_id, max(load_id) as answered_by from ledger.requests
        where {mine} and source = 'run_counts' and status = 200 group by all
    ) as answers using (agent_id)
    where abs(run_count - coalesce(counted, 0)) > $most_apart
        or (run_count <> coalesce(counted, 0) and coalesce(changed_by > answered_by, true))
"""


def days_of(store: Store, source: str, days_after: int) -> set[date]:
    """Return the UTC days of a windowed source that were read so many days after, or later."""
    return {
        *store.column(
            f"""
            select distinct date from (
                select fetched_at, unnest(generate_series(window_start,
                    window_end - interval 1 day, interval 1 day))::date as date
                {_WINDOWS}
            ) where fetched_at >= date + to_days($days_after)
            """,
            source=source,
            days_after=days_after,
        )
    }


def first_day_of(store: Store, source: str) -> date | None:
    """Return the oldest UTC day of a windowed source that was ever read."""
    first: date | None = store.one(f"select min(window_start) {_WINDOWS}", source=source)
    return first


def counted_from(store: Store) -> dict[str, date]:
    """Return the oldest UTC day for which each agent's runs were ever counted."""
    counts = f"select agent_id, min(window_start) {_WINDOWS} group by agent_id"
    return dict(store.run(counts, source="run_counts"))


def counted_on(store: Store) -> dict[str, tuple[date, date | None]]:
    """Return the UTC days on which each agent's count was last asked for, and last answered."""
    rows = store.run("""
        select agent_id, max(fetched_at)::date, (max(fetched_at) filter (status = 200))::date
        from ledger.requests
        where {mine} and source = 'run_counts' group by agent_id
    """)
    return {agent_id: (asked, answered) for agent_id, asked, answered in rows}


def first_wrong_count(store: Store, first: date) -> dict[str, date]:
    """Return the oldest UTC day from `first` on that is to be counted again, by agent.

    Open runs were counted on it, or the agent's roll-up has more or fewer runs than were
    counted. A roll-up that has not changed since the agent's last count is left out, unless the
    two differ by so many runs that they may stop publishing.
    """
    return dict(
        store.run(
            f"""
            select agent_id, min(date)
            from (
                select agent_id, date
                from raw.run_counts anti join raw.superseded using (version_id)
                where {{mine}} and date >= $first and run_count > 0
                    and status not in {TERMINAL_STATUSES}
                union all
                ({_WRONG_COUNTS})
            )
            group by agent_id
            """,
            first=first,
            most_apart=MOST_RUNS_APART,
        )
    )


def agents_active_on(store: Store) -> dict[str, date]:
    """Return the last UTC day on which each agent started runs, by the API's own totals."""
    return dict(
        store.run("""
            select agent_id, max(date)
            from raw.agent_rollups anti join raw.superseded using (version_id)
            where {mine} and agent_id is not null group by agent_id
        """)
    )
