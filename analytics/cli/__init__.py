"""The `analytics` command. Each subcommand imports its modules only when it runs."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, and exit with the code of its error."""
    from analytics.cli.failures import failure_of
    from analytics.cli.streams import drop_output, prepare_streams
    from analytics.errors import INTERRUPTED
    from analytics.memory import share_heap
    from analytics.terminal import visible_lines

    share_heap()
    prepare_streams()
    try:
        code = _run()
    except KeyboardInterrupt:  # outside of the command itself
        code = INTERRUPTED
    except BrokenPipeError:  # who reads has gone, and needs no message
        code = 1
    except Exception as error:
        failure = failure_of(error)
        if failure.is_defect:
            raise
        print(f"error: {visible_lines(failure.text)}", file=sys.stderr)
        code = failure.exit_code
    drop_output()
    sys.exit(code)


def _run() -> str | int | None:
    """Run the command line until its output is written; return the exit code."""
    from analytics.cli.app import app

    try:
        app()
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    return code
