"""Commands that a remark or an error names, as they work in the same shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_options: ContextVar[tuple[str, ...]] = ContextVar("options", default=())


@contextmanager
def repeating(workspace: str | None, config: Path | None) -> Iterator[None]:
    """Let commands within the block have these options, where they are given."""
    given: tuple[str, ...] = ()
    if workspace is not None:
        given += ("--workspace", workspace)
    if config is not None:
        given += ("--config", str(config))
    token = _options.set(given)
    try:
        yield
    finally:
        _options.reset(token)


def command(*words: str) -> str:
    """Return a command of `analytics runs`, with the options of the one at work."""
    return shlex.join(["analytics", "runs", *words, *_options.get()])
