"""Suggestions for a word that names nothing."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

_MOST = 5


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
