"""Publications: of each one its moment, its findings, and the last load of each workspace in it.

    publications/20261120T060012.345678Z.json
        {"<workspace_id>": "<load_id>", …, "findings": ["<finding_id>", …]}

No landing file and no book holds when a figure was first published, on which adjustments rest, or a
finding. A rebuild leaves these files as they are, and takes from them when each load was published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import msgspec

from analytics import disk
from analytics.disk import UNFINISHED, remove
from analytics.errors import AnalyticsError
from analytics.warehouse.layout import Layout

_NAME = "%Y%m%dT%H%M%S.%fZ.json"
_FINDINGS = "findings"  # beside the identifiers of workspaces


@dataclass(frozen=True)
class Before:
    """The findings that were published on a day before `today`, by identity."""

    day: date
    today: date
    finding_ids: frozenset[str]


def require_writable(layout: Layout) -> None:
    """Raise if no record can be written: figures without one are not published.

    AnalyticsError for what is no folder, and OSError for one in which nothing can be made.
    """
    if layout.publications.exists() and not layout.publications.is_dir():
        raise AnalyticsError(
            f"{layout.publications} is no folder, so that no record can be kept of the figures.\n"
            "Nothing was published. Move it away, and run again."
        )
    probe = layout.publications / f"probe{UNFINISHED}"
    remove(probe)
    probe.mkdir(parents=True)
    probe.rmdir()


def write_publication(
    con: duckdb.DuckDBPyConnection, layout: Layout, published_at: datetime
) -> None:
    """Write the record of the attached marts, which are published.

    Nothing is written of marts that were built for another warehouse.
    """
    if not con.execute("from ledger.build").fetchall():
        return
    loads = con.execute(
        "select workspace_id, max(load_id) from audit.loads group by 1 order by 1"
    ).fetchall()
    findings = con.execute("select finding_id from marts.fct_findings order by rank").fetchall()
    found = {**dict(loads), _FINDINGS: [finding_id for (finding_id,) in findings]}
    record = msgspec.json.format(msgspec.json.encode(found), indent=2)
    disk.replace(_file(layout, published_at), record + b"\n")


def moments_on_record(layout: Layout) -> list[datetime]:
    """Return the moments of all publications on record, in their order."""
    names = sorted(file.name for file in layout.publications.glob("*Z.json"))
    return [datetime.strptime(name, _NAME).replace(tzinfo=UTC) for name in names]


def last_loads(layout: Layout, published_at: datetime) -> dict[str, str]:
    """Return the last load of each workspace; AnalyticsError if the record is damaged."""
    record = _read(layout, published_at)
    return {workspace: load for workspace, load in record.items() if isinstance(load, str)}


def findings_before(layout: Layout, as_of: datetime | None, timezone: str) -> Before | None:
    """Return the findings of the last publication on a day before that of `as_of`.

    None where there is none, or it does not say which findings it had.
    """
    if as_of is None:
        return None
    zone = ZoneInfo(timezone)
    today = as_of.astimezone(zone).date()
    days = {moment: moment.astimezone(zone).date() for moment in moments_on_record(layout)}
    earlier = [moment for moment, day in days.items() if day < today]
    try:
        found = _read(layout, earlier[-1]).get(_FINDINGS) if earlier else None
    except AnalyticsError:  # raised where the loads are needed
        return None
    return Before(days[earlier[-1]], today, frozenset(found)) if isinstance(found, list) else None


def _read(layout: Layout, published_at: datetime) -> dict[str, str | list[str]]:
    file = _file(layout, published_at)
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str | list[str]])
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise AnalyticsError(
            f"{file} cannot be read: {error}.\nPut it back from a backup, or move it away: the"
            " figures of that moment then count as first published by the next one."
        ) from error


def _file(layout: Layout, published_at: datetime) -> Path:
    return layout.publications / published_at.astimezone(UTC).strftime(_NAME)
