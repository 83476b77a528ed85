-- Steps of a model's price, as findings tell them: dollars for a million tokens, before and since.
-- Grain: workspace, provider and model.
select
    workspace_id, subject as model, cost_usd,
    (since at time zone 'UTC')::date as since_date,
    baseline::decimal(38, 10) as before_usd,
    value::decimal(38, 10) as after_usd
from marts.fct_findings
where kind = 'price_step'
