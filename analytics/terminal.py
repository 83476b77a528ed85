"""Safe text for terminals: foreign text must not move the cursor or turn the text direction."""

from __future__ import annotations


def visible(text: str) -> str:
    """Return text with each unprintable character escaped, line breaks included."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def visible_lines(text: str) -> str:
    """Escape a text of several lines, and keep its line breaks."""
    return "\n".join(visible(line) for line in text.split("\n"))
