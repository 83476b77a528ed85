-- Records that could not be understood, whole or by field, without their content: one that came
-- again, where it came last. Grain: record and field.
-- key: workspace_id, load_id, source, request as request_number, line as file_line, field
select workspace_id, load_id, source, request as request_number, line as file_line, field, reason
from ledger.quarantine
qualify
    row_number() over (
        partition by workspace_id, source, field, record
        order by load_id desc, request desc, line desc
    ) = 1
