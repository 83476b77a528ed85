-- Which models cost what in the last 30 days, and what does a million tokens of each come to? As
-- metered: all runs, listed or not, and the platform's own.
with

latest as (
    select max(hour) as hour
    from marts.fct_usage_hours
)

select
    usage.model,
    usage.provider,
    sum(usage.cost_usd) as cost_usd,
    sum(usage.tokens_in)::bigint as tokens_in,
    sum(usage.tokens_out)::bigint as tokens_out,
    sum(usage.request_count)::bigint as request_count,
    sum(usage.error_count)::bigint as error_count,
    round(1000000 * sum(usage.cost_usd) / nullif(sum(usage.tokens_in + usage.tokens_out), 0), 4)
        ::decimal(18, 4) as usd_per_million_tokens
from marts.fct_usage_hours as usage
where usage.hour > (select hour from latest) - interval 30 days
group by usage.model, usage.provider
order by cost_usd desc nulls last
