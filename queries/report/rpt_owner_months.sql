-- The measures of each month and its bill by owner, of workspaces with owners, and of the site if
-- there is any. The bill is that of the UTC month.
-- Grain: workspace or '(all)', owner, cost center and month.
-- key: workspace_id, owner, cost_center, month
-- column workspace_id: Identifier of the workspace; '(all)' for all of them.
-- column month: First day of the calendar month.
with

months as (
    from marts.fct_owner_months
    where workspace_id in (select workspace_id from intermediate.int_owner_spans)
    union all by name
    select * replace ('(all)' as workspace_id)
    from marts.fct_owner_months
    where exists (from intermediate.int_owner_spans)
)

select
    workspace_id,
    owner,
    cost_center,
    month,
    sum(run_count)::bigint as run_count,
    sum(failed_count)::bigint as failed_count,
    if(
        sum(run_count) > sum(succeeded_count + failed_count + cancelled_count + open_count),
        null,
        sum(succeeded_count + failed_count)
    )::bigint as finished_count,
    sum(cost_usd) as cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(metered_cost_usd) as metered_cost_usd,
    if(count(surcharge_usd) = count(billed_usd), sum(surcharge_usd), null) as surcharge_usd,
    if(count(own_key_usd) = count(billed_usd), sum(own_key_usd), null) as own_key_usd,
    sum(billed_usd) as billed_usd
from months
group by all
order by workspace_id, owner, cost_center, month
