"""What the figures of a page were made of, and a hash by which they are known again."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from analytics.report.figures.facts import MEASURE_COLUMNS
from analytics.report.marts.reads import with_gaps
from analytics.report.writing import numbers

if TYPE_CHECKING:
    import duckdb

PageKey = tuple[str | None, ...]
"""All, one workspace, or a workspace and an agent of it (None for the runs of none)."""

# Amounts as text, since JSON numbers have not so many digits.
_FIGURES = ", ".join(
    ["workspace_id", "agent_id", *(f"{name}::varchar" for name in ("date", *MEASURE_COLUMNS))]
)
_SCOPES = """
    group by grouping sets ((), (workspace_id), (workspace_id, agent_id))"""
_LEVEL = "2 - grouping(workspace_id) - grouping(agent_id)"
_SOURCES = f"""
    select {_LEVEL}, workspace_id, agent_id, count(*), count(distinct (workspace_id, load_id)),
        count(distinct (workspace_id, load_id, request)), min(load_id), max(load_id)
    from marts.fct_runs {_SCOPES}"""
_HASHES = f"""
    select {_LEVEL}, workspace_id, agent_id,
        sha256(string_agg(figures, chr(10) order by workspace_id, agent_id nulls first, date))
    from (
        select workspace_id, agent_id, date, to_json([{_FIGURES}])::varchar as figures
        from ({with_gaps("fct_agent_days", "date")})
    ) {_SCOPES}"""


@dataclass(frozen=True)
class Provenance:
    """The runs of a page, the requests and loads that they came by, as they are now.

    `figures_sha256` is that of its daily figures: one line for each agent and day, a JSON array of
    the ids, the date and the measures as text, those of hidden runs last, exact to the last digit.
    """

    run_count: int = 0
    load_count: int = 0
    request_count: int = 0
    first_load_id: str | None = None
    last_load_id: str | None = None
    figures_sha256: str = sha256().hexdigest()

    @property
    def sources(self) -> str:
        """The runs, and what brought them, in a sentence's part."""
        if not self.run_count:
            return "no runs yet"
        span = f"{self.first_load_id} to {self.last_load_id}"
        return (
            f"{numbers.plural(self.run_count, 'run')} by"
            f" {numbers.plural(self.request_count, 'request')} in"
            f" {numbers.plural(self.load_count, 'load')},"
            f" {span if self.load_count > 1 else self.first_load_id}"
        )


NOTHING = Provenance()


def of_pages(con: duckdb.DuckDBPyConnection) -> dict[PageKey, Provenance]:
    """The provenance of each page that shows runs."""
    hashes = {tuple(ids[:level]): sha for level, *ids, sha in con.execute(_HASHES).fetchall()}
    made_of: dict[PageKey, Provenance] = {}
    for level, workspace_id, agent_id, runs, *sources in con.execute(_SOURCES).fetchall():
        if runs:
            key = (workspace_id, agent_id)[:level]
            loads, requests, first, last = sources
            made_of[key] = Provenance(runs, loads, requests, first, last, hashes[key])
    return made_of
