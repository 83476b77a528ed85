"""The commands of month end: close a month, reopen it, and look at the books."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Annotated

import typer

from analytics.cli.options import (
    Config,
    DataDir,
    Json,
    Log,
    Month,
    Quiet,
    Verbose,
    layout_of,
    progress_of,
    settings_of_batch,
)

books = typer.Typer(
    help="Look at closed months, and verify them byte by byte.",
    no_args_is_help=True,
)

_LONGEST_NAME = 100
_LONGEST_REASON = 1_000
_LARGEST_SIGN_OFF = 20_000_000


def close(
    month: Month,
    early: Annotated[
        bool,
        typer.Option(
            "--early",
            help="Close although figures may still change; everything that is made says so.",
        ),
    ] = False,
    approved_by: Annotated[
        str | None, typer.Option(help="Who approved the figures.", metavar="NAME")
    ] = None,
    sign_off: Annotated[
        Path | None,
        typer.Option(help="Keep this file with the month, as proof of the approval."),
    ] = None,
    prepared_by: Annotated[
        str | None,
        typer.Option(help="Who closes the month [the system's account].", metavar="NAME"),
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Freeze the published figures of a month in the books.

    It is published as closed. It must be over, read, reconciled and final, and the figures must
    reach [finance] grace_days beyond its end; months close in their order. A later change is an
    adjustment of the next month.

    Example: analytics close 2026-10 --approved-by "Head of finance"
    """
    from analytics.batch.closing import Signatures
    from analytics.batch.closing import close as run
    from analytics.published.export.pack import write_pack

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        signatures = Signatures(
            prepared_by=_name("--prepared-by", prepared_by) or _account(),
            approved_by=_name("--approved-by", approved_by),
            sign_off=_sign_off(sign_off),
        )
        run(
            settings_of_batch(data_dir, config),
            month,
            progress,
            signatures=signatures,
            write_files=write_pack,
            early=early,
        )


def reopen(
    month: Month,
    reason: Annotated[str, typer.Option(help="Why; the books keep it.", metavar="TEXT")],
    data_dir: DataDir = None,
    config: Config = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Reopen the last closed month, and publish it as open.

    Its revision stays in the books; the next close makes a new one.

    Example: analytics reopen 2026-10 --reason "The bill of 14 October was corrected"
    """
    from analytics.batch.closing import reopen as run

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        text = _text("--reason", reason, _LONGEST_REASON)
        settings = settings_of_batch(data_dir, config)
        entry = run(settings, month, progress, reason=text, by=_account())
        command = f"analytics export journal {month} --reverse {entry.revision}"
        progress.warn(f"if the journal of {month} was imported, import `{command}` too")


@books.command("list")
def list_(as_json: Json = False, data_dir: DataDir = None, config: Config = None) -> None:
    """List closed months: revisions, when and by whom they were closed, and their totals.

    Example: analytics books list
    """
    from analytics.cli.printed import print_json
    from analytics.finance.books.reading import read_books
    from analytics.published.books import print_closings, summaries

    found = summaries(read_books(layout_of(data_dir, config).books))
    if as_json:
        print_json(found)
    else:
        print_closings(found)


@books.command()
def show(
    month: Month,
    revision: Annotated[
        int | None, typer.Option(min=1, help="This revision [the last one].")
    ] = None,
    as_json: Json = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show a closed month: its state, hash and files.

    Example: analytics books show 2026-10 --json
    """
    from analytics.cli.printed import print_json
    from analytics.finance.books.reading import read_books
    from analytics.published.books import closing_of, details, print_details

    held = read_books(layout_of(data_dir, config).books)
    found = details(held, closing_of(held, month, revision))
    if as_json:
        print_json(found)
    else:
        print_details(found)


@books.command()
def verify(as_json: Json = False, data_dir: DataDir = None, config: Config = None) -> None:
    """Verify every byte of the books, their order, and that frozen charges add up to the lines.

    Exit 1 names each file that was changed, is missing, or was added.

    Example: analytics books verify
    """
    from analytics.cli.printed import print_json
    from analytics.errors import AnalyticsError
    from analytics.finance.books.verifying import verify as run
    from analytics.published.books import published_closings
    from analytics.terminal import escaped

    layout = layout_of(data_dir, config)
    if not (layout.books.is_dir() or layout.published.exists()):
        raise AnalyticsError(
            f"There are neither books nor published figures in {layout.root}.\n"
            "Name the data directory with --data-dir."
        )
    findings = run(layout.books, published_closings(layout))
    if as_json:
        print_json([each._asdict() for each in findings])
    if findings:
        raise AnalyticsError(
            "\n".join(
                [
                    f"The books in {layout.books} are not as they were closed:",
                    *(escaped(str(each)) for each in findings),
                    "Put them back from a backup.",
                ]
            )
        )
    if not as_json:
        is_any = layout.books.is_dir()
        print(
            f"The books in {layout.books} are as they were closed."
            if is_any
            else f"No month is closed in {layout.root}: there is nothing to verify."
        )


def _account() -> str:
    """Return the name of the system's account, which no variable can change."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _name(option: str, given: str | None) -> str | None:
    return None if given is None else _text(option, given, _LONGEST_NAME)


def _text(option: str, given: str, longest: int) -> str:
    """Return a text that anything may print; UsageError for an empty, long or hidden one."""
    from analytics.errors import UsageError
    from analytics.format.names import visible

    text = given.strip()
    if not text:
        raise UsageError(f"{option} is empty.")
    if len(text) > longest:
        raise UsageError(f"{option} is longer than {longest} characters.")
    if visible(text) != text:
        raise UsageError(f"{option} holds an invisible character.")
    return text


def _sign_off(file: Path | None) -> Path | None:
    from analytics.errors import UsageError

    if file is None:
        return None
    if not file.is_file():
        raise UsageError(f"There is no file {file} to keep as a sign-off.")
    if file.stat().st_size > _LARGEST_SIGN_OFF:
        raise UsageError(f"{file} is larger than {_LARGEST_SIGN_OFF // 1_000_000} MB.")
    return file
