"""Findings as pages tell them: what needs a person, marks of agents, and events on time axes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from analytics.format import names
from analytics.format.names import ALL
from analytics.transform.findings.lines import (
    SHOWN,
    Row,
    events_of,
    folded,
    lines_of,
    news,
    read_rows,
)
from analytics.warehouse.database import records

if TYPE_CHECKING:
    import duckdb

    from analytics.report.entities import Entities, Entity
    from analytics.transform.findings.lines import Line
    from analytics.warehouse.publications import Before

SHOWN_EVENTS = 6  # lines of a chart; more would hide it
_NOTHING = "Nothing needs you: no finding of the last 28 days."
_NOTHING_OF_AGENT = (  # findings of a model, a provider or a tool are of the workspace
    "Nothing of this agent alone needs you: no finding of its own in the last 28 days."
    " Findings of its models, providers and tools stand on the page of the workspace."
)
_EVENTS = {"version_worse": "{agent} {subject}", "price_step": "{subject} price",
           "failure_burst": "{subject} failures"}  # fmt: skip


class Findings:
    """The findings of a warehouse, and the versions that began; days are those of `timezone`."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        entities: Entities,
        timezone: str,
        before: Before | None,
    ) -> None:
        self._entities, self._before = entities, before
        self._all = read_rows(con)
        self._by_line = defaultdict[tuple[Any, ...], list[Row]](list)
        for row in self._all:
            self._by_line[row["workspace_id"], row["agent_id"]].append(row)
        began = f"(first_run_at at time zone '{timezone}')::date::varchar as day"
        self._versions = defaultdict[tuple[str, str], list[Row]](list)
        for each in records(
            con,
            f"""select workspace_id, agent_id, agent_version, {began} from marts.dim_agent_versions
            where first_run_at is not null qualify row_number() over (
                partition by workspace_id, agent_id order by first_run_at) > 1
            order by first_run_at""",
        ):
            self._versions[each["workspace_id"], each["agent_id"]].append(each)

    def of(self, entity: Entity, root: str) -> dict[str, Any]:
        """Return the findings of the site, a workspace or a line, by how they are shown."""
        lines = lines_of(self._of(entity), self._before)
        loud = [each for each in lines if not each.fold]
        return {
            "shown": [_shown(each, root) for each in loud[:SHOWN]],
            "nothing": _NOTHING_OF_AGENT if entity.scope == "agent" else _NOTHING,
            "more": [_shown(each, root) for each in loud[SHOWN:]],
            "quiet": [_shown(each, root) for each in lines if each.fold],
            "quiet_title": folded(each.fold for each in lines),
            "news": news(lines, self._before),
        }

    def data(self, entity: Entity) -> dict[str, str]:
        """Return JSON of what the engine draws: lines with a finding, and events on time axes."""
        loud = [each for each in lines_of(self._of(entity)) if not each.fold]
        marked = {  # the most urgent of an agent is the last written
            f"{each.workspace_id} {each.agent_id}": each.urgency for each in reversed(loud)
        }
        keys = ("day", "label", "is_finding")
        events = [dict(zip(keys, each, strict=True)) for each in self._events(entity)]
        return {"events": _json(events), "marked": _json(marked)}

    def _events(self, entity: Entity) -> list[tuple[str, str, bool]]:
        """Return days of the reporting time zone, the labels of their lines, and what they are."""
        told = (
            (str(each["first_date"]), event_label(each, self._name(each)), True)
            for each, _ in events_of(self._of(entity))
            if each["kind"] in _EVENTS and not each["is_silenced"]
            if each["kind"] != "version_worse" or entity.scope != "agent"
        )
        found = [*dict.fromkeys(told)][:SHOWN_EVENTS]
        if entity.scope == "agent":
            worse = {
                each["subject"] for each in self._of(entity) if each["kind"] == "version_worse"
            }
            found += [
                (each["day"], version, version in worse)
                for each in self._versions[entity.workspace_id, entity.agent_id]
                for version in [f"v{each['agent_version']}"]
            ]
        return found

    def _of(self, entity: Entity) -> list[Row]:
        if entity.scope == "site":
            return self._all
        if entity.scope == "agent":
            return self._by_line[entity.key]
        return [each for each in self._all if each["workspace_id"] in {ALL, entity.workspace_id}]

    def _name(self, row: Row) -> str:
        line = self._entities.by_key.get((row["workspace_id"], row["agent_id"]))
        return line.name if line else ""


def event_label(row: Row, agent: str) -> str:
    """Return the label of a finding's line, by the name of its agent: empty without one."""
    is_agent = row["subject"] == row["agent_id"]
    subject = agent if is_agent else names.display(row["subject"])
    return _EVENTS[row["kind"]].format(agent=agent, subject=subject).strip()


def _shown(line: Line, root: str) -> dict[str, Any]:
    """Return the texts of a finding, and the page that shows it."""
    return {
        "urgency": line.urgency,
        "text": names.visible(line.text),
        "amount": line.amount,
        "reasons": [names.visible(each) for each in line.reasons],
        "code": names.visible(line.next_step or ""),
        "note": names.visible(line.note),
        "href": root + line.page,
        "is_new": line.is_new,
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
