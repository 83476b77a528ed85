-- Records of the API that could not be understood and are in no figure; the landing file has them.
-- A record that came again as it was stands where it came last. Grain: record.
-- key: workspace_id, load_id, source, request, line
select workspace_id, load_id, source, request, line, reason
from staging.stg_quarantined_records
order by workspace_id, load_id, source, request, line
