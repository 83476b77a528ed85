-- A run is final only once it has ended, or the API has twice not known it.
-- narrow: run_id
select workspace_id, agent_id, date, run_id, status
from marts.fct_runs
where
    is_final
    and not is_terminal
    and (workspace_id, run_id) not in (
        select (workspace_id, run_id)
        from ledger.requests
        where source = 'runs' and status = 404 and run_id is not null
        group by workspace_id, run_id
        having count(distinct load_id) > 1
    )
