"""What a terminal is shown: text from elsewhere must not move its cursor or turn its direction."""

from __future__ import annotations


def visible(text: str) -> str:
    """Text with each unprintable character as its code; line breaks are codes too."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def visible_lines(text: str) -> str:
    """The same for a text of several lines, which stay lines."""
    return "\n".join(visible(line) for line in text.split("\n"))
