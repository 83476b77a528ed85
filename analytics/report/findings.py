"""Findings as pages tell them: what needs a person, marks of agents, and events on time axes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from analytics.format import names
from analytics.format.names import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from analytics.report.entities import Entities, Entity
    from analytics.report.spec import Page

SHOWN = 5  # sentences; the rest is folded
SHOWN_EVENTS = 6  # lines of a chart; more would hide it
_PLACES = {  # what shows a finding on the page of its agent, of its workspace, or of the site
    "version_worse": "versions",
    "repeated_errors": "errors",
    "idle_runs": "runs",
    "budget": "budgets",
}
_ON_TRUST = frozenset({"unlisted", "data"})
_EVENTS = {"version_worse": "{agent} {subject}", "price_step": "{subject} price",
           "failure_burst": "{subject} failures"}  # fmt: skip

Row = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """A day of the reporting time zone, as ISO text, and the label of its line."""

    day: str
    label: str
    is_finding: bool = True


class Findings:
    """The findings of a warehouse, and the versions that began; days are those of `timezone`."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        entities: Entities,
        pages: Mapping[str, Page],
        timezone: str,
    ) -> None:
        self._entities, self._trust = entities, pages.get("trust")
        day = f"(since at time zone '{timezone}')::date::varchar as day"
        self._all = _rows(con, f"select *, {day} from marts.fct_findings order by rank")
        began = f"(first_run_at at time zone '{timezone}')::date::varchar as day"
        self._versions = defaultdict[tuple[str, str], list[Row]](list)
        for each in _rows(
            con,
            f"""select workspace_id, agent_id, agent_version, {began} from marts.dim_agent_versions
            where first_run_at is not null qualify row_number() over (
                partition by workspace_id, agent_id order by first_run_at) > 1
            order by first_run_at""",
        ):
            self._versions[each["workspace_id"], each["agent_id"]].append(each)

    def of(self, entity: Entity, root: str) -> dict[str, Any]:
        """Return the findings of the site, a workspace or a line, by how they are shown."""
        found = [self._shown(each, entity, root) for each in self._of(entity)]
        quiet = [each for each in found if each["is_quiet"]]
        loud = [each for each in found if not each["is_quiet"]]
        counts = {"lasting": 0, "silenced": 0}
        for each in quiet:
            counts["silenced" if each["is_silenced"] else "lasting"] += 1
        return {
            "shown": loud[:SHOWN],
            "more": loud[SHOWN:],
            "quiet": quiet,
            "quiet_title": ", ".join(f"{n} {word}" for word, n in counts.items() if n),
        }

    def data(self, entity: Entity) -> dict[str, str]:
        """Return JSON of what the engine draws: lines with a finding, and events on time axes."""
        lines = (each for each in self._of(entity) if not _is_quiet(each))
        marked = sorted({f"{each['workspace_id']} {each['agent_id']}" for each in lines})
        return {"events": _json(self._events(entity)), "marked": _json(marked)}

    def _events(self, entity: Entity) -> list[Event]:
        told = (
            Event(each["day"], self._label(each))
            for each in self._of(entity)
            if each["kind"] in _EVENTS and not each["is_silenced"]
            if each["kind"] != "version_worse" or entity.scope != "agent"
        )
        found = [*dict.fromkeys(told)][:SHOWN_EVENTS]  # several workspaces may have the same
        if entity.scope == "agent":
            worse = {
                each["subject"] for each in self._of(entity) if each["kind"] == "version_worse"
            }
            found += [
                Event(each["day"], version, version in worse)
                for each in self._versions[entity.workspace_id, entity.agent_id]
                for version in [f"v{each['agent_version']}"]
            ]
        return found

    def _of(self, entity: Entity) -> list[Row]:
        if entity.scope == "site":
            return self._all
        own = {ALL, entity.workspace_id} if entity.scope == "workspace" else {entity.workspace_id}
        return [
            each
            for each in self._all
            if each["workspace_id"] in own
            if entity.scope == "workspace" or each["agent_id"] == entity.agent_id
        ]

    def _shown(self, row: Row, entity: Entity, root: str) -> Row:
        """Return the texts of a finding, and the page and part that show it."""
        return {
            "text": names.visible(row["sentence"]),
            "code": names.visible(row["next_step"] or ""),
            "note": names.visible(row["silenced_note"] or "") if row["is_silenced"] else "",
            "href": self._href(row, entity, root),
            "is_quiet": _is_quiet(row),
            "is_silenced": row["is_silenced"],
        }

    def _href(self, row: Row, entity: Entity, root: str) -> str:
        key = row["workspace_id"], row["agent_id"]
        if row["kind"] in _ON_TRUST:
            workspace = self._entities.by_key.get((key[0], ALL))
            if self._trust is None or workspace is None or workspace.scope != "workspace":
                return ""
            return root + self._trust.path(workspace)
        place = "#" + _PLACES.get(row["kind"], "cost")
        shows = self._entities.by_key.get(key if row["kind"] != "budget" else entity.key)
        if shows is None or not shows.path or shows.key == entity.key:
            return place
        return f"{root}{shows.path}{place}"

    def _label(self, row: Row) -> str:
        line = self._entities.by_key.get((row["workspace_id"], row["agent_id"]))
        subject = names.display(row["subject"])
        agent = line.name if line else ""
        return _EVENTS[row["kind"]].format(agent=agent, subject=subject).strip()


def _is_quiet(row: Row) -> bool:
    return bool(row["is_silenced"] or row["is_chronic"])


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    return list(pl.DataFrame(con.sql(sql)).iter_rows(named=True))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
