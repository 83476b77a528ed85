"""A finding of an alert, one of `count`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A finding to send; `id` is the same in each batch that finds it again."""

    alert: str
    title: str
    severity: str
    number: int
    count: int
    id: str
    text: str
