"""A settings file, which says where keys are sent: whose it is, and that it holds none."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TextIO, TypeVar

from analytics.errors import UsageError
from analytics.toml import Document, Table

_KEY = re.compile(r"levain_\w{8,}")
_LARGEST = 1_000_000  # characters

T = TypeVar("T", bound=Table)


def read_settings(path: Path, kind: type[T], *, is_named: bool) -> T:
    """Read a settings file; UsageError if it cannot be read, holds a key, or is wrong.

    One that the user named must exist; one that was found must be ours, or root's.
    """
    return parse_settings(str(path), _read_text(path, is_named=is_named), kind)


def parse_settings(file: str, text: str, kind: type[T]) -> T:
    """Return the settings of a text; UsageError names each wrong one."""
    if key := _KEY.search(text):
        raise UsageError(
            f"{file}:{text.count(chr(10), 0, key.start()) + 1}: this is an API key. Keys belong in"
            " the environment:\nput the key into a variable, and the variable's NAME into"
            " api_key_env."
        )
    return Document(file, text).read(kind)


def _read_text(path: Path, *, is_named: bool) -> str:
    """Return the text of a file; of one that is not there none, unless the user named it."""
    if not is_named and path.exists() and not path.is_file():  # of a pipe, `open` may not return
        raise UsageError(f"The settings file {path} is no file.\nMove it away, or name another.")
    try:
        with path.open(encoding="utf-8-sig") as file:
            if not is_named:
                _require_ours(path, file)
            if len(text := file.read(_LARGEST + 1)) > _LARGEST:
                raise UsageError(f"The settings file {path} is larger than 1 MB.")
            return text
    except FileNotFoundError:
        if path.is_symlink():
            raise UsageError(
                f"The settings file {path} is a link to {path.readlink()}, which is not there.\n"
                "Let it lead to a file, or remove it for the default settings."
            ) from None
        if is_named:
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


def _require_ours(path: Path, file: TextIO) -> None:
    """Raise UsageError for a file, opened from a path, that another user wrote or could write.

    It says where keys are sent. The folder is not judged: who replaces the file there owns what
    takes its place, or the link to it.
    """
    found = os.fstat(file.fileno())
    if {found.st_uid, path.lstat().st_uid} - {0, os.geteuid()}:
        reason, remedy = "belongs to another user", ""
    elif found.st_mode & 0o022:
        reason, remedy = "can be written by other users", f"Run `chmod go-w {path}`. "
    else:
        return
    raise UsageError(
        f"The settings file {path} {reason}, and says where API keys are sent.\n"
        f"{remedy}If you trust it as it is, name it by --config."
    )
