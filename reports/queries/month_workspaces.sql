-- What each workspace books in each month, for the page of all. Grain: workspace and month.
select
    '(all)' as workspace_id,
    workspace_id as member_id,
    month, billed_usd, earlier_usd, to_book_usd
from reports.statements
where
    workspace_id <> '(all)'
    and (select count(*) from marts.dim_workspaces) > 1
