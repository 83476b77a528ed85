-- Why the bill differs from that of the month before: each effect of 1 % of that and more, the
-- largest first, with the agent and model that made more than half of it, and the others as one.
-- With those of all stand the names of workspaces that have no bridge.
-- Grain: workspace or '(all)', month and effect.
with

texts as (
    from (values
        ('adjustment', 'the month before was adjusted upwards',
            'the month before was adjusted downwards'),
        ('volume', 'there were more runs', 'there were fewer runs'),
        ('mix', 'the mix of runs cost more', 'the mix of runs cost less'),
        ('agent_mix', 'runs moved to more expensive agents', 'runs moved to cheaper agents'),
        ('tokens_per_run', 'agents took more tokens per run', 'agents took fewer tokens per run'),
        ('model_mix', 'tokens moved to more expensive models', 'tokens moved to cheaper models'),
        ('price', 'models cost more per token', 'models cost less per token'),
        ('failure', 'failed runs of the same agents cost more',
            'failed runs of the same agents cost less'),
        ('new_agent', 'there were new agents', 'there were new agents'),
        ('retired_agent', 'agents were retired', 'agents were retired'),
        ('platform', 'the platform cost more', 'the platform cost less'),
        ('surcharge', 'the surcharge grew', 'the surcharge shrank'),
        ('own_key', 'less usage ran on own keys', 'more usage ran on own keys')
    ) as texts(effect, more, less)
),

-- Of a cell's amounts on several providers, one.
parts as (
    select
        workspace_id,
        month,
        effect,
        sum(amount_usd) as amount_usd,
        {workspace_id: workspace_id, agent_id: agent_id, model: model} as place
    from (
        unpivot marts.fct_month_bridge
        on columns('_effect_usd$')
        into name effect value amount_usd
    )
    group by workspace_id, month, effect, agent_id, model
),

sums as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        month,
        effect,
        sum(amount_usd)::decimal(38, 10) as amount_usd,
        if(
            sum(amount_usd) > 0,
            max({amount_usd: amount_usd, place: place}),
            min({amount_usd: amount_usd, place: place})
        ) as largest
    from parts
    group by grouping sets ((workspace_id, month, effect), (month, effect))
    having sum(amount_usd) <> 0
),

-- Runs of a month, to tell whether there were more than in the month before.
runs as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        month,
        sum(run_count) as run_count
    from marts.fct_agent_months
    group by grouping sets ((workspace_id, month), (month))
),

-- Volume is each agent's runs at its own cost per run. Where it moves against the count of all
-- runs, the cause is which agents ran. Only what made more than half of an effect is named.
causes as (
    select
        sums.* exclude (effect, largest),
        case
            when effect <> 'volume_effect_usd' then replace(effect, '_effect_usd', '')
            when sign(amount_usd) = sign(now.run_count - before.run_count) then 'volume'
            else 'mix'
        end as effect,
        case when abs(largest.amount_usd) > abs(amount_usd) / 2 then largest.place end as driver
    from sums
    left join runs as now using (workspace_id, month)
    left join runs as before
        on before.workspace_id = sums.workspace_id
        and before.month = sums.month - interval 1 month
),

bridges as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        month,
        sum(start_usd) as start_usd,
        (sum(end_usd) - sum(start_usd))::decimal(38, 10) as change_usd
    from marts.fct_month_bridge
    group by grouping sets ((workspace_id, month), (month))
),

-- A workspace of which one of both months was not read whole, or has no known bill, has none.
left_out as (
    select
        '(all)' as workspace_id,
        month,
        string_agg(workspace_name, ', ' order by workspace_name, workspace_id) as left_out_names
    from (
        select distinct workspace_id, unnest([month, (month + interval 1 month)::date]) as month
        from (
            select workspace_id, date_trunc('month', utc_date)::date as month
            from marts.fct_charges
            where coalesce(billed_usd <> 0, true)
            union
            select workspace_id, usage_month
            from marts.fct_month_lines
            where revision is not null and billed_usd <> 0
            union
            select workspace_id, month
            from marts.dim_months
            where unknown_bill_count > 0
        )
    )
    anti join marts.fct_month_bridge using (workspace_id, month)
    join marts.dim_workspaces using (workspace_id)
    group by month
),

effects as (
    select
        causes.workspace_id,
        month,
        change_usd,
        if(amount_usd > 0, more, less) as cause,
        amount_usd,
        agents.agent_name as driver_name,
        driver.model as driver_model,
        left_out_names,
        abs(amount_usd) >= 0.01 * start_usd as is_shown
    from causes
    join bridges using (workspace_id, month)
    join texts using (effect)
    left join left_out using (workspace_id, month)
    left join marts.dim_agents as agents
        on agents.workspace_id = driver.workspace_id and agents.agent_id = driver.agent_id
),

rows as (
    select * exclude (is_shown), abs(amount_usd) as size
    from effects
    where is_shown
    union all by name
    select
        workspace_id,
        month,
        change_usd,
        count(*) || ' smaller' as cause,
        sum(amount_usd)::decimal(38, 10) as amount_usd,
        left_out_names,
        -1 as size
    from effects
    where not is_shown
    group by workspace_id, month, change_usd, left_out_names
    having abs(sum(amount_usd)) >= 0.005
)

select
    * exclude (size),
    (month - interval 1 month)::date as previous_month,
    (amount_usd / max(abs(amount_usd)) over (partition by workspace_id, month))::double as share,
    row_number() over (partition by workspace_id, month order by size desc, cause) as place
from rows
