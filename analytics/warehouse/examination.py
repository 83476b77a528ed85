"""Read a DuckDB file whole, by which DuckDB verifies the checksum of each of its blocks.

Run as a program, it does so with the file that it is given: what ends DuckDB then ends no batch.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import duckdb

from analytics.warehouse.damage import damage_of
from analytics.warehouse.database import ROW_GROUP, quoted, spilling

_CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)
_CATALOG = "examined"


def examine(file: Path) -> str | None:
    """Open a file in a process of its own, replay its log, and read it whole.

    Return the damage that was found, in DuckDB's words. None is also for a file that cannot be
    opened at all, or is open elsewhere: who opens it next learns the reason.
    """
    if not file.exists():
        return None
    done = subprocess.run(
        [sys.executable, "-P", "-m", __name__, str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if -done.returncode in _CRASHES:
        return f"DuckDB ended with {signal.Signals(-done.returncode).name} when it read it."
    return done.stdout.strip() or None


def read_whole(con: duckdb.DuckDBPyConnection, catalog: str) -> None:
    """Read each block of an attached file once.

    The error of DuckDB for a wrong checksum is one of which `damage_of` gives the words.
    """
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ?", [catalog]
    ).fetchall()
    for schema, table in tables:
        # A hash needs all of a row; a count is answered by statistics.
        con.execute(f'select bit_xor(hash(*columns(*))) from {catalog}."{schema}"."{table}"')
        con.fetchall()


def _examine(file: Path) -> str | None:
    try:
        with spilling(file.parent) as con:
            con.execute(f"attach '{quoted(file)}' as {_CATALOG} (row_group_size {ROW_GROUP})")
            read_whole(con, _CATALOG)
    except duckdb.Error as error:
        return damage_of(error)
    return None


if __name__ == "__main__":
    print(_examine(Path(sys.argv[1])) or "")
