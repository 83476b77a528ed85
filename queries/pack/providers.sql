-- The bill of a month by provider: its charges, without what was corrected after it was closed.
with

charges as (
    select * exclude (workspace_name)
    from marts.fct_charges
    where utc_date between $month::date and last_day($month::date)
    union all by name
    select
        workspace_id,
        provider,
        -columns('_usd$|^request_count$')
    from marts.fct_charge_adjustments
    where usage_month = $month::date
)

select
    workspace_name,
    provider,
    sum(billed_usd)::decimal(38, 10) as billed_usd,
    sum(surcharge_usd)::decimal(38, 10) as surcharge_usd,
    sum(own_key_usd)::decimal(38, 10) as own_key_usd,
    sum(metered_cost_usd)::decimal(38, 10) as metered_cost_usd,
    sum(request_count)::bigint as request_count,
    workspace_id
from charges
join marts.dim_workspaces using (workspace_id)
group by all
order by workspace_name, workspace_id, metered_cost_usd desc, provider
