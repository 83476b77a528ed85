"""The commands of month end: close a month or open it again, and look at the books."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.cli.options import Here, Json, LongHere, Month

if TYPE_CHECKING:
    from analytics.batch.progress import Progress
    from analytics.settings import Settings

_LONGEST_NAME = 100
_LONGEST_REASON = 1_000
_LARGEST_SIGN_OFF = 20_000_000


def close(
    here: LongHere,
    month: Month,
    early: Annotated[
        bool,
        typer.Option(
            "--early",
            help="Close although figures may still change; everything that is made says so.",
        ),
    ] = False,
    approved_by: Annotated[
        str | None,
        typer.Option(help="Who approved the figures: not who prepared them.", metavar="NAME"),
    ] = None,
    sign_off: Annotated[
        Path | None,
        typer.Option(help="Keep this file with the month, as proof of the approval."),
    ] = None,
    prepared_by: Annotated[
        str | None,
        typer.Option(help="Who closes the month [the system's account].", metavar="NAME"),
    ] = None,
    reopening: Annotated[
        str | None,
        typer.Option(
            "--reopen",
            help="Open the last closed month again; the books keep why.",
            metavar="REASON",
        ),
    ] = None,
) -> None:
    """Freeze the published figures of a month in the books.

    It is published as closed. It must be over, read, reconciled and final, and the figures must
    reach [finance] grace_days beyond its end; months close in their order. A later change is an
    adjustment of the next month.

    --reopen publishes it as open instead. Its revision stays in the books; the next close makes a
    new one.

    Example: analytics close 2026-10 --approved-by "Head of finance"
    """
    from analytics.batch.closing import Signatures
    from analytics.batch.closing import close as run
    from analytics.errors import UsageError
    from analytics.export.pack import write_pack

    with here.progress() as progress:
        if reopening is not None:
            if early or approved_by or sign_off or prepared_by:
                raise UsageError("--reopen stands alone: what is opened again is not signed.")
            _reopen(here.settings, month, progress, reopening)
            return
        if approved_by is None:
            raise UsageError(
                "A close is approved by somebody other than who prepares it.\n"
                'Name them: --approved-by "Head of finance"'
            )
        signatures = Signatures(
            prepared_by=_account() if prepared_by is None else _text("--prepared-by", prepared_by),
            approved_by=_text("--approved-by", approved_by),
            sign_off=_sign_off(sign_off),
        )
        run(
            here.settings,
            month,
            progress,
            signatures=signatures,
            write_files=write_pack,
            early=early,
        )


def _reopen(settings: Settings, month: str, progress: Progress, reason: str) -> None:
    from analytics.batch.closing import reopen as run

    text = _text("--reopen", reason, _LONGEST_REASON)
    entry = run(settings, month, progress, reason=text, by=_account())
    command = f"analytics export journal {month} --reverse {entry.revision}"
    progress.warn(f"if the journal of {month} was imported, import `{command}` too")


def books(here: Here, as_json: Json = False) -> None:
    """List closed months, and verify every byte of them.

    Also their order, and that frozen charges add up to the lines. Exit 1 names each file that was
    changed, is missing, or was added.

    Example: analytics books
    """
    from analytics.cli.printed import print_json
    from analytics.errors import AnalyticsError
    from analytics.finance.books.verifying import verify
    from analytics.query.books import print_closings, published_closings, summaries
    from analytics.terminal import escaped

    layout = here.layout
    if not (layout.books.is_dir() or layout.published_file.exists()):
        raise AnalyticsError(
            f"There are neither books nor published figures in {layout.root}.\n"
            "Name the data directory with --data-dir."
        )
    held, findings = verify(layout.books, published_closings(layout))
    found = summaries(held)
    if as_json:
        print_json({"closings": found, "findings": [each._asdict() for each in findings]})
    elif found:
        print_closings(found)
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
        print(
            f"The books in {layout.books} are as they were closed; the hash of their newest entry"
            f" is {held.head}."
            if held.entries
            else f"No month is closed in {layout.root}."
        )


def _account() -> str:
    """Return the name of the system's account, which no variable can change."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _text(option: str, given: str, longest: int = _LONGEST_NAME) -> str:
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
