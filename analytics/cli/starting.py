"""`analytics init`: the settings of a new project, and an example of each file of one's own."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from analytics.cli.connection import identify
from analytics.cli.printed import command, say
from analytics.errors import AnalyticsError, UsageError
from analytics.files import folder
from analytics.settings import (
    API_KEY_ENV,
    CONFIG_FILE,
    Workspace,
    base_url,
    default_api,
    has_key,
    variable_name,
)
from analytics.terminal import escaped
from analytics.wrong_settings import require_timezone

_SETTINGS = """\
# Settings of levain-analytics. `analytics status` says what is wrong, --online tries the keys.

# One table a workspace: the NAME of the variable that holds its API key, never the key itself.
{workspaces}
[reporting]
timezone = {timezone}  # the days and months of reports
"""


class Answers(msgspec.Struct, frozen=True):
    """The choices of a new project; what is empty or None takes its default."""

    variables: list[str]
    api: str | None = None
    timezone: str | None = None


def start(file: Path, data_dir: Path | None, given: Answers) -> None:
    """Write the settings and the examples, and print the next steps, on this data directory.

    UsageError, before anything is written, for a wrong choice or settings that are there already.
    """
    target = file.parent
    if file.exists() or file.is_symlink():
        raise UsageError(
            f"{file} is there already, and nothing was written.\n"
            "Edit it by hand; `analytics status` says what is wrong in it."
        )
    _require_folders(target)
    chosen = _valid(given)
    text = _settings_text(chosen)
    target.mkdir(parents=True, exist_ok=True)
    file.touch(0o600, exist_ok=False)
    file.write_text(text, encoding="utf-8")
    say(f"wrote {file}")
    for path, is_new in _write_examples(target):
        say(f"wrote {path}" if is_new else f"kept  {path}, which was there")
    say("")
    unset = [
        workspace.api_key_env for workspace in _workspaces(chosen) if not _is_usable(workspace)
    ]
    _print_next_steps(file, data_dir, unset)


def _valid(given: Answers) -> Answers:
    """Return the choices; UsageError for one that the settings would refuse."""
    api = base_url(given.api or default_api())
    return Answers(
        _variables(given.variables) or [API_KEY_ENV],
        given.api and api,
        _timezone(given.timezone or "UTC"),
    )


def _variables(names: Iterable[str]) -> list[str]:
    """Return names of variables, each once; UsageError for one that is none."""
    return [*dict.fromkeys(map(variable_name, names))]


def _timezone(name: str) -> str:
    require_timezone(name)
    return name


def _settings_text(chosen: Answers) -> str:
    api = chosen.api if chosen.api != default_api() else None
    workspaces = "".join(
        f"[[workspaces]]\napi_key_env = {json.dumps(name)}\n"
        + (f"api = {json.dumps(api)}\n" if api else "")
        + "\n"
        for name in chosen.variables
    )
    return _SETTINGS.format(
        workspaces=workspaces.rstrip("\n") + "\n", timezone=json.dumps(chosen.timezone)
    )


def _examples(target: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each example: where it is to be, and where it is."""
    skeleton = folder("skeleton")
    for example in sorted(skeleton.rglob("*.*")):
        yield target / example.relative_to(skeleton), example


def _require_folders(target: Path) -> None:
    """Raise UsageError if anything else is in the place of a folder."""
    for path, _ in _examples(target):
        for each in reversed(path.parents):
            if os.path.lexists(each) and not each.is_dir():
                raise UsageError(
                    f"{each} is no folder, and nothing was written.\n"
                    "Move it away, or name another folder to write to."
                )


def _write_examples(target: Path) -> Iterator[tuple[Path, bool]]:
    """Copy the examples; yield each file, and False for one that was there and is kept."""
    for path, example in _examples(target):
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        if is_new:
            path.write_bytes(example.read_bytes())
        yield path, is_new


def _workspaces(chosen: Answers) -> list[Workspace]:
    api = chosen.api or base_url(default_api())
    return [Workspace(api_key_env=name, api=api) for name in chosen.variables]


def _is_usable(workspace: Workspace) -> bool:
    """Print the workspace of a key, or the reason why it cannot be used; False if it is not set."""
    name = workspace.api_key_env
    if not has_key(workspace):
        say(f"{name} is not set yet.")
        return False
    try:
        me = identify(workspace)
    except AnalyticsError as error:
        say(f"warning: {error}")
    else:
        say(f"{name} is a key of {escaped(me.workspace_name or '')} ({me.workspace_id}).")
    return True


def _print_next_steps(file: Path, data_dir: Path | None, unset: list[str]) -> None:
    options = "" if file.name == CONFIG_FILE else f" --config {shlex.quote(file.name)}"
    if data_dir:
        options += f" --data-dir {shlex.quote(str(data_dir.resolve()))}"
    say("\nNext:")
    if file.parent.resolve() != Path.cwd():
        say(f"  cd {shlex.quote(str(file.parent))}")
    for name in unset:
        say(f"  export {name}=levain_…")
    program = command(file.parent)
    for name in ("status --online", "nightly", "open"):
        say(f"  {program} {name}{options}")
    say(
        "The dashboard of a workspace shows its key. `status` tries the keys, and says what is\n"
        "wrong; `nightly` reads 90 days the first time, checks and publishes; `open` opens the\n"
        "reports."
    )
