"""`analytics runs artifacts`."""

from __future__ import annotations

from pathlib import Path

from analytics.cli import printed
from analytics.cli.runs import files, tables
from analytics.errors import AnalyticsError
from analytics.format import numbers
from analytics.levain import Levain, Run


def show(levain: Levain, run: Run, folder: Path | None, *, as_json: bool) -> None:
    """List a run's files, or save them in a folder.

    AnalyticsError if some could not be downloaded.
    """
    listed = levain.artifacts.list(run.id)
    if listed.truncated:
        printed.say(
            f"The API lists {len(listed.artifacts):,} files at most; this run has more, "
            "which sort after these by name."
        )
    if folder is not None:
        saved = files.save_artifacts(levain, run, listed.artifacts, folder)
        if as_json:
            printed.print_json(saved)
        _print_saved(saved, folder)
    elif as_json:
        printed.print_json(listed.artifacts)
    elif listed.artifacts:
        tables.print_artifacts(listed.artifacts)
    else:
        printed.say("It has published no files" + ("." if run.has_ended else " yet."))


def _print_saved(saved: list[files.Saved], folder: Path) -> None:
    new, failed = [s for s in saved if s.is_new], [s for s in saved if s.error]
    kept = len(saved) - len(new) - len(failed)
    line = f"{numbers.plural(len(new), 'file')} saved in {folder}"
    printed.say(
        line + (f"; {numbers.plural(kept, 'file')} there before, kept as is" if kept else "")
    )
    if failed:
        raise AnalyticsError(
            f"{len(failed)} of {numbers.plural(len(saved), 'file')} could not be had: "
            f"{failed[0].filename or failed[0].key}: {failed[0].error}."
        )
