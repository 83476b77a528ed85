"""The `analytics` command. Each command imports what it needs only when it runs."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, and end with the exit code that its errors stand for."""
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
        print(f"error: {what}{where}.", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        import duckdb

        if not isinstance(error, duckdb.Error):
            raise
        print(f"error: DuckDB failed: {visible_lines(str(error))}", file=sys.stderr)
        sys.exit(1)
