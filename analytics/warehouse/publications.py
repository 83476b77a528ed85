"""Publications: of each one its moment, its findings, and the last load of each workspace in it.

    publications/20261120T060012.345678Z.json
        {"<workspace_id>": "<load_id>", …, "findings": ["<finding_id>", …]}

No landing file and no book holds when a figure was first published, on which adjustments rest, or a
finding. A rebuild leaves these files as they are, and takes from them when each load was published.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import msgspec

from analytics.errors import AnalyticsError, UsageError
from analytics.files import replace
from analytics.machine_clock import machine_time
from analytics.warehouse.damage import DamagedError
from analytics.warehouse.landed import folders_in, last_batch_id, loads_ahead
from analytics.warehouse.layout import Layout

NAME = "%Y%m%dT%H%M%S.%fZ"
"""The name of a publication, by its moment: names sort as moments do."""

_FINDINGS = "findings"  # beside the identifiers of workspaces


@dataclass(frozen=True)
class Before:
    """The findings that were published on a day before `today`, by identity."""

    day: date
    today: date
    finding_ids: frozenset[str]


def require_past(layout: Layout) -> None:
    """Raise UsageError if a load or publication is a day later than this machine's clock."""
    ahead = [each.name for folder in folders_in(layout.landing) for each in loads_ahead(folder)]
    published = sorted(file.stem for file in layout.publications.glob("*Z.json"))
    newest = max([*ahead, *published[-1:]], default="")
    if newest > last_batch_id():
        day, time = f"{newest[:4]}-{newest[4:6]}-{newest[6:8]}", f"{newest[9:11]}:{newest[11:13]}"
        raise UsageError(
            f"The newest data in {layout.root} is of {day} {time} UTC, but this machine's clock"
            f" says {machine_time():%Y-%m-%d %H:%M} UTC.\nSet this machine's clock, and run again."
            " Nothing was changed."
        )


def next_moment(con: duckdb.DuckDBPyConnection, layout: Layout) -> datetime:
    """Return now; where the machine's clock went back, just after the last publication."""
    ((last,),) = con.execute("select max(published_at) from ledger.loads").fetchall()
    known: list[datetime] = [*moments_on_record(layout)[-1:], *([last] if last else [])]
    return max([machine_time(), *(each + timedelta(microseconds=1) for each in known)])


def record_of(con: duckdb.DuckDBPyConnection) -> bytes:
    """Return the record of the attached marts."""
    loads = con.execute(
        "select workspace_id, max(load_id) from audit.loads group by 1 order by 1"
    ).fetchall()
    findings = con.execute("select finding_id from marts.fct_findings order by rank").fetchall()
    found = {**dict(loads), _FINDINGS: [finding_id for (finding_id,) in findings]}
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


def write_record(layout: Layout, name: str, record: bytes) -> None:
    """Write the record of a publication; AnalyticsError if there is no folder to write it to."""
    try:
        layout.publications.mkdir(exist_ok=True)
    except FileExistsError as error:
        raise AnalyticsError(
            f"{layout.publications} is no folder, so that no record can be kept of the figures.\n"
            "Nothing was published. Move it away, and run again."
        ) from error
    replace(file_of_record(layout, name), record)


def record_publication(con: duckdb.DuckDBPyConnection, moment: datetime) -> None:
    """Record which loads the attached marts contain, as published at a moment if not before."""
    con.execute(
        """
        update ledger.loads set published_at = ?
        where published_at is null
            and (workspace_id, load_id) in (select workspace_id, load_id from audit.loads)
        """,
        [moment],
    )


def moments_on_record(layout: Layout) -> list[datetime]:
    """Return the moments of all publications on record, in their order."""
    names = sorted(file.stem for file in layout.publications.glob("*Z.json"))
    return [datetime.strptime(name, NAME).replace(tzinfo=UTC) for name in names]


def last_loads(layout: Layout, published_at: datetime) -> dict[str, str]:
    """Return the last load of each workspace; AnalyticsError if the record is damaged."""
    record = _read(layout, published_at)
    return {workspace: load for workspace, load in record.items() if isinstance(load, str)}


def recover_publication(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Record the last publication, if a batch was killed before it did so, or its log was lost.

    DamagedError if the warehouse has lost loads of it too: DuckDB passes over a log whose head
    is damaged. Only a rebuild has them. Loads that the landing folder has lost as well are not
    among them.
    """
    for moment in moments_on_record(layout)[-1:]:
        try:
            last = last_loads(layout, moment)
        except AnalyticsError:  # raised to whoever needs it
            return
        held = con.execute("select workspace_id, load_id from ledger.loads").fetchall()
        if any(layout.landing.joinpath(*load).is_dir() for load in last.items() - {*held}):
            lost = f"is damaged: it lacks what was published at {moment:%F %T} UTC"
            raise DamagedError(layout.warehouse, lost)
        restore_publications(con, layout, [moment])


def restore_publications(
    con: duckdb.DuckDBPyConnection,
    layout: Layout,
    moments: Sequence[datetime],
    besides: Collection[tuple[str, str]] = (),
) -> None:
    """Let loads be published at the first of these moments whose record has them, or later ones.

    Those `besides` were set aside.
    """
    last = [
        (*load, moment)
        for moment in moments
        for load in last_loads(layout, moment).items()
        if load not in besides
    ]
    if last:
        con.execute(
            """
            with last_loads as (
                select workspace_id, load_id, min(published_at) as published_at
                from (select unnest(?) as workspace_id, unnest(?) as load_id,
                    unnest(?) as published_at)
                group by workspace_id, load_id
            )
            update ledger.loads set published_at = found.published_at
            from (
                select loads.workspace_id, loads.load_id, last_loads.published_at
                from ledger.loads asof join last_loads
                    on loads.workspace_id = last_loads.workspace_id
                    and loads.load_id <= last_loads.load_id
            ) as found
            where loads.workspace_id = found.workspace_id and loads.load_id = found.load_id
                and coalesce(loads.published_at > found.published_at, true)
            """,
            [*map(list, zip(*last, strict=True))],
        )


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
    file = file_of_record(layout, published_at.astimezone(UTC).strftime(NAME))
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str | list[str]])
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise AnalyticsError(
            f"{file} cannot be read: {error}.\nPut it back from a backup, or move it away: the"
            " figures of that moment then count as first published by the next one."
        ) from error


def file_of_record(layout: Layout, name: str) -> Path:
    """Return the path of the record of a publication, by its name."""
    return layout.publications / f"{name}.json"
