"""JSON that no decoder takes, made decodable: values nested too deeply, and `NaN`."""

from __future__ import annotations

import re

DEEPEST = 100
"""Levels of a body that are read; what lies deeper is read as null."""

_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
_STRING = rb'"(?:[^"\\]++|\\.)*+"?'
"""A string, or the rest of the body where none ends it: no byte of it is looked at again."""
_BRACKETS = re.compile(_STRING + rb"|[\[\]{}]", re.DOTALL)
_NOT_FINITE = re.compile(_STRING + rb"|(?P<number>-?(?:NaN|Infinity))", re.DOTALL)


def shallow(content: bytes) -> bytes:
    """Return JSON with null in place of each value below DEEPEST levels: decoders recurse."""
    return _cut(content) if _may_be_deep(content) else content


def quote_not_finite(content: bytes) -> bytes:
    """Return JSON with `NaN` and `Infinity`, which some encoders write, as texts."""
    return _NOT_FINITE.sub(
        lambda found: b'"%b"' % found[0] if found["number"] else found[0], content
    )


def _may_be_deep(content: bytes) -> bool:
    """Return False if the body is shallow, in a small part of the time that decoding it takes.

    Brackets within strings may only let it return True once too often.
    """
    brackets = content.translate(None, _OTHERS)
    for _ in range(DEEPEST):  # each pass removes the innermost level
        if len(brackets) <= DEEPEST:
            return False
        left = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(left) == len(brackets):
            break
        brackets = left
    return True


def _cut(content: bytes) -> bytes:
    kept, depth, start = [], 0, 0
    for found in _BRACKETS.finditer(content):
        mark = found[0]
        if mark in (b"[", b"{"):
            depth += 1
            if depth == DEEPEST + 1:
                kept += [content[start : found.start()], b"null"]
        elif mark in (b"]", b"}"):
            if depth == DEEPEST + 1:
                start = found.end()
            depth -= 1
    # A value that does not end is cut off with its body, which then is no JSON.
    return b"".join(kept) + (content[start:] if depth <= DEEPEST else b"")
