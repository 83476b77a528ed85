"""Publications: of each one its moment, and the last load of each workspace in its figures.

    publications/20261120T060012.345678Z.json   {"<workspace_id>": "<load_id>", …}

No landing file and no book holds when a figure was first published, on which adjustments rest. A
rebuild leaves these files as they are, and takes from them when each load was published.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec

from analytics import disk
from analytics.disk import UNFINISHED, remove
from analytics.errors import AnalyticsError
from analytics.warehouse.layout import Layout

_NAME = "%Y%m%dT%H%M%S.%fZ.json"


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
    record = msgspec.json.format(msgspec.json.encode(dict(loads)), indent=2)
    disk.replace(_file(layout, published_at), record + b"\n")


def moments_on_record(layout: Layout) -> list[datetime]:
    """Return the moments of all publications on record, in their order."""
    names = sorted(file.name for file in layout.publications.glob("*Z.json"))
    return [datetime.strptime(name, _NAME).replace(tzinfo=UTC) for name in names]


def last_loads(layout: Layout, published_at: datetime) -> dict[str, str]:
    """Return the last load of each workspace; AnalyticsError if the record is damaged."""
    file = _file(layout, published_at)
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise AnalyticsError(
            f"{file} cannot be read: {error}.\nPut it back from a backup, or move it away: the"
            " figures of that moment then count as first published by the next one."
        ) from error


def _file(layout: Layout, published_at: datetime) -> Path:
    return layout.publications / published_at.astimezone(UTC).strftime(_NAME)
