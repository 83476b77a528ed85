"""What the figures of a page were made of, and a hash by which they are known again."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from analytics.format import numbers
from analytics.report.figures.facts import MEASURE_COLUMNS

if TYPE_CHECKING:
    import duckdb

PageKey = tuple[str, ...]
"""All, one workspace, or a workspace and an agent of it."""

# Amounts as text, since JSON numbers have not so many digits.
MEASURES = tuple(name for name in MEASURE_COLUMNS if name != "platform_cost_usd")
_FIGURES = ", ".join(
    ["workspace_id", "agent_id", *(f"{name}::varchar" for name in ("date", *MEASURES))]
)
_SCOPES = """
    group by grouping sets ((), (workspace_id), (workspace_id, agent_id))"""
_LEVEL = "2 - grouping(workspace_id) - grouping(agent_id)"
_SOURCES = f"""
    select {_LEVEL}, workspace_id, agent_id, {{'run_count': count(*),
        'load_count': count(distinct (workspace_id, load_id)),
        'request_count': count(distinct (workspace_id, load_id, request)),
        'first_load_id': min(load_id), 'last_load_id': max(load_id)}}
    from marts.fct_runs {_SCOPES}"""
_HASHES = f"""
    select {_LEVEL}, workspace_id, agent_id,
        sha256(string_agg(figures, chr(10) order by workspace_id, agent_id, date))
    from (
        select workspace_id, agent_id, date, to_json([{_FIGURES}])::varchar as figures
        from marts.fct_agent_days
    ) {_SCOPES}"""


@dataclass(frozen=True)
class Provenance:
    """The listed runs of a page, the requests and loads that they came by, as they are now.

    `figures_sha256` is that of its daily figures: one line for each row of `fct_agent_days`, a JSON
    array of the ids, the date and MEASURES as text, exact to the last digit.
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
            return "no listed runs"
        span = f"{self.first_load_id} to {self.last_load_id}"
        return (
            f"{numbers.plural(self.run_count, 'listed run')} by"
            f" {numbers.plural(self.request_count, 'request')} in"
            f" {numbers.plural(self.load_count, 'load')},"
            f" {span if self.load_count > 1 else self.first_load_id}"
        )


NOTHING = Provenance()


def of_pages(con: duckdb.DuckDBPyConnection) -> dict[PageKey, Provenance]:
    """The provenance of each page that has figures."""
    sources = {tuple(ids[:level]): row for level, *ids, row in con.execute(_SOURCES).fetchall()}
    made_of: dict[PageKey, Provenance] = {}
    for level, *ids, sha in con.execute(_HASHES).fetchall():
        if sha:
            key = tuple(ids[:level])
            made_of[key] = Provenance(figures_sha256=sha, **sources.get(key, {}))
    return made_of
