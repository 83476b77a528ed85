"""`analytics init`: the settings of a new project, and an example of each file of one's own."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from analytics.cli.connection import read_identity
from analytics.cli.printed import command, say
from analytics.errors import AnalyticsError, UsageError
from analytics.files import folder
from analytics.settings import (
    API_KEY_ENV,
    CONFIG_FILE,
    SettingsFile,
    Workspace,
    has_key,
    parse_settings,
    with_api,
)
from analytics.terminal import escaped

_SETTINGS = """\
# Settings of levain-analytics. `analytics status` says what is wrong, --online tries the keys.

# One table a workspace: the NAME of the variable that holds its API key, never the key itself.
{workspaces}
[reporting]
timezone = {timezone}  # the days and months of reports
"""


def start(
    file: Path, data_dir: Path | None, variables: Sequence[str], api: str | None, timezone: str
) -> None:
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
    text = _settings_text(variables or [API_KEY_ENV], api, timezone)
    try:
        workspaces = [*map(with_api, parse_settings(str(file), text, SettingsFile).workspaces)]
    except UsageError as error:
        raise UsageError(f"{error}\nNothing was written: change the options.") from None
    target.mkdir(parents=True, exist_ok=True)
    file.touch(0o600, exist_ok=False)
    file.write_text(text, encoding="utf-8")
    say(f"wrote {file}")
    for path, is_new in _write_examples(target):
        say(f"wrote {path}" if is_new else f"kept  {path}, which was there")
    say("")
    unset = [each.api_key_env for each in workspaces if not _is_usable(each)]
    _print_next_steps(file, data_dir, unset)


def _settings_text(variables: Sequence[str], api: str | None, timezone: str) -> str:
    # Also the one that LEVAIN_API has: a shell without that variable would send keys elsewhere.
    own_api = f"api = {json.dumps(api)}\n" if api else ""
    workspaces = [
        f"[[workspaces]]\napi_key_env = {json.dumps(name)}\n{own_api}"
        for name in dict.fromkeys(variables)
    ]
    return _SETTINGS.format(workspaces="\n".join(workspaces), timezone=json.dumps(timezone))


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
        try:
            with path.open("xb") as file:  # no link is followed
                file.write(example.read_bytes())
        except FileExistsError:
            yield path, False
        else:
            yield path, True


def _is_usable(workspace: Workspace) -> bool:
    """Print the workspace of a key, or the reason why it cannot be used; False if it is not set."""
    name = workspace.api_key_env
    if not has_key(workspace):
        say(f"{name} is not set yet.")
        return False
    try:
        me, _ = read_identity(workspace)
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
