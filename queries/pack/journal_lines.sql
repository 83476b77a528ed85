-- The journal of a month: every entry balances.
select
    strftime(month, '%Y-%m') as month,
    entry_date,
    entry_id,
    line_number,
    kind,
    role,
    account,
    cost_center,
    debit_usd,
    credit_usd,
    narration,
    memo,
    strftime(usage_month, '%Y-%m') as usage_month,
    reverses_entry_id,
    is_booked,
    workspace_id
from marts.fct_journal_lines
where month = $month::date and list_contains($workspace_ids, workspace_id)
order by entry_date, entry_id, line_number
