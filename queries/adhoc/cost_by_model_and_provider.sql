-- Which models cost what in the last 28 complete days, and what do a million tokens of each cost?
-- All usage: listed and unlisted runs, and the platform's own. What a million tokens cost is of the
-- usage whose cost is known.
select
    hours.model,
    hours.provider,
    sum(hours.metered_cost_usd) as metered_cost_usd,
    sum(hours.tokens_in)::bigint as tokens_in,
    sum(hours.tokens_out)::bigint as tokens_out,
    sum(hours.request_count)::bigint as request_count,
    sum(hours.error_count)::bigint as error_count,
    round(
        1000000
        * sum(hours.metered_cost_usd)
        / nullif(
            sum(hours.tokens_in + hours.tokens_out)
            filter (where hours.metered_cost_usd is not null),
            0
        ),
        4
    )::decimal(18, 4) as usd_per_million_tokens
from marts.fct_usage_hours as hours
join marts.dim_workspaces as workspaces using (workspace_id)
where
    (hours.hour at time zone 'UTC')::date > workspaces.last_complete_date - 28
    and (hours.hour at time zone 'UTC')::date <= workspaces.last_complete_date
group by hours.model, hours.provider
order by sum(hours.metered_cost_usd) desc nulls last
