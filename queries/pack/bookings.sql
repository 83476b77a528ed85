-- The journal of a month by account and cost center: debits and credits, and what remains of them.
select
    strftime(month, '%Y-%m') as month,
    account,
    string_agg(distinct replace(role, '_', ' '), ', ' order by replace(role, '_', ' ')) as roles,
    cost_center,
    sum(debit_usd)::decimal(38, 10) as debit_usd,
    sum(credit_usd)::decimal(38, 10) as credit_usd,
    sum(debit_usd - credit_usd)::decimal(38, 10) as balance_usd,
    bool_and(is_booked) as is_booked
from marts.fct_journal_lines
where month = $month::date and list_contains($workspace_ids, workspace_id)
group by month, account, cost_center
order by account, cost_center
