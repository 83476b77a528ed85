-- Closed months of workspaces that stay as the books have them, as a load on which they or their
-- booked corrections rest is not in the warehouse: its landing folder is lost, or the workspace was
-- forgotten. Closes that name no load rest on none.
-- Grain: workspace and month.
-- key: workspace_id, usage_month
-- materialized: table
with

named as (
    select loads.month as booked_month, loads.workspace_id, loads.load_id
    from finance.closing_loads as loads
    join finance.closings using (month, revision)
    where closings.status = 'closed'
    union
    select month, workspace_id, load_id
    from finance.closed_loads
)

select workspace_id, booked_month as usage_month
from named
anti join staging.stg_loads using (workspace_id, load_id)
union
select workspace_id, usage_month
from finance.closed_charge_adjustments
semi join named using (workspace_id, booked_month)
anti join staging.stg_loads using (workspace_id, load_id)
