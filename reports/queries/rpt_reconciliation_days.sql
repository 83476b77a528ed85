-- Each UTC day of the reconciliation: metered cost, the parts that explain it, and the bill.
-- Grain: workspace and UTC day.
select
    workspace_id,
    utc_date,
    status,
    metered_cost_usd,
    run_cost_usd,
    open_cost_usd,
    platform_cost_usd,
    unlisted_cost_usd,
    timing_difference_usd,
    unexplained_usd,
    billed_usd
from audit.reconciliation_days
order by workspace_id, utc_date
