-- Workspaces that the warehouse holds, and those of which only the books tell: they were forgotten,
-- or what was landed of them is lost. These have no batch.
-- Grain: workspace.
-- key: workspace_id
with

-- Names are composed (NFC) as those in finance/ are.
workspaces as (
    select
        workspace_id,
        coalesce(nullif(trim(nfc_normalize(workspace_name)), ''), workspace_id) as workspace_name,
        first_batch_at,
        last_batch_at
    from ledger.workspaces
    union all by name
    select workspace_id, arg_max(workspace_name, usage_month) as workspace_name
    from finance.closed_lines
    anti join ledger.workspaces using (workspace_id)
    group by workspace_id
)

select
    workspace_id,
    workspace_name,
    getvariable('reporting_timezone') as reporting_timezone,
    first_batch_at,
    last_batch_at,
    (last_batch_at at time zone getvariable('reporting_timezone'))::date as last_batch_date,
    least(last_batch_date, (last_batch_at at time zone 'UTC')::date) - 1 as last_complete_date
from workspaces
order by workspace_id
