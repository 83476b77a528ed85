"""The `analytics` command. Each subcommand imports its modules only when it runs."""

from __future__ import annotations

import errno
import os
import sys
from typing import NoReturn


def main() -> None:
    """Run the command line, and exit with the code of its error."""
    from analytics.cli.app import app
    from analytics.errors import AnalyticsError
    from analytics.terminal import visible_lines

    try:
        app()
    except AnalyticsError as error:
        print(f"error: {visible_lines(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        what = error.strerror or str(error)
        where = f": {visible_lines(str(error.filename))}" if error.filename else ""
        _fail(f"{what}{where}.")
    except Exception as error:
        import duckdb

        if not isinstance(error, duckdb.Error):
            raise
        _fail(f"DuckDB failed: {visible_lines(str(error))}")


def _fail(what: str) -> NoReturn:
    """Exit with an error of the machine; for a full disk, add advice."""
    print(f"error: {what}", file=sys.stderr)
    if os.strerror(errno.ENOSPC) in what:
        print("Make room on the disk that was written to, and run again.", file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:  # Python would flush again on exit, and exit with 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)
