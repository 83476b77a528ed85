r"""Lone surrogates: an escape such as `\ud800` alone, which is valid JSON, but no Unicode text."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    rb"""\\(?:
        u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}  # a pair: one whole character
        | (?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})
        | .
    )""",
    re.VERBOSE | re.DOTALL,
)


def escape_lone_surrogates(content: bytes) -> bytes:
    """Return JSON in which each lone surrogate is escaped once more, so that it can be decoded."""
    return _ESCAPE.sub(lambda found: b"\\" * bool(found["half"]) + found[0], content)
