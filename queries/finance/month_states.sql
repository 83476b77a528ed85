-- The state of a month in each workspace that has figures of it, or was last read in the month
-- before and may have some: what is open, unknown or unexplained, and the last load that it holds.
select
    workspaces.workspace_id,
    workspaces.workspace_name,
    coalesce(months.status, 'open') as status,
    coalesce(months.open_day_count, 0) as open_day_count,
    coalesce(months.unreconciled_day_count, 0) as unreconciled_day_count,
    coalesce(months.open_count, 0) as open_run_count,
    coalesce(months.provisional_count, 0) as provisional_run_count,
    (
        select count(distinct (utc_date, agent_id))
        from marts.fct_charges as charges
        where
            charges.workspace_id = workspaces.workspace_id
            and date_trunc('month', utc_date) = $1::date
            and (metered_cost_usd is null or billed_usd is null or own_key_usd is null)
    ) as unknown_bill_count,
    months.first_date is null or months.has_agent_bill as has_agent_bill,
    coalesce(months.has_provider_keys, true) as has_provider_keys,
    months.unexplained_usd,
    workspaces.last_batch_at as data_to,
    (
        select max(load_id) from audit.loads where loads.workspace_id = workspaces.workspace_id
    ) as load_id
from marts.dim_workspaces as workspaces
left join marts.dim_months as months
    on months.workspace_id = workspaces.workspace_id and months.month = $1::date
where
    months.month is not null
    or workspaces.last_batch_at::date between $1::date - interval 1 month and $1::date
order by workspaces.workspace_name, workspaces.workspace_id
