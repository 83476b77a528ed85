-- Shards whose batch failed, that were never published, or whose figures end earlier than those of
-- others: with the reason, and the most expensive of the workspaces that it concerns.
-- Grain: shard, state and message.
select
    shard,
    state,
    first(workspace_id order by recent_cost_usd desc nulls last, workspace_id) as workspace_id,
    count(*) as workspace_count,
    message,
    min(last_batch_at) as last_batch_at
from fleet_workspaces
where state <> 'current'
group by shard, state, message
order by
    list_position(['failed', 'never published', 'behind'], state),
    sum(recent_cost_usd) desc nulls last,
    shard,
    message
