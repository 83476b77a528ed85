"""The commands of an operator: whether all is well, and what may go."""

from __future__ import annotations

from typing import Annotated

import typer

from analytics.cli.options import Config, DataDir, Json, layout_of


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", help="Make no request: keys are only looked at.")
    ] = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Check whether the next batch can do its work.

    Machine, settings, keys, API and data are checked. Exit 1 if anything needs a hand. Nothing is
    written but a probe file, which is removed; a batch may be at work meanwhile.

    Example: analytics doctor --data-dir /srv/analytics
    """
    from analytics.cli import doctor as examined
    from analytics.cli.printed import print_json

    checks = examined.examine(data_dir, config, offline=offline)
    if as_json:
        print_json(checks)
    else:
        examined.print_text(checks)
    if any(each.state == "problem" for each in checks):
        raise typer.Exit(1)


def prune(
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove it; else only show what would be removed.")
    ] = False,
    keep_days: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Keep a damaged file that was set aside for so many days [30].",
            metavar="DAYS",
        ),
    ] = None,
    as_json: Json = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Remove what interrupted work left, and no figure needs.

    Landing files, books and publications stay: rebuild and trace need every one.

    Example: analytics prune --yes
    """
    from analytics.batch.leftovers import KEEP_DAYS
    from analytics.batch.leftovers import prune as run
    from analytics.cli import pruned

    layout = layout_of(data_dir, config)
    found = run(layout, KEEP_DAYS if keep_days is None else keep_days, apply=yes)
    if as_json:
        pruned.print_json(layout, found, removed=yes)
    else:
        pruned.print_text(layout, found, removed=yes)
