-- Records of the API that could not be understood; the landing file has them. Where a field that
-- identifies the record, says whose it is or is summed is invalid, the whole record is in no
-- figure; where another one is, that field alone is unknown. A record that came again as it was
-- stands where it came last. Grain: record and field.
-- key: workspace_id, load_id, source, request_number, file_line, field
-- column field: The field that is left out; '(record)' where the whole record is.
select workspace_id, load_id, source, request as request_number, line as file_line, field, reason
from ledger.quarantine
qualify
    row_number() over (
        partition by workspace_id, source, field, record
        order by load_id desc, request desc, line desc
    ) = 1
order by workspace_id, load_id, source, request_number, file_line, field
