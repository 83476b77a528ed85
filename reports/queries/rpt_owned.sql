-- Owners and budgets of this month (UTC), by what anybody must pay for their charges: of the site
-- all of them, of a workspace its own. An owner has no budget, and so no status;
-- where there are owners, charges of agents without one have a row.
-- Grain: workspace or '(all)', owner or budget.
with

owners as (
    select
        if(grouping(workspace_id) = 1, '(all)', workspace_id) as workspace_id,
        owner as subject,
        if(
            count(metered_cost_usd + surcharge_usd) = count(*),
            sum(metered_cost_usd + surcharge_usd),
            null
        ) as actual_usd
    from marts.fct_charges
    where utc_date >= (
        select date_trunc('month', max(last_batch_at at time zone 'UTC'))
        from marts.dim_workspaces
    )
    group by grouping sets ((workspace_id, owner), (owner))
    qualify bool_or(coalesce(owner, '(none)') <> '(none)') over (partition by workspace_id)
)

from reports.rpt_budgets
where is_now
union all by name
select * replace (if(coalesce(subject, '(none)') = '(none)', 'no owner', subject) as subject)
from owners
