-- At which hours of the week (UTC) are models asked most? A heat map: one row an hour, one
-- column a day.
select
    hour(usage.hour) as utc_hour,
    coalesce(sum(usage.request_count) filter (isodow(usage.hour) = 1), 0)::bigint as monday,
    coalesce(sum(usage.request_count) filter (isodow(usage.hour) = 2), 0)::bigint as tuesday,
    coalesce(sum(usage.request_count) filter (isodow(usage.hour) = 3), 0)::bigint as wednesday,
    coalesce(sum(usage.request_count) filter (isodow(usage.hour) = 4), 0)::bigint as thursday,
    coalesce(sum(usage.request_count) filter (isodow(usage.hour) = 5), 0)::bigint as friday,
    coalesce(sum(usage.request_count) filter (isodow(usage.hour) = 6), 0)::bigint as saturday,
    coalesce(sum(usage.request_count) filter (isodow(usage.hour) = 7), 0)::bigint as sunday
from marts.fct_usage_hours as usage
group by utc_hour
order by utc_hour
