"""A settings file as TOML, before its settings are looked at."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from analytics.errors import UsageError

KEY_TEXT = re.compile(r"levain_\w{8,}")


def read_tables(path: Path, *, must_exist: bool) -> dict[str, Any]:
    """Read a settings file; UsageError if it cannot be read, or holds a key."""
    text = _read_text(path, must_exist=must_exist)
    if KEY_TEXT.search(text):
        raise UsageError(
            f"{path} holds an API key. Keys belong in the environment:\n"
            "put the key into a variable, and the variable's NAME into api_key_env."
        )
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise UsageError(f"{path} is not valid TOML: its tables are nested too deep.") from None
    except ValueError as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error


def _read_text(path: Path, *, must_exist: bool) -> str:
    """Return the text of a file; of one that is not there none, unless it must exist."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if path.is_symlink():
            raise UsageError(
                f"The settings file {path} is a link to {path.readlink()}, which is not there.\n"
                "Let it lead to a file, or remove it for the default settings."
            ) from None
        if must_exist:
            raise UsageError(
                f"There is no settings file {path}.\n"
                "Name one that is there, or write one with `analytics init`."
            ) from None
        return ""
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"The settings file {path} is not UTF-8: line {line} has the byte"
            f" 0x{error.object[error.start]:02X}.\nSave it as UTF-8."
        ) from None
    except OSError as error:
        raise UsageError(f"The settings file {path} cannot be read: {error}.") from error
