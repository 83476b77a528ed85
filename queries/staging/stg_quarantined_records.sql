-- Records that could not be understood, without their content: one that came again, where it came
-- last. Grain: record.
-- key: workspace_id, load_id, source, request, line
select workspace_id, load_id, source, request, line, reason
from ledger.quarantine
qualify
    row_number() over (
        partition by workspace_id, source, record order by load_id desc, request desc, line desc
    ) = 1
