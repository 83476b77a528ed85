"""`analytics doctor`: whether the next batch can do its work, as a table."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from analytics.batch.health import Check, directory_checks, release
from analytics.cli import configuration, printed
from analytics.cli.connection import read_identity
from analytics.cli.demo import MARKER
from analytics.errors import AnalyticsError, UsageError
from analytics.format import numbers
from analytics.levain import Me
from analytics.settings import Settings, Workspace, api_key, has_key, load_settings
from analytics.terminal import escaped
from analytics.warehouse.layout import Layout

_SKEW = 60
"""Seconds by which the machine's clock may differ from the API's."""

_SIGNS = {"ok": ("ok", "green"), "note": ("note", "cyan"), "problem": ("PROBLEM", "bold red")}


def examine(data_dir: Path | None, config: Path | None, *, offline: bool) -> list[Check]:
    """Return all checks; those of the data are left out where the settings are not right."""
    try:
        settings = load_settings(data_dir, config)
    except UsageError as error:
        return [release(), _problem("settings", str(error))]
    opened: dict[str, tuple[Workspace, Me]] = {}
    checks = [
        release(),
        *_settings(settings),
        *(
            check
            for each in settings.workspaces
            for check in _api(each, settings, opened, offline=offline)
        ),
        *(
            _problem("keys", each)
            for each in configuration.data_problems(settings, opened.values())
        ),
        *directory_checks(Layout(settings.data_dir), datetime.now(UTC)),
    ]
    return [
        msgspec.structs.replace(each, finding=each.finding.replace(numbers.NO_BREAK, " "))
        for each in checks
    ]


def _settings(settings: Settings) -> Iterator[Check]:
    if problems := [*configuration.problems_of(settings)]:
        yield from (_problem("settings", each) for each in problems)
        return
    there = settings.file if settings.file.exists() else "no settings file"
    yield Check("settings", "ok", f"{there}, days in {settings.reporting.timezone}")


def _api(
    workspace: Workspace,
    settings: Settings,
    opened: dict[str, tuple[Workspace, Me]],
    *,
    offline: bool,
) -> Iterator[Check]:
    """Yield that a key is set, that the API accepts it, and how far apart the clocks are.

    Its workspace is added to those `opened`.
    """
    name = f"key {workspace.api_key_env}"
    if not has_key(workspace) and os.access(settings.data_dir / MARKER, os.F_OK):
        yield Check(name, "note", "not set; the demo's data need none")
        return
    try:
        api_key(workspace)
        if offline:
            yield Check(name, "note", "set; the API was not asked")
            return
        began = time.monotonic()
        me, api_time = read_identity(workspace, tries=1)
        seconds = time.monotonic() - began
    except AnalyticsError as error:
        yield _problem(name, str(error))
        return
    opened[me.workspace_id] = workspace, me
    yield Check(
        name,
        "ok",
        f"of {me.workspace_name or me.workspace_id}, at {workspace.api} within"
        f" {numbers.duration(seconds)}",
    )
    skew = (_machine_time() - api_time).total_seconds()
    if abs(skew) <= _SKEW:
        yield Check("clock", "ok", f"within {_SKEW} s of the API's")
        return
    how = "ahead of" if skew > 0 else "behind"
    yield Check(
        "clock",
        "problem",
        f"{numbers.duration(abs(skew))} {how} the API's",
        "Set the machine's clock: figures follow the API's, but times of batches are its own.",
    )


def _machine_time() -> datetime:
    return datetime.now(UTC)


def _problem(name: str, text: str) -> Check:
    finding, _, remedy = text.partition("\n")
    return Check(name, "problem", finding, " ".join(remedy.split()))


def print_text(checks: list[Check]) -> None:
    """Print all checks as a table, with the remedy below each problem."""
    from rich.text import Text

    rows = []
    for each in checks:
        text = "\n".join(escaped(line) for line in (each.finding, each.remedy) if line)
        rows.append((each.name, Text(*_SIGNS[each.state]), Text(text, overflow="fold")))
    printed.print_table(rows, "Check", "State", "Finding")
    if count := sum(each.state == "problem" for each in checks):
        print(f"\n{numbers.plural(count, 'problem')}.")
