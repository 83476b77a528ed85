"""Names are data: made visible, shortened, turned into names of files, and suggested."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from hashlib import sha256

ALL, NONE, PLATFORM, NOT_ALLOCATED = "(all)", "(none)", "(platform)", "(not allocated)"
"""In place of a name or an id in tables, where a line is of no single agent or cost center."""

_LONGEST_NAME = 120
_MOST = 5
_ID = 8  # characters of an id that tell it from others
_JOINERS = "\u200c\u200d"  # invisible, but part of ordinary writing and of emoji
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def display(*candidates: str | None) -> str:
    """The first name that shows anything, with controls and bidi marks made visible."""
    for candidate in candidates:
        if candidate and candidate.strip():
            return shortened(visible(candidate.strip()), _LONGEST_NAME)
    return "(no name)"


def told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Return the names by id; each that several have is followed by the beginning of the id."""
    counts = Counter(names.values())
    return {
        identity: f"{name} ({identity[:_ID]})" if counts[name] > 1 else name
        for identity, name in names.items()
    }


def visible(text: str) -> str:
    """The text with controls and bidi marks shown as code points."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"⟨U+{ord(char):04X}⟩"
        if unicodedata.category(char) in _INVISIBLE and char not in _JOINERS
        else char
        for char in unicodedata.normalize("NFC", text)
    )


def folded(text: str) -> str:
    """The text as it is compared: composed, and without case."""
    return unicodedata.normalize("NFC", text).casefold()


def capitalized(text: str) -> str:
    """The text as it begins a sentence; the name of a table or a column keeps its letters."""
    return text if "_" in text.partition(" ")[0] else text[:1].upper() + text[1:]


def shortened(text: str, length: int) -> str:
    """The text cut to so many characters, an ellipsis included."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def in_sentence(name: str) -> str:
    """A displayed name set apart, so that its writing direction leaves the sentence alone."""
    return f"{_FIRST_STRONG_ISOLATE}{name}{_POP_ISOLATE}"


def file_name(*identity: str) -> str:
    """A page's file name from its ids: readable, safe, and unlike that of any other id."""
    readable = re.sub(r"[^a-z0-9]+", "-", identity[-1].lower()).strip("-")[:48].rstrip("-")
    digest = sha256(json.dumps(identity).encode()).hexdigest()[:10]
    return f"{readable or 'id'}-{digest}.html"


def workspace_page(workspace_id: str) -> str:
    """The address of a workspace's page, from the site's folder."""
    return f"workspaces/{file_name(workspace_id)}"


def agent_page(workspace_id: str, agent_id: str) -> str:
    """The address of an agent's page, or of that of runs without one, from the site's folder."""
    identity = (workspace_id, "", "no-agent") if agent_id == NONE else (workspace_id, agent_id)
    return f"agents/{file_name(*identity)}"


def did_you_mean(wanted: str, labels: Mapping[str, str]) -> str:
    """Return a sentence with the labels of words like `wanted`, else with the first of all labels.

    `labels` holds the label of each word that names something; words may share one.
    """
    known = {word.casefold(): label for word, label in labels.items()}
    word = wanted.strip().casefold()
    similar = get_close_matches(word, known, n=_MOST) + [
        each for each in known if len(word) > 1 and word in each
    ]
    if similar:
        *others, last = list(dict.fromkeys(known[each] for each in similar))[:_MOST]
        return f"Did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
    everything = list(dict.fromkeys(known.values()))
    if not everything:
        return "There is none."
    more = f" and {len(everything) - _MOST:,} more" if len(everything) > _MOST else ""
    return f"There {'is' if len(everything) == 1 else 'are'} {', '.join(everything[:_MOST])}{more}."
