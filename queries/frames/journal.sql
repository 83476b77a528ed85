-- Lines of all entries, each entry's together, in the order of months and days.
select
    booked_month,
    entry_id,
    revision,
    is_booked,
    workspace_id,
    coalesce(workspace_name, workspace_id) as workspace_name,
    entry_date,
    kind,
    narration,
    reverses_entry_id,
    role,
    account,
    cost_center,
    usage_month,
    amount_usd::decimal(38, 10) as amount_usd,
    booked_usd,
    memo
from intermediate.int_journal_lines
left join marts.dim_workspaces using (workspace_id)
order by booked_month, entry_date, entry_id, line_number
