"""Output of the commands: JSON on standard output, remarks on standard error."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from analytics.terminal import escaped_json, escaped_lines

if TYPE_CHECKING:
    from analytics.settings import Settings


def print_json(value: Any) -> None:
    """Print a record or a list of records; money as a string, digit for digit."""
    print(escaped_json(json_text(value, indent=2), sys.stdout.encoding))


def print_json_line(value: Any) -> None:
    """Print a record on one line, and flush."""
    print(escaped_json(json_text(value), sys.stdout.encoding), flush=True)


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON in which each amount of money is a string with the digits of the API."""
    plain = msgspec.to_builtins(value, builtin_types=(Decimal,))
    return json.dumps(plain, indent=indent, ensure_ascii=False, default=_digits)


def say(text: str) -> None:
    """Print a remark on standard error."""
    print(escaped_lines(text), file=sys.stderr, flush=True)


def drop_output() -> None:
    """Flush standard output, or forget it: Python would try again on exit, and exit with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command(folder: Path = Path()) -> str:
    """Return the words by which a shell in `folder` calls this installation's command."""
    script = Path(sys.executable).with_name("analytics")
    found = shutil.which("analytics")
    if found and Path(found).resolve() == script.resolve():
        return "analytics"
    return typed(script, folder)


def typed(path: Path, folder: Path = Path()) -> str:
    """Return a path as it is typed into a shell in `folder`: relative to it, if it lies below."""
    here = folder.resolve()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def pages_address(settings: Settings, site: Path) -> str:
    """Return the address of the pages, for links in a terminal; empty where none is written to."""
    if not sys.stdout.isatty():
        return ""
    return settings.publish.url.rstrip("/") or site.absolute().as_uri()


def _digits(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in JSON")
