-- Closed months of the books: every revision, in force or reopened.
-- Grain: month and revision.
-- key: month, revision
-- values status: closed, reopened
-- column month: First day of the calendar month in UTC.
-- column revision: Number of the close of this month, from 1.
-- column status: closed (in force) or reopened.
-- column closed_at: When the month was closed (UTC).
-- column is_early: True if it was closed although it might still change.
-- column prepared_by: Account of the system that closed the month.
-- column approved_by: Who approved the figures; null if nobody was named.
-- column manifest_sha256: SHA-256 of the manifest, which holds those of all other files.
-- column previous_sha256: SHA-256 of the entry of the books before this one; null for the first.
-- column reopened_at: When the month was reopened (UTC); null while the revision is in force.
-- column reason: Reason of the reopening.
-- column early_reasons: Why it might still change, if it was closed early; else null.
-- column last_load_id: Last load on which the close rests; null of a reopened one.
-- column landing_file_count: Landing files on which the close rests; null of a reopened one.
select
    closings.*,
    loads.last_load_id,
    loads.landing_file_count
from finance.closings as closings
left join (
    select month, max(load_id) as last_load_id, count(file_name) as landing_file_count
    from finance.closed_loads
    group by month
) as loads
    on loads.month = closings.month and closings.status = 'closed'
order by month, revision
