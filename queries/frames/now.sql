-- When the last batch was, of whatever workspace.
select max(last_batch_at) as last_batch_at
from marts.dim_workspaces
