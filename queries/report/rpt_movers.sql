-- Lines that cost more or less in the last seven days than in the seven before. Only workspaces of
-- which both weeks were read whole are in it, and of these only lines with the cost of at least
-- four in five runs of each week known; the platform only where all of its cost is known.
-- Grain: workspace and line.
-- key: workspace_id, agent_id
-- column agent_id: Identifier of the line, as in dim_agents.
-- column previous_cost_usd: Known cost in US dollars of the earlier week.
-- column current_cost_usd: Known cost in US dollars of the later week.
-- column change_usd: Cost of the later week less that of the earlier one, in US dollars.
-- column previous_run_count: Runs of the earlier week.
-- column current_run_count: Runs of the later week.
-- column previous_unknown_cost_count: Runs of unknown cost of the earlier week.
-- column current_unknown_cost_count: Runs of unknown cost of the later week.
-- column site_rank: Place among those of all workspaces that are current, from the largest change,
-- from 1; null for a workspace read a week or more before the site.
with

weeks as (
    select
        workspace_id,
        min(period_first) as previous_first,
        max(period_first) as week_first,
        max(period_last) as week_last
    from reports.rpt_periods
    where agent_id = '(all)' and period in ('week_1', 'week_2')
    group by workspace_id
    having bool_and(is_covered)
),

movers as (
    select
        workspace_id,
        agent_id,
        coalesce(sum(cost_usd) filter (date < week_first), 0)::decimal(38, 10)
            as previous_cost_usd,
        coalesce(sum(cost_usd) filter (date >= week_first), 0)::decimal(38, 10)
            as current_cost_usd,
        coalesce(sum(run_count) filter (date < week_first), 0)::bigint
            as previous_run_count,
        coalesce(sum(run_count) filter (date >= week_first), 0)::bigint
            as current_run_count,
        coalesce(sum(unknown_cost_count) filter (date < week_first), 0)::bigint
            as previous_unknown_cost_count,
        coalesce(sum(unknown_cost_count) filter (date >= week_first), 0)::bigint
            as current_unknown_cost_count
    from reports.rpt_days
    join weeks using (workspace_id)
    where date between previous_first and week_last
    group by all
    having
        coalesce(sum(unknown_platform_count), 0) = 0
        and 5 * previous_unknown_cost_count <= previous_run_count
        and 5 * current_unknown_cost_count <= current_run_count
)

select
    movers.*,
    current_cost_usd - previous_cost_usd as change_usd,
    if(
        is_current,
        row_number() over (
            partition by is_current order by abs(change_usd) desc, workspace_id, agent_id
        ),
        null
    ) as site_rank
from movers
join reports.rpt_calendars as calendars using (workspace_id)
where current_cost_usd <> previous_cost_usd
order by workspace_id, agent_id
