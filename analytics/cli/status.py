"""`analytics status`: what needs a hand, of settings, files of the user, keys, and the data.

Each problem is a text: its first line says what was found, the next ones what to do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import duckdb

from analytics.alerts.messages import TEST
from analytics.alerts.sender import addresses, send
from analytics.batch.last_batch import LastBatch, read_last_batch
from analytics.batch.workspaces import identity_errors
from analytics.errors import AnalyticsError, UsageError
from analytics.finance.books.reading import CLOSINGS, Known
from analytics.finance.books.verifying import verify
from analytics.finance.load import hash_files, not_repeated, read_finance
from analytics.format import numbers
from analytics.levain import Me
from analytics.machine_clock import FURTHEST, machine_time
from analytics.project.build import check_project
from analytics.settings import (
    Settings,
    Workspace,
    alert_urls,
    api_key,
    has_key,
    require_timezone,
)
from analytics.warehouse.database import OFFLINE, open_marts, quoted, require_opens
from analytics.warehouse.landed import loads_aside
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import probed, require_writable
from analytics.warehouse.publications import require_past

_OLD = timedelta(hours=48)
"""A batch that ended so long ago should have been followed by another one."""

_STUCK = timedelta(days=1)
"""A batch at work for so long is stopped, or hangs."""

_SKEW = timedelta(seconds=60)
"""The machine's clock may differ from the API's by so much before it is told."""


def problems_of(settings: Settings) -> Iterator[str]:
    """Yield each problem that files and the environment tell, without any request.

    Who looks at the data of another user, or at a copy of what was published, runs no batch there:
    keys and data are left out.
    """
    yield from _settings(settings)
    layout = Layout(settings.data_dir)
    if _is_ours(layout):
        yield from _keys(settings, layout)
        yield from problems_of_data(layout, datetime.now(UTC))


def unknown_names(files: Iterable[Mapping[str, Any]], settings: Settings) -> list[str]:
    """Return the names in `finance/` that meant nothing known to the published figures.

    `files` is `audit.project_files`. Of a file that has changed since, the next batch tells them.
    """
    now = hash_files(settings.project)
    return [
        problem
        for each in files
        if each["kind"] == "rules" and each["error"] and now.get(each["name"]) == each["sha256"]
        for problem in each["error"].split("\n")
    ]


def try_keys(settings: Settings) -> tuple[dict[str, str], list[str]]:
    """Ask the API for the workspace of each key; return these by variable, and problems."""
    from analytics.cli.connection import read_identity

    tried: dict[str, str] = {}
    problems: list[str] = []
    skewed: list[str] = []
    opened: dict[str, tuple[Workspace, Me]] = {}
    for workspace in settings.workspaces:
        try:
            me, api_time = read_identity(workspace, tries=1)
        except AnalyticsError as error:
            problems.append(str(error))
            continue
        first, _ = opened.setdefault(me.workspace_id, (workspace, me))
        if first is not workspace:
            problems.append(_twice(first.api_key_env, workspace.api_key_env))
        tried[workspace.api_key_env] = f"{me.workspace_name or ''} ({me.workspace_id})"
        skewed += _clock(machine_time() - api_time)
    return tried, [*problems, *_identities(settings, opened.values()), *skewed[:1]]


def try_addresses(settings: Settings) -> tuple[dict[str, str], list[str]]:
    """Send a test message to each address of alerts; return what came of it, and problems."""
    try:
        receivers = addresses(alert_urls(settings))
    except UsageError:  # a problem of the settings, which tell it
        return {}, []
    reasons = {each.name: send(each, [TEST])[0] for each in receivers}
    return {name: reason or "sent" for name, reason in reasons.items()}, [
        f"A test alert did not arrive at {name}: {reason}.\n"
        "Correct it in the variable that urls_env in [alerts] names."
        for name, reason in reasons.items()
        if reason
    ]


def _settings(settings: Settings) -> Iterator[str]:
    """Yield each problem of settings and of the user's files."""
    of_finance = read_finance(settings.project).problems
    yield from _refusals(partial(require_timezone, settings), partial(alert_urls, settings))
    yield from not_repeated(check_project(settings), of_finance)
    yield from of_finance


def _refusals(*checks: Callable[[], object]) -> Iterator[str]:
    """Yield the message of each check that raises AnalyticsError."""
    for check in checks:
        try:
            check()
        except AnalyticsError as error:
            yield str(error)


def _is_ours(layout: Layout) -> bool:
    try:
        if os.geteuid() not in (0, layout.root.stat().st_uid):
            return False
    except OSError:
        return True
    is_copy = layout.published_file.exists() and not layout.landing.exists()
    return layout.warehouse.exists() or not is_copy


def _keys(settings: Settings, layout: Layout) -> Iterator[str]:
    """Yield each key that no batch could use.

    One that is not set here is none where the last batch ended well: it has it from elsewhere.
    """
    last = read_last_batch(layout)
    names = [each.api_key_env for each in settings.workspaces]
    yield from (_twice(name, name) for name in dict.fromkeys(names) if names.count(name) > 1)
    yield from _refusals(
        *(
            partial(api_key, workspace)
            for workspace in settings.workspaces
            if has_key(workspace) or not (last and last.exit_code == 0)
        )
    )


def _twice(one: str, other: str) -> str:
    return (
        f"{one} and {other} name the same workspace.\n"
        "A workspace is read once a batch: remove one [[workspaces]]."
    )


def _identities(settings: Settings, opened: Collection[tuple[Workspace, Me]]) -> Iterator[str]:
    """Yield that a key is of another workspace than the data, if these can be read now."""
    layout = Layout(settings.data_dir)
    errors: list[UsageError | None] = []
    with (
        suppress(duckdb.Error),  # also where a batch is at work
        duckdb.connect(config=OFFLINE) as con,
    ):
        con.execute(f"attach '{quoted(layout.warehouse)}' as warehouse (read_only)")
        con.execute("use warehouse")
        errors = identity_errors(con, [*opened])
    yield from (str(error) for error in errors if error)


def _clock(skew: timedelta) -> Iterator[str]:
    if abs(skew) > _SKEW:
        how = "ahead of" if skew > timedelta() else "behind"
        yield (
            f"This machine's clock is {numbers.duration(abs(skew).total_seconds())} {how} the"
            " API's.\n"
        ) + (
            "Set it: a batch reads nothing from an API whose clock is over a day off."
            if abs(skew) > FURTHEST
            else "Set it: figures follow the API's clock, but times of batches are the machine's"
            " own."
        )


def problems_of_data(layout: Layout, now: datetime) -> Iterator[str]:
    """Yield each problem of a data directory, if it is there, that no batch tells."""
    if layout.root.exists():
        yield from _disk(layout, now)
    with suppress(PermissionError):  # of a folder that cannot be written either
        yield from _published(layout)
    if last := read_last_batch(layout):
        yield from _last_batch(last, now)


def _disk(layout: Layout, now: datetime) -> Iterator[str]:
    """Yield each reason why the next batch could not write or read its files."""
    problems = [*_refusals(partial(require_past, layout), partial(require_writable, layout))]
    with probed(layout) as holder:
        if holder is None and not problems:
            files = (layout.warehouse, layout.marts)
            problems += _refusals(*(partial(require_opens, each) for each in files))
            problems += _room(layout)
        if holder and (age := now - holder.since) > _STUCK:
            kind = "collection" if holder.is_collection else "batch"
            problems.append(
                f"A {kind} has been at work in {layout.root} for"
                f" {numbers.duration(age.total_seconds())} (process {holder.process}), which keeps"
                " each other one out.\nSee whether it is stopped or hangs. After `kill -KILL"
                f" {holder.process}` the next batch goes on from what it has read."
            )
    yield from problems


def _room(layout: Layout) -> Iterator[str]:
    """Yield that the disk has less room than what a batch publishes takes."""
    published = (layout.published_file, *layout.site.rglob("*"))
    size = sum(each.stat().st_size for each in published if each.is_file())
    free = shutil.disk_usage(layout.root).free
    if free < size:
        yield (
            f"The disk of {layout.root} has {numbers.size(free)} left, and the last publication"
            f" takes {numbers.size(size)}.\nMake room there: the next batch needs as much."
        )


def _published(layout: Layout) -> Iterator[str]:
    """Yield what the published file rests on that is gone."""
    try:
        with open_marts(layout.published_file) as con:
            loads = con.execute(
                "select distinct workspace_id, load_id from audit.landing_files order by all"
            ).fetchall()
            closings = con.execute(f"{CLOSINGS} audit.closings").fetchall()
    except (duckdb.Error, AnalyticsError):  # `status` tells why its figures cannot be read
        yield from _books(layout, [])
        return
    aside = loads_aside(layout.landing)
    folders = [layout.landing.joinpath(*load) for load in loads if load not in aside]
    if gone := [each for each in folders if not each.is_dir()]:
        more = f", and {len(gone) - 1:,} more" if len(gone) > 1 else ""
        yield (
            f"{gone[0]} is gone{more}.\n"
            "Put them back from a backup; no `analytics rebuild` is possible without them."
        )
    yield from _books(layout, closings)


def _books(layout: Layout, known: Iterable[Known]) -> Iterator[str]:
    """Verify the books as `analytics books` does."""
    _, findings = verify(layout.books, known)
    if findings:
        more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
        yield (
            f"The books in {layout.books} are not as they were closed: {findings[0]}{more}.\n"
            "Put them back from a backup; `analytics books` names all."
        )


def _last_batch(last: LastBatch, now: datetime) -> Iterator[str]:
    when = f"{last.ended_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if last.exit_code:
        told = "\n".join(last.messages)
        yield f"The last batch failed (exit {last.exit_code}) at {when}.\n{told}"
    elif now - last.ended_at > _OLD:
        age = numbers.duration((now - last.ended_at).total_seconds())
        yield f"The last batch ended at {when}, {age} ago.\nSee whether its schedule still runs."
