-- Which models cost what in the last 30 complete days, and what do a million tokens of each cost?
-- All usage: listed and unlisted runs, and the platform's own.
select
    days.model,
    days.provider,
    sum(days.cost_usd) as cost_usd,
    sum(days.tokens_in)::bigint as tokens_in,
    sum(days.tokens_out)::bigint as tokens_out,
    sum(days.request_count)::bigint as request_count,
    sum(days.error_count)::bigint as error_count,
    round(1000000 * sum(days.cost_usd) / nullif(sum(days.tokens_in + days.tokens_out), 0), 4)
        ::decimal(18, 4) as usd_per_million_tokens
from marts.fct_model_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
where
    days.utc_date > workspaces.last_complete_date - 30
    and days.utc_date <= workspaces.last_complete_date
group by days.model, days.provider
order by sum(days.cost_usd) desc nulls last
