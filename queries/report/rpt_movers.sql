-- What changed in the last 7 complete days against the 7 before: lines, versions of agents, and
-- models; nothing where the two weeks of a workspace were not read whole.
-- Grain: workspace, kind, line and name.
-- key: workspace_id, kind, agent_id, name_key
-- column kind: agent (any line), version or model.
-- column name_key: Version of the agent, or model and provider; empty for a line as a whole.
-- column previous_cost_usd: Cost in US dollars of the 7 days before.
-- column current_cost_usd: Cost in US dollars of the last 7 complete days.
-- column change_usd: The latter less the former.
-- column previous_run_count: Runs of the 7 days before; null for models.
-- column current_run_count: Runs of the last 7 complete days; null for models.
-- column cause: new, gone, platform, changed, or model.
-- column workspace_rank: Place within workspace and kind, the largest change first.
-- column site_rank: Place within kind among all workspaces.
with

weeks as (
    select
        now.workspace_id,
        now.first_date,
        now.last_date,
        before.first_date as previous_first_date
    from reports.rpt_period_figures as now
    join reports.rpt_period_figures as before
        on before.workspace_id = now.workspace_id
        and before.agent_id = now.agent_id
        and before.period = 'week_before'
    where now.agent_id = '(all)' and now.period = 'week' and now.is_known and before.is_known
),

days as (
    select
        workspace_id,
        'agent' as kind,
        agent_id,
        '' as name_key,
        date,
        cost_usd,
        run_count
    from reports.rpt_days
    union all
    select
        workspace_id,
        'version',
        agent_id,
        if(agent_version < 0, 'no version', 'v' || agent_version),
        date,
        cost_usd,
        run_count
    from reports.rpt_versions
    union all
    select
        workspace_id,
        'model',
        '(all)',
        model || ' (' || provider || ')',
        utc_date,
        cost_usd,
        null
    from reports.rpt_models
),

sums as (
    select
        days.workspace_id,
        days.kind,
        days.agent_id,
        days.name_key,
        coalesce(sum(days.cost_usd) filter (days.date < weeks.first_date), 0)::decimal(38, 10)
            as previous_cost_usd,
        coalesce(sum(days.cost_usd) filter (days.date >= weeks.first_date), 0)::decimal(38, 10)
            as current_cost_usd,
        (sum(days.run_count) filter (days.date < weeks.first_date))::bigint
            as previous_run_count,
        (sum(days.run_count) filter (days.date >= weeks.first_date))::bigint
            as current_run_count
    from days
    join weeks
        on weeks.workspace_id = days.workspace_id
        and days.date between weeks.previous_first_date and weeks.last_date
    group by days.workspace_id, days.kind, days.agent_id, days.name_key
),

changes as (
    select
        * replace (
            if(kind = 'model', null, coalesce(previous_run_count, 0)) as previous_run_count,
            if(kind = 'model', null, coalesce(current_run_count, 0)) as current_run_count
        ),
        current_cost_usd - previous_cost_usd as change_usd
    from sums
    where current_cost_usd <> previous_cost_usd
)

select
    *,
    case
        when kind = 'model' then 'model'
        when previous_run_count = 0 and current_run_count = 0 then 'platform'
        when previous_run_count = 0 then 'new'
        when current_run_count = 0 then 'gone'
        else 'changed'
    end as cause,
    row_number() over (
        partition by workspace_id, kind order by abs(change_usd) desc, agent_id, name_key
    ) as workspace_rank,
    row_number() over (
        partition by kind order by abs(change_usd) desc, workspace_id, agent_id, name_key
    ) as site_rank
from changes
order by workspace_id, kind, workspace_rank
