"""The `analytics` command. Each subcommand imports its modules only when it runs."""

from __future__ import annotations

import io
import signal
import sys
from types import FrameType

from analytics.errors import INTERRUPTED, READER_GONE


def main() -> None:
    """Run the command line, and exit with the code of its error.

    SIGTERM, and SIGHUP unless it is ignored, end a command like Ctrl-C: in good order.
    """
    code: str | int | None
    try:
        signal.signal(signal.SIGTERM, interrupt)
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            signal.signal(signal.SIGHUP, interrupt)
        code = _run()
    except KeyboardInterrupt:  # outside of the command itself
        code = INTERRUPTED
    except BrokenPipeError:  # who reads has gone, and needs no message
        code = READER_GONE
    except Exception as error:
        from analytics.batch.failures import failure_of
        from analytics.terminal import escaped_lines

        failure = failure_of(error)
        if failure.is_defect:
            raise
        print(f"error: {escaped_lines(failure.text)}", file=sys.stderr)
        code = failure.exit_code
    from analytics.cli.printed import drop_output

    drop_output()
    sys.exit(code)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C does now: an event loop ends what it is at.

    What its callbacks raise, it may swallow.
    """
    at_ctrl_c = signal.getsignal(signal.SIGINT)
    (at_ctrl_c if callable(at_ctrl_c) else signal.default_int_handler)(number, frame)


def _run() -> str | int | None:
    """Run the command line until its output is written; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a character that a terminal lacks stops nothing
    from analytics.cli.app import app

    try:
        app()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer makes exit 1 of it
            raise end.__context__ from None
        code = end.code
    sys.stdout.flush()
    return code
