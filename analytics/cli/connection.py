"""A client for one workspace of the settings, with errors in words for the user."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path

from analytics.batch.workspaces import key_refused, require_named
from analytics.cli import printed
from analytics.errors import AnalyticsError, UsageError
from analytics.levain import (
    ConnectionFailedError,
    Levain,
    LevainError,
    Me,
    OutcomeUnknownError,
    RefusedError,
    UnauthorizedError,
)
from analytics.levain.pace import TRIES
from analytics.settings import Settings, Workspace, api_key

QUICK = 3  # attempts of a short command
PATIENT = TRIES  # attempts of a long one

_options: ContextVar[tuple[str, ...]] = ContextVar("options", default=())
"""Options of the command at work, for the commands that a remark or an error names."""


@contextmanager
def connected(
    settings: Settings, workspace: str | None, config: Path | None, *, tries: int
) -> Iterator[Levain]:
    """Yield a client for a workspace of the settings; API errors become an AnalyticsError.

    Commands that messages name repeat these options.
    """
    chosen = _chosen(settings, workspace)
    given = {"--workspace": workspace, "--config": config}
    options = (each for name, value in given.items() if value for each in (name, str(value)))
    token = _options.set(tuple(options))
    try:
        with _client(chosen, tries) as levain:
            if chosen.workspace_id is not None:
                require_named(levain.auth.me(), chosen)
            yield levain
    finally:
        _options.reset(token)


def hint(*words: str) -> str:
    """Return a command of `analytics runs` as it works in the same shell."""
    return shlex.join(["analytics", "runs", *words, *_options.get()])


def read_identity(workspace: Workspace, *, tries: int = QUICK) -> tuple[Me, datetime]:
    """Return the workspace that a key belongs to, and the time of the API's clock.

    AnalyticsError if the API does not tell it. UsageError if the key is not set, not accepted, or
    of another workspace than the settings name.
    """
    with _client(workspace, tries) as levain:
        answer, me = levain.auth.read()
    require_named(me, workspace)
    return me, answer.fetched_at


@contextmanager
def _client(workspace: Workspace, tries: int) -> Iterator[Levain]:
    try:
        key = api_key(workspace)
        with Levain(key, workspace.api, tries=tries, on_retry=_print_retry) as levain:
            yield levain
    except LevainError as error:
        raise _analytics_error(error, workspace) from error


def _print_retry(error: LevainError, seconds: float) -> None:
    """Print each retry, so that a wait has a visible reason."""
    printed.say(f"{error.cause}; trying again in {seconds:.1f} s")


def _chosen(settings: Settings, name: str | None) -> Workspace:
    """Return the only workspace, or the one with this key variable or id."""
    workspaces = settings.workspaces
    if name is None and len(workspaces) == 1:
        return workspaces[0]
    names = ", ".join(workspace.api_key_env for workspace in workspaces)
    if name is None:
        raise UsageError(
            f"There are {len(workspaces)} workspaces: name one with --workspace.\n"
            f"{settings.file} has {names}."
        )
    for workspace in workspaces:
        if name in (workspace.api_key_env, workspace.workspace_id):
            return workspace
    for workspace in workspaces:
        if workspace.workspace_id is None and read_identity(workspace)[0].workspace_id == name:
            return workspace
    raise UsageError(f"There is no workspace `{name}`. Those known: {names}, and their ids.")


def _analytics_error(error: LevainError, workspace: Workspace) -> AnalyticsError:
    match error:
        case UnauthorizedError():
            return key_refused(error, workspace)
        case OutcomeUnknownError():
            return AnalyticsError(
                f"{error}.\nIt may have been carried out all the same: look with "
                f"`{hint('list')}` before you ask again."
            )
        case ConnectionFailedError():
            return AnalyticsError(
                f"The API at {workspace.api} does not answer: {error.cause}.\n"
                "Check the network, and the API's address (LEVAIN_API)."
            )
        case RefusedError():
            return AnalyticsError(
                f"The API refused this: {(error.detail or str(error)).rstrip('.')}."
            )
        case _:
            return AnalyticsError(f"{error}.")
