-- What needs a person, most important first?
-- One sentence each: what, since when, how sure, and what it costs; docs/findings.md has the rules.
-- Silenced ones are left out.
select
    rank,
    findings.urgency,
    findings.sentence,
    findings.next_step,
    findings.cost_usd,
    findings.cost_high_usd,
    findings.run_count,
    findings.since,
    findings.until,
    findings.kind,
    workspaces.workspace_name,
    findings.agent_name
from marts.fct_findings as findings
left join marts.dim_workspaces as workspaces using (workspace_id)
where not findings.is_silenced
order by rank
