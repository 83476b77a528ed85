"""JSON that no decoder takes, made decodable: values nested too deeply, and `NaN`."""

from __future__ import annotations

import re

from analytics.levain import bounds
from analytics.levain.errors import AnswerTooLargeError

_NO_MARKS = bytes(set(range(256)) - set(b"[]{},"))
_STRING = rb'"(?:[^"\\]++|\\.)*+"?'
"""A string, or the rest of the body where none ends it: no byte of it is looked at again."""
_STRINGS = re.compile(_STRING, re.DOTALL)
_BRACKETS = re.compile(_STRING + rb"|[\[\]{}]", re.DOTALL)
_NOT_FINITE = re.compile(_STRING + rb"|(?P<number>-?(?:NaN|Infinity))", re.DOTALL)


def require_few(request: str, content: bytes) -> bytes:
    """Return the commas and brackets of a body; AnswerTooLargeError for one of too many.

    Those of texts do not count, but may be among them.
    """
    marks = content.translate(None, _NO_MARKS)
    if len(marks) > bounds.MOST_MARKS and are_few(content):
        marks = _STRINGS.sub(b"", content).translate(None, _NO_MARKS)
    if len(marks) > bounds.MOST_MARKS:
        raise AnswerTooLargeError(request, f"it has more than {bounds.MOST_MARKS:,} values")
    return marks


def are_few(content: bytes) -> bool:
    """Return True if a body has so few texts and escapes that each of them may be looked at."""
    return content.count(b'"') + content.count(b"\\") <= bounds.MOST_TOKENS


def shallow(request: str, content: bytes) -> bytes:
    """Return JSON with null in place of each value below DEEPEST levels: decoders recurse.

    AnswerTooLargeError for a body that has too much in it to be judged.
    """
    brackets = require_few(request, content).translate(None, b",")
    if not _may_be_deep(brackets):
        return content
    if not are_few(content):
        raise AnswerTooLargeError(request, f"it is nested below {bounds.DEEPEST} levels")
    return _cut(content)


def quote_not_finite(content: bytes) -> bytes:
    """Return JSON with `NaN` and `Infinity`, which some encoders write, as texts."""
    return _NOT_FINITE.sub(
        lambda found: b'"%b"' % found[0] if found["number"] else found[0], content
    )


def _may_be_deep(brackets: bytes) -> bool:
    """Return False if a body of these brackets is shallow, sooner than it can be decoded.

    Brackets of texts may only let it return True once too often.
    """
    for _ in range(bounds.DEEPEST):  # each pass removes the innermost level
        if len(brackets) <= bounds.DEEPEST:
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
            if depth == bounds.DEEPEST + 1:
                kept += [content[start : found.start()], b"null"]
        elif mark in (b"]", b"}"):
            if depth == bounds.DEEPEST + 1:
                start = found.end()
            depth -= 1
    # A value that does not end is cut off with its body, which then is no JSON.
    return b"".join(kept) + (content[start:] if depth <= bounds.DEEPEST else b"")
