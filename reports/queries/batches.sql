-- The last batches: what each asked for and brought. Grain: workspace and batch.
select
    workspace_id,
    split_part(load_id, '-', 1) as batch,
    min(first_fetched_at) as started_at,
    sum(request_count)::bigint as request_count,
    sum(record_count)::bigint as record_count,
    sum(new_version_count)::bigint as new_version_count,
    sum(quarantined_count)::bigint as quarantined_count
from audit.loads
group by workspace_id, batch
qualify row_number() over (partition by workspace_id order by batch desc) <= 6
