-- What cost more or less in the last seven days than in the seven before: lines, versions of agents
-- and, by UTC day, models. Only workspaces of which both weeks were read whole are in it, and of
-- these, as of their lines and versions, only those with the cost of at least four in five runs of
-- each week known; the platform and models only where all of their cost is known, versions only of
-- agents all of whose runs are listed, models only where each day has its hourly meter.
-- Grain: workspace, kind, line and name.
-- key: workspace_id, kind, agent_id, name_key
-- column kind: agent (any line), version or model.
-- column agent_id: Identifier of the line, as in dim_agents; '(all)' for a model.
-- column name_key: The agent's version, or 'model (provider)'; '(none)' for a line.
-- column previous_cost_usd: Known cost in US dollars of the earlier week.
-- column current_cost_usd: Known cost in US dollars of the later week.
-- column change_usd: Cost of the later week less that of the earlier one, in US dollars.
-- column previous_run_count: Runs of the earlier week; null for a model.
-- column current_run_count: Runs of the later week; null for a model.
-- column previous_unknown_cost_count: Runs of unknown cost of the earlier week; null for a model.
-- column current_unknown_cost_count: Runs of unknown cost of the later week; null for a model.
-- column cause: new, gone (no run any more), platform, changed, or model (no runs are known of it).
-- column change_rank: Place among those of the workspace and kind, from the largest change, from 1.
-- column recency: current; stale if the workspace was read up to a week or more before the site.
-- column site_rank: Place among all of the kind that are current, from the largest change, from 1;
-- null for others.
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

unlisted as (
    select distinct workspace_id, agent_id
    from reports.rpt_days
    join weeks using (workspace_id)
    where date between previous_first and week_last and coalesce(unlisted_run_count > 0, true)
),

metered as (
    select workspace_id
    from weeks
    join intermediate.int_metered_days as days using (workspace_id)
    where days.utc_date between previous_first and week_last
    group by workspace_id
    having bool_and(has_hours)
),

figures as (
    select
        workspace_id,
        'agent' as kind,
        agent_id,
        '(none)' as name_key,
        date,
        cost_usd,
        run_count,
        unknown_cost_count,
        unknown_platform_count
    from reports.rpt_days
    union all by name
    select
        workspace_id,
        'version' as kind,
        agent_id,
        if(agent_version = -1, 'no version', 'v' || agent_version) as name_key,
        date,
        cost_usd,
        run_count,
        unknown_cost_count
    from reports.rpt_versions
    anti join unlisted using (workspace_id, agent_id)
    union all by name
    select
        workspace_id,
        'model' as kind,
        '(all)' as agent_id,
        model || ' (' || provider || ')' as name_key,
        utc_date as date,
        cost_usd,
        (cost_usd is null)::bigint as unknown_cost_count
    from reports.rpt_models
    semi join metered using (workspace_id)
),

movers as (
    select
        workspace_id,
        kind,
        agent_id,
        name_key,
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
    from figures
    join weeks using (workspace_id)
    where date between previous_first and week_last
    group by all
    having
        coalesce(sum(unknown_platform_count), 0) = 0
        and 5 * previous_unknown_cost_count <= previous_run_count
        and 5 * current_unknown_cost_count <= current_run_count
)

select
    movers.* replace (
        if(kind = 'model', null, previous_run_count) as previous_run_count,
        if(kind = 'model', null, current_run_count) as current_run_count,
        if(kind = 'model', null, previous_unknown_cost_count) as previous_unknown_cost_count,
        if(kind = 'model', null, current_unknown_cost_count) as current_unknown_cost_count
    ),
    current_cost_usd - previous_cost_usd as change_usd,
    case
        when kind = 'model' then 'model'
        when previous_run_count = 0 and current_run_count = 0 then 'platform'
        when previous_run_count = 0 then 'new'
        when current_run_count = 0 then 'gone'
        else 'changed'
    end as cause,
    row_number() over (
        partition by workspace_id, kind order by abs(change_usd) desc, agent_id, name_key
    ) as change_rank,
    if(is_current, 'current', 'stale') as recency,
    if(
        is_current,
        row_number() over (
            partition by kind, is_current
            order by abs(change_usd) desc, workspace_id, agent_id, name_key
        ),
        null
    ) as site_rank
from movers
join reports.rpt_calendars as calendars using (workspace_id)
where current_cost_usd <> previous_cost_usd
order by workspace_id, kind, change_rank
