"""Names in the files of `finance/` that mean nothing known, with similar names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from analytics.files import folder
from analytics.finance.fields import shown
from analytics.finance.lines import BUDGETS, INVOICES
from analytics.format.names import did_you_mean, display

if TYPE_CHECKING:
    import duckdb

SHOWN_PROBLEMS = 20
"""Problems of a file that are printed, and have suggestions: each is compared with all names."""

_SAME = {
    BUDGETS.file: "line {} is a budget of the same for the same month",
    INVOICES.file: (
        "line {} has the same invoice, workspace and month; add up what belongs together"
    ),
}
_KNOWN = {
    "workspace": """
        select workspace_name, workspace_id, null
        from marts.dim_workspaces
        where workspace_id = coalesce(?, workspace_id)
        order by all
    """,
    "agent": """
        select agent_name, agent_id, agent_slug
        from intermediate.int_agents
        where workspace_id = coalesce(?, workspace_id)
        order by all
    """,
    "cost_center": """
        select distinct cost_center, cost_center, null
        from finance.owner_rules
        where cost_center is not null and ? is null
        order by all
    """,
}
"""Name, identifier and slug of all that a file may name."""


def problems_of_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a line for each loaded line or rule with a name that means nothing ever seen.

    `con` is the warehouse with the build file attached, after a build. A file of invoices with such
    a name is not right, so that no month is closed: a booked one would be taken back.
    """
    sql = (folder("queries") / "finance" / "unknown_names.sql").read_text(encoding="utf-8")
    found = con.execute(sql).fetchall()
    known: dict[tuple[str, str | None], Mapping[str, str]] = {}
    problems = defaultdict[str, list[str]](list)
    for file, place, kind, name, workspace_id, line_above, told_by in found:
        if kind is None:
            problem = _SAME[file].format(line_above)
        elif told_by and name:
            problem = _several(kind, name, told_by)
        else:
            problem = _none(kind, name)
            if len(problems[file]) < SHOWN_PROBLEMS and kind in _KNOWN:
                of = kind, workspace_id if kind == "agent" else None
                if of not in known:
                    known[of] = _labels(con, *of)
                problem = f"{problem}. {did_you_mean(name, known[of])}"
        problems[file].append(f"{file}{place}: {problem}")
    for file, found_here in problems.items():
        con.execute(
            "update finance.files set unknown_names = ?, problem_count = problem_count + ?"
            " where ? = 'finance/' || name",
            ["\n".join(found_here), len(found_here) if file == INVOICES.file else 0, file],
        )
    return [problem for each in problems.values() for problem in each]


def _several(kind: str, name: str, told_by: list[str]) -> str:
    by = "slug" if kind == "agent" else "identifier"
    names = ", ".join(map(shown, told_by))
    return f"several {kind}s are called `{shown(name)}`; name one by its {by}: {names}"


def _none(kind: str, name: str) -> str:
    what = kind.replace("_", " ")
    if not name:
        return f"no {what} is named, and there are several"
    return f"no {what} {'matches' if {*name} & {*'*?'} else 'is called'} `{shown(name)}`"


def _labels(con: duckdb.DuckDBPyConnection, kind: str, workspace_id: str | None) -> dict[str, str]:
    """Return how messages call what has each name or slug."""
    labels: dict[str, str] = {}
    for name, identifier, slug in con.execute(_KNOWN[kind], [workspace_id]).fetchall():
        label = display(name, identifier) + (
            f" ({display(slug)})" if slug not in (None, name) else ""
        )
        labels |= {each: label for each in (name, slug) if each}
    return labels
