-- At which hours of the week (UTC) are models asked most, in the last 28 complete days?
-- All usage; one row an hour, one column a day.
with

usage as (
    select
        hours.hour at time zone 'UTC' as utc_hour,
        hours.request_count
    from marts.fct_usage_hours as hours
    join marts.dim_workspaces as workspaces using (workspace_id)
    where
        utc_hour::date > workspaces.last_complete_date - 28
        and utc_hour::date <= workspaces.last_complete_date
)

select
    hour(utc_hour) as hour_of_day,
    coalesce(sum(request_count) filter (isodow(utc_hour) = 1), 0)::bigint as monday,
    coalesce(sum(request_count) filter (isodow(utc_hour) = 2), 0)::bigint as tuesday,
    coalesce(sum(request_count) filter (isodow(utc_hour) = 3), 0)::bigint as wednesday,
    coalesce(sum(request_count) filter (isodow(utc_hour) = 4), 0)::bigint as thursday,
    coalesce(sum(request_count) filter (isodow(utc_hour) = 5), 0)::bigint as friday,
    coalesce(sum(request_count) filter (isodow(utc_hour) = 6), 0)::bigint as saturday,
    coalesce(sum(request_count) filter (isodow(utc_hour) = 7), 0)::bigint as sunday
from usage
group by hour_of_day
order by hour_of_day
