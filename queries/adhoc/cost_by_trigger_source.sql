-- What do listed runs cost by what started them? What the API does not let be told is `unknown`.
select
    trigger_type,
    count(*) as run_count,
    count(*) filter (status = 'failed') as failed_count,
    sum(cost_usd) as cost_usd,
    sum(cost_usd) filter (status = 'failed') as failed_cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out
from marts.fct_runs
group by trigger_type
order by cost_usd desc nulls last
