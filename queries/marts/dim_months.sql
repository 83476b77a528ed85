-- Months that hold figures, whether these may still change, and whether the books have them. Since
-- the first close there is every month up to the last with figures, as months close in order: one
-- in which nothing was read is of each workspace that was read before. Of a workspace that was
-- forgotten, its closed months hold figures. Grain: workspace, month.
-- key: workspace_id, month
-- not_null: has_agent_bill
-- column month: First day of the calendar month.
-- column status: incomplete (begins unread, from its first day on), open (may change), final or
-- closed (booked).
-- column revision: Number of the close that is in force; null while the month is not closed.
-- column closed_at: When it was closed (UTC); null while the month is not closed.
-- column is_complete: True once every date of the month is complete.
-- column has_agent_bill: True if the API gives the bill by agent for each of its UTC days so far.
-- column has_provider_keys: True if own-key cost is known: the provider keys, and of a day with
-- any, the hourly meter.
-- column first_date: First UTC day of the month that was read.
-- column unknown_bill_count: UTC days whose bill is not known in full: the API refuses the bill by
-- agent, or gives a line without an amount that the books do not hold either.
-- column is_kept: True if a closed month stays as the books have it, as a load on which it or its
-- booked corrections rest is not in the warehouse: its landing folder is lost, or the workspace was
-- forgotten. Closes that name no load rest on none.
-- column is_recent: True for the month of the last batch and the one before it.
-- column open_day_count: UTC days whose reconciliation is open or pending.
-- column open_count: Runs that have not ended, but for those that the API no longer has.
with

days as (
    select
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        min(utc_date) as first_date,
        count(*) filter (status in ('open', 'pending')) as open_day_count,
        count(*) filter (status = 'unreconciled') as unreconciled_day_count,
        sum(unexplained_usd) as unexplained_usd
    from audit.reconciliation_days
    group by all
),

bills as (
    select
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        bool_and(has_agent_bill) as has_agent_bill,
        bool_and(has_provider_keys) as has_provider_keys
    from intermediate.int_metered_days
    group by all
),

unknown_bills as (
    select
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        count(distinct utc_date) as unknown_bill_count
    from (
        select workspace_id, utc_date
        from intermediate.int_metered_days
        where not has_agent_bill
        union all
        select workspace_id, utc_date
        from staging.agent_billing_days as lines
        anti join intermediate.int_booked_charges as booked
            on booked.workspace_id = lines.workspace_id
            and booked.utc_date = lines.utc_date
            and booked.agent_id = lines.agent_id
            and booked.billed_usd is not null
        where lines.is_current and lines.billed_usd is null
    )
    group by all
),

named_loads as (
    select loads.month as booked_month, loads.workspace_id, loads.load_id
    from finance.closing_loads as loads
    join finance.closings using (month, revision)
    where closings.status = 'closed'
    union
    select month, workspace_id, load_id
    from finance.closed_loads
),

kept as (
    select workspace_id, booked_month as month
    from named_loads
    anti join ledger.loads using (workspace_id, load_id)
    union
    select workspace_id, usage_month
    from finance.closed_charge_adjustments
    semi join named_loads using (workspace_id, booked_month)
    anti join ledger.loads using (workspace_id, load_id)
),

runs as (
    select distinct workspace_id, date_trunc('month', date)::date as month
    from marts.fct_agent_days
    where listed_run_count > 0
),

provisional as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        count(*) filter (not is_terminal) as open_count,
        count(*) filter (is_terminal) as provisional_count
    from marts.fct_runs
    where not is_final
    group by all
),

dates as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        count(*) filter (is_complete) as complete_count
    from marts.dim_dates
    group by all
),

figures as (
    select
        workspace_id,
        month,
        days.first_date,
        days.open_day_count,
        days.unreconciled_day_count,
        days.unexplained_usd,
        provisional.open_count,
        provisional.provisional_count
    from days
    full join runs using (workspace_id, month)
    left join provisional using (workspace_id, month)
),

known as (
    select workspace_id, month
    from figures
    union
    select workspace_id, usage_month as month
    from finance.closed_lines
    union
    select workspace_id, usage_month
    from finance.closed_charge_adjustments
),

unread as (
    select
        unnest(
            generate_series(
                (select min(month) from finance.closings),
                (select max(month) from figures),
                interval 1 month
            )
        )::date as month
    except
    select month from known
),

-- Those of a workspace that were not read, or are no longer in the warehouse.
without_figures as (
    select workspace_id, month
    from known
    anti join figures using (workspace_id, month)
    union all
    select firsts.workspace_id, unread.month
    from unread
    join (select workspace_id, min(month) as month from known group by workspace_id) as firsts
        on firsts.month < unread.month
),

months as (
    from figures
    union all by name
    from without_figures
),

ends as (
    select
        workspace_id,
        month,
        months.first_date,
        months.unexplained_usd,
        coalesce(columns('_count$'), 0),
        greatest(
            (month + interval 1 month) at time zone getvariable('reporting_timezone'),
            (month + interval 1 month) at time zone 'UTC'
        ) as ends_at,
        workspaces.last_batch_at,
        workspaces.last_batch_date
    from months
    join marts.dim_workspaces as workspaces using (workspace_id)
)

select
    ends.workspace_id,
    ends.month,
    case
        when closings.month is not null then 'closed'
        when
            first_date is distinct from ends.month
            and last_batch_at >= ends.month::timestamp at time zone 'UTC'
            then 'incomplete'
        when
            last_batch_at is null
            or last_batch_at < ends_at
            or open_day_count + open_count + provisional_count > 0
            then 'open'
        else 'final'
    end as status,
    first_date,
    coalesce(bills.has_agent_bill, false) as has_agent_bill,
    coalesce(bills.has_provider_keys, true) as has_provider_keys,
    coalesce(unknown_bill_count, 0) as unknown_bill_count,
    coalesce(dates.complete_count = day(last_day(ends.month)), false) as is_complete,
    kept.month is not null as is_kept,
    open_day_count,
    unreconciled_day_count,
    unexplained_usd,
    open_count,
    provisional_count,
    closings.revision,
    closings.closed_at,
    coalesce(ends.month >= date_trunc('month', last_batch_date) - interval 1 month, false)
        as is_recent
from ends
left join bills using (workspace_id, month)
left join dates using (workspace_id, month)
left join unknown_bills using (workspace_id, month)
left join kept using (workspace_id, month)
left join finance.closings as closings on closings.month = ends.month and closings.status = 'closed'
order by ends.workspace_id, ends.month
