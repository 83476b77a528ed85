"""Sizes of memory."""

from __future__ import annotations

import re

_UNITS = {"M": 2, "G": 3, "T": 4}


def bytes_of(size: str) -> int:
    """Return a size such as "2GB" or "512MiB" in bytes."""
    number, unit, binary = re.findall(r"([\d.]+) ?(\w)(i?)", size)[0]
    return int(float(number) * (1024 if binary else 1000) ** _UNITS[unit])
