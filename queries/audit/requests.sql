-- Requests to the API that lists, runs, counts and meters were read by; those for the model costs
-- and log events of single runs are not here, but in the landing files.
-- Grain: request.
-- key: workspace_id, load_id, request_number
-- column status: HTTP status of the answer; null where it could not be read.
-- column run_id: The run that was asked for by its id; null for any other request.
-- column agent_id: The agent whose id the request names; null for any other request.
-- column record_count: Records that the answer holds.
-- column byte_count: Bytes of the answer.
select * rename (request as request_number)
from ledger.requests
where source not in ('run_costs', 'run_log_events')
order by workspace_id, load_id, request_number
