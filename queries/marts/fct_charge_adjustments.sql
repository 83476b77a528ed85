-- Changes of charges in closed months, each booked in the next open month: today's charges less
-- what the books hold. A change of amounts stands at the owner to whom the books have the day; a
-- day that went to another owner is taken from the one and given to the other as it is today.
-- What later closes booked is frozen; the rest may change until the next close books it. A day
-- whose cost or bill is unknown today stays as the books have it, as does a month a load of which
-- is lost.
-- Causes: runs were added to a day (late_run) or taken from it (run_removed), as the API counts
-- them by UTC day, or on the day before if requests changed likewise; else its cost or its bill
-- alone was corrected; amounts moved between models, providers, surcharge and own key alone
-- (split_corrected); or another owner has the day (owner_changed).
-- Grain: booked month, UTC day, agent, provider, model, owner, cost center, account and cause.
-- key: booked_month, workspace_id, utc_date, agent_id, provider, model, owner, cost_center,
-- account, cause
-- ref agent_id: dim_agents
-- values cause: late_run, run_removed, cost_corrected, bill_corrected, split_corrected,
-- owner_changed
-- column booked_month: First day of the month that books it: closed, or the next to close.
-- column usage_month: First day of the closed month to which the usage belongs.
-- column cause: Why it changed: late_run, run_removed, cost_corrected, bill_corrected,
-- split_corrected or owner_changed.
-- column account: Account of the owner by finance/owners.csv; '(none)' without one.
-- column metered_cost_usd: Signed change of metered cost in US dollars.
-- column billed_usd: Signed change of what Levain bills in US dollars.
-- column surcharge_usd: Signed change of the surcharge in US dollars.
-- column own_key_usd: Signed change of own-key cost in US dollars.
-- column tokens_in: Signed change of input tokens.
-- column tokens_out: Signed change of output tokens.
-- column request_count: Signed change of the number of requests.
-- column load_id: The last load that changed the agent's day; of a changed owner, the last of all.
with

months as (
    select month, (max(month) over () + interval 1 month)::date as next_month
    from finance.closings
    where status = 'closed'
),

unknown as (
    select distinct workspace_id, utc_date, agent_id
    from marts.fct_charges
    where metered_cost_usd is null or billed_usd is null or own_key_usd is null
),

kept as (
    select workspace_id, month
    from marts.dim_months
    where is_kept
),

today as (
    select charges.*, months.month as usage_month
    from marts.fct_charges as charges
    join months on charges.utc_date between months.month and last_day(months.month)
    anti join unknown using (workspace_id, utc_date, agent_id)
    anti join kept on kept.workspace_id = charges.workspace_id and kept.month = months.month
),

booked as (
    select *
    from intermediate.int_booked_charges as charges
    anti join unknown using (workspace_id, utc_date, agent_id)
    anti join kept
        on kept.workspace_id = charges.workspace_id and kept.month = charges.usage_month
),

cells as (
    select
        usage_month,
        workspace_id,
        utc_date,
        agent_id,
        provider,
        model,
        sum(columns('_usd$')),
        sum(columns('^tokens_|^request_count$'))::bigint
    from (
        from today
        union all by name
        select
            usage_month, workspace_id, utc_date, agent_id, provider, model,
            -columns('_usd$|^tokens_|^request_count$')
        from booked
    )
    group by all
    having
        sum(metered_cost_usd) <> 0
        or sum(billed_usd) <> 0
        or sum(surcharge_usd) <> 0
        or sum(own_key_usd) <> 0
        or sum(tokens_in) <> 0
        or sum(tokens_out) <> 0
        or sum(request_count) <> 0
),

booked_owners as (
    select
        workspace_id,
        utc_date,
        agent_id,
        {owner: owner, cost_center: cost_center, account: account} as holder
    from intermediate.int_booked_owners
),

owners as (
    select distinct
        workspace_id,
        utc_date,
        agent_id,
        {owner: owner, cost_center: cost_center, account: account} as holder
    from today
),

-- The books hold what was loaded until the last close.
booked_loads as (
    select workspace_id, max(load_id) as load_id
    from finance.closing_loads
    semi join finance.closings as closings
        on closings.month = closing_loads.month
        and closings.revision = closing_loads.revision
        and closings.status = 'closed'
    group by workspace_id
),

run_changes as (
    select
        workspace_id,
        date as utc_date,
        if(line_id = '(none)', '(platform)', line_id) as agent_id,
        sum(run_count) as run_count
    from (
        from intermediate.int_changes
        where measure in ('counts', 'platform')
        union all by name
        from intermediate.int_run_changes
        where measure = 'utc_listed' and line_id = '(none)'
    ) as changes
    left join booked_loads using (workspace_id)
    where changes.load_id > coalesce(booked_loads.load_id, '')
    group by all
),

differences as (
    select
        workspace_id,
        utc_date,
        agent_id,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd,
        sum(request_count) as request_count
    from cells
    group by all
),

runs as (
    select
        differences.*,
        coalesce(
            nullif(of_day.run_count, 0),
            if(
                differences.request_count * of_day_before.run_count > 0,
                of_day_before.run_count,
                0
            )
        ) as run_count
    from differences
    left join run_changes as of_day using (workspace_id, utc_date, agent_id)
    left join run_changes as of_day_before
        on of_day_before.workspace_id = differences.workspace_id
        and of_day_before.utc_date = differences.utc_date - 1
        and of_day_before.agent_id = differences.agent_id
),

causes as (
    select
        workspace_id,
        utc_date,
        agent_id,
        case
            when run_count > 0 then 'late_run'
            when run_count < 0 then 'run_removed'
            when metered_cost_usd = 0 and billed_usd = 0 then 'split_corrected'
            when metered_cost_usd <> 0 then 'cost_corrected'
            else 'bill_corrected'
        end as cause
    from runs
),

-- The last load that changed the bill of an agent's day, or took it away.
billing_loads as (
    select
        workspace_id,
        utc_date,
        agent_id,
        max(greatest(load_id, coalesce(superseded_by_load_id, load_id))) as load_id
    from staging.agent_billing_days
    group by all
),

changes as (
    select
        cells.*,
        coalesce(booked_owners.holder, owners.holder) as holder,
        causes.cause,
        loads.load_id
    from cells
    join causes using (workspace_id, utc_date, agent_id)
    left join booked_owners using (workspace_id, utc_date, agent_id)
    left join owners using (workspace_id, utc_date, agent_id)
    left join billing_loads as loads using (workspace_id, utc_date, agent_id)
),

moves as (
    select
        today.*,
        unnest([booked_owners.holder, owners.holder]) as holder,
        unnest([-1, 1]) as sign
    from today
    join owners using (workspace_id, utc_date, agent_id)
    join booked_owners using (workspace_id, utc_date, agent_id)
    where
        owners.holder is distinct from booked_owners.holder
        and (
            greatest(*columns('_usd$|^tokens_|^request_count$')) > 0
            or least(*columns('_usd$|^tokens_|^request_count$')) < 0
        )
),

last_loads as (
    select workspace_id, max(load_id) as load_id
    from ledger.loads
    group by workspace_id
),

live as (
    from changes
    union all by name
    select
        moves.usage_month, moves.workspace_id, moves.utc_date, moves.agent_id, moves.provider,
        moves.model, moves.holder,
        'owner_changed' as cause,
        sign * columns('_usd$|^tokens_|^request_count$'),
        last_loads.load_id
    from moves
    left join last_loads using (workspace_id)
),

corrections as (
    select *, true as is_booked
    from finance.closed_charge_adjustments
    union all by name
    select
        live.* exclude (holder),
        (select any_value(next_month) from months) as booked_month,
        holder.owner as owner,
        holder.cost_center as cost_center,
        holder.account as account,
        false as is_booked
    from live
)

select
    booked_month,
    usage_month,
    workspace_id,
    utc_date,
    agent_id,
    agent_name,
    provider,
    model,
    owner,
    cost_center,
    coalesce(account, '(none)') as account,
    cause,
    columns('_usd$')::decimal(38, 10),
    columns('^tokens_|^request_count$')::bigint,
    load_id,
    is_booked
from corrections
left join (
    select workspace_id, agent_id, agent_name
    from marts.dim_agents
) using (workspace_id, agent_id)
order by
    booked_month, workspace_id, utc_date, agent_id, provider, model, owner, cost_center, account,
    cause
