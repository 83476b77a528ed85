-- No day of a workspace costs more than 1,000 USD. A check must return no row.
select
    workspace_id,
    date,
    cost_usd
from marts.fct_workspace_days
where cost_usd > 1000
