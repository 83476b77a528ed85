-- A journal is booked in whole cents. Each entry balances, a reversal takes back the cents of its
-- entry, and all months so far book less than a cent more or less than the exact amount at each
-- account and cost center of a workspace.
with

-- Without books each month stands alone.
months as (
    select
        booked_month,
        if(bool_or(is_booked) over (), null, booked_month) as life
    from (
        select booked_month, bool_or(is_booked) as is_booked
        from marts.fct_journal_lines
        group by booked_month
    )
),

differences as (
    select
        life,
        booked_month,
        workspace_id,
        account,
        cost_center,
        sum(booked_usd - debit_usd + credit_usd) as difference_usd
    from marts.fct_journal_lines
    join months using (booked_month)
    group by life, booked_month, workspace_id, account, cost_center
),

places as (
    select * replace (sum(difference_usd) over so_far as difference_usd)
    from differences
    window so_far as (
        partition by life, workspace_id, account, cost_center order by booked_month
    )
),

reversals as (
    select distinct lines.booked_month, lines.entry_id, lines.reverses_entry_id
    from marts.fct_journal_lines as lines
    semi join marts.fct_journal_lines as originals on originals.entry_id = lines.reverses_entry_id
)

select
    booked_month,
    workspace_id,
    null::varchar as entry_id,
    account,
    cost_center,
    difference_usd
from places
where abs(difference_usd) >= 0.01
union all by name
select booked_month, workspace_id, entry_id, sum(booked_usd) as difference_usd
from marts.fct_journal_lines
group by booked_month, workspace_id, entry_id
having sum(booked_usd) <> 0
union all by name
select booked_month, workspace_id, entry_id, account, cost_center, booked_usd as difference_usd
from marts.fct_journal_lines
where booked_usd <> round(booked_usd, 2) or booked_usd is null
union all by name
select booked_month, workspace_id, entry_id, account, cost_center, sum(booked_usd) as difference_usd
from (
    select booked_month, workspace_id, entry_id, account, cost_center, booked_usd
    from marts.fct_journal_lines
    semi join reversals using (booked_month, entry_id)
    union all by name
    select
        reversals.booked_month,
        lines.workspace_id,
        reversals.entry_id,
        lines.account,
        lines.cost_center,
        lines.booked_usd
    from reversals
    join marts.fct_journal_lines as lines on lines.entry_id = reversals.reverses_entry_id
)
group by booked_month, workspace_id, entry_id, account, cost_center
having sum(booked_usd) <> 0
order by all
