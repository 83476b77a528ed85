"""Names in the files of `finance/` that no workspace, agent or cost center, seen or booked, has.

A budget is of one workspace: a name that several have is none of theirs.

A line of invoices.csv with such a name is a problem of the file, as `load` tells: an invoice that
nothing matches would be taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.finance import allocation, budgets, owners

if TYPE_CHECKING:
    import duckdb

# File, line or rule, and the kind of name that nothing has. A pattern without a letter, such as
# `*`, has no name to misspell.
_UNKNOWN = r"""
with

workspaces as (
    select workspace_id, lower(unnest([workspace_id, workspace_name])) as name
    from marts.dim_workspaces
),

owner_rules as (
    select
        line,
        workspace,
        agent,
        exists (
            from workspaces
            where workspaces.name ilike finance.pattern_of(rules.workspace) escape '\'
        ) as has_workspace
    from finance.owner_rules as rules
    where precedence not in (select unnest(precedences) from intermediate.int_owner_spans)
),

allocation_rules as (
    select rule, name, workspace
    from finance.allocation_rules
    where rule not in (select rule from intermediate.int_allocation_rules)
),

-- Of a budget for an agent of one workspace, the workspace comes first.
budgets as (
    select
        line,
        lower(if(scope = 'workspace', name, workspace)) as workspace_name,
        case
            when workspace_name not in (select name from workspaces) then 'workspace'
            when
                (
                    select count(distinct workspace_id) from workspaces
                    where workspaces.name = workspace_name
                ) > 1
                then 'one workspace'
            when scope = 'agent' then 'agent'
            when scope = 'cost_center' then 'cost center'
        end as kind
    from finance.budgets
    where not exists (
        from intermediate.int_budget_members as members
        where
            members.scope = budgets.scope
            and members.name = budgets.name
            and members.workspace is not distinct from budgets.workspace
    )
)

select
    $owners as file,
    format(':{}', line) as place,
    if(has_workspace, 'agent', 'workspace') as kind
from owner_rules
where trim(if(has_workspace, agent, workspace), '*?') <> ''
union all
select $allocation, format(': rule {} ({})', rule, name), 'workspace'
from allocation_rules
where trim(workspace, '*?') <> ''
union all
select $budgets, format(':{}', line), kind
from budgets
where kind is not null
"""

_PROBLEMS = {"one workspace": "several workspaces are called so; name one by its identifier"}
_MISSPELT = "no {} matches; is a name misspelt?"


def problems_of_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a line for each loaded line or rule with a name that nothing ever seen has.

    `con` is the warehouse with the build file attached, after a build.
    """
    files = {
        "owners": owners.FORM.file,
        "allocation": allocation.FILE,
        "budgets": budgets.FORM.file,
    }
    rows = con.execute(f"{_UNKNOWN} order by file, length(place), place", files).fetchall()
    return [
        f"{file}{place}: {_PROBLEMS.get(kind) or _MISSPELT.format(kind)}"
        for file, place, kind in rows
    ]
