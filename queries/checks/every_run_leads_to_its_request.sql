-- Every row of fct_runs and run_versions names a request of requests, and a landing file of
-- landing_files that holds it.
-- narrow: run_id
-- narrow requests: by load_id
-- narrow landing_files: by load_id
with

versions as (
    select workspace_id, run_id, load_id, request_number, file_line
    from marts.fct_runs
    union
    select workspace_id, run_id, load_id, request_number, file_line
    from audit.run_versions
)

select versions.workspace_id, versions.run_id, versions.load_id, versions.request_number
from versions
left join audit.requests as requests
    on
        requests.workspace_id = versions.workspace_id
        and requests.load_id = versions.load_id
        and requests.request_number = versions.request_number
        and requests.source = 'runs'
left join audit.landing_files as files
    on
        files.workspace_id = versions.workspace_id
        and files.load_id = versions.load_id
        and files.file_name = 'runs.ndjson.zst'
where requests.path is null or files.sha256 is null or versions.file_line is null
