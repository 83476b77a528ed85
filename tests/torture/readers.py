"""What readers find in a data directory: one whole batch, or a reason why not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import duckdb

from tests.torture.moments import Moment, figures_of

LASTING = {
    ".lock", "alerts.json", "analytics.duckdb", "books", "build.duckdb", "landing",
    "last-batch.json", "metrics.prom", "publications", "site", "warehouse.duckdb",
}  # fmt: skip
"""All that lies in a data directory after a batch."""

ASIDE = ".damaged-"
UNFINISHED = (".unfinished", ".next", ".old", ".wal", ".tmp")


class Broken(Exception):  # noqa: N818  # a state of the data, not an error of the harness
    """What readers find is not one whole batch."""


def look(data: Path, moments: Sequence[Moment]) -> Moment | None:
    """Return the moment whose batch is published whole, file and site; None if nothing is.

    Broken if anything else is found.
    """
    file, site = data / "analytics.duckdb", data / "site"
    if not file.exists():
        if site.exists():
            raise Broken("a site without a file")
        return None
    try:
        with duckdb.connect(file, read_only=True) as con:
            found, as_of = figures_of(con), as_of_file(con)
            _read_all(con)
    except duckdb.Error as error:
        raise Broken(f"the file cannot be read: {error}") from error
    moment = next((moment for moment in moments if moment.figures == found), None)
    if moment is None:
        raise Broken("the file has the figures of no batch")
    check_site(site, as_of)
    return moment


def as_of_file(con: duckdb.DuckDBPyConnection) -> str:
    ((moment,),) = con.execute(
        "select strftime(max(last_batch_at) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S')"
        " from marts.dim_workspaces"
    ).fetchall()
    return str(moment)


def _read_all(con: duckdb.DuckDBPyConnection) -> None:
    """Read each column of each table, so that a damaged block is found."""
    for schema, table in con.execute(
        "select schema_name, table_name from duckdb_tables()"
    ).fetchall():
        con.execute(f"select bit_xor(hash({table})) from {schema}.{table}").fetchall()


def check_site(site: Path, as_of: str | None = None) -> None:
    """Raise Broken unless the site's files are those of its manifest, as of this moment."""
    try:
        manifest = json.loads((site / "manifest.json").read_bytes())
        found = {
            path.relative_to(site).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(site.rglob("*"))
            if path.is_file() and path.name != "manifest.json"
        }
    except (OSError, ValueError) as error:
        raise Broken(f"the site cannot be read: {error}") from error
    if found != manifest["files"]:
        names = sorted(dict(found.items() ^ manifest["files"].items()))
        raise Broken(f"{len(names)} files of the site are not its manifest's: {names[:3]}")
    if as_of and not manifest["as_of"].startswith(as_of):
        raise Broken(f"the site is as of {manifest['as_of']}, the file as of {as_of}")


def check_whole(data: Path, moment: Moment) -> None:
    """Raise Broken unless a batch of this moment was published exactly, and left nothing over.

    What was damaged may be kept aside.
    """
    if look(data, [moment]) is None:
        raise Broken("nothing is published")
    with duckdb.connect(data / "analytics.duckdb", read_only=True) as con:
        con.execute("set TimeZone = 'UTC'; set search_path = 'marts,audit,reports'")
        try:
            moment.prove(con)
        except AssertionError as error:
            raise Broken(f"the figures are not exact: {error}") from error
    if left := leftovers(data):
        raise Broken(f"left over: {left}")


def leftovers(data: Path) -> list[str]:
    """Return what lies in a data directory although its batch has ended."""
    left = [path for path in data.iterdir() if path.name not in LASTING]
    left += [path for path in data.rglob("*") if path.name.endswith(UNFINISHED)]
    return sorted({path.relative_to(data).as_posix() for path in left if ASIDE not in path.name})
