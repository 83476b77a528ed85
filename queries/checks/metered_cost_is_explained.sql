-- What the API meters on a day is explained by runs, gaps, the platform, and the edge of the day.
-- control: accuracy
select
    workspace_id,
    date,
    metered_cost_usd - unexplained_usd as ours_usd,
    metered_cost_usd as theirs_usd,
    unexplained_usd as difference_usd,
    true as is_closed
from audit.reconciliation_days
where status = 'unreconciled'
order by workspace_id, date
