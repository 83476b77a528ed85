-- What was requested on another day than its run was created lies within what such runs cost.
-- control: cut_off
select
    edges.workspace_id,
    edges.date,
    edges.edge_so_far_usd as theirs_usd,
    edges.least_usd,
    edges.most_usd,
    edges.edge_so_far_usd - greatest(least(edges.edge_so_far_usd, edges.most_usd), edges.least_usd)
        as difference_usd,
    days.status <> 'open' as is_closed
from audit.timing_differences as edges
join audit.reconciliation_days as days using (workspace_id, date)
where
    days.date < (select max(last_date) from intermediate.int_metered_days)
    and edges.edge_so_far_usd not between edges.least_usd and edges.most_usd
order by edges.workspace_id, edges.date
