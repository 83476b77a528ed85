-- What each load brought into the warehouse. A batch ends with a load of the workspace's name; what
-- a batch that broke off has landed belongs to the next one that ended. Grain: load.
-- key: workspace_id, load_id
-- column batch_id: The last load of its batch; its own identifier while no batch has ended since.
-- column request_count: Requests to the API that the load answered.
with

requests as (
    select
        workspace_id,
        load_id,
        count(*) as request_count,
        min(fetched_at) as first_fetched_at,
        max(fetched_at) as last_fetched_at
    from ledger.requests
    group by workspace_id, load_id
)

select
    loads.workspace_id,
    loads.load_id,
    loads.step,
    coalesce(
        min(load_id) filter (step = 'workspace') over (
            partition by workspace_id
            order by load_id
            rows between current row and unbounded following
        ),
        load_id
    ) as batch_id,
    loads.code_version,
    coalesce(requests.request_count, 0) as request_count,
    loads.record_count,
    loads.new_version_count,
    loads.superseded_count,
    loads.quarantined_count,
    loads.rounded_count,
    requests.first_fetched_at,
    requests.last_fetched_at,
    loads.loaded_at,
    loads.published_at
from ledger.loads as loads
left join requests using (workspace_id, load_id)
order by loads.workspace_id, loads.load_id
