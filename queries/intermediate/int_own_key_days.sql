-- Metered cost that providers bill directly, because the run started while a key of the workspace's
-- own was there. On a day that has one from its start to its end that is all of the provider's
-- usage, less that of listed runs which started before. On a day on which one was added or removed
-- it is that of the listed runs which started with a key, and, where these and the other listed
-- runs are not all of the day's usage, of the hours at whose end there was one: the hour in which a
-- key was added counts, that in which it was removed does not. A key went at some time between the
-- last list with it and the first without: by the first, but for a day of which Levain billed no
-- less than the provider's whole usage: by the last.
-- Grain: workspace, UTC day, agent and provider.
-- key: workspace_id, utc_date, agent_id, provider
-- materialized: table
-- narrow: utc_date
-- narrow run_costs: (started_at at time zone 'UTC')::date
-- narrow int_metered_runs: by run_id
with

bills as (
    select
        workspace_id,
        utc_date,
        provider,
        bool_and(billed_usd is not null and metered_cost_usd is not null)
        and sum(billed_usd) >= sum(metered_cost_usd) as is_all_billed
    from staging.billing_days
    where is_current
    group by all
),

keys as (
    select
        days.*,
        keys.added_at,
        coalesce(
            if(bills.is_all_billed, keys.listed_until, keys.removed_at), timestamptz 'infinity'
        ) as removed_at
    from (
        select distinct workspace_id, utc_date, provider
        from staging.usage_hours
        where is_current
    ) as days
    join marts.dim_provider_keys as keys using (workspace_id, provider)
    left join bills using (workspace_id, utc_date, provider)
),

hours as (
    select
        usage.version_id,
        usage.workspace_id,
        usage.agent_id,
        usage.provider,
        usage.utc_date,
        usage.metered_cost_usd,
        coalesce(
            bool_or(
                keys.added_at < usage.hour + interval 1 hour
                and keys.removed_at >= usage.hour + interval 1 hour
            ),
            false
        ) as has_key,
        coalesce(
            bool_or(
                keys.added_at < usage.hour + interval 1 hour and keys.removed_at > usage.hour
            ),
            false
        ) as had_key,
        coalesce(
            bool_or(
                keys.added_at <= date_trunc('day', usage.hour)
                and keys.removed_at >= date_trunc('day', usage.hour) + interval 1 day
            ),
            false
        ) as has_key_all_day
    from staging.usage_hours as usage
    join keys using (workspace_id, provider, utc_date)
    where usage.is_current
    group by all
),

days as (
    select
        workspace_id,
        agent_id,
        provider,
        utc_date,
        bool_or(has_key_all_day) as has_key_all_day,
        sum(metered_cost_usd) as metered_cost_usd,
        coalesce(sum(metered_cost_usd) filter (has_key), 0) as in_hours_usd
    from hours
    group by all
    having bool_or(had_key)
),

runs as (
    select
        runs.workspace_id,
        runs.agent_id,
        costs.provider,
        (costs.started_at at time zone 'UTC')::date as utc_date,
        costs.version_id,
        costs.cost_usd,
        coalesce(
            bool_or(runs.started_at >= keys.added_at and runs.started_at < keys.removed_at),
            false
        ) as has_key
    from intermediate.int_metered_runs as runs
    join staging.run_costs as costs using (workspace_id, run_id)
    join keys
        on keys.workspace_id = costs.workspace_id
        and keys.provider = costs.provider
        and keys.utc_date = (costs.started_at at time zone 'UTC')::date
    where
        costs.is_current
        and (costs.ended_at at time zone 'UTC')::date = (costs.started_at at time zone 'UTC')::date
    group by all
),

listed as (
    select
        workspace_id,
        agent_id,
        provider,
        utc_date,
        sum(cost_usd) as cost_usd,
        coalesce(sum(cost_usd) filter (has_key), 0) as own_key_usd
    from runs
    group by all
)

select
    days.workspace_id,
    days.utc_date,
    days.agent_id,
    days.provider,
    case
        when days.has_key_all_day
            then days.metered_cost_usd - coalesce(listed.cost_usd - listed.own_key_usd, 0)
        when listed.cost_usd = days.metered_cost_usd then listed.own_key_usd
        else days.in_hours_usd
    end::decimal(38, 10) as own_key_usd
from days
left join listed using (workspace_id, utc_date, agent_id, provider)
