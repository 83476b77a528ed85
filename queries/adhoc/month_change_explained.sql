-- Why does each month cost more or less than the one before: more runs, or more expensive ones?
-- One line for each workspace of the last 13 months, with the agent that moved it the most.
-- previous_cost_usd and the effects add up to current_cost_usd. The month that is not over counts
-- up to its last complete date, against as many days of the month before.
with

changes as (
    select *
    from marts.fct_month_changes
    where agent_id = '(all)'
),

agents as (
    select
        workspace_id,
        month,
        agent_id,
        sum(amount_usd) as amount_usd
    from marts.fct_month_changes
    where agent_id <> '(all)'
    group by all
),

largest as (
    select
        workspace_id,
        month,
        arg_max(dim_agents.agent_name, (abs(amount_usd), agent_id)) as agent_name,
        arg_max(amount_usd, (abs(amount_usd), agent_id)) as agent_change_usd
    from agents
    join marts.dim_agents using (workspace_id, agent_id)
    where amount_usd is not null
    group by all
)

select
    workspaces.workspace_name,
    month,
    any_value(changes.current_day_count) as day_count,
    any_value(changes.previous_day_count) as previous_day_count,
    any_value(changes.previous_cost_usd) as previous_cost_usd,
    sum(changes.amount_usd) filter (changes.effect = 'volume') as volume_usd,
    sum(changes.amount_usd) filter (changes.effect = 'mix') as mix_usd,
    sum(changes.amount_usd) filter (changes.effect = 'price') as price_usd,
    sum(changes.amount_usd) filter (changes.effect = 'new') as new_usd,
    sum(changes.amount_usd) filter (changes.effect = 'gone') as gone_usd,
    sum(changes.amount_usd) filter (changes.effect = 'platform') as platform_usd,
    sum(changes.amount_usd) filter (changes.effect = 'unknown') as unknown_usd,
    any_value(changes.current_cost_usd) as current_cost_usd,
    any_value(largest.agent_name) as most_changed_agent,
    any_value(largest.agent_change_usd) as its_change_usd
from changes
join marts.dim_workspaces as workspaces using (workspace_id)
left join largest using (workspace_id, month)
where month >= date_trunc('month', workspaces.last_complete_date) - interval 12 months
group by changes.workspace_id, workspaces.workspace_name, month
order by workspaces.workspace_name, month desc
