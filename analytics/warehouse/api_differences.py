"""Agent-days whose stored runs differ from the API's own totals, and what is known to remain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from analytics.warehouse.sources import TERMINAL_STATUSES
from analytics.warehouse.store import Store

# Of agent-days, of UTC days in `[$first, $end)`, by measure in its unit: cost, tokens, and the runs
# of each status in which a run can end. Each cost was rounded to ten decimals, so that half a unit
# for each row is ignored.
_DIFFERENCES = f"""
    with by_status as (
        select agent_id, (created_at at time zone 'UTC')::date as date, status,
            sum(cost_usd) as cost_usd,
            sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)) as tokens,
            count(*) as run_count
        from raw.runs anti join raw.superseded using (version_id)
        where {{mine}} and agent_id is not null
            and created_at >= $first::timestamptz and created_at < $end::timestamptz
        group by all
    ),
    listed as (
        select agent_id, date, sum(cost_usd) as cost_usd, sum(tokens) as tokens,
            sum(run_count) as run_count
        from by_status group by all
    ),
    rolled_up as (
        select agent_id, date, sum(cost_usd) as cost_usd,
            sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)) as tokens
        from raw.agent_rollups anti join raw.superseded using (version_id)
        where {{mine}} and agent_id is not null
            and date >= $first and date < $end
        group by all
    ),
    counted as (
        select agent_id, date, status, sum(run_count) as run_count
        from raw.run_counts anti join raw.superseded using (version_id)
        where {{mine}} and date >= $first and date < $end
        group by all
    ),
    found as (
        select agent_id, date, 'cost_usd' as measure,
            coalesce(rolled_up.cost_usd, 0) - coalesce(listed.cost_usd, 0) as difference,
            0.00000000005 * (coalesce(listed.run_count, 0) + 1) as least
        from listed full join rolled_up using (agent_id, date)
        union all
        select agent_id, date, 'tokens',
            coalesce(rolled_up.tokens, 0) - coalesce(listed.tokens, 0), 0
        from listed full join rolled_up using (agent_id, date)
        union all
        select agent_id, date, status,
            coalesce(counted.run_count, 0) - coalesce(by_status.run_count, 0), 0
        from by_status full join counted using (agent_id, date, status)
        where status in {TERMINAL_STATUSES}
            and (agent_id, date) in (select agent_id, date from counted)
    )
    select agent_id, date, measure, difference::decimal(38, 10) as difference
    from found where abs(difference) > least
"""

_GIVEN_DAYS = "select unnest($agents::varchar[]), unnest($days::date[])"


def differing_agent_days(store: Store, first: date, end: date) -> list[tuple[str, date]]:
    """Return agent-days, of UTC days in `[first, end)`, that differ otherwise than recorded.

    The stored runs and the API's own totals are compared.
    """
    return store.run(
        f"""
        select distinct agent_id, date
        from ({_DIFFERENCES})
        anti join (from ledger.api_differences where {{mine}})
            using (agent_id, date, measure, difference)
        order by all
        """,
        first=first,
        end=end,
    )


def runs_of(store: Store, agent_days: Sequence[tuple[str, date]]) -> list[str]:
    """Return the stored runs that agents started on UTC days."""
    return store.column(
        f"""
        select run_id from raw.runs anti join raw.superseded using (version_id)
        where {{mine}}
            and (agent_id, (created_at at time zone 'UTC')::date) in ({_GIVEN_DAYS})
        """,
        **_given(agent_days),
    )


def record_api_differences(
    store: Store, agent_days: Sequence[tuple[str, date]], first: date, end: date
) -> None:
    """Record what remains of these agent-days' differences, so that no batch looks again."""
    given = _given(agent_days)
    of_these = f"(agent_id, date) in ({_GIVEN_DAYS})"
    store.run(f"delete from ledger.api_differences where {{mine}} and {of_these}", **given)
    store.run(
        f"""
        insert into ledger.api_differences
        select $workspace_id, agent_id, date, measure, difference
        from ({_DIFFERENCES}) where {of_these}
        """,
        first=first,
        end=end,
        **given,
    )


def _given(agent_days: Sequence[tuple[str, date]]) -> dict[str, list[Any]]:
    """Return the values of `_GIVEN_DAYS`."""
    return {
        "agents": [agent_id for agent_id, _ in agent_days],
        "days": [day for _, day in agent_days],
    }
