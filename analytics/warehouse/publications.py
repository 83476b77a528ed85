"""Publications: of each one its moment, and the inputs that no landing file and no book holds.

    publications/20261120T060012.345678Z/publication.json   moment, time zone, release, files
    publications/20261120T060012.345678Z/*.parquet          what its checks found
    publications/files/<SHA-256>                             a file of `finance/`, by its content

Together with the versions in the warehouse they make the figures of that moment again. A rebuild
leaves them as they are, and takes from them when each load was first published.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec

from analytics import __version__
from analytics.disk import UNFINISHED, remove, sync, sync_tree
from analytics.errors import AnalyticsError
from analytics.files import copy_file
from analytics.warehouse.database import quoted
from analytics.warehouse.layout import Layout

_NAME = "%Y%m%dT%H%M%S.%fZ"
_RECORD = "publication.json"
_RESULTS = ("check_results", "control_findings", "custom_files", "alert_findings")


class KeptFile(msgspec.Struct, frozen=True):
    """A file of `finance/`: its hash is null if it could not be read."""

    name: str
    sha256: str | None
    problem_count: int


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """A publication, and what its figures were made with.

    `loads` has the last load of each workspace, `books_sha256` the hash of the newest entry of the
    books.
    """

    published_at: datetime
    code_version: str
    timezone: str
    books_sha256: str | None
    loads: dict[str, str]
    files: list[KeptFile]


def record_build(con: duckdb.DuckDBPyConnection, timezone: str, books_sha256: str | None) -> None:
    """Record what the marts are built with, for the publication of them."""
    con.execute("delete from ledger.build")
    con.execute("insert into ledger.build values (?, ?, ?)", [__version__, timezone, books_sha256])


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
    rows = con.execute("select code_version, timezone, books_sha256 from ledger.build").fetchall()
    if not rows:
        return
    ((code_version, timezone, books_sha256),) = rows
    publication = Publication(
        published_at=published_at,
        code_version=code_version,
        timezone=timezone,
        books_sha256=books_sha256,
        loads=dict(
            con.execute(
                "select workspace_id, max(load_id) from audit.loads group by 1 order by 1"
            ).fetchall()
        ),
        files=[
            KeptFile(*row)
            for row in con.execute(
                "select file_name, sha256, problem_count from audit.finance_files order by 1"
            ).fetchall()
        ],
    )
    folder = _folder(layout, published_at)
    unfinished = folder.with_name(folder.name + UNFINISHED)
    for left in layout.publications.glob(f"*{UNFINISHED}"):
        remove(left)
    unfinished.mkdir(parents=True)
    record = msgspec.json.format(msgspec.json.encode(publication), indent=2)
    (unfinished / _RECORD).write_bytes(record + b"\n")
    for name in _RESULTS:
        if con.execute(f"select 1 from audit.{name} limit 1").fetchall():
            file = unfinished / f"{name}.parquet"
            con.sql(f"from audit.{name}").write_parquet(str(file), compression="zstd")
    sync_tree(unfinished)
    unfinished.rename(folder)
    sync(folder.parent)


def moments_on_record(layout: Layout) -> list[datetime]:
    """Return the moments of all publications on record, in their order."""
    names = sorted(file.parent.name for file in layout.publications.glob(f"*Z/{_RECORD}"))
    return [datetime.strptime(name, _NAME).replace(tzinfo=UTC) for name in names]


def read_publication(layout: Layout, published_at: datetime) -> Publication:
    """Return the record of a publication; AnalyticsError if it is damaged."""
    file = _folder(layout, published_at) / _RECORD
    try:
        return msgspec.json.decode(file.read_bytes(), type=Publication)
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise AnalyticsError(
            f"{file} cannot be read: {error}.\nPut it back from a backup, or move its folder away:"
            " the figures of that moment are then made without it."
        ) from error


def _folder(layout: Layout, published_at: datetime) -> Path:
    return layout.publications / published_at.astimezone(UTC).strftime(_NAME)


def load_results(con: duckdb.DuckDBPyConnection, layout: Layout, publication: Publication) -> None:
    """Insert what the checks of a publication found into the empty tables of the attached marts."""
    for name in _RESULTS:
        file = _folder(layout, publication.published_at) / f"{name}.parquet"
        if file.exists():
            con.execute(f"insert into audit.{name} by name from read_parquet('{quoted(file)}')")


def keep_file(layout: Layout, path: Path, project: Path, sha256: str) -> None:
    """Keep a file of the user by its content, if it has this hash still.

    OSError or ValueError if it cannot be read, or kept.
    """
    kept = kept_file(layout, sha256)
    if kept.exists():
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    unfinished = kept.with_name(f"{sha256}{UNFINISHED}")
    unfinished.unlink(missing_ok=True)
    try:
        if copy_file(path, project, unfinished) == sha256:
            sync(unfinished)
            unfinished.replace(kept)
            sync(kept.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def kept_file(layout: Layout, sha256: str) -> Path:
    """Return the path of a file that was kept by its content."""
    return layout.publications / "files" / sha256
