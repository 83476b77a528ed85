-- Each workspace of a fleet: its figures by the calendar of the newest ones, its page and its
-- state. A workspace whose figures end earlier says nothing of a day, or of a month, that it has
-- not reached: such figures are null.
-- Grain: workspace; a shard whose workspace is not known yet has a row, by its own name.
with

headlines as (
    select *
    from reports.rpt_headlines
    where agent_id = '(all)' and workspace_id <> '(all)'
),

health as (
    select workspace_id, last_batch_at, last_complete_date
    from reports.rpt_workspace_health
    where workspace_id <> '(all)'
),

newest as (
    select
        max(headlines.yesterday) as yesterday,
        max(headlines.month) as month,
        max(health.last_complete_date) as last_complete_date
    from headlines
    left join health using (workspace_id)
)

select
    coalesce(workspace_id, shards.shard) as workspace_id,
    headlines.workspace_name,
    shards.shard,
    if(headlines.workspace_id is null, null, shards.page) as page,
    shards.message,
    case
        when shards.exit_code <> 0 then 'failed'
        when headlines.workspace_id is null then 'never published'
        when health.last_complete_date is distinct from newest.last_complete_date then 'behind'
        else 'current'
    end as state,
    health.last_batch_at,
    newest.yesterday,
    newest.month,
    if(is_yesterday, yesterday_cost_usd, null) as yesterday_cost_usd,
    if(is_yesterday, yesterday_run_count, null) as yesterday_run_count,
    if(headlines.month = newest.month, month_cost_usd, null) as month_cost_usd,
    if(headlines.month = newest.month, month_run_count, null) as month_run_count,
    if(is_yesterday, recent_cost_usd, null) as recent_cost_usd,
    if(is_yesterday, previous_cost_usd, null) as previous_cost_usd,
    if(is_yesterday, recent_cost_usd - previous_cost_usd, null) as change_usd,
    if(is_yesterday, recent_run_count, null) as recent_run_count,
    if(is_yesterday, recent_failed_count, null) as recent_failed_count,
    if(is_yesterday, recent_finished_count, null) as recent_finished_count,
    if(is_yesterday, recent_unlisted_run_count, null) as recent_unlisted_run_count,
    if(is_yesterday, recent_unknown_cost_count, null) as recent_unknown_cost_count,
    if(is_yesterday, recent_failed_cost_usd, null) as recent_failed_cost_usd,
    if(is_yesterday, recent_failed_cost_more_usd, null) as recent_failed_cost_more_usd,
    if(is_yesterday, recent_failed_cost_open_count, null) as recent_failed_cost_open_count
from fleet.shards as shards
full join headlines using (workspace_id)
left join health using (workspace_id)
cross join newest
left join lateral (select headlines.yesterday = newest.yesterday as is_yesterday) on true
order by recent_cost_usd desc nulls last, workspace_name, workspace_id
