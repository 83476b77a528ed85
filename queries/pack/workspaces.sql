-- Each workspace's data in a month, in words: their cut-off, and why they may still change. With
-- `$is_closed`, the month is just being closed.
select
    workspaces.workspace_name,
    concat_ws(
        '; ',
        case
            when $is_closed or months.status = 'closed'
                then 'closed: booked; a later change is an adjustment of the next open month'
            when months.status = 'open'
                then
                    'open: the month is not over, or some of its days may still change; provisional'
            when months.status = 'incomplete'
                then 'incomplete: the days before the first one that was read are missing'
            when months.status = 'final'
                then 'final: every day was read, is over and may change no more'
            else 'no figures of this month'
        end,
        'first UTC day read ' || months.first_date,
        case
            when open_count > 0
                then format('{:,} open run{}', open_count, if(open_count = 1, '', 's'))
        end,
        case
            when provisional_count > 0
                then
                    format(
                        '{:,} provisional run{}',
                        provisional_count,
                        if(provisional_count = 1, '', 's')
                    )
        end,
        case
            when unreconciled_day_count > 0
                then
                    format(
                        '{:,} unreconciled day{}',
                        unreconciled_day_count,
                        if(unreconciled_day_count = 1, '', 's')
                    )
        end,
        case
            when unexplained_usd <> 0 then 'unexplained ' || unexplained_usd || ' US dollars'
        end,
        strftime(
            workspaces.last_batch_at at time zone 'UTC', 'data cut-off %Y-%m-%d %H:%M:%S UTC'
        ),
        'days and months in ' || reporting_timezone,
        'last load ' || loads.load_id || ', by levain-analytics ' || loads.code_version,
        'workspace_id ' || workspace_id
    ) || '.' as facts
from marts.dim_workspaces as workspaces
left join (
    from marts.dim_months
    where month = $month::date
) as months using (workspace_id)
left join (
    select workspace_id, max(load_id) as load_id, arg_max(code_version, load_id) as code_version
    from audit.loads
    group by workspace_id
) as loads using (workspace_id)
order by workspaces.workspace_name, workspace_id
