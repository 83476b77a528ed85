"""Messages of findings: plain text in which no name is a mention, a link or markup."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from analytics.project.build import Finding

MOST_LINES = 20
_LONGEST = 1800
"""Characters: the smallest limit of common services is 2,000."""

_MARKUP = str.maketrans(
    "<>@#*`~|[]\\", "\u2039\u203a\uff20\uff03\u2217\u02cb\u223c\u00a6\uff3b\uff3d\uff3c"
)
"""Characters that services take for markup or a mention, and look-alikes that they do not."""

_DOT = re.compile(r"((?<![\w.])[\d,]+\.\d+(?:e[+-]\d+)?(?!\.?\w))|(?<=\w)\.(?=\w)")
"""A number, or a dot elsewhere in a word: services make links of bare names of hosts."""

_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")


@dataclass(frozen=True)
class Message:
    """A message to send; `severity` is info, warning or failure."""

    title: str
    body: str
    severity: str


def without_markup(text: str) -> str:
    """Return a text with look-alikes for all that services take for a mention, link or markup."""
    text = text.replace("://", ":\u2215\u2215")
    without_links = _DOT.sub(lambda found: found[1] or "\u2024", text)
    return _EDGE.sub("\uff3f", without_links.translate(_MARKUP))


def message_of(
    findings: Sequence[Finding], data_to: datetime | None, links: Mapping[str, str]
) -> Message:
    """Return the message of findings of one alert, of which the first are told in full.

    `links` are the addresses of what shows them, by identity.
    """
    first = findings[0]
    noun = "finding" if first.count == 1 else "findings"
    if len(findings) < first.count:
        count = f"{len(findings)} new of {first.count:,} {noun}"
    else:
        count = f"{len(findings)} new {noun}"
    when = f" Data to {data_to.astimezone(UTC):%Y-%m-%d %H:%M} UTC." if data_to else ""
    lines, length = [f"{count}.{when}"], 0
    for finding in findings[:MOST_LINES]:
        line = f"- {without_markup(finding.text)}"
        if link := links.get(finding.id):
            line += f"\n  {link}"
        length += len(line)
        if length > _LONGEST and len(lines) > 1:
            break
        lines.append(line)
    if more := len(findings) - len(lines) + 1:
        lines.append(f"and {more} more: analytics status --json")
    return Message(without_markup(first.title), "\n".join(lines), first.severity)


TEST = Message("Test of alerts", "Findings of your alerts will arrive here.", "info")
